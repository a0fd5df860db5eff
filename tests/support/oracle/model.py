"""What goes in and comes out: input tables as lists of dicts with the columns of inputs.md, results likewise.

Instants are aware UTC datetimes, quantities and prices Decimals, null is None.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Inputs = dict[str, list[Row]]

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
STEP = {"PT1H": HOUR, "PT15M": QUARTER}
ROWS_NAMED = 10


class RuleBroken(Exception):
    """A rule of the domain that the data break; names the rule and up to ten rows."""

    def __init__(self, rule: str, rows: Iterable[object]) -> None:
        self.rule = rule
        super().__init__(f"{rule}: " + "; ".join(str(row) for row in list(rows)[:ROWS_NAMED]))


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What one settlement calculates; `grid_areas` empty means every area with an E17 or E18 in the period."""

    process_type: str
    period_start: datetime
    period_end: datetime
    grid_areas: tuple[str, ...] = ()
    process_variant: str | None = None
    transition: datetime = datetime(2023, 4, 30, 22, tzinfo=UTC)
    time_zone: str = "Europe/Copenhagen"
    simulation: bool = True

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def resolution(self) -> str:
        """Of the results (energy 1)."""
        return "PT1H" if self.period_end <= self.transition else "PT15M"

    @property
    def settles_charges(self) -> bool:
        return self.process_type in ("D05", "D32")

    def for_areas(self, areas: Iterable[str]) -> "Arguments":
        return replace(self, grid_areas=tuple(sorted(areas)))

    def midnights(self) -> list[datetime]:
        """Every local midnight in [S,E)."""
        day = local_day(self.period_start, self.zone) - timedelta(days=1)
        found = []
        while (midnight := midnight_of(day, self.zone)) < self.period_end:
            if midnight >= self.period_start:
                found.append(midnight)
            day += timedelta(days=1)
        return found


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def midnight_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def steps(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """start, start + step, … before end."""
    found = []
    while start < end:
        found.append(start)
        start += step
    return found
