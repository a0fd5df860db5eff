"""What a folder cannot show: a second attempt, and several areas in one job against one area per job (energy 11)."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.job_arguments import JobArguments
from sparkjobs.storage.engine import Engine
from tests.support.scenarios import INPUT_TABLES, arguments_of, result_rows, settle_lake
from tests.support.tables import write_lake

HERE = Path(__file__).parent
RING = HERE / "balance" / "given_three_areas_in_a_ring"
CHARGED = HERE / "wholesale" / "given_totals_by_area_and_supplier"
BOTH_PROCESSES = pytest.mark.parametrize("folder", [RING, CHARGED], ids=lambda folder: folder.name)


@pytest.fixture
def lake(folder: Path, tmp_path: Path) -> Path:
    write_lake(tmp_path, folder / "when", INPUT_TABLES)
    return tmp_path


def settled(engine: Engine, lake: Path, arguments: JobArguments) -> dict[str, list[dict[str, Any]]]:
    outcome = settle_lake(engine, arguments, lake)
    assert outcome.error is None, outcome.error
    return outcome.tables


def in_order(rows: Iterable[dict[str, Any]], *without: str) -> list[str]:
    return sorted(str(sorted((k, v) for k, v in row.items() if k not in without)) for row in rows)


@BOTH_PROCESSES
def test_a_second_attempt_replaces_the_first_with_the_same_rows_and_ids(
    engine: Engine, folder: Path, lake: Path
) -> None:
    first = arguments_of(folder)
    before = settled(engine, lake, first)
    after = settled(engine, lake, replace(first, attempt=2))
    for table, rows in before.items():
        assert rows
        assert in_order(after[table], "attempt") == in_order(rows, "attempt")
        assert not result_rows(lake, table, first)


@BOTH_PROCESSES
def test_several_areas_in_one_job_give_the_rows_of_one_job_per_area(engine: Engine, folder: Path, lake: Path) -> None:
    together = arguments_of(folder)
    assert len(together.grid_areas) > 1
    alone: dict[str, list[dict[str, Any]]] = {}
    for number, area in enumerate(together.grid_areas):
        job_id = f"{number:08d}-0000-4000-8000-000000000000"
        for table, rows in settled(engine, lake, replace(together, job_id=job_id, grid_areas=(area,))).items():
            alone.setdefault(table, []).extend(rows)
    for table, rows in settled(engine, lake, together).items():
        assert in_order(rows, "job_id", "result_id") == in_order(alone[table], "job_id", "result_id")


@pytest.mark.parametrize("folder", [RING], ids=lambda folder: folder.name)
def test_areas_left_out_are_all_areas_with_consumption_or_production(engine: Engine, folder: Path, lake: Path) -> None:
    asked = arguments_of(folder)
    everything = settle_lake(engine, replace(asked, grid_areas=()), lake)
    assert everything.manifest is not None
    assert tuple(everything.manifest.grid_areas) == asked.grid_areas
    assert any(everything.tables.values())


@pytest.mark.parametrize("folder", [RING], ids=lambda folder: folder.name)
def test_every_series_has_one_id_and_every_id_one_series(engine: Engine, folder: Path, lake: Path) -> None:
    series: dict[str, set[str]] = {}
    for table, rows in settled(engine, lake, arguments_of(folder)).items():
        for row in rows:
            key = {k: v for k, v in row.items() if k not in ("attempt", "time", "quantity", "quantity_qualities")}
            series.setdefault(row["result_id"], set()).add(f"{table} {sorted(key.items())}")
    assert all(len(keys) == 1 for keys in series.values())
    assert len({next(iter(keys)).replace(result_id, "") for result_id, keys in series.items()}) == len(series)
