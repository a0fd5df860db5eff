"""What the use cases need from the world outside, as Protocols. Adapters implement them; tests use the fakes.

The errors are part of the ports: an adapter translates what its SDK raises into these.

PortError
├── Unavailable        the dependency cannot be reached or asks to come back later; `retry_after` seconds where it says
├── NotFound           there is no such file, lease or run
├── AlreadyExists      a file that was to be created is there (If-None-Match:*)
├── Changed            the file is no longer the one that the ETag names (If-Match), or its lease is not ours
├── LeaseHeld          another one works on the file
├── TooLarge           the post office takes less than it said: from now on, messages are measured by less
├── RunRefused         the job platform will never start this run; the message is its reason
└── InvalidToken       an access token that proves nothing
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from shared.result_series import ResultSeries


class PortError(Exception):
    """Base of what a dependency may answer."""


class Unavailable(PortError):
    """The dependency cannot be reached now; `name` says which one."""

    def __init__(self, name: str, reason: str = "", retry_after: float | None = None) -> None:
        self.name = name
        self.retry_after = retry_after
        super().__init__(f"{name} cannot be reached{': ' + reason if reason else ''}")


class NotFound(PortError):
    """There is no such thing."""


class AlreadyExists(PortError):
    """A file that was to be created is there already."""


class Changed(PortError):
    """The file has changed since it was read, or the lease is lost."""


class LeaseHeld(PortError):
    """Another one holds the lease."""


class RunRefused(PortError):
    """The job platform will not start this run however often it is asked."""


class TooLarge(PortError):
    """The post office refused a size that it had said it takes; from now on `fits` goes by less."""


class Clock(Protocol):
    """The time, so that tests decide it."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


@dataclass(frozen=True)
class LakeFile:
    """One file as a listing shows it; `path` from the root of the file system."""

    path: str
    size: int
    etag: str
    modified: datetime


class Lease(Protocol):
    """Sole right to work on one file; lost when not renewed in time."""

    def renew(self) -> None:
        """Hold it for another period. Raises Changed when it was lost."""

    def release(self) -> None:
        """Give it back; never raises when it was lost already."""


class Lake(Protocol):
    """The files of the lake, paths from the root of the file system (shared/lake_layout.py)."""

    def read(self, path: str) -> tuple[bytes, str]:
        """Content and ETag. Raises NotFound."""

    def create(self, path: str, content: bytes) -> str:
        """Create a file in place, flushed once with close; returns its ETag. Raises AlreadyExists."""

    def replace(self, path: str, content: bytes, etag: str) -> str:
        """Write a new content if the file is still the one that `etag` names; its ETag, "" where the lake tells none.

        Readers see the old content or the new one, never a part, and a crash leaves the old one. Not for watched
        folders. Raises Changed, NotFound.
        """

    def delete(self, path: str, etag: str | None = None, lease: Lease | None = None) -> None:
        """Delete a file; one that is gone is success. Raises Changed when `etag` no longer fits."""

    def delete_folder(self, folder: str) -> None:
        """Delete a folder and all below it; one that is gone is success."""

    def rename(self, source: str, target: str, lease: Lease | None = None) -> None:
        """Move a file, never over another one. Raises AlreadyExists, NotFound, Changed (lease lost)."""

    def exists(self, path: str) -> bool:
        """Whether there is a file of this path."""

    def list(self, folder: str, newest_first: bool = False) -> Iterator[LakeFile]:
        """Every file below a folder; nothing when the folder is not there."""

    def lease(self, path: str, seconds: int = 60) -> Lease:
        """Take the lease of a file. Raises LeaseHeld, NotFound."""

    def check(self) -> None:
        """Raise Unavailable when the lake does not answer."""


