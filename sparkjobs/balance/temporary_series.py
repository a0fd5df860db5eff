"""Sums per supplier and per neighbour, split into quarters and rounded once (energy 3 to 6)."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkjobs.balance.clock import Clock
from sparkjobs.balance.exact import OUT_OF_RANGE, long_sum
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
        series int, slot int, milli_kwh bigint (OUT_OF_RANGE where it is), qualities int: one row per series and
        interval.
    """
    parts = lookup(
        sums.sparkSession, _parts(groups, series), "number int, series int, sign int, is_hourly boolean", _NONE
    )
    added = sums.join(F.broadcast(parts), on="number", how="inner")
    quarters = range(0, 4, clock.step)
    hours = added.transform(_by_hour, quarters)
    rounded = [_rounded_quarter(quarter) for quarter in quarters]
    split = hours.select("key", F.explode(F.array(*rounded)).alias("row"))
    return split.select(
        number_of("key").alias("series"),
        (slot_of_key("key") + F.col("row.quarter")).alias("slot"),
        F.col("row.milli_kwh").alias("milli_kwh"),
        F.col("row.qualities").alias("qualities"),
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


def _by_hour(added: DataFrame, quarters: range) -> DataFrame:
    """Sums side by side for the quarters of an hour, in ¼ milli-kWh: a fourth of the keys of one row per quarter.

    A quarter's value counts four times, an hour's once in each of its quarters (energy 3). Periods begin and end at
    whole hours, so that a series has all quarters of an hour or none. Hourly results have one "quarter": the hour,
    whole.
    """
    slot = F.col("slot")
    in_quarter = slot % 4
    every = F.col("is_hourly") if len(quarters) > 1 else F.lit(True)
    weight = F.when(F.col("is_hourly"), F.lit(1)).otherwise(F.lit(4)) if len(quarters) > 1 else F.lit(4)
    hours = added.select(
        (F.col("series").cast("bigint") * SLOTS + slot - in_quarter).alias("key"),
        in_quarter.alias("quarter"),
        every.alias("every"),
        (F.col("milli_kwh") * F.col("sign") * weight).alias("value"),
        "qualities",
    )
    sums = []
    for quarter in quarters:
        counts = F.col("every") | (F.col("quarter") == quarter)
        sums.append(long_sum(F.when(counts, F.col("value")).otherwise(0)).alias(f"sum_{quarter}"))
        sums.append(F.bit_or(F.when(counts, F.col("qualities")).otherwise(0)).alias(f"qualities_{quarter}"))
    return hours.groupBy(F.col("key")).agg(*sums)


def _rounded_quarter(quarter: int) -> Column:
    """One interval of an hour's row; a sum of whole hours has no fraction and stays as it is."""
    rounded = rounded_milli_kwh(F.col(f"sum_{quarter}"), F.lit(quarter))
    return F.struct(
        F.lit(quarter).alias("quarter"),
        F.coalesce(rounded, F.lit(OUT_OF_RANGE)).alias("milli_kwh"),
        F.col(f"qualities_{quarter}").alias("qualities"),
    )
