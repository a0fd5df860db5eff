"""The table of transitions, and what a job goes through."""

from dataclasses import replace

import pytest

from functions.coordinator.errors import IllegalTransition
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.states import ENDED, TRANSITIONS, transition

RECORD = JobRecord(
    job_id="6f1e2f6e-0000-4000-8000-000000000001",
    arguments={"simulation": "false"},
    status=JobState.SUBMITTED,
    created="2023-01-01T00:00:00Z",
)


def in_state(state: JobState, simulation: bool = False) -> JobRecord:
    return replace(RECORD, status=state, arguments={"simulation": "true" if simulation else "false"})


@pytest.mark.parametrize("source", JobState)
@pytest.mark.parametrize("target", JobState)
def test_only_what_the_table_names_is_done(source: JobState, target: JobState) -> None:
    record = in_state(
        source, simulation=JobState.COMPLETED in (source, target) and JobState.CALCULATED in (source, target)
    )
    if source is target:
        assert transition(record, target, at="t", cause="c") is record
    elif (source, target) in TRANSITIONS:
        moved = transition(record, target, at="t", cause="c")
        assert (moved.status, moved.history[-1].state, moved.history[-1].cause) == (target, target, "c")
    else:
        with pytest.raises(IllegalTransition):
            transition(record, target, at="t", cause="c")


def test_an_actual_job_is_neither_completed_unsent_nor_promoted() -> None:
    for source, target in ((JobState.CALCULATED, JobState.COMPLETED), (JobState.COMPLETED, JobState.CALCULATED)):
        with pytest.raises(IllegalTransition):
            transition(in_state(source), target, at="t", cause="c")


def test_every_state_can_be_reached_and_only_ended_ones_rest() -> None:
    assert {target for _, target in TRANSITIONS} | {JobState.SCHEDULED} == set(JobState)
    assert {source for source, _ in TRANSITIONS} == set(JobState)
    assert {JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED} == ENDED


def test_a_new_attempt_in_the_same_state_is_a_step_of_its_own() -> None:
    again = transition(RECORD, JobState.SUBMITTED, at="t", cause="no room", attempt=2)
    assert (again.attempt, again.history[-1].attempt) == (2, 2)
