"""What counts as a point, and every point at one resolution (energy 2 and 3)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tests.support.oracle.model import HOUR, QUARTER, STEP, Arguments, Row, steps


@dataclass(frozen=True)
class Point:
    """One value of a metering point period, which carries everything that it is grouped by."""

    period: Row
    time: datetime
    quantity: Decimal
    qualities: frozenset[str]


def expected_points(periods: list[Row], points: list[Row]) -> list[Point]:
    """One per step of every period: no row or null = 0, without a row `missing`; all other rows do not count."""
    rows = {(row["metering_point_id"], row["observation_time"]): row for row in points}
    found = []
    for period in periods:
        for time in steps(period["from_date"], period["to_date"], STEP[period["resolution"]]):
            row = rows.get((period["metering_point_id"], time))
            quantity = row["quantity"] if row and row["quantity"] is not None else Decimal(0)
            found.append(Point(period, time, quantity, frozenset({row["quality"] if row else "missing"})))
    return found


def at_result_resolution(points: list[Point], arguments: Arguments) -> list[Point]:
    return _as_quarters(points) if arguments.resolution == "PT15M" else _as_hours(points)


def _as_quarters(points: list[Point]) -> list[Point]:
    found = []
    for point in points:
        if point.period["resolution"] == "PT15M":
            found.append(point)
        else:
            times = steps(point.time, point.time + HOUR, QUARTER)
            found += [Point(point.period, time, point.quantity / 4, point.qualities) for time in times]
    return found


def _as_hours(points: list[Point]) -> list[Point]:
    found = [point for point in points if point.period["resolution"] == "PT1H"]
    hours: dict[tuple[str, datetime], list[Point]] = {}
    for point in points:
        if point.period["resolution"] == "PT15M":
            hour = point.time.replace(minute=0)
            hours.setdefault((point.period["metering_point_id"], hour), []).append(point)
    for (_, hour), quarters in hours.items():
        quantity = sum((point.quantity for point in quarters), Decimal(0))
        present = frozenset().union(*(point.qualities for point in quarters))
        found.append(Point(quarters[0].period, hour, quantity, frozenset({quality_of_hour(present)})))
    return found


def quality_of_hour(present: frozenset[str]) -> str:
    """Energy 3, in its order."""
    if "calculated" in present:
        return "calculated"
    if "estimated" in present:
        return "estimated"
    if {"measured", "missing"} <= present:
        return "estimated"
    if "measured" in present:
        return "measured"
    return "missing"
