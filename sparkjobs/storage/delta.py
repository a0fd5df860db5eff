"""Delta tables that are made when missing, and commits that are made again when they lost a race (energy 11)."""

import time
from collections.abc import Mapping

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from sparkjobs.storage.engine import Engine
from sparkjobs.storage.files import is_local, local_path, plain_path
from sparkjobs.storage.versions import quoted

TRIES_OF_A_COMMIT = 12
# delta-rs reads the tables, in the function app too: no feature that it does not know (energy 11).
READABLE_BY_ALL: Mapping[str, str] = {
    "delta.enableDeletionVectors": "false",
    "delta.columnMapping.mode": "none",
    "delta.enableTypeWidening": "false",
    "delta.checkpointPolicy": "classic",
}


def ensure_table(
    engine: Engine,
    path: str,
    schema: T.StructType,
    partitioned_by: tuple[str, ...] = (),
    searched_by: tuple[str, ...] = (),
) -> bool:
    """Make a Delta table at a path when there is none, never by a first frame; True when this call made it.

    `searched_by`: the columns of which the log holds least and greatest values; of every column when there are none,
    which costs Spark a third of writing. Two jobs may try it at once: losing that race counts as success (platform 10).
    """
    if (engine.is_sail or is_local(path)) and _exists(path):
        return False
    columns = ", ".join(_column(field) for field in schema.fields)
    partitions = f"PARTITIONED BY ({', '.join(partitioned_by)})" if partitioned_by else ""
    told = {**READABLE_BY_ALL, **({"delta.dataSkippingStatsColumns": ",".join(searched_by)} if searched_by else {})}
    properties = ", ".join(f"'{name}' = '{value}'" for name, value in told.items())
    name = f"t{abs(hash((path, time.monotonic_ns())))}" if engine.is_sail else f"IF NOT EXISTS {quoted(path)}"
    location = f"LOCATION '{path}'" if engine.is_sail else ""
    statement = f"CREATE TABLE {name} ({columns}) USING delta {partitions} {location} TBLPROPERTIES ({properties})"
    try:
        engine.spark.sql(statement)
    except PySparkException:
        if not _exists(path):
            raise
        return False
    return True


def _column(field: T.StructField) -> str:
    comment = field.metadata.get("comment", "").replace("'", "")
    return f"{field.name} {field.dataType.simpleString()}" + (f" COMMENT '{comment}'" if comment else "")


def _exists(path: str) -> bool:
    if is_local(path):
        return any((local_path(path) / "_delta_log").glob("*.json"))
    from deltalake import DeltaTable

    return bool(DeltaTable.is_deltatable(path))


def has_partition(path: str, partition: str) -> bool:
    """Whether a table may have rows of a partition: so it is where there is a folder for it, or none can tell."""
    return not is_local(path) or (local_path(path) / partition).exists()


def append(path: str, frame: DataFrame) -> None:
    """Append a frame to a Delta table; a commit that lost to a parallel job is made again."""
    _committed(lambda: frame.write.format("delta").mode("append").save(path))


def delete(engine: Engine, path: str, condition: str) -> None:
    """Delete rows of a Delta table; a commit that lost to a parallel job is made again."""
    _committed(lambda: engine.spark.sql(f"DELETE FROM {quoted(path)} WHERE {condition}"))  # noqa: S608 our own text


def _committed(commit: object) -> None:
    for attempt in range(1, TRIES_OF_A_COMMIT + 1):
        try:
            commit()  # type: ignore[operator] # a callable, see the two callers
            return
        except PySparkException as error:
            if attempt == TRIES_OF_A_COMMIT or not _lost_a_race(error):
                raise
            time.sleep(0.05 * attempt)


def _lost_a_race(error: Exception) -> bool:
    text = str(error)
    return any(
        sign in text for sign in ("Failed to commit transaction", "Missing commit file", "Concurrent", "conflict")
    )


def table_folder(lake: str, path: str) -> str:
    """The address of a table in the lake, from the lake's root; a local lake's absolute folder."""
    return str(plain_path(local_path(lake)) / path) if is_local(lake) else f"{lake.rstrip('/')}/{path}"
