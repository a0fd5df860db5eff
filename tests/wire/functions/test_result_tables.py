"""The Delta reader gives the series that are in the tables (energy 11)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from functions.adapters import result_tables
from functions.adapters.result_tables import DeltaTables
from shared import lake_layout
from shared.result_series import UNKNOWN_QUALITY, ResultSeries
from tests.support.results import (
    JOB,
    OLDER_JOB,
    OTHER_BRP,
    START,
    InMemoryResults,
    charge_rows,
    delegation_row,
    monthly_rows,
    per_supplier_rows,
    total_rows,
)

TYPES = {
    "time": pa.timestamp("us", tz="UTC"),
    "quantity": pa.decimal128(18, 3),
    "price": pa.decimal128(18, 6),
    "amount": pa.decimal128(18, 6),
    "quantity_qualities": pa.list_(pa.string()),
    "is_tax": pa.bool_(),
    "attempt": pa.int32(),
}


def write(lake: Path, table: str, rows: list[dict[str, Any]], job_id: str = JOB, attempt: int = 1) -> None:
    """Rows of a job's attempt as the Spark job leaves them: partitioned, sorted by grid area, result id and time."""
    whole = [{"job_id": job_id, "attempt": attempt, **row} for row in rows]
    whole.sort(key=lambda row: (row["grid_area_code"], row["result_id"] or "", row["time"]))
    for row in whole:
        row.update({name: Decimal(row[name]) for name in ("quantity", "price", "amount") if row.get(name) is not None})
    schema = pa.schema([(name, TYPES.get(name, pa.string())) for name in whole[0]])
    path = str(lake / lake_layout.result_table(table))
    write_deltalake(path, pa.Table.from_pylist(whole, schema), mode="append", partition_by=["job_id", "attempt"])


def in_memory(table: str, rows: list[dict[str, Any]]) -> list[ResultSeries]:
    return list(InMemoryResults().add(table, rows).series(table, JOB, 1, "800"))


def energy() -> list[dict[str, Any]]:
    rows = [
        *per_supplier_rows("b", ["1.000", None, "-0.279"]),
        *per_supplier_rows("a", ["999999999999999.999"], energy_supplier_id=None),
        *per_supplier_rows("c", ["0.000"], kind="flex_consumption", balance_responsible_party_id=OTHER_BRP),
        *per_supplier_rows("d", ["2.000"], grid_area_code="801"),
    ]
    rows[0]["quantity_qualities"] = ["calculated", "estimated", "measured", "missing"]
    rows[1]["quantity_qualities"] = None
    rows[2]["quantity_qualities"] = []
    return rows


@pytest.mark.parametrize("portion", [1, 2, 200_000])
def test_energy_series_are_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, portion: int) -> None:
    monkeypatch.setattr(result_tables, "PORTION", portion)
    write(tmp_path, lake_layout.ENERGY_PER_ES, energy())
    write(tmp_path, lake_layout.ENERGY_PER_ES, per_supplier_rows("b", ["7.000"]), attempt=2)
    write(tmp_path, lake_layout.ENERGY_PER_ES, per_supplier_rows("b", ["8.000"]), job_id=OLDER_JOB)
    wanted = in_memory(lake_layout.ENERGY_PER_ES, energy())
    tables = DeltaTables(str(tmp_path))
    assert list(tables.series(lake_layout.ENERGY_PER_ES, JOB, 1, "800")) == wanted
    keys = tables.series_keys(lake_layout.ENERGY_PER_ES, JOB, 1, "800")
    assert [series.key for series in keys] == [series.key for series in wanted]
    only = list(tables.series(lake_layout.ENERGY_PER_ES, JOB, 1, "800", only={"a", "c"}))
    assert [series.result_id for series in only] == ["a", "c"]
    assert only == [wanted[0], wanted[2]]
    assert tables.grid_areas(lake_layout.ENERGY_PER_ES, JOB, 1) == ["800", "801"]
    assert sum(batch.num_rows for batch in tables.rows(lake_layout.ENERGY_PER_ES, JOB, 1)) == 6


def test_charges_are_read_with_prices_and_amounts(tmp_path: Path) -> None:
    made = {
        lake_layout.AMOUNTS_PER_CHARGE: charge_rows("a", [("1.000", "0.123456", "0.123456"), ("2.000", None, None)]),
        lake_layout.MONTHLY_AMOUNTS_PER_CHARGE: monthly_rows("m", "1.000000", is_tax=True),
        lake_layout.TOTAL_MONTHLY_AMOUNTS: total_rows("t", None, None),
    }
    tables = DeltaTables(str(tmp_path))
    for table, rows in made.items():
        write(tmp_path, table, rows)
        assert list(tables.series(table, JOB, 1, "800")) == in_memory(table, rows)


def test_a_quality_that_is_none_is_told(tmp_path: Path) -> None:
    rows = per_supplier_rows("a", ["1.000", "1.000", "1.000"])
    rows[0]["quantity_qualities"] = ["measured", "measured"]
    rows[1]["quantity_qualities"] = ["measured", "guessed"]
    write(tmp_path, lake_layout.ENERGY_PER_ES, rows)
    (series,) = DeltaTables(str(tmp_path)).series(lake_layout.ENERGY_PER_ES, JOB, 1, "800")
    assert list(series.qualities) == [4, UNKNOWN_QUALITY, 4]


