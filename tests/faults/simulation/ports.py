"""The ports of one host of the simulation: each call can be refused, lose its reply, stall, or be the host's last.

They promise what the adapters promise: a file is created empty and filled by one flush, a content is replaced by a
rename from state/writing, and a lost reply is repeated by the SDK, which then meets what it did itself.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from functions.adapters.in_memory_lake import InMemoryLease
from functions.ports import AlreadyExists, Changed, LakeFile, NotFound, PostOfficeMessage, Run, TooLarge, Unavailable
from shared.result_series import ResultSeries
from tests.faults.received import Event
from tests.faults.simulation.storm import BY_REFERENCE
from tests.faults.simulation.world import Host, Killed

LEAST = 500
"""Bytes that a body needs which goes by reference, and more."""


class HostClock:
    """The clock of one machine: it may be wrong, and jump."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def now(self) -> datetime:
        return self.host.world.clock.now() + timedelta(seconds=self.host.clock_error)


class HostLake:
    """The lake as one host reaches it."""

    def __init__(self, host: Host) -> None:
        self.host, self.core = host, host.world.lake

    def _call[T](self, verb: str, path: str, act: Callable[[], T], *, lost: Exception | None = None) -> T:
        writes = verb not in ("read", "list", "exists")
        return self.host.call("lake", f"{verb} {path.split('/')[0]}", act, lost=lost, writes=writes)

    def read(self, path: str) -> tuple[bytes, str]:
        return self._call("read", path, lambda: self.core.read(path))

    def create(self, path: str, content: bytes) -> str:
        etag = self._call("create", path, lambda: self.core.create(path, b""), lost=AlreadyExists(path))
        if not content:
            return etag
        return self._call("flush", path, lambda: self._flush(path, content, etag), lost=AlreadyExists(path))

    def _flush(self, path: str, content: bytes, etag: str) -> str:
        try:
            written = self.core.replace(path, content, etag)
        except (Changed, NotFound) as error:
            raise AlreadyExists(path) from error
        self.host.world.blob_created(path)
        return written

    def replace(self, path: str, content: bytes, etag: str) -> str:
        aside = f"state/writing/{self.host.world.number()}"
        self._call("write", aside, lambda: self.core._store(aside, content))
        try:
            self._call("replace", path, lambda: self._swap(aside, path, etag), lost=Changed(path))
        except (Changed, NotFound) as error:
            if self.exists(aside):
                self.delete(aside)
                raise Changed(path) from error
        return ""

    def _swap(self, aside: str, path: str, etag: str) -> None:
        world = self.host.world
        if path.startswith(("jobs/", "state/")) and world.storm.strikes("ETag race: another one writes the record"):
            world.lake.touch(path)
        self.core.replace(path, self.core.files[aside].content, etag)
        self.core.delete(aside)

    def delete(self, path: str, etag: str | None = None, lease: Any = None) -> None:
        self._call("delete", path, lambda: self.core.delete(path, etag, lease and lease.core))

    def delete_folder(self, folder: str) -> None:
        self._call("delete", folder, lambda: self.core.delete_folder(folder))

    def rename(self, source: str, target: str, lease: Any = None) -> None:
        self._call(
            "rename", target, lambda: self.core.rename(source, target, lease and lease.core), lost=NotFound(source)
        )

    def exists(self, path: str) -> bool:
        return self._call("exists", path, lambda: self.core.exists(path))

    def list(self, folder: str, newest_first: bool = False) -> Iterator[LakeFile]:
        return self._call("list", folder, lambda: self.core.list(folder, newest_first))

    def lease(self, path: str, seconds: int = 60) -> "HostLease":
        return HostLease(self, self._call("lease", path, lambda: self.core.lease(path, seconds)))

    def check(self) -> None:
        self._call("check", "state", lambda: None)


class HostLease:
    """A lease that one host holds; it dies with the host, and the lake waits for its end."""

    def __init__(self, lake: HostLake, core: InMemoryLease) -> None:
        self.lake, self.core = lake, core

    def renew(self) -> None:
        self.lake._call("lease", self.core.path, self.core.renew)

    def release(self) -> None:
        try:
            self.lake._call("lease", self.core.path, self.core.release)
        except (Unavailable, Killed):
            return


