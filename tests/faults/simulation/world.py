"""The simulated world: hosts of the app on one lake, a clock that a scheduler moves, and what happens when.

The app's own code runs, above its ports. Every call of a port is a point at which another host or a fault may come.
"""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from functions.adapters.in_memory_lake import FakeClock, InMemoryLake
from functions.coordinator.archive import Archive
from functions.ports import PortError, Unavailable
from functions.wiring import App
from tests.faults.market import input_rows
from tests.faults.received import PUBLIC_BASE_URL, Event
from tests.faults.simulation.baton import Baton, TurnLock
from tests.faults.simulation.storm import FULL, REORDERED, Storm
from tests.support.app import ENVIRONMENT
from tests.support.message_index import InMemoryMessageIndex
from tests.support.results import InMemoryResults

START = datetime(2025, 3, 5, 10, tzinfo=UTC)
TIMERS = {"watch": 15, "start_due": 15, "sweep": 60}
TRIES = 5


class Killed(BaseException):
    """The host is dead: nothing of it happens any more."""


class WatchedLake(InMemoryLake):
    """The lake; it tells of every job record as it is written."""

    written: Callable[[str, bytes], None] = staticmethod(lambda _path, _content: None)

    def _store(self, path: str, content: bytes) -> str:
        etag = super()._store(path, content)
        if path.startswith("jobs/") and content:
            self.written(path, content)
        return etag

    def touch(self, path: str) -> None:
        """Give a file another ETag."""
        if path in self.files:
            self._store(path, self.files[path].content)


class Host:
    """One instance of the app, with a clock of its own and nothing in its memory."""

    def __init__(self, world: "World", name: str) -> None:
        from tests.faults.simulation import ports

        self.world, self.name = world, name
        self.alive = True
        self.clock_error = 0.0
        self.busy: set[str] = set()
        environment = {**ENVIRONMENT, "PUBLIC_BASE_URL": PUBLIC_BASE_URL}
        lake = ports.HostLake(self)
        self.app = App(environment).replace(
            clock=ports.HostClock(self),
            lake=lake,
            archive=Archive(lake=lake, index=ports.HostIndex(self)),
            runner=ports.HostRunner(self),
            tables=ports.HostTables(self),
            post_office=ports.HostPostOffice(self),
        )
        self.app.index._listing = TurnLock(world.baton)

    def call[T](
        self, port: str, label: str, act: Callable[[], T], *, lost: Exception | None = None, writes: bool = False
    ) -> T:
        """One call of a port: others may go first, faults may strike before and after it is done."""
        world = self.world
        if world.baton.current() is None:
            return act()
        self._turn(f"before {label}")
        if world.storm.raging and self._refused(port, writes):
            raise Unavailable(port, "no answer")
        result = act()
        if writes and world.storm.strikes("lake loses a reply"):
            raise lost or Unavailable(port, "no reply")
        if port == "jobs API" and world.storm.strikes("jobs API loses a reply"):
            raise Unavailable(port, "no reply")
        self._turn(f"after {label}")
        return result

    def _refused(self, port: str, writes: bool) -> bool:
        world = self.world
        if port == "lake" and world.storm.strikes("lake refuses"):
            return True
        if port == "jobs API" and any(world.storm.strikes(f"jobs API {how}") for how in ("answers 429", "answers 503")):
            return True
        if port == "jobs API" and world.storm.strikes("jobs API times out"):
            world.clock.advance(seconds=10)
            return True
        if writes and world.lake_full_until > world.clock.now():
            world.storm.count(FULL)
            return True
        if port == "hub":
            if world.storm.strikes("hub killed"):
                world.hub_down_until = world.clock.now() + timedelta(seconds=world.random.uniform(1, 90))
            return world.hub_down_until > world.clock.now()
        return False

    def _turn(self, label: str) -> None:
        world = self.world
        if self.alive and world.storm.strikes("host killed"):
            world.killed_at.add(label)
            world.kill(self)
        if not self.alive:
            raise Killed
        if world.storm.strikes("call stalls"):
            world.clock.advance(seconds=world.random.uniform(5, 90))
        if world.storm.strikes("clock jumps"):
            self.clock_error = world.random.uniform(-90, 90)
        world.baton.wait()
        if not self.alive:
            raise Killed


