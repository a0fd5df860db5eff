"""The arguments of a settlement job and the rules that they must keep (spec: coordinator 3 and 5, energy 1).

The function app checks a request with them before a job starts, and the job checks its command line with them again.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.codes import ProcessType, ProcessVariant, Resolution
from shared.danish_time import (
    DEFAULT_TIME_ZONE,
    format_instant,
    is_local_midnight,
    is_local_month,
    local_date,
)
from shared.errors import InvalidArguments

DEFAULT_QUARTERLY_TRANSITION = datetime(2023, 4, 30, 22, tzinfo=UTC)
LONGEST_PERIOD = timedelta(days=400)
GRID_AREA = re.compile(r"[0-9]{3}")


@dataclass(frozen=True, kw_only=True)
class JobArguments:
    """What one settlement calculates. `grid_areas` empty: every area with metering points in the period."""

    job_id: str
    process_type: ProcessType
    period_start: datetime
    period_end: datetime
    process_variant: ProcessVariant | None = None
    grid_areas: tuple[str, ...] = ()
    simulation: bool = False
    attempt: int = 1
    quarterly_transition: datetime = DEFAULT_QUARTERLY_TRANSITION
    time_zone: str = DEFAULT_TIME_ZONE

    @property
    def zone(self) -> ZoneInfo:
        """The market's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def result_resolution(self) -> Resolution:
        """Hourly for periods that end no later than the quarterly transition, else quarter-hourly (energy 1)."""
        return Resolution.HOUR if self.period_end <= self.quarterly_transition else Resolution.QUARTER

    def to_parameters(self) -> dict[str, str]:
        """The arguments by their command-line names, as text; what is absent is the empty string."""
        return {
            "job-id": self.job_id,
            "attempt": str(self.attempt),
            "process-type": self.process_type.value,
            "process-variant": self.process_variant.value if self.process_variant else "",
            "period-start": format_instant(self.period_start),
            "period-end": format_instant(self.period_end),
            "grid-areas": ",".join(self.grid_areas),
            "simulation": "true" if self.simulation else "false",
            "quarterly-transition": format_instant(self.quarterly_transition),
            "time-zone": self.time_zone,
        }


def check_arguments(arguments: JobArguments, names: dict[str, str] | None = None) -> None:
    """Check every rule that needs no look-up.

    Args:
        arguments: what to check.
        names: the caller's names of the fields (`period_start` → `beginTime` over HTTP); absent ones stay as they are.

    Raises:
        InvalidArguments: names every field that breaks a rule, each with what would be right.
    """
    shown = names or {}
    problems = {**_identity_problems(arguments), **_variant_problems(arguments), **_period_problems(arguments)}
    if problems:
        raise InvalidArguments({shown.get(field, field): message for field, message in problems.items()})


def _identity_problems(arguments: JobArguments) -> dict[str, str]:
    problems = {}
    if not _is_uuid(arguments.job_id):
        problems["job_id"] = f"'{arguments.job_id}' is not a UUID"
    if arguments.attempt < 1:
        problems["attempt"] = f"{arguments.attempt} is not a number from 1"
    wrong = [area for area in arguments.grid_areas if not GRID_AREA.fullmatch(area)]
    if wrong:
        problems["grid_areas"] = f"{', '.join(repr(area) for area in wrong)}: a grid area is three digits, such as 003"
    return problems


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _variant_problems(arguments: JobArguments) -> dict[str, str]:
    correction = arguments.process_type is ProcessType.CORRECTION
    if correction and arguments.process_variant is None:
        return {"process_variant": "a correction (D32) needs a variant: D01, D02 or D03"}
    if not correction and arguments.process_variant is not None:
        return {"process_variant": f"{arguments.process_type} takes no variant; only D32 does"}
    return {}


def _period_problems(arguments: JobArguments) -> dict[str, str]:
    start, end, zone = arguments.period_start, arguments.period_end, arguments.zone
    problems = {}
    if not is_local_midnight(arguments.quarterly_transition, zone):
        problems["quarterly_transition"] = f"{format_instant(arguments.quarterly_transition)} is no local midnight"
    if start >= end:
        late = {"period_end": f"{format_instant(end)} is not after the begin, {format_instant(start)}"}
        return problems | _border_problems(arguments) | late
    problems |= _border_problems(arguments)
    if problems.keys() & {"period_start", "period_end"}:
        return problems
    if _wall_clock(end, zone) - _wall_clock(start, zone) > LONGEST_PERIOD:
        problems["period_end"] = f"the period is longer than {LONGEST_PERIOD.days} days"
    elif start < arguments.quarterly_transition < end:
        transition = format_instant(arguments.quarterly_transition)
        problems["period_end"] = f"the period contains the quarterly transition, {transition}: split it there"
    elif _must_be_month(arguments) and not is_local_month(start, end, zone):
        wrong = ("period_end",) if local_date(start, zone).day == 1 else ("period_start", "period_end")
        problems |= dict.fromkeys(wrong, f"{arguments.process_type} settles exactly one local calendar month")
    return problems


def _wall_clock(instant: datetime, zone: ZoneInfo) -> datetime:
    """What a local clock shows: a day counts as one whatever its hours."""
    return instant.astimezone(zone).replace(tzinfo=None)


def _must_be_month(arguments: JobArguments) -> bool:
    return arguments.process_type.settles_charges and not arguments.simulation


def _border_problems(arguments: JobArguments) -> dict[str, str]:
    """Actual jobs begin and end at local midnight, simulations at whole hours."""
    borders = {"period_start": arguments.period_start, "period_end": arguments.period_end}
    if arguments.simulation:
        return {
            field: f"{format_instant(instant)} is not a whole hour"
            for field, instant in borders.items()
            if (instant.minute, instant.second, instant.microsecond) != (0, 0, 0)
        }
    return {
        field: f"{format_instant(instant)} is no local midnight ({arguments.time_zone})"
        for field, instant in borders.items()
        if not is_local_midnight(instant, arguments.zone)
    }
