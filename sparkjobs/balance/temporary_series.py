"""Sums per supplier and per neighbour, split into quarters and rounded once (energy 3 to 6)."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkjobs.balance.clock import Clock
from sparkjobs.balance.points import SLOTS, number_of, slot_of_key
from sparkjobs.balance.rounding import rounded_milli_kwh
from sparkjobs.balance.series import AllSeries, lookup, neighbour_keys, supplier_key
from sparkjobs.balance.settlement_groups import Group

# Numbers of exchange series begin here in the frame that holds both kinds.
NEIGHBOURS_FROM = 1 << 30


def temporary_series(sums: DataFrame, groups: tuple[Group, ...], series: AllSeries, clock: Clock) -> DataFrame:
    """Production, flex and non-profiled consumption per supplier and exchange per neighbour, not yet adjusted.

    Args:
        sums: complete group sums (number, slot, milli_kwh, qualities).
        groups: what the numbers stand for.
        series: the numbers of the series; per-neighbour ones are counted from NEIGHBOURS_FROM.
        clock: the settled period.

    Returns:
        series int, slot int, milli_kwh bigint (null: out of range), qualities int: one row per series and interval.
    """
    parts = lookup(
        sums.sparkSession, _parts(groups, series), "number int, series int, sign int, is_hourly boolean", _NONE
    )
    added = sums.join(F.broadcast(parts), on="number", how="inner")
    summed = (
        _by_interval(added, clock)
        .groupBy("key")
        .agg(F.try_sum("quarter_milli_kwh").alias("quarter_milli_kwh"), F.bit_or("qualities").alias("qualities"))
    )
    slot = slot_of_key("key")
    return summed.select(
        number_of("key").alias("series"),
        slot.alias("slot"),
        # A sum of whole hours has no fraction and stays as it is.
        rounded_milli_kwh(F.col("quarter_milli_kwh"), slot % 4).alias("milli_kwh"),
        "qualities",
    )


_NONE = (-1, -1, 1, False)


def _parts(groups: tuple[Group, ...], series: AllSeries) -> list[tuple[object, ...]]:
    """Which group adds to which series, and with which sign."""
    parts: list[tuple[object, ...]] = []
    for group in groups:
        if group.series is not None:
            number = series.per_supplier.numbers[supplier_key(group)]
            parts.append((group.number, number, 1, group.is_hourly))
        for key, sign in neighbour_keys(group, series.areas):
            number = NEIGHBOURS_FROM + series.per_neighbour.numbers[key]
            parts.append((group.number, number, sign, group.is_hourly))
    return parts


def _by_interval(added: DataFrame, clock: Clock) -> DataFrame:
    """In ¼ milli-kWh: a quarter's value counts four times, an hour's once in each of its quarters (energy 3)."""
    key = F.col("series").cast("bigint") * SLOTS + F.col("slot")
    of_interval = added.select(
        key.alias("key"),
        "is_hourly",
        (F.col("milli_kwh") * F.col("sign")).alias("milli_kwh"),
        "qualities",
    )
    whole = of_interval if clock.step > 1 else of_interval.filter(~F.col("is_hourly"))
    quarters = whole.select("key", (F.col("milli_kwh") * 4).alias("quarter_milli_kwh"), "qualities")
    if clock.step > 1:
        return quarters
    hours = of_interval.filter("is_hourly").select("key", F.col("milli_kwh").alias("quarter_milli_kwh"), "qualities")
    split = hours.withColumn("quarter", F.explode(F.array(*[F.lit(quarter) for quarter in range(4)])))
    return quarters.unionByName(
        split.select((F.col("key") + F.col("quarter")).alias("key"), "quarter_milli_kwh", "qualities")
    )
