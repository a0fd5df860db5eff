"""Versions of Delta tables: the newest, a pinned one, and the rows of one partition (inputs, last rule).

The log of a table on a local lake is read by delta-rs, on both engines. Spark's own reader plans queries of its own
over it, which take longer than a small table's whole job; Sail's opens no version older than the last checkpoint, not
even one that was opened before a parallel commit wrote that checkpoint. The files of a version are its rows, and stay.
"""

import json
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from shared.errors import DataError
from sparkjobs.storage.engine import Engine
from sparkjobs.storage.files import is_local, local_path

if TYPE_CHECKING:  # Databricks has no delta-rs, and needs none: its lake is never local
    from deltalake import DeltaTable

_UNREADABLE_AS_PARQUET = ("deletionVectors", "columnMapping")
_SMALL = 256 * 1024
_SIGNS_OF_NO_TABLE = (
    "TableNotFound",
    "TABLE_OR_VIEW_NOT_FOUND",
    "DELTA_TABLE_NOT_FOUND",
    "not a Delta table",
    "No files in log",
    "DELTA_MISSING_DELTA_TABLE",
    "PATH_NOT_FOUND",
    "not found",
    "DELTA_ONLY_OPERATION",
    "does not exist",
)


def newest_version(engine: Engine, table: str) -> int:
    """The newest version of a Delta table, by path or by Unity Catalog name.

    Raises:
        DataError: there is no such table.
    """
    try:
        if engine.is_sail or _is_local_table(table):
            return int(_open(table).version())
        history = engine.spark.sql(f"DESCRIBE HISTORY {quoted(table)} LIMIT 1").select("version").collect()
        return int(history[0][0])
    except Exception as error:  # each engine has its own classes for it
        said = f"{type(error).__name__}: {error}".lower()
        if any(sign.lower() in said for sign in _SIGNS_OF_NO_TABLE):
            raise DataError("TABLE_MISSING", f"there is no Delta table {table}") from error
        raise


def read_version(engine: Engine, table: str, version: int) -> DataFrame:
    """One version of a table, whatever is committed meanwhile.

    Raises:
        DataError: VACUUM or log retention has taken the version; or, on Sail, it is older than the table's last
            checkpoint and has deletion vectors or column mapping.
    """
    if not _is_local_table(table):
        return _by_engine(engine, table, version)
    pinned = _pinned(table, version)
    features = _unreadable_features(pinned)
    if not features and (engine.is_sail or _size(pinned) <= _SMALL):
        return _files_as_parquet(engine, pinned, pinned.file_uris())
    if features and engine.is_sail and _has_newer_checkpoint(table, version):
        raise DataError(
            "VERSION_UNREADABLE",
            f"version {version} of table {table} is older than its last checkpoint; this engine reads such "
            f"a version as Parquet, which does not do for {', '.join(features)}: use Spark",
        )
    return _by_engine(engine, table, version)


def read_partition(engine: Engine, table: str, partition: dict[str, str | int]) -> DataFrame:
    """The rows of one partition of a result table at its newest version."""
    if engine.is_sail or not _is_local_table(table):
        rows = engine.spark.read.format("delta").load(table)
        for name, value in partition.items():
            rows = rows.filter(F.col(name) == value)
        return rows
    newest = _open(table)
    files = newest.file_uris(file_pruning_predicate=[(name, "=", str(value)) for name, value in partition.items()])
    rows = _files_as_parquet(engine, newest, files)
    return rows.withColumns({name: F.lit(value) for name, value in partition.items()})


def size_of(table: str, version: int) -> int | None:
    """How many bytes the files of a version have; None where only the engine could tell."""
    return _size(_open(table, version)) if _is_local_table(table) else None


def _open(table: str, version: int | None = None) -> "DeltaTable":
    from deltalake import DeltaTable

    return DeltaTable(table, version=version)


def _size(pinned: "DeltaTable") -> int:
    return sum(int(size) for size in pinned.get_add_actions(flatten=True)["size_bytes"].to_pylist())


def _by_engine(engine: Engine, table: str, version: int) -> DataFrame:
    try:
        reader = engine.spark.read.format("delta").option("versionAsOf", version)
        frame = reader.load(table) if "/" in table else reader.table(table)
        _ = frame.schema  # a version that is gone shows here, not in the midst of the calculation
        return frame
    except PySparkException as error:
        raise _gone(table, version) from error


def _pinned(table: str, version: int) -> "DeltaTable":
    from deltalake.exceptions import DeltaError

    try:
        pinned = _open(table, version)
        files = pinned.file_uris()
    except (DeltaError, OSError) as error:
        raise _gone(table, version) from error
    if not all(local_path(uri).exists() for uri in files):
        raise _gone(table, version)
    return pinned


def _gone(table: str, version: int) -> DataError:
    return DataError(
        "VERSION_GONE", f"version {version} of table {table} cannot be read any more: VACUUM or log retention took it"
    )


def _has_newer_checkpoint(table: str, version: int) -> bool:
    log = local_path(table) / "_delta_log"
    return any(int(path.name[:20]) > version for path in log.glob("*.checkpoint*.parquet"))


def _unreadable_features(pinned: "DeltaTable") -> list[str]:
    """Why the files of a version are not its rows; none where they are."""
    features = sorted(set(pinned.protocol().reader_features or []) & set(_UNREADABLE_AS_PARQUET))
    if pinned.metadata().configuration.get("delta.columnMapping.mode", "none") != "none":
        features.append("mapped columns")
    if pinned.metadata().partition_columns:
        features.append("partition columns")
    return features


def _files_as_parquet(engine: Engine, pinned: "DeltaTable", files: list[str]) -> DataFrame:
    partitions = set(pinned.metadata().partition_columns)
    whole = T.StructType.fromJson(json.loads(pinned.schema().to_json()))
    schema = T.StructType([field for field in whole.fields if field.name not in partitions])
    if not files:
        return engine.spark.createDataFrame([], schema)
    return engine.spark.read.schema(schema).parquet(*files)


def _is_local_table(table: str) -> bool:
    return "/" in table and is_local(table)


def quoted(table: str) -> str:
    """A table in SQL, by path or by name."""
    return f"delta.`{table}`" if "/" in table else table
