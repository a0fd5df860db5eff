"""The one pass over the points: a point becomes a few integers, and they are summed by settlement group and slot.

Quantities are whole milli-kWh, qualities bits, (group, slot) one long key made by an addition. No row is made for a
missing point: its group sum merely has fewer points than expected (architecture 3.2 and 3.3; energy 2 and 3).
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shared.codes import QUALITY_BIT, Quality
from sparkjobs.balance.clock import HOUR_MICROS, QUARTER_MICROS, Clock, instant
from sparkjobs.balance.exact import exact_sum
from sparkjobs.balance.settlement_groups import FIRST_GROUP, IGNORED, NOT_KEPT, Market

# key = group × SLOTS + slot. 400 days have 38 400 quarters.
SLOT_BITS = 16
SLOTS = 1 << SLOT_BITS

# The bits of a sum: qualities for energy, from OWN_QUALITIES those at the points' own resolution (tariffs), then flaws.
OWN_QUALITIES = 4
MISSING = QUALITY_BIT[Quality.MISSING]
UNKNOWN_QUALITY = 1 << 8
TOO_MUCH = 1 << 9
NO_NUMBER = 1 << 10
SAME_NUMBER = 1 << 11
DUPLICATE = 1 << 12
FLAWS = UNKNOWN_QUALITY | TOO_MUCH | NO_NUMBER | SAME_NUMBER | DUPLICATE
# Two counts in one long: estimated points, and above them those that came with quality missing.
MISSING_COUNT = 1 << 32


def number_of(key: str) -> Column:
    """The group or series of a key."""
    return F.shiftright(key, SLOT_BITS).cast("int")


def slot_of_key(key: str) -> Column:
    """The slot of a key."""
    return F.col(key).bitwiseAND(F.lit(SLOTS - 1)).cast("int")


# So many metering points of a group at the bound of 10⁹ kWh fit 2⁶¹ milli-kWh, all four quarters of an hour together.
MOST_POINTS = 2**61 // (4 * 10**12)


def observed_sums(points: DataFrame, market: Market, clock: Clock) -> DataFrame:
    """Sum the points of [S,E) by settlement group and slot.

    A plain sum of longs cannot leave their range while a group has fewer metering points than MOST_POINTS, which its
    expected points tell beforehand (more points than expected end the job); larger groups are summed with a guard.

    Returns:
        key bigint (group × SLOTS + slot of the result's resolution or, for hourly groups, the hour's first slot),
        milli_kwh bigint (OUT_OF_RANGE where the sum is), bits int, observed bigint (metering points with a point),
        points bigint, marked bigint (MISSING_COUNT × missing + estimated).
    """
    placed = points.transform(_in_period, clock).transform(_placed, market.memberships, clock)
    is_huge = any(count > MOST_POINTS for group in market.groups for _, _, count in group.steps)
    sums = _sums(exact_sum if is_huge else F.sum)
    if clock.step == 1:
        by_key = placed.groupBy(F.col("key")).agg(*sums, F.count(F.lit(1)).alias("observed"))
        return by_key.withColumn("points", F.col("observed")).select(*_COLUMNS)
    return placed.transform(_hours_of_each_quarterly_metering_point, sums)


_COLUMNS = ("key", "milli_kwh", "bits", "observed", "points", "marked")


def _in_period(points: DataFrame, clock: Clock) -> DataFrame:
    """The points in the period, as integers; a quantity beyond the bound becomes null and is marked."""
    in_period = (F.col("observation_time") >= instant(clock.start)) & (F.col("observation_time") < instant(clock.end))
    # decimal(12,3) holds what is below 10⁹ kWh, and keeps the JVM on its fast path (architecture 3).
    milli_kwh = F.expr("cast(try_cast(quantity as decimal(12,3)) * 1000 as bigint)")
    return points.filter(in_period).select(
        F.col("metering_point_id").alias("id_text"),
        F.col("metering_point_id").try_cast("bigint").alias("point_id"),
        F.col("quantity").isNotNull().alias("has_quantity"),
        milli_kwh.alias("milli_kwh"),
        _quality_bits().alias("quality_bits"),
        clock.slot_of("observation_time").alias("slot"),
        F.unix_micros("observation_time").alias("micros"),
    )


def _quality_bits() -> Column:
    """The most frequent quality is asked for first; what is none of the four is marked, never taken for another."""
    quality = F.col("quality")
    by_frequency = (Quality.ESTIMATED, Quality.CALCULATED, Quality.MISSING)
    bits = F.when(quality == Quality.MEASURED.value, F.lit(_both(Quality.MEASURED)))
    for other in by_frequency:
        bits = bits.when(quality == other.value, F.lit(_both(other)))
    return bits.otherwise(F.lit(UNKNOWN_QUALITY))


def _both(quality: Quality) -> int:
    """A quality among those for energy and among those at the points' own resolution."""
    return QUALITY_BIT[quality] | QUALITY_BIT[quality] << OWN_QUALITIES


