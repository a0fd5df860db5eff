"""The job platform of the simulation: runs that compute, fail, vanish, are refused, and leave what they leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from functions.ports import NotFound, Run, RunPhase
from shared.manifest import Manifest, ResultTable
from tests.faults import market

if TYPE_CHECKING:
    from tests.faults.simulation.world import World

ENDS = {
    "manifest": 12,
    "run: killed": 1,
    "run: fails with its reason": 1,
    "run: times out": 1,
    "run: leaves no manifest": 1,
    "run: leaves an empty manifest": 1,
    "run: leaves a manifest cut short": 1,
    "run: leaves another attempt's manifest": 1,
    "run: vanishes": 1,
    "run: vanishes and goes on": 1,
    "run: finds no room": 2,
    "run: is cancelled from outside": 1,
    "run: writes its manifest in pieces": 2,
    "run: leaves its manifest late": 1,
}
"""How a run may end, and how often."""
KINDS = frozenset(ENDS) - {"manifest"}
WITH_MANIFEST = ("manifest", "run: writes its manifest in pieces", "run: leaves its manifest late")


@dataclass
class SimulatedRun:
    """One run: what it was asked, how it ends, where it stands."""

    run_id: int
    job_id: str
    attempt: int
    parameters: Mapping[str, str]
    end: str
    phase: RunPhase = RunPhase.WAITING
    state: str = "PENDING"
    error: str | None = None
    known: bool = True
    manifest_at: datetime | None = None


@dataclass
class Cluster:
    """All runs. One token is one run."""

    world: "World"
    runs: dict[int, SimulatedRun] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)

    def start(self, parameters: Mapping[str, str], token: str) -> int:
        """Start a run, or find the one of this token."""
        if token not in self.tokens:
            run_id = len(self.runs) + 1
            world = self.world
            ends = list(ENDS) if world.hard_runs else ["manifest"]
            end = world.random.choices(ends, [ENDS[name] for name in ends])[0]
            job_id = parameters["job-id"]
            self.tokens[token] = run_id
            self.runs[run_id] = SimulatedRun(run_id, job_id, int(parameters["attempt"]), parameters, end)
            if end == "run: finds no room":
                self._count(self.runs[run_id])
                self._becomes(run_id, RunPhase.REFUSED, "MAXIMUM_CONCURRENT_RUNS_REACHED")
            else:
                world.later(world.random.uniform(1, 60), lambda: self._begin(run_id))
        return self.tokens[token]

    def run(self, run_id: int) -> Run:
        """The run as it is now. Raises NotFound."""
        found = self.runs.get(run_id)
        if found is None or not found.known:
            raise NotFound(f"run {run_id}")
        return Run(run_id, found.phase, found.state, f"https://jobs.example/run/{run_id}", found.error)

    def find(self, job_id: str, attempt: int) -> Run | None:
        """The run of a job's attempt."""
        runs = (run for run in self.runs.values() if (run.job_id, run.attempt) == (job_id, attempt) and run.known)
        return next((self.run(run.run_id) for run in runs), None)

    def cancel(self, run_id: int) -> None:
        """Its process is killed a moment later."""
        run = self.runs[run_id]
        if run.phase in (RunPhase.WAITING, RunPhase.RUNNING):
            self.world.later(self.world.random.uniform(0, 20), lambda: self._killed_by_cancel(run_id))

    def _killed_by_cancel(self, run_id: int) -> None:
        run = self.runs[run_id]
        if run.phase in (RunPhase.WAITING, RunPhase.RUNNING):
            self._becomes(run_id, RunPhase.CANCELLED, "CANCELED")

    def _becomes(self, run_id: int, phase: RunPhase, state: str, error: str | None = None) -> None:
        run = self.runs[run_id]
        run.phase, run.state, run.error = phase, state, error

    def _begin(self, run_id: int) -> None:
        if self.runs[run_id].phase is RunPhase.WAITING:
            self._becomes(run_id, RunPhase.RUNNING, "RUNNING")
            self.world.later(self.world.random.uniform(1, 120), lambda: self._finish(self.runs[run_id]))

    def _count(self, run: SimulatedRun) -> None:
        if run.end.startswith("run: "):
            self.world.storm.count(run.end)

    def _finish(self, run: SimulatedRun) -> None:
        if run.phase is not RunPhase.RUNNING:
            return
        self._count(run)
        world, soon = self.world, self.world.random.uniform(0.1, 20)
        manifest = self._results(run) if run.end in (*WITH_MANIFEST, "run: vanishes and goes on") else b""
        ended = {
            "run: killed": (RunPhase.FAILED, "INTERNAL_ERROR", "the driver is gone"),
            "run: fails with its reason": (RunPhase.FAILED, "FAILED", "exit code 3"),
            "run: times out": (RunPhase.FAILED, "TIMEDOUT", ""),
            "run: is cancelled from outside": (RunPhase.CANCELLED, "UPSTREAM_CANCELED", None),
        }.get(run.end, (RunPhase.SUCCEEDED, "SUCCESS", None))
        self._leave(run, manifest, soon)
        if run.end in WITH_MANIFEST or "manifest" in run.end:
            world.later(soon, lambda: self._succeeded(run))
        else:
            self._becomes(run.run_id, *ended)

    def _leave(self, run: SimulatedRun, manifest: bytes, soon: float) -> None:
        """What a run leaves besides its rows."""
        world, name = self.world, f"completed/{run.job_id}.{run.attempt}.json"
        match run.end:
            case "manifest":
                world.write(name, manifest)
            case "run: writes its manifest in pieces":
                world.write(name, b"")
                world.later(soon, lambda: world.write(name, manifest[: len(manifest) // 2]))
                world.later(soon * 2, lambda: world.write(name, manifest))
            case "run: leaves its manifest late":
                world.later(soon * 10, lambda: world.write(name, manifest))
            case "run: leaves an empty manifest":
                world.write(name, b"")
            case "run: leaves a manifest cut short":
                world.write(name, self._results(run)[:40])
            case "run: leaves another attempt's manifest":
                other = Manifest(job_id=run.job_id, attempt=run.attempt + 7, **_EMPTY).to_json()
                world.write(name, other)
                world.write(f"completed/{run.job_id}.{run.attempt + 7}.json", other)
            case "run: fails with its reason":
                world.write(f"failed/{run.job_id}.{run.attempt}.json", b'{"code": "gap", "message": "row 7"}')
            case "run: vanishes" | "run: vanishes and goes on":
                run.known = False
                if run.end != "run: vanishes":
                    world.later(soon * 15, lambda: world.write(name, manifest))

    def _succeeded(self, run: SimulatedRun) -> None:
        if run.phase is RunPhase.RUNNING:
            self._becomes(run.run_id, RunPhase.SUCCEEDED, "SUCCESS")

    def _results(self, run: SimulatedRun) -> bytes:
        """Leave the results of a run in the tables; its manifest."""
        parameters = run.parameters
        areas = parameters["grid-areas"].split(",")
        start = datetime.fromisoformat(parameters["period-start"])
        salt = f"{run.job_id}{run.attempt}"
        tables = market.results(self.world.random, parameters["process-type"], start, areas, salt)
        for table, rows in tables.items():
            self.world.tables.add(table, rows, run.job_id, run.attempt)
        written = {table: ResultTable(version=1, rows=len(rows), series_count=1) for table, rows in tables.items()}
        return Manifest(job_id=run.job_id, attempt=run.attempt, **{**_EMPTY, "results": written}).to_json()


_EMPTY: dict[str, object] = {"arguments": {}, "grid_areas": [], "input_versions": {}, "results": {}}
