"""The result tables of energy settlement (energy 11), without job_id, attempt and result_id.

The writer puts those three, `RUN_COLUMNS`, in front of every result table alike. The charge tables are in `charges`.
"""

from collections.abc import Mapping

from pyspark.sql import types as T

from shared import lake_layout
from sparkjobs.contracts import charges
from sparkjobs.contracts.columns import QUANTITY, column

RUN_COLUMNS = (
    column("job_id", T.StringType(), "UUID of the job"),
    column("attempt", T.IntegerType(), "which run of the job, from 1"),
    column("result_id", T.StringType(), "UUIDv5 of the series: job, table and key"),
)
# Every other column is part of a series' key (energy 11).
NOT_IN_A_KEY = ("job_id", "attempt", "result_id", "time", "quantity", "quantity_qualities", "price", "amount")

_AREA = column("grid_area_code", T.StringType(), "grid area, three digits")
_SUPPLIER = column(
    "energy_supplier_id", T.StringType(), "GLN or EIC; null where the metering points have none", null=True
)
_RESPONSIBLE = column(
    "balance_responsible_party_id", T.StringType(), "GLN or EIC; null where the metering points have none", null=True
)
_TYPE = column(
    "time_series_type", T.StringType(), "production, flex_consumption, non_profiled_consumption, and for areas more"
)
_SERIES = (
    column("resolution", T.StringType(), "PT15M or PT1H"),
    column("time", T.TimestampType(), "start of the interval"),
    column("quantity", QUANTITY, "kWh"),
    column("quantity_qualities", T.ArrayType(T.StringType()), "sorted, each quality once"),
)

ENERGY = T.StructType([_AREA, _TYPE, *_SERIES])
ENERGY_PER_BRP = T.StructType([_AREA, _RESPONSIBLE, _TYPE, *_SERIES])
ENERGY_PER_ES = T.StructType([_AREA, _SUPPLIER, _RESPONSIBLE, _TYPE, *_SERIES])
EXCHANGE_PER_NEIGHBOR = T.StructType(
    [_AREA, column("neighbor_grid_area_code", T.StringType(), "the area on the other side"), *_SERIES]
)
GRID_LOSS_TIME_SERIES = T.StructType(
    [
        _AREA,
        _SUPPLIER,
        _RESPONSIBLE,
        column("metering_point_type", T.StringType(), "consumption (positive loss) or production (negative loss)"),
        column("metering_point_id", T.StringType(), "GSRN of the grid-loss metering point"),
        *_SERIES,
    ]
)

RESULT_CONTRACTS: Mapping[str, T.StructType] = {
    lake_layout.ENERGY: ENERGY,
    lake_layout.ENERGY_PER_BRP: ENERGY_PER_BRP,
    lake_layout.ENERGY_PER_ES: ENERGY_PER_ES,
    lake_layout.EXCHANGE_PER_NEIGHBOR: EXCHANGE_PER_NEIGHBOR,
    lake_layout.GRID_LOSS_TIME_SERIES: GRID_LOSS_TIME_SERIES,
    lake_layout.AMOUNTS_PER_CHARGE: charges.AMOUNTS_PER_CHARGE,
    lake_layout.MONTHLY_AMOUNTS_PER_CHARGE: charges.MONTHLY_AMOUNTS_PER_CHARGE,
    lake_layout.TOTAL_MONTHLY_AMOUNTS: charges.TOTAL_MONTHLY_AMOUNTS,
}


def key_columns(table: str) -> list[str]:
    """The columns of a result table that make the key of a series, in the table's order (energy 11)."""
    return [field.name for field in RESULT_CONTRACTS[table].fields if field.name not in NOT_IN_A_KEY]


def stored(table: str) -> T.StructType:
    """The columns of a result table as they lie in the lake."""
    return T.StructType([*RUN_COLUMNS, *RESULT_CONTRACTS[table].fields])