class World:
    """Everything of one seed."""

    def __init__(self, seed: int) -> None:
        from tests.faults.simulation.cluster import Cluster

        self.seed, self.random = seed, Random(seed)
        self.clock = FakeClock(START)
        self.lake = WatchedLake(self.clock)
        self.tables = InMemoryResults(inputs=input_rows())
        self.index = InMemoryMessageIndex()
        self.storm = Storm(self.random)
        self.baton = Baton(self.random)
        self.hub: list[Event] = []
        self.largest = self.random.choice((1_000_000, 1_000_000, 2_300))
        self.hard_runs = self.random.random() < 0.7
        self.lake_full_until = self.hub_down_until = START
        self.killed_at: set[str] = set()
        self.failures: list[str] = []
        self.hosts: list[Host] = []
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._newest_event = 0
        self._numbers = iter(range(10**9))
        self.cluster = Cluster(self)
        for name in ("a", "b"):
            self.hosts.append(Host(self, name))
        for timer, period in TIMERS.items():
            self.later(self.random.uniform(0, period), lambda timer=timer, period=period: self._tick(timer, period))

    def number(self) -> int:
        """A number that no other one has."""
        return next(self._numbers)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen after a while."""
        heapq.heappush(self._agenda, (self.clock.now() + timedelta(seconds=seconds), self.number(), act))

    def write(self, path: str, content: bytes) -> None:
        """What the Spark job writes: one flush with close."""
        self.lake._store(path, content)
        self.blob_created(path)

    def kill(self, host: Host) -> None:
        """`kill -9`; another one starts in its place after a while."""
        host.alive = False
        self.hosts.remove(host)
        self.later(self.random.uniform(1, 60), lambda: self.hosts.append(Host(self, f"{host.name}'")))

    def spawn(
        self, host: Host, name: str, work: Callable[[], Any], on_end: Callable[[bool], None] | None = None
    ) -> None:
        """Let a host run a function; `on_end` is told whether it went well."""

        def body() -> None:
            done = False
            try:
                work()
                done = True
            except (Killed, PortError):
                pass
            except Exception as error:
                if "the table is damaged" not in str(error):
                    self.failures.append(f"{name} raised {type(error).__name__}: {error}")
            if on_end:
                on_end(done)

        self.baton.start(host, name, body)

    def blob_created(self, path: str) -> None:
        """The lake's event, as Event Grid brings it: late, twice, in any order, or never."""
        folder = path.split("/")[0]
        if folder not in ("completed", "outbox") or self.storm.strikes("event dropped"):
            return
        for _ in range(2 if self.storm.strikes("event doubled") else 1):
            slow = self.storm.strikes("event delayed")
            number = self.number()
            self.later(
                self.random.uniform(1, 200) if slow else self.random.uniform(0.01, 2),
                lambda number=number: self._arrive(path, number),
            )

    def _arrive(self, path: str, number: int) -> None:
        if self.storm.raging and number < self._newest_event:
            self.storm.count(REORDERED)
        self._newest_event = max(self._newest_event, number)
        self._deliver(path)

    def _deliver(self, path: str, attempt: int = 1) -> None:
        if not self.hosts:
            self.later(5, lambda: self._deliver(path, attempt))
            return
        host = self.random.choice(self.hosts)

        def ended(done: bool) -> None:
            if not done and attempt < TRIES:
                self.later(self.random.uniform(0.1, 10), lambda: self._deliver(path, attempt + 1))

        act = host.app.manifest_appeared if path.startswith("completed/") else host.app.batch_appeared
        if path in self.lake.files:
            self.spawn(host, path, lambda: act(f"aggregations/{path}"), ended)

    def _tick(self, timer: str, period: float) -> None:
        self.later(period, lambda: self._tick(timer, period))
        for host in list(self.hosts):
            share = 0.7 if self.storm.raging else 0.5
            if timer in host.busy or self.random.random() > share:
                continue
            host.busy.add(timer)
            self.spawn(host, timer, getattr(host.app, timer), lambda _done, host=host: host.busy.discard(timer))

    def run(self, seconds: float, settled: Callable[[], bool]) -> bool:
        """Let the world go on for so long, or until it is settled; whether it is."""
        until = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < until:
            if self._agenda and self._agenda[0][0] <= self.clock.now():
                heapq.heappop(self._agenda)[2]()
            elif self.baton.tasks:
                self.clock.advance(seconds=self.random.uniform(0, 0.05))
                self.baton.step()
            elif settled():
                return True
            else:
                self.clock.instant = self._agenda[0][0]
        return settled()