def test_a_result_id_with_two_keys_and_rows_without_one_stay_apart(tmp_path: Path) -> None:
    rows = [
        *per_supplier_rows("a", ["1.000", "2.000"]),
        *per_supplier_rows("a", ["3.000", "4.000"], balance_responsible_party_id=OTHER_BRP),
        *per_supplier_rows(None, ["5.000"]),
    ]
    write(tmp_path, lake_layout.ENERGY_PER_ES, rows)
    found = list(DeltaTables(str(tmp_path)).series(lake_layout.ENERGY_PER_ES, JOB, 1, "800"))
    assert [(series.result_id, series.quantities) for series in found] == [
        ("a", ["1.000", "2.000"]),
        ("a", ["3.000", "4.000"]),
        ("", ["5.000"]),
    ]


def test_a_missing_table_is_empty(tmp_path: Path) -> None:
    tables = DeltaTables(str(tmp_path))
    assert list(tables.series(lake_layout.ENERGY, JOB, 1, "800")) == []
    assert tables.series_keys(lake_layout.ENERGY, JOB, 1, "800") == []
    assert tables.grid_areas(lake_layout.ENERGY, JOB, 1) == []
    assert list(tables.rows(lake_layout.ENERGY, JOB, 1)) == []
    assert tables.input_rows(lake_layout.GRID_AREA_OWNERS) == []
    assert tables.version(lake_layout.GRID_AREA_OWNERS) is None


def test_input_tables_are_read_at_the_version_asked_for(tmp_path: Path) -> None:
    path = str(tmp_path / lake_layout.input_table(lake_layout.DELEGATIONS))
    instant = pa.timestamp("us", tz="UTC")
    first = delegation_row("5790000000001", "DDQ", "5790000000002", "DEA", "energy_results")
    schema = pa.schema([(name, instant if name in ("from_date", "to_date") else pa.string()) for name in first])
    write_deltalake(path, pa.Table.from_pylist([first], schema))
    write_deltalake(path, pa.Table.from_pylist([{**first, "to_date": START}], schema), mode="overwrite")
    tables = DeltaTables(str(tmp_path))
    assert tables.version(lake_layout.DELEGATIONS) == 1
    assert tables.input_rows(lake_layout.DELEGATIONS, 0) == [first]
    assert tables.input_rows(lake_layout.DELEGATIONS)[0]["to_date"] == START


def test_what_came_after_a_look_at_an_empty_attempt_is_seen(tmp_path: Path) -> None:
    write(tmp_path, lake_layout.ENERGY_PER_ES, energy(), job_id=OLDER_JOB)
    tables = DeltaTables(str(tmp_path))
    assert tables.series_keys(lake_layout.ENERGY_PER_ES, JOB, 1, "800") == []
    write(tmp_path, lake_layout.ENERGY_PER_ES, energy())
    assert len(tables.series_keys(lake_layout.ENERGY_PER_ES, JOB, 1, "800")) == 3


def test_times_are_whole_microseconds(tmp_path: Path) -> None:
    late = datetime(2199, 12, 31, 23, tzinfo=UTC) + timedelta(microseconds=1)
    write(tmp_path, lake_layout.ENERGY_PER_ES, per_supplier_rows("a", ["1.000"], start=late))
    (series,) = DeltaTables(str(tmp_path)).series(lake_layout.ENERGY_PER_ES, JOB, 1, "800")
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=series.times[0]) == late


def test_files_that_another_writer_left_unsorted_are_read_in_order(tmp_path: Path) -> None:
    rows = [
        *per_supplier_rows("a", ["1.000", None, "3.000", "4.000"]),
        *per_supplier_rows("b", ["5.000", "6.000"]),
    ]
    rows[1]["quantity_qualities"] = ["missing"]
    rows[3]["quantity_qualities"] = ["estimated", "measured"]
    wanted = in_memory(lake_layout.ENERGY_PER_ES, rows)
    for scattered in ([rows[5], rows[3], rows[0]], [rows[2], rows[4], rows[1]]):
        whole = [{"job_id": JOB, "attempt": 1, **row} for row in scattered]
        for row in whole:
            row["quantity"] = row["quantity"] and Decimal(row["quantity"])
        schema = pa.schema([(name, TYPES.get(name, pa.string())) for name in whole[0]])
        path = str(tmp_path / lake_layout.result_table(lake_layout.ENERGY_PER_ES))
        write_deltalake(path, pa.Table.from_pylist(whole, schema), mode="append", partition_by=["job_id", "attempt"])
    assert list(DeltaTables(str(tmp_path)).series(lake_layout.ENERGY_PER_ES, JOB, 1, "800")) == wanted


def test_a_quality_that_is_null_is_none_of_the_list(tmp_path: Path) -> None:
    rows = per_supplier_rows("a", ["1.000", "1.000"])
    rows[0]["quantity_qualities"] = [None]
    write(tmp_path, lake_layout.ENERGY_PER_ES, rows)
    (series,) = DeltaTables(str(tmp_path)).series(lake_layout.ENERGY_PER_ES, JOB, 1, "800")
    assert list(series.qualities) == [UNKNOWN_QUALITY, 4]
