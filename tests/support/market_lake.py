"""Input tables of the random markets as Delta, and result tables read back, without any Spark session."""

from datetime import UTC
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from shared.lake_layout import RESULT_TABLES, input_table, result_table
from tests.support.oracle import Inputs, Row

_INSTANT = pa.timestamp("us", tz="UTC")
_TYPES = {
    "from_date": _INSTANT,
    "to_date": _INSTANT,
    "observation_time": _INSTANT,
    "charge_time": _INSTANT,
    "quantity": pa.decimal128(18, 3),
    "charge_price": pa.decimal128(18, 6),
    "is_tax": pa.bool_(),
}
_CHARGE = ("charge_code", "charge_type", "charge_owner_id")
COLUMNS = {
    "metering_point_periods": (
        *("metering_point_id", "type", "calculation_type", "settlement_method", "grid_area_code", "resolution"),
        *("from_grid_area_code", "to_grid_area_code", "parent_metering_point_id", "energy_supplier_id"),
        *("balance_responsible_party_id", "from_date", "to_date"),
    ),
    "time_series_points": ("metering_point_id", "quantity", "quality", "observation_time"),
    "grid_loss_metering_points": ("metering_point_id",),
    "charge_price_information_periods": (*_CHARGE, "resolution", "is_tax", "from_date", "to_date"),
    "charge_link_periods": (*_CHARGE, "metering_point_id", "quantity", "from_date", "to_date"),
    "charge_price_points": (*_CHARGE, "charge_price", "charge_time"),
}


def write_inputs(lake: Path, inputs: Inputs) -> None:
    """Every input table under <lake>/input, replacing what is there."""
    for table, columns in COLUMNS.items():
        fields = [pa.field(name, _type(table, name)) for name in columns]
        rows = pa.Table.from_pylist(inputs[table], schema=pa.schema(fields))
        write_deltalake(str(lake / input_table(table)), rows, mode="overwrite")


def _type(table: str, column: str) -> pa.DataType:
    if (table, column) == ("charge_link_periods", "quantity"):
        return pa.int32()
    return _TYPES.get(column, pa.string())


def read_results(lake: Path, job_id: str) -> dict[str, list[Row]]:
    """Every result table that there is, by name, filtered by job_id, without job_id, attempt and result_id."""
    found = {}
    for table in RESULT_TABLES:
        path = lake / result_table(table)
        if DeltaTable.is_deltatable(str(path)):
            rows = DeltaTable(str(path)).to_pyarrow_table(filters=[("job_id", "=", job_id)]).to_pylist()
            found[table] = [_plain(row) for row in rows]
    return found


def _plain(row: Row) -> Row:
    kept = {name: value for name, value in row.items() if name not in ("job_id", "attempt", "result_id")}
    return {name: _in_utc(value) if name == "time" else value for name, value in kept.items()}


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC)