class HostRunner:
    """The job platform as one host reaches it."""

    def __init__(self, host: Host) -> None:
        self.host, self.cluster = host, host.world.cluster

    def start(self, parameters: Mapping[str, str], token: str) -> int:
        return self.host.call("jobs API", "run-now", lambda: self.cluster.start(parameters, token))

    def run(self, run_id: int) -> Run:
        return self.host.call("jobs API", "get", lambda: self.cluster.run(run_id))

    def find(self, job_id: str, attempt: int, since: datetime) -> Run | None:
        return self.host.call("jobs API", "list", lambda: self.cluster.find(job_id, attempt))

    def cancel(self, run_id: int) -> None:
        self.host.call("jobs API", "cancel", lambda: self.cluster.cancel(run_id))

    def check(self) -> None:
        self.host.call("jobs API", "check", lambda: None)


class HostTables:
    """The Delta tables as one host reads them."""

    def __init__(self, host: Host) -> None:
        self.host, self.core = host, host.world.tables

    def _call[T](self, what: str, act: Callable[[], T]) -> T:
        storm = self.host.world.storm

        def read() -> T:
            if storm.strikes("tables cannot be read"):
                raise Unavailable("lake", "no answer")
            if what == "series" and storm.strikes("splitting breaks"):
                raise RuntimeError("the table is damaged")
            return act()

        return self.host.call("tables", what, read)

    def series(
        self, table: str, job_id: str, attempt: int, grid_area: str, only: Collection[str] | None = None
    ) -> Iterator[ResultSeries]:
        found = self._call("series", lambda: list(self.core.series(table, job_id, attempt, grid_area, only)))
        yield from found

    def series_keys(self, table: str, job_id: str, attempt: int, grid_area: str) -> Sequence[ResultSeries]:
        return self._call("keys", lambda: self.core.series_keys(table, job_id, attempt, grid_area))

    def grid_areas(self, table: str, job_id: str, attempt: int) -> Sequence[str]:
        return self._call("areas", lambda: self.core.grid_areas(table, job_id, attempt))

    def rows(self, table: str, job_id: str, attempt: int, grid_area: str | None = None) -> Iterator[Any]:
        raise NotImplementedError

    def input_rows(self, table: str, version: int | None = None) -> Sequence[Mapping[str, Any]]:
        return self._call("inputs", lambda: self.core.input_rows(table, version))

    def version(self, table: str) -> int | None:
        return self._call("version", lambda: self.core.version(table))


class HostIndex:
    """The table of sent messages as one host writes it."""

    def __init__(self, host: Host) -> None:
        self.host, self.core = host, host.world.index

    def _call[T](self, what: str, act: Callable[[], T]) -> T:
        return self.host.call("lake", f"{what} index", act, writes=what in ("add", "tidy"))

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._call("add", lambda: self.core.add(rows))

    def find(self, message_id: str) -> Mapping[str, Any] | None:
        return self._call("find", lambda: self.core.find(message_id))

    def search(
        self, wanted: Mapping[str, str], *, after: tuple[str, str, int] | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        return self._call("search", lambda: self.core.search(wanted, after=after, limit=limit))

    def tidy(self, keep_from: datetime | None) -> None:
        self._call("tidy", lambda: self.core.tidy(keep_from))


class HostPostOffice:
    """The hub as one host reaches it."""

    def __init__(self, host: Host) -> None:
        self.host, self.world = host, host.world
        self.at_most = host.world.largest

    def send(self, messages: Iterable[PostOfficeMessage]) -> None:
        for message in messages:
            self.host.call("hub", "send", lambda: None)
            if self.world.storm.strikes("hub throttles"):
                raise Unavailable("post office", "server busy")
            if self.world.storm.strikes("hub refuses a message as too large"):
                self.at_most = max(LEAST, self.at_most // 2)
                raise TooLarge("a message is larger than the hub takes")
            self._accept(message)
            if self.world.storm.strikes("hub takes it twice"):
                self._accept(message)
            if self.world.storm.strikes("hub drops the link"):
                raise Unavailable("post office", "the link is gone")
            self.host.call("hub", "accepted", lambda: None)

    def _accept(self, message: PostOfficeMessage) -> None:
        event = Event(
            message.message_id, message.recipient, message.body, message.correlation_id, dict(message.properties)
        )
        self.world.hub.append(event)

    def fits(self, message: PostOfficeMessage) -> bool:
        fits = len(message.body) <= self.at_most
        if not fits:
            self.world.storm.count(BY_REFERENCE)
        return fits

    def check(self) -> None:
        self.host.call("hub", "check", lambda: None)
