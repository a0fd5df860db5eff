"""Which state may follow which, and why: the one table (coordinator 4). What it does not name is refused."""

from typing import Any

from functions.coordinator.errors import IllegalTransition
from functions.coordinator.record import JobRecord, JobState, moved

S = JobState
TRANSITIONS: dict[tuple[JobState, JobState], str] = {
    (S.SCHEDULED, S.SUBMITTED): "its time has come",
    (S.SCHEDULED, S.CANCELLED): "cancelled before its time",
    (S.SUBMITTED, S.RUNNING): "the run computes",
    (S.SUBMITTED, S.SUBMITTED): "a new attempt, since the platform had no room for the run",
    (S.SUBMITTED, S.CALCULATED): "a valid manifest of the current attempt is there",
    (S.SUBMITTED, S.FAILED): "the run failed, vanished or could not be started for an hour",
    (S.SUBMITTED, S.CANCELLED): "the run was cancelled or never needed",
    (S.RUNNING, S.SUBMITTED): "the run waits again, or gets a new attempt",
    (S.RUNNING, S.CALCULATED): "a valid manifest of the current attempt is there",
    (S.RUNNING, S.FAILED): "the run failed, vanished or left no manifest",
    (S.RUNNING, S.CANCELLED): "the run was cancelled",
    (S.CALCULATED, S.SPLITTING): "all that splitting depends on is frozen",
    (S.CALCULATED, S.COMPLETED): "a simulation ends here",
    (S.CALCULATED, S.FAILED): "splitting could not begin five times",
    (S.SPLITTING, S.DISPATCHING): "every batch is in the outbox, sent or rejected",
    (S.SPLITTING, S.FAILED): "five failed splits",
    (S.DISPATCHING, S.COMPLETED): "every batch is sent or rejected",
    (S.COMPLETED, S.CALCULATED): "a simulation is promoted",
    (S.FAILED, S.SUBMITTED): "retried: it failed before Calculated",
    (S.FAILED, S.CALCULATED): "retried: it failed after Calculated",
    (S.CANCELLED, S.SUBMITTED): "retried",
}
ENDED = frozenset({S.COMPLETED, S.FAILED, S.CANCELLED})
CALCULATING = frozenset({S.SUBMITTED, S.RUNNING})
"""A run is under way or about to be; a manifest of the current attempt ends it."""


def transition(record: JobRecord, state: JobState, *, at: str, cause: str, **changes: Any) -> JobRecord:
    """The record in its next state, history and all; the very same record when it is there already.

    A step within one state counts only with a new attempt. Raises IllegalTransition for what the table does not name.
    """
    if record.status is state and changes.get("attempt", record.attempt) == record.attempt:
        return record
    simulations_only = {(S.CALCULATED, S.COMPLETED), (S.COMPLETED, S.CALCULATED)}
    step = (record.status, state)
    if step not in TRANSITIONS or (step in simulations_only and not record.simulation):
        raise IllegalTransition(record.job_id, record.status, state)
    return moved(record, state, at=at, cause=cause, **changes)
