"""Delta tables by path or name: pinned reading, versions, tables that are made when missing (inputs, energy 11)."""

import time
from collections.abc import Mapping

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from shared.errors import DataError
from sparkjobs.storage.engine import Engine
from sparkjobs.storage.files import is_local, local_path, plain_path

TRIES_OF_A_COMMIT = 12
# delta-rs reads the tables, in the function app too: no feature that it does not know (energy 11).
READABLE_BY_ALL: Mapping[str, str] = {
    "delta.enableDeletionVectors": "false",
    "delta.columnMapping.mode": "none",
    "delta.enableTypeWidening": "false",
    "delta.checkpointPolicy": "classic",
}
_UNREADABLE_AS_PARQUET = ("deletionVectors", "columnMapping")


def newest_version(engine: Engine, table: str) -> int:
    """The newest version of a Delta table, by path or by Unity Catalog name.

    Raises:
        DataError: there is no such table.
    """
    try:
        if engine.is_sail or (is_local(table) and _is_path(table)):  # the log read here: no query of Spark's
            from deltalake import DeltaTable

            return int(DeltaTable(table).version())
        history = engine.spark.sql(f"DESCRIBE HISTORY {_quoted(table)} LIMIT 1").select("version").collect()
        return int(history[0][0])
    except Exception as error:  # each engine has its own classes for it
        if _is_missing(error):
            raise DataError("TABLE_MISSING", f"there is no Delta table {table}") from error
        raise


def read_version(engine: Engine, table: str, version: int) -> DataFrame:
    """One version of a table, whatever is committed meanwhile.

    Raises:
        DataError: VACUUM or log retention has taken the version; or, on Sail, it is older than the table's last
            checkpoint and has deletion vectors or column mapping.
    """
    try:
        if engine.is_sail and is_local(table) and _has_newer_checkpoint(table, version):
            return _files_as_parquet(engine, table, version)
        reader = engine.spark.read.format("delta").option("versionAsOf", version)
        frame = reader.load(table) if _is_path(table) else reader.table(table)
        _ = frame.schema  # a version that is gone shows here, not in the midst of the calculation
        return frame
    except PySparkException as error:
        raise _gone(table, version) from error


def _gone(table: str, version: int) -> DataError:
    return DataError(
        "VERSION_GONE", f"version {version} of table {table} cannot be read any more: VACUUM or log retention took it"
    )


def _has_newer_checkpoint(table: str, version: int) -> bool:
    log = local_path(table) / "_delta_log"
    return any(int(path.name[:20]) > version for path in log.glob("*.checkpoint*.parquet"))


def _files_as_parquet(engine: Engine, table: str, version: int) -> DataFrame:
    """Sail opens no version below a checkpoint; the files that delta-rs lists for it are right (platform 10)."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        pinned = DeltaTable(table, version=version)
        files = [str(uri) for uri in pinned.file_uris()]
    except (DeltaError, OSError) as error:
        raise _gone(table, version) from error
    features = set(pinned.protocol().reader_features or []) & set(_UNREADABLE_AS_PARQUET)
    mapped = pinned.metadata().configuration.get("delta.columnMapping.mode", "none") != "none"
    if features or mapped or pinned.metadata().partition_columns:
        cause = ", ".join(sorted(features)) or "mapped or partition columns"
        raise DataError(
            "VERSION_UNREADABLE",
            f"version {version} of table {table} is older than its last checkpoint; this engine reads such "
            f"a version as Parquet, which does not do for {cause}: use Spark",
        )
    if any(not local_path(uri).exists() for uri in files if is_local(uri)):
        raise _gone(table, version)
    schema = T.StructType.fromJson(_json(pinned.schema().to_json()))
    if not files:
        return engine.spark.createDataFrame([], schema)
    return engine.spark.read.schema(schema).parquet(*files)


def _json(text: str) -> dict[str, object]:
    import json

    document: dict[str, object] = json.loads(text)
    return document


def ensure_table(engine: Engine, path: str, schema: T.StructType, partitioned_by: tuple[str, ...] = ()) -> bool:
    """Make a Delta table at a path when there is none, never by a first frame; True when this call made it.

    Two jobs may try it at once: losing that race counts as success (platform 10).
    """
    if (engine.is_sail or is_local(path)) and _exists(path):
        return False
    columns = ", ".join(_column(field) for field in schema.fields)
    partitions = f"PARTITIONED BY ({', '.join(partitioned_by)})" if partitioned_by else ""
    properties = ", ".join(f"'{name}' = '{value}'" for name, value in READABLE_BY_ALL.items())
    name = f"t{abs(hash((path, time.monotonic_ns())))}" if engine.is_sail else f"IF NOT EXISTS {_quoted(path)}"
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


def size_of(table: str, version: int) -> int | None:
    """How many bytes the files of a version have; None where only the engine could tell."""
    if not (_is_path(table) and is_local(table)):
        return None
    from deltalake import DeltaTable

    log = DeltaTable(table, version=version, without_files=False)
    return sum(int(size) for size in log.get_add_actions(flatten=True)["size_bytes"].to_pylist())


def append(path: str, frame: DataFrame) -> None:
    """Append a frame to a Delta table; a commit that lost to a parallel job is made again."""
    _committed(lambda: frame.write.format("delta").mode("append").save(path))


def delete(engine: Engine, path: str, condition: str) -> None:
    """Delete rows of a Delta table; a commit that lost to a parallel job is made again."""
    _committed(lambda: engine.spark.sql(f"DELETE FROM {_quoted(path)} WHERE {condition}"))  # noqa: S608 our own text


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


def _is_missing(error: Exception) -> bool:
    signs: tuple[str, ...] = (
        "TableNotFound",
        "TABLE_OR_VIEW_NOT_FOUND",
        "DELTA_TABLE_NOT_FOUND",
        "not a Delta table",
        "No files in log",
    )
    signs += ("DELTA_MISSING_DELTA_TABLE", "PATH_NOT_FOUND", "not found", "DELTA_ONLY_OPERATION", "does not exist")
    return any(sign.lower() in f"{type(error).__name__}: {error}".lower() for sign in signs)


def _is_path(table: str) -> bool:
    return "/" in table


def _quoted(table: str) -> str:
    return f"delta.`{table}`" if _is_path(table) else table


def table_folder(lake: str, path: str) -> str:
    """The address of a table in the lake, from the lake's root; a local lake's absolute folder."""
    return str(plain_path(local_path(lake)) / path) if is_local(lake) else f"{lake.rstrip('/')}/{path}"
