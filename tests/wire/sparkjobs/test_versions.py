"""A job reads one version of every input table, whatever happens to the table meanwhile (inputs, last rule)."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from shared.errors import DataError
from shared.lake_layout import ENERGY_INPUT_TABLES, GRID_LOSS_METERING_POINTS, input_table
from sparkjobs.storage.engine import Engine
from sparkjobs.storage.inputs import open_inputs
from sparkjobs.storage.versions import read_version
from tests.support.tables import write_table


def write(table: Path, *ids: str) -> None:
    write_deltalake(str(table), pa.table({"metering_point_id": list(ids)}), mode="overwrite")


def ids_of(engine: Engine, table: Path, version: int) -> list[str]:
    return sorted(row[0] for row in read_version(engine, str(table), version).collect())


def test_a_version_below_a_checkpoint_has_its_own_rows(engine: Engine, tmp_path: Path) -> None:
    table = tmp_path / "table"
    write(table, "1", "2")
    write(table, "3")
    DeltaTable(str(table)).create_checkpoint()
    write(table, "4")
    assert [ids_of(engine, table, version) for version in range(3)] == [["1", "2"], ["3"], ["4"]]


def test_a_checkpoint_written_meanwhile_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    table = tmp_path / "table"
    write(table, "1")
    pinned = read_version(engine, str(table), 0)
    write(table, "2")
    DeltaTable(str(table)).create_checkpoint()
    assert [row[0] for row in pinned.collect()] == ["1"]


def test_a_version_taken_by_vacuum_is_named(engine: Engine, tmp_path: Path) -> None:
    table = tmp_path / "table"
    write(table, "1")
    write(table, "2")
    DeltaTable(str(table)).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    with pytest.raises(DataError, match=f"version 0 of table {table}") as gone:
        read_version(engine, str(table), 0)
    assert gone.value.code == "VERSION_GONE"
    assert ids_of(engine, table, 1) == ["2"]


def test_a_version_that_never_was_is_named(engine: Engine, tmp_path: Path) -> None:
    table = tmp_path / "table"
    write(table, "1")
    with pytest.raises(DataError, match=f"version 7 of table {table}"):
        read_version(engine, str(table), 7)


def test_missing_tables_and_wrong_types_are_listed_at_once(engine: Engine, tmp_path: Path) -> None:
    write_table(tmp_path, GRID_LOSS_METERING_POINTS, [])
    points = tmp_path / input_table("time_series_points")
    write_deltalake(str(points), pa.table({"metering_point_id": ["1"], "quantity": [1.5], "quality": ["measured"]}))
    with pytest.raises(DataError) as refused:
        open_inputs(engine, str(tmp_path), ENERGY_INPUT_TABLES, schema=None, versions=None)
    assert refused.value.code == "INPUT_CONTRACT"
    for told in (
        f"there is no Delta table {tmp_path / input_table('metering_point_periods')}",
        "time_series_points: column quantity is double, not decimal(18,3)",
        "time_series_points: column observation_time (timestamp) is missing",
    ):
        assert told in str(refused.value)
