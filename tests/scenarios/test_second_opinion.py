"""The Spark job against the plain-Python settlement on random small markets, row by row, on both engines.

250 markets a test in the ordinary run, side by side in one job: 500 for energy, 500 for energy with charges. More, or
others, by `SECOND_OPINION_MARKETS` (per test, in jobs of 250) and `SECOND_OPINION_SEED`.
"""

import itertools
import os
import uuid
from pathlib import Path

import pytest

from shared.codes import ProcessType
from shared.job_arguments import JobArguments
from sparkjobs.storage.engine import Engine
from tests.support.market_lake import write_inputs
from tests.support.oracle import Arguments, Inputs, Row
from tests.support.oracle.market_charges import charge_markets
from tests.support.oracle.markets import arguments_for, energy_markets
from tests.support.scenarios import settle_lake
from tests.support.second_opinion import Run, compare

OF_ONE_JOB = 250
MARKETS = int(os.environ.get("SECOND_OPINION_MARKETS", str(OF_ONE_JOB)))
SEED = int(os.environ.get("SECOND_OPINION_SEED", "20230430"))
RUN_COLUMNS = ("job_id", "attempt", "result_id")


@pytest.fixture
def run(engine: Engine, tmp_path: Path) -> Run:
    """Settle inputs in a lake of their own; the rows of every table without job, attempt and id."""
    lakes = itertools.count()

    def settled(inputs: Inputs, arguments: Arguments) -> dict[str, list[Row]]:
        lake = tmp_path / str(next(lakes))
        write_inputs(lake, inputs)
        outcome = settle_lake(engine, job_of(arguments), lake)
        assert outcome.error is None, outcome.error
        return {table: [_without_run(row) for row in rows] for table, rows in outcome.tables.items()}

    return settled


def job_of(arguments: Arguments) -> JobArguments:
    return JobArguments(
        job_id=str(uuid.uuid5(uuid.NAMESPACE_OID, repr(arguments))),
        process_type=ProcessType(arguments.process_type),
        period_start=arguments.period_start,
        period_end=arguments.period_end,
        grid_areas=arguments.grid_areas,
        simulation=True,
        quarterly_transition=arguments.transition,
        time_zone=arguments.time_zone,
    )


def _without_run(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in RUN_COLUMNS}


def jobs() -> list[tuple[int, int]]:
    """How many markets each job has, and the seed they are drawn from."""
    return [(min(OF_ONE_JOB, MARKETS - done), SEED + done) for done in range(0, MARKETS, OF_ONE_JOB)]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("resolution", ["PT15M", "PT1H"])
def test_energy_equals_the_second_opinion(run: Run, resolution: str) -> None:
    arguments = arguments_for("D03", resolution=resolution, hours=6)
    for markets, seed in jobs():
        compare(run, energy_markets, arguments, markets=markets, first=seed)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("resolution", ["PT15M", "PT1H"])
def test_charges_equal_the_second_opinion(run: Run, resolution: str) -> None:
    arguments = arguments_for("D05", resolution=resolution, hours=27)
    for markets, seed in jobs():
        compare(run, charge_markets, arguments, markets=markets, first=seed)