class RunPhase(StrEnum):
    """What a Databricks run comes down to (spec: coordinator 4)."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """Never began: too many runs at once (MAXIMUM_CONCURRENT_RUNS_REACHED); a new attempt may fare better."""


@dataclass(frozen=True)
class Run:
    """One run as the job platform tells of it; `state` is its own word for it, `error` its reason when it failed."""

    run_id: int
    phase: RunPhase
    state: str
    page: str | None = None
    error: str | None = None


class JobRunner(Protocol):
    """Starts and watches Spark jobs. No call waits for a run."""

    def start(self, parameters: Mapping[str, str], token: str) -> int:
        """Start a run, or find the one of this idempotency token; returns its id. Raises Unavailable, RunRefused."""

    def run(self, run_id: int) -> Run:
        """The run as it is now. Raises NotFound when the platform no longer knows it, Unavailable."""

    def find(self, job_id: str, attempt: int, since: datetime) -> Run | None:
        """The run of a job's attempt, begun since then; None: it shows none. Raises Unavailable, NotFound (no list)."""

    def cancel(self, run_id: int) -> None:
        """Ask for the end of a run; one that has ended is success. Raises Unavailable."""

    def check(self) -> None:
        """Raise Unavailable when the platform does not answer or does not know the job."""


Row = Mapping[str, Any]


class ResultTables(Protocol):
    """Delta tables of the lake, read without Spark, the newest snapshot (at least the version asked for)."""

    def series(
        self, table: str, job_id: str, attempt: int, grid_area: str, only: Collection[str] | None = None
    ) -> Iterator[ResultSeries]:
        """The series of an attempt in a grid area (`only` these ids), sorted by result_id, in bounded memory."""

    def series_keys(self, table: str, job_id: str, attempt: int, grid_area: str) -> Sequence[ResultSeries]:
        """The same series without their points (empty columns): what there is, at a fraction of the cost."""

    def grid_areas(self, table: str, job_id: str, attempt: int) -> Sequence[str]:
        """The grid areas that a job's attempt has rows for in a result table."""

    def rows(self, table: str, job_id: str, attempt: int, grid_area: str | None = None) -> Iterator[Any]:
        """A job's rows of a result table as Arrow record batches, sorted by result_id and time, in bounded memory."""

    def input_rows(self, table: str, version: int | None = None) -> Sequence[Row]:
        """A small input table (owners, delegations) whole, at a version or the newest. A missing table is empty."""

    def version(self, table: str) -> int | None:
        """The newest version of an input table, None when there is none."""


class MessageIndex(Protocol):
    """Which messages were sent, to whom and when. Rows: messages.batch.Message and batch, number (in it), sent_at."""

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows. Raises Unavailable."""

    def find(self, message_id: str) -> Row | None:
        """The row of a message. Raises Unavailable."""

    def search(self, wanted: Mapping[str, str], *, after: tuple[str, str, int] | None, limit: int) -> Sequence[Row]:
        """Rows by their fields, sorted by (job_id, batch, number), from behind `after` on.

        `wanted`: field → value; `sent_from`, `sent_to`, `period_from`, `period_to` (half-open): overlaps that time.
        """

    def tidy(self, keep_from: datetime | None) -> None:
        """Drop what was sent before `keep_from` (None: nothing), and join small files. Raises Unavailable."""


@dataclass(frozen=True)
class PostOfficeMessage:
    """One event for the post office: envelope bytes and properties (spec: messages 4)."""

    message_id: str
    recipient: str
    body: bytes
    correlation_id: str
    properties: Mapping[str, str | int]


class PostOffice(Protocol):
    """The Event Hub that carries the messages to the market actors."""

    def send(self, messages: Iterable[PostOfficeMessage]) -> None:
        """Send messages in order, partition key = recipient; returns when all are accepted.

        Raises Unavailable (after retries) or TooLarge; any number of the messages may have been accepted then.
        """

    def fits(self, message: PostOfficeMessage) -> bool:
        """Whether the hub takes a message of this size; otherwise it goes by reference (messages 4)."""

    def check(self) -> None:
        """Raise Unavailable when the hub does not answer."""


class InvalidToken(PortError):
    """An access token that proves nothing; the message says why, without a word of the token."""


class TokenVerifier(Protocol):
    """Checks access tokens (coordinator 3)."""

    def verify(self, token: str) -> Mapping[str, Any]:
        """The claims of a token whose signature, issuer, audience and expiry hold. Raises InvalidToken, Unavailable."""
