"""From balance settlement to wholesale settlement: energy per part of the market and hour, grid loss among it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shared.codes import QUALITY_BIT, MeteringPointType, Quality, SettlementMethod
from sparkjobs.balance.calculation import BalanceResults
from sparkjobs.balance.clock import QUARTERS_OF_AN_HOUR, Clock
from sparkjobs.balance.points import SLOTS, number_of, slot_of_key
from sparkjobs.balance.series import AllSeries, grid_loss_key, lookup
from sparkjobs.balance.settlement_groups import GridLossPeriod, Group, Market
from sparkjobs.wholesale.charge_keys import Supply
from sparkjobs.wholesale.rounding import exact_sum
from sparkjobs.wholesale.tariffs import Part

_OF_GROUP = "group_number int, part int"
_OF_LOSS = "of_series int, from_slot int, to_slot int, part int"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of the market that carry tariffs, by number, and whose energy is which part's.

    groups: (settlement group, part). losses: (series of grid loss, from slot, to slot, part).
    """

    parts: tuple[Part, ...]
    groups: Sequence[tuple[object, ...]]
    losses: Sequence[tuple[object, ...]]


def find_parts(market: Market, series: AllSeries) -> Parts:
    """Every supply with each set of tariffs its metering points have; grid loss is flex or production (energy 10)."""
    numbers: dict[Part, int] = {}

    def number(part: Part) -> int:
        return numbers.setdefault(part, len(numbers))

    groups = [
        (group.number, number(Part(group.tariff_set_id, _supply(group, group.settlement_method))))
        for group in market.groups
        if group.tariff_set_id is not None
    ]
    losses = []
    for period in market.grid_loss:
        if period.tariff_set_id is not None:
            method = SettlementMethod.FLEX.value if period.type == MeteringPointType.CONSUMPTION else None
            part = number(Part(period.tariff_set_id, _supply(period, method)))
            losses.append((series.grid_loss.numbers[grid_loss_key(period)], period.from_slot, period.to_slot, part))
    return Parts(parts=tuple(numbers), groups=groups, losses=losses)


def _supply(of: Group | GridLossPeriod, settlement_method: str | None) -> Supply:
    return Supply(of.grid_area_code, of.energy_supplier_id, of.type, settlement_method)


def tariff_energy(balance: BalanceResults, parts: Parts, clock: Clock) -> DataFrame:
    """Energy of every part by UTC hour, at the points' own resolution and quality (wholesale 2).

    Returns:
        part int, time (the hour), milli_kwh bigint, qualities int: one row per part and hour.
    """
    spark = balance.sums.sparkSession
    of_group = lookup(spark, parts.groups, _OF_GROUP, (-1, -1))
    of_loss = lookup(spark, parts.losses, _OF_LOSS, (-1, 0, 0, -1))
    hour = F.col("slot") - F.col("slot") % QUARTERS_OF_AN_HOUR
    key = (F.col("part").cast("bigint") * SLOTS + hour).alias("key")
    # The small sides on the left: Sail holds that side unless it knows better.
    measured = (
        F.broadcast(of_group)
        .join(balance.sums, on=F.col("group_number") == F.col("number"), how="inner")
        .select(key, "milli_kwh", F.col("own_qualities").alias("qualities"))
    )
    at_that_time = (F.col("slot") >= F.col("from_slot")) & (F.col("slot") < F.col("to_slot"))
    calculated = (
        F.broadcast(of_loss)
        .join(
            balance.losses.select("loss_series", "slot", "milli_kwh"),
            on=(F.col("of_series") == F.col("loss_series")) & at_that_time,
            how="inner",
        )
        .select(key, "milli_kwh", F.lit(QUALITY_BIT[Quality.CALCULATED]).alias("qualities"))
    )
    energy = measured.unionByName(calculated) if parts.losses else measured
    return (
        energy.groupBy(F.col("key"))
        .agg(exact_sum(F.col("milli_kwh")).alias("milli_kwh"), F.bit_or("qualities").alias("qualities"))
        .select(
            number_of("key").alias("part"),
            clock.time_of(slot_of_key("key")).alias("time"),
            "milli_kwh",
            F.col("qualities").cast("int").alias("qualities"),
        )
    )
