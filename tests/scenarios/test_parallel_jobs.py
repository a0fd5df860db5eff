"""Jobs that commit to the same tables at the same time lose nothing and touch only their own rows (energy 11)."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.job_arguments import JobArguments
from shared.lake_layout import ENERGY_INPUT_TABLES, ENERGY_RESULT_TABLES, manifest
from sparkjobs.storage.engine import ENGINE_SETTING, SAIL, Engine
from tests.support.scenarios import arguments_of, result_rows, settle_lake
from tests.support.tables import write_lake

RING = Path(__file__).parent / "balance" / "given_three_areas_in_a_ring"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    write_lake(tmp_path, RING / "when", ENERGY_INPUT_TABLES)
    return tmp_path


def jobs(count: int) -> list[JobArguments]:
    first = arguments_of(RING)
    return [replace(first, job_id=f"{number:08d}-0000-4000-8000-000000000000") for number in range(count)]


def rows_of(lake: Path, job: JobArguments) -> dict[str, list[str]]:
    return {table: in_order(result_rows(lake, table, job)) for table in ENERGY_RESULT_TABLES}


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(str(sorted((k, v) for k, v in row.items() if k not in ("job_id", "result_id"))) for row in rows)


def test_two_jobs_of_one_session_write_side_by_side(engine: Engine, lake: Path) -> None:
    both = jobs(2)
    with ThreadPoolExecutor(2) as at_once:
        outcomes = list(at_once.map(lambda job: settle_lake(engine, job, lake), both))
    assert [outcome.error for outcome in outcomes] == [None, None]
    written = [rows_of(lake, job) for job in both]
    assert all(written[0].values())
    assert written[0] == written[1]


def test_jobs_of_several_processes_write_side_by_side(lake: Path) -> None:
    several = jobs(3)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "sparkjobs.settlement", "--lake", str(lake), *command_line(job)],
            env={**os.environ, ENGINE_SETTING: SAIL},
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        for job in several
    ]
    told = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    written = [rows_of(lake, job) for job in several]
    assert all(written[0].values())
    assert written[0] == written[1] == written[2]
    assert all((lake / manifest(job.job_id, 1)).exists() for job in several)


def command_line(job: JobArguments) -> list[str]:
    return [f"--{name}={value}" for name, value in job.to_parameters().items()]
