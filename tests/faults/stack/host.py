"""A functions host in a hurry: timers within seconds, short leases, and a clock that the fault tests set.

Runs the stand-in host in this process, where the app runs too, so that nothing in the app needs to know of it.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.adapters.clock import SystemClock
from functions.adapters.lake import DataLake, DataLakeLease
from functions.coordinator import dispatch, dispatching, holding, watch_runs
from local.functions_host import __main__ as host
from local.functions_host import timers

CLOCK = "FAULTS_CLOCK"
LEASE_SECONDS, RENEW_SECONDS = 15, 5
PERIODS = {"Sweep": 2.0}


def hurry() -> None:
    """Shorten what a test must wait for."""
    clock = Path(os.environ[CLOCK])
    take = DataLake.lease

    def now(_: SystemClock) -> datetime:
        try:
            error = float(clock.read_text())
        except (OSError, ValueError):
            error = 0.0
        return datetime.now(UTC) + timedelta(seconds=error)

    def lease(self: DataLake, path: str, seconds: int = LEASE_SECONDS) -> DataLakeLease:
        return take(self, path, min(seconds, LEASE_SECONDS))

    def next_after(self: timers.Timer, instant: datetime) -> datetime:
        return instant + timedelta(seconds=PERIODS.get(self.function.name, 1.0))

    SystemClock.now = now
    DataLake.lease = lease
    timers.Timer.next_after = next_after
    holding.RENEW_EVERY = RENEW_SECONDS
    dispatch.RENEWED_EVERY = timedelta(seconds=RENEW_SECONDS)
    dispatching.EVENT_WITHIN = timedelta(seconds=3)
    watch_runs.CAPACITY_PAUSE = timedelta(seconds=4)


if __name__ == "__main__":
    hurry()
    sys.exit(host.main())
