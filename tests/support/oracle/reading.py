"""The reading rules of inputs.md: which rows are kept, clamped to [S,E)."""

from datetime import datetime

from tests.support.oracle.model import Arguments, Inputs, Row

CARRIED = ("subscription", "fee")


def overlaps(row: Row, start: datetime, end: datetime) -> bool:
    """Whether the period of the row overlaps [start, end); an empty period overlaps nothing, a null begin is judged."""
    begins, ends = row["from_date"], row["to_date"]
    if begins is None:
        return ends is None or ends > start
    return begins != ends and begins < end and (ends is None or ends > start)


def clamp(row: Row, start: datetime, end: datetime) -> Row:
    begins = row["from_date"] and max(row["from_date"], start)
    return {**row, "from_date": begins, "to_date": end if row["to_date"] is None else min(row["to_date"], end)}


def asked_areas(inputs: Inputs, arguments: Arguments) -> tuple[str, ...]:
    """Grid areas left out = every grid_area_code of an E17 or E18 period in [S,E) (coordinator 5)."""
    if arguments.grid_areas:
        return arguments.grid_areas
    rows = [row for row in inputs["metering_point_periods"] if row["type"] in ("E17", "E18")]
    kept = [row for row in rows if overlaps(row, arguments.period_start, arguments.period_end)]
    return tuple(sorted({row["grid_area_code"] for row in kept}))


def metering_points(inputs: Inputs, arguments: Arguments) -> list[Row]:
    """Rows whose area, or for E20 sending or receiving area, is asked for, clamped."""
    start, end = arguments.period_start, arguments.period_end
    kept = []
    for row in inputs["metering_point_periods"]:
        areas = {row["grid_area_code"]}
        if row["type"] == "E20":
            areas |= {row["from_grid_area_code"], row["to_grid_area_code"]}
        if areas & set(arguments.grid_areas) and overlaps(row, start, end):
            kept.append(clamp(row, start, end))
    return kept


def points(inputs: Inputs, arguments: Arguments) -> list[Row]:
    start, end = arguments.period_start, arguments.period_end
    return [row for row in inputs["time_series_points"] if start <= row["observation_time"] < end]


def charge_of(row: Row) -> tuple[str, str, str]:
    return row["charge_code"], row["charge_owner_id"], row["charge_type"]


def links(inputs: Inputs, arguments: Arguments, metering_point_periods: list[Row]) -> list[Row]:
    """Links whose metering point is among the periods (children after wholesale 1), clamped."""
    start, end = arguments.period_start, arguments.period_end
    ids = {row["metering_point_id"] for row in metering_point_periods}
    kept = [row for row in inputs["charge_link_periods"] if row["metering_point_id"] in ids]
    return [clamp(row, start, end) for row in kept if overlaps(row, start, end)]


def charge_periods(inputs: Inputs, arguments: Arguments, kept_links: list[Row]) -> list[Row]:
    """Price information of the charges in the links, clamped; the whole period stays beside it for wholesale 4."""
    start, end = arguments.period_start, arguments.period_end
    charges = {charge_of(row) for row in kept_links}
    kept = []
    for row in inputs["charge_price_information_periods"]:
        if charge_of(row) in charges and overlaps(row, start, end):
            kept.append({**clamp(row, start, end), "whole_from": row["from_date"], "whole_to": row["to_date"]})
    return kept


def prices(inputs: Inputs, arguments: Arguments, kept_links: list[Row], kept_periods: list[Row]) -> list[Row]:
    """Price points in [S,E); for subscriptions and fees also the newest before S inside the same charge period."""
    start, end = arguments.period_start, arguments.period_end
    charges = {charge_of(row) for row in kept_links}
    rows = [row for row in inputs["charge_price_points"] if charge_of(row) in charges]
    kept = [row for row in rows if start <= row["charge_time"] < end]
    for period in kept_periods:
        if period["charge_type"] not in CARRIED:
            continue
        before = [
            row
            for row in rows
            if charge_of(row) == charge_of(period) and period["whole_from"] <= row["charge_time"] < start
        ]
        newest = max((row["charge_time"] for row in before), default=None)
        kept += [row for row in before if row["charge_time"] == newest]
    return kept
