"""The job record: the one truth about a job, a JSON file in the lake that changes by conditional writes only.

Spec: coordinator 2 and 4. Instants are text (`…Z`), as they lie in the file.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """Where a job stands."""

    SCHEDULED = "Scheduled"
    SUBMITTED = "Submitted"
    RUNNING = "Running"
    CALCULATED = "Calculated"
    SPLITTING = "Splitting"
    DISPATCHING = "Dispatching"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


@dataclass(frozen=True)
class Transition:
    """One step of a job's history: into which state, when, why, in which attempt."""

    state: JobState
    at: str
    cause: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """All that splitting depends on, fixed at Calculated → Splitting (spec: coordinator 4)."""

    version: int
    split_at: str
    owners_version: int | None
    delegations_version: int | None
    esett_id: str | None
    predecessors: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Per grid area the predecessor: {"job_id": …, "attempt": …}; an area without one is not there."""


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """One job. `arguments` are the job's parameters by their command-line names (JobArguments.to_parameters)."""

    job_id: str
    arguments: dict[str, str]
    status: JobState
    created: str
    attempt: int = 1
    scheduled_at: str | None = None
    caller: str | None = None
    run_id: int | None = None
    run_page: str | None = None
    error: str | None = None
    cancel_requested: bool = False
    start_after: str | None = None
    """When a run that found no room is started again; until then none is under way."""
    capacity_refusals: int = 0
    run_ended_at: str | None = None
    """When a run was first seen to have succeeded while its manifest was not there."""
    promoted: bool = False
    split_failures: int = 0
    trace_id: str | None = None
    traceparent: str | None = None
    frozen: Frozen | None = None
    batches: list[str] | None = None
    """Every batch that splitting made, by name; None until splitting is done."""
    results: dict[str, int] = field(default_factory=dict)
    """Rows per result table, from the manifest."""
    messages: int = 0
    """How many splitting made."""
    sent: int | None = None
    """How many of them the post office accepted; known when the job is complete."""
    rejected: int = 0
    """Lines under rejected/: what splitting and what dispatch could not send."""
    without_receiver: int = 0
    history: list[Transition] = field(default_factory=list)

    def to_json(self) -> bytes:
        """The record as it lies in the lake."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()

    @property
    def simulation(self) -> bool:
        """Whether nothing of this job is ever sent: a simulation that was not promoted."""
        return self.arguments["simulation"] == "true" and not self.promoted


def read_record(content: bytes) -> JobRecord:
    """Read a record; unknown fields of a newer version of the app are kept out."""
    document = json.loads(content)
    known = {name: value for name, value in document.items() if name in JobRecord.__dataclass_fields__}
    known["status"] = JobState(known["status"])
    known["history"] = [Transition(JobState(step.pop("state")), **step) for step in known.get("history", [])]
    if known.get("frozen"):
        known["frozen"] = Frozen(**known["frozen"])
    return JobRecord(**known)


def moved(record: JobRecord, state: JobState, *, at: str, cause: str, **changes: Any) -> JobRecord:
    """The record after a transition, its history one step longer. Whether it is legal, states.py says."""
    step = Transition(state, at, cause, changes.get("attempt", record.attempt))
    return replace(record, status=state, history=[*record.history, step], **changes)
