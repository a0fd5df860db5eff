"""Scenario folders (scenarios.md): arguments, inputs and expected rows as the oracle takes and gives them."""

import ast
import csv
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from tests.support.oracle.model import Arguments, Inputs, Row

INPUT_TABLES = (
    "metering_point_periods",
    "time_series_points",
    "grid_loss_metering_points",
    "charge_price_information_periods",
    "charge_link_periods",
    "charge_price_points",
)
PROCESS = {
    "aggregation": ("D03", None),
    "balance_fixing": ("D04", None),
    "wholesale_fixing": ("D05", None),
    "first_correction_settlement": ("D32", "D01"),
    "second_correction_settlement": ("D32", "D02"),
    "third_correction_settlement": ("D32", "D03"),
}
INSTANTS = ("from_date", "to_date", "observation_time", "charge_time", "time")
SERIES = {
    "exchange": "net_exchange_per_ga",
    "grid_loss": "grid_loss",
    "total_consumption": "total_consumption",
    "production": "production",
    "flex_consumption": "flex_consumption",
    "non_profiled_consumption": "non_profiled_consumption",
    "temporary_production": "temp_production",
    "temporary_flex_consumption": "temp_flex_consumption",
}
NOT_COMPARED = ("result_id", "calculation_execution_time_start", "calculation_id", "calculation_type")


def _instant(text: Any) -> datetime:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")).replace(tzinfo=UTC)


def read_arguments(folder: Path) -> Arguments:
    document = yaml.safe_load((folder / "when" / "calculation_arguments.yml").read_text())[0]
    process_type, variant = PROCESS[document["calculation-type"]]
    transition = document.get("quarterly-resolution-transition-datetime", "2023-01-31 23:00:00")
    return Arguments(
        process_type=process_type,
        process_variant=variant,
        period_start=_instant(document["period-start-datetime"]),
        period_end=_instant(document["period-end-datetime"]),
        grid_areas=tuple(document["grid-areas"]),
        transition=_instant(transition),
        time_zone=document.get("time_zone", "Europe/Copenhagen"),
        simulation=document.get("simulation", True),
    )


def read_inputs(folder: Path) -> Inputs:
    return {table: _read(folder / "when" / f"{table}.csv") for table in INPUT_TABLES}


def _read(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file, delimiter=";"))
    return [{name: _value(path, name, text) for name, text in line.items() if name[0] != "#"} for line in lines]


def _value(path: Path, column: str, text: str) -> Any:
    if text == "":
        return None
    if column in INSTANTS:
        return _instant(text)
    if column == "quantity" and path.stem == "charge_link_periods":
        return int(text)
    if column in ("quantity", "charge_price", "price", "amount"):
        return Decimal(text)
    if column == "quantity_qualities":
        return sorted(ast.literal_eval(text))
    return text.lower() == "true" if column == "is_tax" else text


def expected_files(folder: Path) -> list[Path]:
    return sorted(
        path for group in ("energy_results", "wholesale_results") for path in folder.glob(f"then/{group}/*.csv")
    )


def read_expected(path: Path) -> list[Row]:
    """Rows of a then/ file, with the columns that are compared."""
    return [{name: value for name, value in row.items() if name not in NOT_COMPARED} for row in _read(path)]


def rows_of_file(name: str, tables: dict[str, list[Row]], inputs: Inputs) -> list[Row]:
    """The result rows that a then/ file of this name stands for (the table of scenarios.md)."""
    if name.endswith(("per_co_es", "total_monthly_amounts_per_es")):
        return _charge_rows(name, tables, inputs)
    if name == "exchange_per_neighbor":
        return tables["exchange_per_neighbor"]
    if name in ("positive_grid_loss", "negative_grid_loss"):
        wanted = "consumption" if name.startswith("positive") else "production"
        return [row for row in tables["grid_loss_time_series"] if row["metering_point_type"] == wanted]
    for suffix, table in (("_per_es", "energy_per_es"), ("_per_brp", "energy_per_brp"), ("", "energy")):
        if name.endswith(suffix):
            wanted = SERIES[name.removesuffix(suffix)]
            return [row for row in tables[table] if row["time_series_type"] == wanted]
    raise AssertionError(name)


def _charge_rows(name: str, tables: dict[str, list[Row]], inputs: Inputs) -> list[Row]:
    if name.startswith("total_monthly_amounts"):
        of_supplier = name == "total_monthly_amounts_per_es"
        return [row for row in tables["total_monthly_amounts"] if (row["charge_owner_id"] is None) == of_supplier]
    monthly = name.startswith("monthly_")
    table = tables["monthly_amounts_per_charge" if monthly else "amounts_per_charge"]
    for kind in ("subscription", "fee"):
        if kind in name:
            return [row for row in table if row["charge_type"] == kind]
    resolution = "PT1H" if "hourly" in name else "P1D"
    if not monthly:
        return [row for row in table if (row["charge_type"], row["resolution"]) == ("tariff", resolution)]
    key = ("charge_code", "charge_owner_id", "charge_type")
    info = inputs["charge_price_information_periods"]
    charges = {tuple(row[name] for name in key) for row in info if row["resolution"] == resolution}
    return [row for row in table if row["charge_type"] == "tariff" and tuple(row[name] for name in key) in charges]


def difference(expected: list[Row], actual: list[Row]) -> str:
    """Missing and surplus rows as a multiset, over the columns that both have; empty when they are equal."""
    columns = [name for name in expected[0] if not actual or name in actual[0]] if expected else []
    columns = [name for name in columns if name != "time_series_type"]
    left = [tuple(plain(row.get(name)) for name in columns) for row in expected]
    right = [tuple(plain(row.get(name)) for name in columns) for row in actual]
    missing, surplus = _without(left, right), _without(right, left)
    if not missing and not surplus:
        return ""
    return f"columns {columns}\nmissing: {missing[:10]}\nsurplus: {surplus[:10]}"


def plain(value: Any) -> Any:
    """A value that can be counted: lists as tuples."""
    return tuple(value) if isinstance(value, list) else value


def _without(rows: list[tuple[Any, ...]], others: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list((Counter(rows) - Counter(others)).elements())
