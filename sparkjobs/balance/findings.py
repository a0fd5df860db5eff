"""Data errors in the points: found by the sums at no cost, named by a second look that only a broken job takes."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shared.codes import Quality
from shared.errors import ROWS_NAMED, DataError
from sparkjobs.balance.clock import HOUR_MICROS, QUARTER_MICROS, Clock, instant
from sparkjobs.balance.group_sums import Account
from sparkjobs.balance.points import DUPLICATE, NO_NUMBER, SAME_NUMBER, SLOTS, TOO_MUCH, UNKNOWN_QUALITY
from sparkjobs.balance.settlement_groups import FIRST_GROUP, IGNORED, Market

# A sum in ¼ milli-kWh must stay in a long: 2.3 million metering points at the bound of 10⁹ kWh (architecture 3.2).
LARGEST_SUM = 2**61 - 1
# 48 quarters: their slots fit one long as bits.
_BUCKET = 48

DUPLICATES = "time_series_points: two points of one metering point at one time"


def check_sums(
    received: Mapping[int, Account], *, points: DataFrame, market: Market, observed: DataFrame, clock: Clock
) -> None:
    """Judge the points by what their sums carry.

    Raises:
        DataError: an unknown quality, a quantity beyond the bound, a bad id, duplicates, or a sum that is out of range.
    """
    flaws = 0
    for account in received.values():
        flaws |= account.flaws
    if flaws & UNKNOWN_QUALITY:
        known = F.coalesce(F.col("quality").isin([str(quality) for quality in Quality]), F.lit(False))
        _refuse("UNKNOWN_QUALITY", "time_series_points: unknown quality", points, ~known, clock)
    if flaws & TOO_MUCH:
        _refuse("QUANTITY_TOO_LARGE", "time_series_points: a point of 10⁹ kWh or more", points, _is_too_much(), clock)
    if flaws & NO_NUMBER:
        digits = F.coalesce(F.col("metering_point_id").rlike("^[0-9]+$"), F.lit(False))
        no_number = ~digits | F.col("metering_point_id").try_cast("bigint").isNull()
        _refuse("NO_NUMBER", "time_series_points: an id is not digits that fit a bigint", points, no_number, clock)
    if flaws & SAME_NUMBER:
        raise DataError(
            "SAME_NUMBER", "time_series_points: two ids have the same number", _twins(points, market, clock)
        )
    groups = [account for account in received.values() if account.number >= FIRST_GROUP]
    if flaws & DUPLICATE or any(account.surplus for account in groups):
        raise DataError("DUPLICATE_POINTS", DUPLICATES, duplicates(points, clock) or ["(none on second look)"])
    if any(account.largest > LARGEST_SUM for account in groups):
        raise DataError(
            "SUM_TOO_LARGE", "the sum of a group's points does not fit a long", _largest(observed, market, clock)
        )


def _is_too_much() -> Column:
    return F.abs("quantity") >= 10**9


def _in_period(points: DataFrame, clock: Clock) -> DataFrame:
    time = F.col("observation_time")
    return points.filter((time >= instant(clock.start)) & (time < instant(clock.end)))


def _refuse(code: str, rule: str, points: DataFrame, broken: Column, clock: Clock) -> None:
    wrong = points.transform(_in_period, clock).filter(broken)
    raise DataError(code, rule, named(wrong), wrong.count())


def named(points: DataFrame) -> list[str]:
    """Up to ten points as text, the first by id and time."""
    first = points.orderBy("metering_point_id", "observation_time").limit(ROWS_NAMED)
    shown = first.select(
        F.concat_ws(
            " ",
            F.coalesce("metering_point_id", F.lit("null")),
            F.coalesce(F.date_format("observation_time", "yyyy-MM-dd'T'HH:mm:ss'Z'"), F.lit("null")),
            F.concat(F.lit("quantity="), F.coalesce(F.col("quantity").cast("string"), F.lit("null"))),
            F.concat(F.lit("quality="), F.coalesce("quality", F.lit("null"))),
        ).alias("row")
    )
    return [str(row.row) for row in shown.collect()]


def _twins(points: DataFrame, market: Market, clock: Clock) -> list[str]:
    kept = market.memberships.select("metering_point_id", "id_length").distinct()
    number = F.col("metering_point_id").try_cast("bigint")
    ids = (
        points.transform(_in_period, clock)
        .select(number.alias("number"), F.col("metering_point_id").alias("id"))
        .distinct()
    )
    twins = ids.join(kept, on=ids["number"] == kept["metering_point_id"], how="inner")
    return [
        str(row.id)
        for row in twins.filter(F.length("id") != F.col("id_length")).orderBy("id").select("id").limit(10).collect()
    ]


def duplicates(points: DataFrame, clock: Clock) -> list[str]:
    """Pairs of metering point and time that occur more than once, with how often."""
    pairs = points.transform(_in_period, clock).groupBy(F.col("metering_point_id"), F.col("observation_time")).count()
    twice = pairs.filter("count > 1").orderBy("metering_point_id", "observation_time").limit(ROWS_NAMED)
    time = F.date_format("observation_time", "yyyy-MM-dd'T'HH:mm:ss'Z'")
    return [
        str(row.row)
        for row in twice.select(
            F.concat_ws(" ", "metering_point_id", time, F.concat("count", F.lit(" times"))).alias("row")
        ).collect()
    ]


def check_unique(points: DataFrame, clock: Clock) -> None:
    """Prove that no metering point has two points at one time: row count against the or-ed slots (architecture 3.3).

    Counts of the sums cannot see a duplicate beside a missing point; this second aggregation does, at the cost of
    another read of two columns.

    Raises:
        DataError: names up to ten pairs of metering point and time.
    """
    on_grid = points.transform(_in_period, clock).filter(F.unix_micros("observation_time") % QUARTER_MICROS == 0)
    slots = on_grid.select(
        F.col("metering_point_id").try_cast("bigint").alias("point_id"), clock.slot_of("observation_time").alias("slot")
    )
    half_days = slots.select(
        "point_id",
        F.expr(f"slot div {_BUCKET}").alias("half_day"),
        F.expr(f"shiftleft(cast(1 as bigint), slot % {_BUCKET})").alias("slot_bit"),
    )
    held = half_days.groupBy(F.col("point_id"), F.col("half_day")).agg(
        F.count(F.lit(1)).alias("rows"), F.bit_or("slot_bit").alias("bits")
    )
    if held.filter(F.col("rows") != F.bit_count("bits")).limit(1).collect():
        raise DataError("DUPLICATE_POINTS", DUPLICATES, duplicates(points, clock))


def ignored_points(points: DataFrame, market: Market, clock: Clock) -> list[str]:
    """Up to ten points of kept metering points at times that are not expected (energy 2)."""
    members = market.memberships.select(
        F.col("metering_point_id").alias("member_id"), "from_slot", "to_slot", "is_hourly", "number"
    )
    placed = points.transform(_in_period, clock).withColumn("slot", clock.slot_of("observation_time"))
    in_period = (F.col("slot") >= F.col("from_slot")) & (F.col("slot") < F.col("to_slot"))
    is_member = F.col("metering_point_id").try_cast("bigint") == F.col("member_id")
    joined = placed.join(F.broadcast(members), on=is_member & in_period, how="inner")
    step = F.when(F.col("is_hourly"), F.lit(HOUR_MICROS)).otherwise(F.lit(QUARTER_MICROS))
    off_grid = (F.unix_micros("observation_time") % step != 0) & (F.col("number") >= FIRST_GROUP)
    return named(joined.filter((F.col("number") == IGNORED) | off_grid))


def _largest(observed: DataFrame, market: Market, clock: Clock) -> list[str]:
    large = observed.filter(
        (F.col("key") >= FIRST_GROUP * SLOTS) & (F.col("milli_kwh").isNull() | (F.abs("milli_kwh") > LARGEST_SUM))
    )
    groups = {group.number: group for group in market.groups}
    rows = large.orderBy("key").limit(ROWS_NAMED).select("key").collect()
    return [f"{groups[row.key // SLOTS]} at {clock.instant(row.key % SLOTS)}" for row in rows]
