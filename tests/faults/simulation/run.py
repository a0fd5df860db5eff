"""One simulated seed from beginning to end."""

import logging
import random
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from functions.coordinator import job_keys
from functions.coordinator import records as records_module
from functions.ports import PortError
from tests.faults.simulation.client import Client
from tests.faults.simulation.verdict import look, settled
from tests.faults.simulation.witness import Witness
from tests.faults.simulation.world import World
from tests.faults.summary import Result

SIMULATED = "simulated"
STORM_SECONDS = 900.0
CALM_SECONDS = 6 * 3600.0
AFTERWARDS = 300.0


def simulate(seed: int) -> Result:
    """Run a seed and look at what it left."""
    world = World(seed)
    witness = Witness(world)
    with _repeatable(world):
        client = Client(world)
        _trouble(world)
        world.run(STORM_SECONDS, lambda: False)
        world.storm.raging = False
        for host in world.hosts:
            host.clock_error = 0.0
        world.run(CALM_SECONDS, lambda: client.busy <= 0 and settled(witness))
        world.run(AFTERWARDS, lambda: False)
        world.run(CALM_SECONDS, lambda: settled(witness))
    states = Counter(seen.record["status"] for seen in witness.jobs.values())
    return Result(
        seed,
        SIMULATED,
        f"python -m tests.faults --simulated {seed}",
        list(look(witness)),
        world.storm.fired,
        states,
        len(world.hub),
        world.killed_at,
    )


def _trouble(world: World) -> None:
    """A lake that takes no writes for a while."""
    if world.random.random() < 0.25:
        begin, length = world.random.uniform(0, 600), world.random.uniform(5, 240)

        def full() -> None:
            world.lake_full_until = world.clock.now() + timedelta(seconds=length)

        world.later(begin, full)


class _Unforeseen(logging.Handler):
    """The app's log tells of what it did not foresee, where no caller hears of it."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self.world = world

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        expected = isinstance(error, PortError) and record.getMessage() != "a call failed"
        if error is None or expected or "the table is damaged" in str(error):
            return
        trace = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(trace.filename).name}:{trace.lineno}"
        self.world.failures.append(f"{record.getMessage()}: {type(error).__name__}: {error} at {where}")


@contextmanager
def _repeatable(world: World) -> Iterator[None]:
    """The app's few draws of its own come from the seed, its short pauses are turns of others."""

    def pause(_seconds: float) -> None:
        if world.baton.current() is not None:
            world.baton.wait()

    own = random.Random(world.seed)
    log = logging.getLogger("functions")
    handler, level, propagate = _Unforeseen(world), log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.ERROR)
    log.propagate = False
    try:
        with (
            patch.object(records_module, "time", SimpleNamespace(sleep=pause, time=time.time)),
            patch.object(job_keys, "os", SimpleNamespace(urandom=own.randbytes)),
        ):
            yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate
