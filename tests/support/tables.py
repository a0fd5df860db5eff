"""Scenario CSVs (scenarios.md) as Delta tables of a lake."""

import csv
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from shared.lake_layout import input_table

INSTANT = pa.timestamp("us", tz="UTC")
PERIOD = {"from_date": INSTANT, "to_date": INSTANT}
CHARGE = {"charge_code": pa.string(), "charge_type": pa.string(), "charge_owner_id": pa.string()}
SCHEMAS: Mapping[str, Mapping[str, pa.DataType]] = {
    "metering_point_periods": {
        "metering_point_id": pa.string(),
        "type": pa.string(),
        "calculation_type": pa.string(),
        "settlement_method": pa.string(),
        "grid_area_code": pa.string(),
        "resolution": pa.string(),
        "from_grid_area_code": pa.string(),
        "to_grid_area_code": pa.string(),
        "parent_metering_point_id": pa.string(),
        "energy_supplier_id": pa.string(),
        "balance_responsible_party_id": pa.string(),
        **PERIOD,
    },
    "time_series_points": {
        "metering_point_id": pa.string(),
        "quantity": pa.decimal128(18, 3),
        "quality": pa.string(),
        "observation_time": INSTANT,
    },
    "grid_loss_metering_points": {"metering_point_id": pa.string()},
    "charge_price_information_periods": {**CHARGE, "resolution": pa.string(), "is_tax": pa.bool_(), **PERIOD},
    "charge_link_periods": {**CHARGE, "metering_point_id": pa.string(), "quantity": pa.int32(), **PERIOD},
    "charge_price_points": {**CHARGE, "charge_price": pa.decimal128(18, 6), "charge_time": INSTANT},
    "grid_area_owners": {"grid_area_code": pa.string(), "owner_id": pa.string(), **PERIOD},
    "delegations": {
        "delegated_by_id": pa.string(),
        "delegated_by_role": pa.string(),
        "grid_area_code": pa.string(),
        "process": pa.string(),
        "delegated_to_id": pa.string(),
        "delegated_to_role": pa.string(),
        **PERIOD,
    },
}


def write_lake(lake: Path, when: Path, tables: Iterable[str]) -> None:
    """Write a scenario's input tables; one without a CSV is an empty table."""
    for table in tables:
        write_table(lake, table, read_csv(when / f"{table}.csv"))


def write_table(lake: Path, table: str, rows: list[dict[str, str]], mode: str = "error") -> None:
    """Write rows of text as an input table; columns left out are null."""
    columns = {name: [value_of(kind, row.get(name)) for row in rows] for name, kind in SCHEMAS[table].items()}
    arrays = {name: pa.array(values, SCHEMAS[table][name]) for name, values in columns.items()}
    write_deltalake(str(lake / input_table(table)), pa.table(arrays), mode=mode)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a scenario CSV without its comment columns; no file, no rows."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file, delimiter=";"))
    return [{name: text for name, text in line.items() if name and not name.startswith("#")} for line in lines]


def value_of(kind: pa.DataType, text: str | None) -> Any:
    """The value of a cell; an empty one is null."""
    if text is None or text == "":
        return None
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(text)
    if pa.types.is_decimal(kind):
        return Decimal(text)
    if pa.types.is_integer(kind):
        return int(text)
    return text.lower() == "true" if pa.types.is_boolean(kind) else text