def _placed(points: DataFrame, memberships: DataFrame, clock: Clock) -> DataFrame:
    """Find the group of every point: one broadcast join on the id, with the period as a further condition."""
    members = memberships.select(
        "metering_point_id",
        "id_length",
        "from_slot",
        "to_slot",
        F.when(F.col("is_hourly"), F.lit(HOUR_MICROS)).otherwise(F.lit(QUARTER_MICROS)).alias("step_micros"),
        (F.col("number").cast("bigint") * SLOTS).alias("group_key"),
        (~F.col("is_hourly")).alias("is_quarterly"),
    )
    is_member = F.col("point_id") == F.col("metering_point_id")
    at_that_time = (F.col("slot") >= F.col("from_slot")) & (F.col("slot") < F.col("to_slot"))
    joined = points.join(F.broadcast(members), on=is_member & at_that_time, how="left")
    return joined.select(
        _key().alias("key"),
        F.coalesce("milli_kwh", F.lit(0).cast("bigint")).alias("milli_kwh"),
        _bits().alias("bits"),
        _mark().alias("marked"),
        *([F.when(F.col("is_quarterly"), F.col("point_id")).alias("quarterly_id")] if clock.step > 1 else []),
    )


def _key() -> Column:
    """Points of metering points that are not kept, and those at times that are not expected, are only counted."""
    is_group = F.col("group_key") >= FIRST_GROUP * SLOTS
    is_expected = F.col("micros") % F.col("step_micros") == 0
    return (
        F.when(F.col("group_key").isNull(), F.lit(NOT_KEPT * SLOTS).cast("bigint"))
        .when(~is_group, F.col("group_key"))
        .when(is_expected, F.col("group_key") + F.col("slot"))
        .otherwise(F.lit(IGNORED * SLOTS).cast("bigint"))
    )


def _bits() -> Column:
    flaws = (
        F.when(F.col("has_quantity") & F.col("milli_kwh").isNull(), F.lit(TOO_MUCH))
        .when(
            F.col("metering_point_id").isNull() & ~F.coalesce(F.col("id_text").rlike("^[0-9]+$"), F.lit(False)),
            NO_NUMBER,
        )
        .when(F.col("metering_point_id").isNull() & F.col("point_id").isNull(), NO_NUMBER)
        .when(F.length("id_text") != F.col("id_length"), SAME_NUMBER)
        .otherwise(F.lit(0))
    )
    return F.col("quality_bits").bitwiseOR(flaws)


def _mark() -> Column:
    own = F.col("quality_bits")
    estimated = QUALITY_BIT[Quality.ESTIMATED]
    return (
        F.when(own.bitwiseAND(F.lit(estimated)) != 0, F.lit(1).cast("bigint"))
        .when(own.bitwiseAND(F.lit(MISSING)) != 0, F.lit(MISSING_COUNT))
        .otherwise(F.lit(0).cast("bigint"))
    )


def _sums(summed: Callable[[Column], Column]) -> list[Column]:
    return [
        summed(F.col("milli_kwh")).alias("milli_kwh"),
        F.bit_or("bits").alias("bits"),
        F.sum("marked").alias("marked"),
    ]


def _hours_of_each_quarterly_metering_point(placed: DataFrame, sums: list[Column]) -> DataFrame:
    """Hourly results: quarters are summed over the hour per metering point, which then has one quality (energy 3).

    Points of hourly metering points pass through: they have no quarterly_id and are summed by group at once.
    """
    is_group = F.col("key") >= FIRST_GROUP * SLOTS
    hour_key = F.when(is_group, F.col("key") - F.col("key") % 4).otherwise(F.col("key"))
    hours = (
        placed.withColumn("key", hour_key)
        .groupBy(F.col("key"), F.col("quarterly_id"))
        .agg(*sums, F.count(F.lit(1)).alias("points"))
    )
    is_hour_of_one = is_group & F.col("quarterly_id").isNotNull()
    observed = F.when(is_hour_of_one, F.lit(1).cast("bigint")).otherwise(F.col("points"))
    ruled = hours.select(
        "key",
        "milli_kwh",
        F.when(is_hour_of_one, _bits_of_hour()).otherwise(F.col("bits")).alias("bits"),
        "marked",
        observed.alias("observed"),
        "points",
    )
    counts = F.sum("observed").alias("observed"), F.sum("points").alias("points")
    return ruled.groupBy(F.col("key")).agg(*sums, *counts).select(*_COLUMNS)


def _bits_of_hour() -> Column:
    """Calculated if any; else estimated if any, or measured and missing; else measured; else missing (energy 3)."""
    missing_quarter = F.when(F.col("points") < 4, F.lit(MISSING | MISSING << OWN_QUALITIES)).otherwise(F.lit(0))
    all_bits = F.col("bits").bitwiseOR(missing_quarter)
    energy = all_bits.bitwiseAND(F.lit(15))
    measured, estimated = F.lit(QUALITY_BIT[Quality.MEASURED]), F.lit(QUALITY_BIT[Quality.ESTIMATED])
    calculated = F.lit(QUALITY_BIT[Quality.CALCULATED])
    hour = (
        F.when(energy.bitwiseAND(calculated) != 0, calculated)
        .when(energy.bitwiseAND(estimated) != 0, estimated)
        .when(energy == measured.bitwiseOR(F.lit(MISSING)), estimated)
        .otherwise(energy)
    )
    duplicate = F.when(F.col("points") > 4, F.lit(DUPLICATE)).otherwise(F.lit(0))
    return all_bits.bitwiseAND(F.lit(~15)).bitwiseOR(hour).bitwiseOR(duplicate)
