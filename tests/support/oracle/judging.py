"""The errors of the reading rules (inputs.md): only kept rows are judged, after clamping."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.support.oracle.model import STEP, Arguments, Row, RuleBroken, local_day, midnight_of

TYPES = ["E17", "E18", "E20", "D01", "D05", "D06", "D07", "D08", "D09", "D10", "D11", "D12", "D14", "D15", "D19"]
QUALITIES = ("missing", "estimated", "measured", "calculated")
LARGEST_BIGINT = 2**63 - 1
TOO_MUCH = Decimal(10**9)


def refuse(rule: str, rows: Iterable[Row]) -> None:
    found = [{name: str(value) for name, value in row.items() if value is not None} for row in rows]
    if found:
        raise RuleBroken(rule, found)


def judge_periods(rows: list[Row], arguments: Arguments, key: Callable[[Row], Any] | None) -> None:
    """to_date < from_date, borders that are no local midnight, and overlaps within one key."""
    refuse("to_date before from_date", (row for row in rows if row["to_date"] < row["from_date"]))
    refuse("period border inside the period is no local midnight", (row for row in rows if _odd_border(row, arguments)))
    if key is None:
        return
    by_key = defaultdict(list)
    for row in rows:
        by_key[key(row)].append(row)
    for same in by_key.values():
        same.sort(key=lambda row: row["from_date"])
        for earlier, later in pairwise(same):
            if later["from_date"] < earlier["to_date"]:
                refuse("periods overlap", [earlier, later])


def _odd_border(row: Row, arguments: Arguments) -> bool:
    inside = [row[name] for name in ("from_date", "to_date")]
    inside = [instant for instant in inside if arguments.period_start < instant < arguments.period_end]
    return any(midnight_of(local_day(instant, arguments.zone), arguments.zone) != instant for instant in inside)


def judge_metering_points(rows: list[Row], arguments: Arguments) -> None:
    for column in ("metering_point_id", "type", "grid_area_code", "resolution", "from_date"):
        refuse(f"metering_point_periods.{column} is null", (row for row in rows if row[column] is None))
    refuse("unknown metering point type", (row for row in rows if row["type"] not in TYPES))
    refuse("unknown resolution", (row for row in rows if row["resolution"] not in STEP))
    methods = ("D01", "E02")
    known = (*methods, None)
    refuse("unknown settlement method", (row for row in rows if row["settlement_method"] not in known))
    e17 = [row for row in rows if row["type"] == "E17"]
    refuse("E17 without settlement method", (row for row in e17 if row["settlement_method"] not in methods))
    borders = ("from_grid_area_code", "to_grid_area_code")
    e20 = [row for row in rows if row["type"] == "E20"]
    refuse("E20 without from or to area", (row for row in e20 if None in [row[name] for name in borders]))
    judge_ids(row["metering_point_id"] for row in rows)
    judge_periods(rows, arguments, key=lambda row: row["metering_point_id"])


def judge_ids(ids: Iterable[str]) -> None:
    distinct = set(ids)
    wrong = [name for name in distinct if not (name.isascii() and name.isdigit()) or int(name) > LARGEST_BIGINT]
    if wrong:
        raise RuleBroken("metering point id is not digits that fit a bigint", wrong)
    numbers = Counter(int(name) for name in distinct)
    twins = [name for name in distinct if numbers[int(name)] > 1]
    if twins:
        raise RuleBroken("two metering point ids are the same number", twins)


def judge_areas(rows: list[Row], arguments: Arguments) -> None:
    present = {row[name] for row in rows for name in ("grid_area_code", "from_grid_area_code", "to_grid_area_code")}
    absent = [area for area in arguments.grid_areas if area not in present]
    if absent:
        raise RuleBroken("grid area without any metering point", absent)


def judge_grid_loss(rows: list[Row], grid_loss_ids: set[str]) -> None:
    kept = [row for row in rows if row["metering_point_id"] in grid_loss_ids]
    wrong = [row for row in kept if row["type"] != "E18" and (row["type"], row["settlement_method"]) != ("E17", "D01")]
    refuse("grid-loss metering point is neither E17 flex nor E18", wrong)


def judge_points(rows: list[Row]) -> None:
    for column in ("metering_point_id", "quality", "observation_time"):
        refuse(f"time_series_points.{column} is null", (row for row in rows if row[column] is None))
    refuse("unknown quality", (row for row in rows if row["quality"] not in QUALITIES))
    refuse("a point of 10⁹ kWh or more", (row for row in rows if abs(row["quantity"] or Decimal()) >= TOO_MUCH))
    times = Counter((row["metering_point_id"], row["observation_time"]) for row in rows)
    twice = [row for row in rows if times[row["metering_point_id"], row["observation_time"]] > 1]
    refuse("two points of one metering point at one time", twice)
