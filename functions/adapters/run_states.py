"""What Databricks says of a run, and what that comes down to (coordinator 4)."""

from collections.abc import Mapping
from typing import Any

from functions.ports import RunPhase

PHASE_BY_RESULT = {
    "SUCCESS": RunPhase.SUCCEEDED,
    "CANCELED": RunPhase.CANCELLED,
    "USER_CANCELED": RunPhase.CANCELLED,
    "UPSTREAM_CANCELED": RunPhase.CANCELLED,
    "SKIPPED": RunPhase.CANCELLED,
    "MAXIMUM_CONCURRENT_RUNS_REACHED": RunPhase.REFUSED,
    "MAX_CONCURRENT_RUNS_EXCEEDED": RunPhase.REFUSED,
}
"""Every other result of a run that has ended, a known one or not, is a failure."""
FAILURES = {
    "FAILED",
    "TIMEDOUT",
    "UPSTREAM_FAILED",
    "EXCLUDED",
    "DISABLED",
    "SUCCESS_WITH_FAILURES",
    "INTERNAL_ERROR",
}
"""Results that say so whatever the life cycle."""
ENDED = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}
PHASE_BY_LIFE_CYCLE = {
    "PENDING": RunPhase.WAITING,
    "QUEUED": RunPhase.WAITING,
    "WAITING": RunPhase.WAITING,
    "WAITING_FOR_RETRY": RunPhase.WAITING,
    "BLOCKED": RunPhase.WAITING,
    "SKIPPED": RunPhase.CANCELLED,
    "TERMINATED": RunPhase.FAILED,
    "INTERNAL_ERROR": RunPhase.FAILED,
}
"""Where there is no result. RUNNING, TERMINATING, an unknown or absent one: the run has not ended."""


def phase_of(life_cycle: str | None, result: str | None) -> RunPhase:
    """What a run's states come down to: the result decides before the life cycle (coordinator 4)."""
    if result in PHASE_BY_RESULT:
        return PHASE_BY_RESULT[result]
    if result in FAILURES or (result and life_cycle in ENDED):
        return RunPhase.FAILED
    return PHASE_BY_LIFE_CYCLE.get(life_cycle or "", RunPhase.RUNNING)


def states_of(run: Mapping[str, Any]) -> tuple[str | None, str | None, str]:
    """Life cycle, result and message as the service tells them; from `status` where `state` tells neither."""
    state = _member(run, "state")
    life_cycle, result = state.get("life_cycle_state"), state.get("result_state")
    if life_cycle or result:
        return life_cycle, result, state.get("state_message") or ""
    status = _member(run, "status")
    details = _member(status, "termination_details")
    return status.get("state"), details.get("code"), details.get("message") or state.get("state_message") or ""


def _member(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return document.get(name) or {}
