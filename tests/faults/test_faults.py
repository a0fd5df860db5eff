"""100 seeds: 80 simulated, 20 at once on the running stack. `make faults` runs 2 000."""

import pytest

from local.services import EVENT_HUB
from tests.faults.simulation.run import simulate
from tests.faults.simulation.storm import BY_REFERENCE
from tests.faults.stack.battle import RULES
from tests.faults.stack.run import BATCH, run_batch

SIMULATED, FIRST_ON_THE_STACK = 80, 100_000
pytestmark = pytest.mark.faults


@pytest.mark.parametrize("seed", range(SIMULATED))
def test_nothing_is_lost_or_wrong_in_a_simulated_storm(seed: int) -> None:
    result = simulate(seed)
    assert result.wrong == [], result.again


def test_the_same_seed_is_the_same_storm() -> None:
    first, second = simulate(3), simulate(3)
    assert (first.fired, first.jobs, first.messages) == (second.fired, second.jobs, second.messages)


def test_nothing_is_lost_or_wrong_on_a_stack_under_fire() -> None:
    results = run_batch(range(FIRST_ON_THE_STACK, FIRST_ON_THE_STACK + BATCH))
    assert {result.seed: result.wrong for result in results if result.wrong} == {}, results[0].again
    assert len(results) == BATCH
    assert results[0].fired[BY_REFERENCE] > 0
    assert sum(results[0].fired[kind] for kind in RULES[EVENT_HUB]) > 0
