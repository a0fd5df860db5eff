"""Timer triggers: NCRONTAB schedules with seconds, in UTC; a run never overlaps the one before it."""

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cronsim import CronSim, CronSimError

from local.functions_host import invocations
from local.functions_host.protos import TypedData
from local.functions_host.worker import Function

logger = logging.getLogger(__name__)
_MONITORED_FROM = timedelta(minutes=1)
"""A schedule this wide or wider remembers its last run, so that one missed while the host was down is made up for."""


class Timer:
    """One timer trigger and where it remembers its last run."""

    def __init__(self, function: Function, settings: Mapping[str, str], state: Path) -> None:
        self.function = function
        self._schedule = _schedule(function, settings)
        self._memory = state / f"{function.name}.json"
        first, second = self.next_after(datetime.now(UTC)), self.next_after(self.next_after(datetime.now(UTC)))
        self._monitored = function.trigger.get("useMonitor") is not False and second - first >= _MONITORED_FROM

    def next_after(self, instant: datetime) -> datetime:
        """The first instant of the schedule after another one."""
        return next(CronSim(self._schedule, instant))

    def missed(self, now: datetime) -> bool:
        """Whether a run was due while no host was there."""
        if not self._monitored or not self._memory.exists():
            return False
        last = datetime.fromisoformat(json.loads(self._memory.read_text(encoding="utf-8"))["last"])
        return self.next_after(last) <= now

    async def run(self) -> None:
        """Run the function on its schedule for ever."""
        now = datetime.now(UTC)
        late = self.missed(now)
        if late or self.function.trigger.get("runOnStartup") is True:
            await self._fire(now, past_due=late)
        while True:
            now = datetime.now(UTC)
            due = self.next_after(now)
            await asyncio.sleep((due - now).total_seconds())
            await self._fire(due, past_due=False)

    async def _fire(self, due: datetime, *, past_due: bool) -> None:
        status = {"Last": due.isoformat(), "Next": self.next_after(due).isoformat(), "LastUpdated": due.isoformat()}
        info = {"IsPastDue": past_due, "ScheduleStatus": status, "Schedule": {"AdjustForDST": True}}
        await invocations.run(self.function, TypedData(json=json.dumps(info)))
        if self._monitored:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._memory.with_suffix(".tmp")
            temporary.write_text(json.dumps({"last": due.isoformat()}), encoding="utf-8")
            temporary.replace(self._memory)


def timers(functions: list[Function], settings: Mapping[str, str], state: Path) -> list[Timer]:
    """Every timer trigger of an app."""
    return [Timer(found, settings, state) for found in functions if found.trigger["type"] == "timerTrigger"]


def _schedule(function: Function, settings: Mapping[str, str]) -> str:
    text = str(function.trigger["schedule"])
    if text.startswith("%") and text.endswith("%"):
        if text.strip("%") not in settings:
            raise ValueError(f"{function.name}: its schedule {text} names a setting that is not there")
        text = settings[text.strip("%")]
    try:
        CronSim(text, datetime.now(UTC))
    except CronSimError as error:
        raise ValueError(f"{function.name}: '{text}' is no NCRONTAB schedule: {error}") from error
    return text if len(text.split()) > 5 else f"0 {text}"
