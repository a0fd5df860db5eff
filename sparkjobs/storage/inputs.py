"""Input tables, each pinned to one version for the whole job (inputs, last rule)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from shared import lake_layout
from shared.errors import DataError
from sparkjobs.contracts import charges, inputs
from sparkjobs.contracts.conform import check_inputs
from sparkjobs.storage.delta import table_folder
from sparkjobs.storage.engine import Engine
from sparkjobs.storage.versions import newest_version, read_version, size_of

CONTRACTS: Mapping[str, T.StructType] = {
    lake_layout.METERING_POINT_PERIODS: inputs.METERING_POINT_PERIODS,
    lake_layout.TIME_SERIES_POINTS: inputs.TIME_SERIES_POINTS,
    lake_layout.GRID_LOSS_METERING_POINTS: inputs.GRID_LOSS_METERING_POINTS,
    lake_layout.CHARGE_PRICE_INFORMATION_PERIODS: charges.CHARGE_PRICE_INFORMATION_PERIODS,
    lake_layout.CHARGE_LINK_PERIODS: charges.CHARGE_LINK_PERIODS,
    lake_layout.CHARGE_PRICE_POINTS: charges.CHARGE_PRICE_POINTS,
}


@dataclass(frozen=True)
class Inputs:
    """The tables that a job reads and the version of each that it reads; `bytes_of_points`: None where unknown."""

    tables: Mapping[str, DataFrame]
    versions: Mapping[str, int]
    bytes_of_points: int | None = None


def open_inputs(
    engine: Engine, lake: str, tables: Iterable[str], *, schema: str | None, versions: Mapping[str, int] | None
) -> Inputs:
    """Pin every table to its newest version, or to the given ones, and hold it to its contract.

    Args:
        engine: the session.
        lake: root of the lake.
        tables: their names.
        schema: `<catalog>.<schema>` when they are read by Unity Catalog name, else None.
        versions: those of an earlier manifest, else None.

    Raises:
        DataError: lists every table that is missing and every difference from the contracts; or names the table and
            version that is gone.
    """
    pinned: dict[str, int] = {}
    frames: dict[str, DataFrame] = {}
    missing: list[str] = []
    for table in tables:
        address = f"{schema}.{table}" if schema else table_folder(lake, lake_layout.input_table(table))
        try:
            pinned[table] = newest_version(engine, address) if versions is None else _of_manifest(versions, table)
        except DataError as error:
            missing.append(str(error))
            continue
        frames[table] = read_version(engine, address, pinned[table])
    check_inputs(frames, CONTRACTS, missing)
    points = lake_layout.TIME_SERIES_POINTS
    known = schema is None and points in pinned
    size = size_of(table_folder(lake, lake_layout.input_table(points)), pinned[points]) if known else None
    return Inputs(frames, pinned, size)


def _of_manifest(versions: Mapping[str, int], table: str) -> int:
    if table not in versions:
        raise DataError("VERSION_GONE", f"the manifest names no version of table {table}")
    return versions[table]
