"""Fakes of the ports, for tests and for trying things out: they keep the same promises as the real adapters."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from functions.adapters.in_memory_lake import FakeClock, InMemoryLake
from functions.ports import InvalidToken, NotFound, PostOfficeMessage, Row, Run, RunPhase

__all__ = ["FakeClock", "FakeJobRunner", "FakePostOffice", "FakeResultTables", "FakeTokens", "InMemoryLake"]


@dataclass
class FakeJobRunner:
    """A job platform that remembers what it was asked; tests set the phase of its runs, or `failing` to be raised."""

    runs: dict[int, Run] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    parameters: dict[int, Mapping[str, str]] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)
    failing: Exception | None = None

    def start(self, parameters: Mapping[str, str], token: str) -> int:
        """Start a run, or find the one of this token."""
        self.check()
        if token not in self.tokens:
            run_id = len(self.runs) + 1
            self.tokens[token] = run_id
            self.parameters[run_id] = parameters
            self.runs[run_id] = Run(run_id, RunPhase.WAITING, "PENDING", f"https://jobs.example/run/{run_id}")
        return self.tokens[token]

    def becomes(self, run_id: int, phase: RunPhase, state: str = "", error: str | None = None) -> None:
        """Let a run be in another phase."""
        self.runs[run_id] = Run(run_id, phase, state or phase.upper(), f"https://jobs.example/run/{run_id}", error)

    def run(self, run_id: int) -> Run:
        """The run as it is now. Raises NotFound."""
        self.check()
        if run_id not in self.runs:
            raise NotFound(f"run {run_id}")
        return self.runs[run_id]

    def find(self, job_id: str, attempt: int, since: datetime) -> Run | None:  # noqa: ARG002 - it keeps no times
        """The run that this attempt's parameters started."""
        self.check()
        wanted = {"job-id": job_id, "attempt": str(attempt)}
        return next((self.runs[n] for n, given in self.parameters.items() if wanted.items() <= given.items()), None)

    def cancel(self, run_id: int) -> None:
        """Remember that its end was asked for."""
        self.check()
        self.cancelled.append(run_id)

    def check(self) -> None:
        """Raise what the test set."""
        if self.failing:
            raise self.failing


@dataclass
class FakeResultTables:
    """Tables in dictionaries: `results[table]` holds record batches of one grid area each, by (job, attempt, area)."""

    results: dict[str, dict[tuple[str, int, str], list[Any]]] = field(default_factory=dict)
    inputs: dict[str, list[Row]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def grid_areas(self, table: str, job_id: str, attempt: int) -> Sequence[str]:
        """The grid areas of a job's attempt."""
        return sorted(area for job, number, area in self.results.get(table, {}) if (job, number) == (job_id, attempt))

    def rows(self, table: str, job_id: str, attempt: int, grid_area: str | None = None) -> Iterator[Any]:
        """The record batches of a job's attempt."""
        for area in [grid_area] if grid_area else self.grid_areas(table, job_id, attempt):
            yield from self.results.get(table, {}).get((job_id, attempt, area), [])

    def input_rows(self, table: str, version: int | None = None) -> Sequence[Row]:  # noqa: ARG002 - one version here
        """A small input table whole."""
        return self.inputs.get(table, [])

    def version(self, table: str) -> int | None:
        """The newest version."""
        return self.versions.get(table, 0 if table in self.inputs else None)


@dataclass
class FakePostOffice:
    """A post office that keeps what it got."""

    sent: list[PostOfficeMessage] = field(default_factory=list)
    largest: int = 1_000_000
    failing: Exception | None = None

    def send(self, messages: Iterable[PostOfficeMessage]) -> None:
        """Keep the messages, one by one until it fails."""
        for message in messages:
            self.check()
            self.sent.append(message)

    def fits(self, message: PostOfficeMessage) -> bool:
        """Whether the body is small enough."""
        return len(message.body) <= self.largest

    def check(self) -> None:
        """Raise what the test set."""
        if self.failing:
            raise self.failing


@dataclass
class FakeTokens:
    """Knows tokens by heart."""

    known: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def verify(self, token: str) -> Mapping[str, Any]:
        """The claims. Raises InvalidToken."""
        if token not in self.known:
            raise InvalidToken("it is not known")
        return self.known[token]
