"""Sees every job record as it is written, and says what is wrong with it at that moment."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from functions.ports import RunPhase
from tests.faults.simulation.cluster import WITH_MANIFEST
from tests.faults.simulation.world import World

ENDED = ("Completed", "Failed", "Cancelled")
EQUAL = ("process-type", "process-variant", "period-start", "period-end", "grid-areas")


@dataclass
class Seen:
    """What was seen of a job: its last record, when it was calculated and completed last, counted in writes.

    What is frozen stays, so that a job that is calculated again after that counts as calculated before.
    """

    record: dict[str, Any]
    calculated: int = 0
    completed: int = 0
    gave_way: bool = False

    @property
    def actual(self) -> bool:
        return bool(self.record["arguments"]["simulation"] != "true" or self.record["promoted"])


@dataclass
class Witness:
    """The jobs of a seed as their records told of them."""

    world: World
    jobs: dict[str, Seen] = field(default_factory=dict)
    writes: int = 0
    beside: list[tuple[Seen, Seen]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.lake.written = self.saw

    def saw(self, path: str, content: bytes) -> None:
        """A record was written."""
        record = json.loads(content)
        self.writes += 1
        before = self.jobs.get(record["job_id"])
        old = before.record if before else None
        seen = self.jobs.setdefault(record["job_id"], Seen(record))
        seen.record = record
        seen.gave_way |= record["cancel_requested"]
        if old is not None and (old["status"], old["attempt"]) == (record["status"], record["attempt"]):
            return
        state = record["status"]
        if state == "Calculated" and not record["frozen"]:
            seen.calculated = self.writes
        if state == "Completed":
            seen.completed = self.writes
        if state not in ENDED and (old is None or old["status"] in ENDED):
            self._alone(seen)
        if state == "Calculated" and old is not None and old["status"] in ("Submitted", "Running"):
            self._calculated(record, old)
        if state == "Failed":
            self._failed(record, old or record)
        if state == "Cancelled":
            self._cancelled(record, old or record)

    def _wrong(self, record: dict[str, Any], text: str) -> None:
        self.world.failures.append(f"job {record['job_id']}: {text}")

    def _alone(self, seen: Seen) -> None:
        for other in self.jobs.values():
            if other is seen or not (seen.actual and other.actual) or other.record["status"] in ENDED:
                continue
            if all(other.record["arguments"][name] == seen.record["arguments"][name] for name in EQUAL):
                self.beside.append((seen, other))

    def beside_each_other(self) -> Iterator[str]:
        """Equal jobs that were under way at once; one that gave way when it saw the other one is right."""
        for one, other in self.beside:
            if not (one.gave_way or other.gave_way):
                yield f"{one.record['job_id']} was under way beside its equal {other.record['job_id']}"

    def _run(self, record: dict[str, Any]) -> Any:
        job = (record["job_id"], record["attempt"])
        runs = [run for run in self.world.cluster.runs.values() if (run.job_id, run.attempt) == job]
        if len(runs) > 1:
            self._wrong(record, f"has {len(runs)} runs of attempt {record['attempt']}")
        return runs[0] if runs else None

    def _calculated(self, record: dict[str, Any], old: dict[str, Any]) -> None:
        path = f"completed/{record['job_id']}.{record['attempt']}.json"
        file = self.world.lake.files.get(path)
        try:
            manifest = json.loads(file.content) if file else {}
        except ValueError:
            manifest = {}
        if (manifest.get("job_id"), manifest.get("attempt")) != (record["job_id"], record["attempt"]):
            self._wrong(record, f"is Calculated without a manifest of attempt {record['attempt']}")
        if old["cancel_requested"]:
            self._wrong(record, "is Calculated though its end was asked for")

    def _failed(self, record: dict[str, Any], old: dict[str, Any]) -> None:
        if not record["error"]:
            self._wrong(record, "Failed without a reason")
        if old["status"] not in ("Submitted", "Running"):
            if record["split_failures"] < 5:
                self._wrong(record, f"Failed after {record['split_failures']} failed splits: {record['error']}")
            return
        run = self._run(record)
        if run is not None and run.end in WITH_MANIFEST and run.phase in (RunPhase.SUCCEEDED, RunPhase.RUNNING):
            self._wrong(record, f"Failed, but its run did not ({run.end}): {record['error']}")
        if run is None and "hour" not in record["error"]:
            self._wrong(record, f"Failed without a run: {record['error']}")

    def _cancelled(self, record: dict[str, Any], old: dict[str, Any]) -> None:
        run = self._run(record)
        by_run = run is not None and run.phase is RunPhase.CANCELLED
        if old["status"] != "Scheduled" and not old["cancel_requested"] and not by_run:
            self._wrong(record, f"is Cancelled though nobody cancelled it: {record['history'][-1]['cause']}")
        if run is not None and run.phase in (RunPhase.WAITING, RunPhase.RUNNING) and run.known:
            self._wrong(record, "is Cancelled while its run goes on")
