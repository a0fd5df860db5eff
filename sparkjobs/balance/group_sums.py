"""What the points summed up to, held against what was expected (energy 2; architecture 3.3).

Fewer points than expected put `missing` among the qualities; a slot in which a group expects points has a row even
when none came.
"""

from collections.abc import Collection
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkjobs.balance.clock import Clock
from sparkjobs.balance.points import FLAWS, MISSING, MISSING_COUNT, OWN_QUALITIES, SLOTS, number_of, slot_of_key
from sparkjobs.balance.series import lookup
from sparkjobs.balance.settlement_groups import FIRST_GROUP, Group

_STEPS = "number int, from_slot int, to_slot int, expected bigint"


@dataclass(frozen=True, kw_only=True)
class Account:
    """What one group (or NOT_KEPT, RAW_GRID_LOSS, IGNORED) received.

    slots: in how many slots; surplus: in how many of them more points than expected; largest: the greatest sum by
    amount.
    """

    number: int
    slots: int
    points: int
    estimated: int
    missing: int
    flaws: int
    surplus: int
    largest: int


def accounts(observed: DataFrame, groups: Collection[Group]) -> dict[int, Account]:
    """One account per group number that received points, in one small query."""
    held = observed.transform(_with_expected, groups)
    rows = (
        held.groupBy(F.col("number"))
        .agg(
            F.count(F.lit(1)).alias("slots"),
            F.sum("points").alias("points"),
            F.sum(F.col("marked") % MISSING_COUNT).alias("estimated"),
            F.sum(F.shiftright("marked", 32)).alias("missing"),
            F.bit_or(F.col("bits").bitwiseAND(F.lit(FLAWS))).alias("flaws"),
            F.sum(F.when(F.col("observed") > F.col("expected"), 1).otherwise(0)).alias("surplus"),
            F.max(F.abs("milli_kwh")).alias("largest"),
        )
        .collect()
    )
    return {row.number: Account(**row.asDict()) for row in rows}


def complete_sums(
    observed: DataFrame, groups: Collection[Group], received: dict[int, Account], clock: Clock
) -> DataFrame:
    """Number int, slot int, milli_kwh bigint, qualities int and own_qualities int, with every expected slot.

    Only groups that received points in fewer slots than they expect need rows made for them.
    """
    held = observed.filter(F.col("key") >= FIRST_GROUP * SLOTS).transform(_with_expected, groups)
    is_short = F.col("observed") < F.col("expected")
    missing_bits = F.when(is_short, F.lit(MISSING | MISSING << OWN_QUALITIES)).otherwise(F.lit(0))
    sums = held.select("number", "slot", "milli_kwh", F.col("bits").bitwiseOR(missing_bits).alias("bits"))
    short = [group for group in groups if _slots_received(received, group) < group.expected_slots(_step(group, clock))]
    if short:
        sums = sums.unionByName(_empty_slots(observed, short, clock))
    return sums.select(
        "number",
        "slot",
        "milli_kwh",
        F.col("bits").bitwiseAND(F.lit(15)).alias("qualities"),
        F.shiftright("bits", OWN_QUALITIES).bitwiseAND(F.lit(15)).alias("own_qualities"),
    )


def _step(group: Group, clock: Clock) -> int:
    return 4 if group.is_hourly else clock.step


def _slots_received(received: dict[int, Account], group: Group) -> int:
    return received[group.number].slots if group.number in received else 0


def _with_expected(observed: DataFrame, groups: Collection[Group]) -> DataFrame:
    """Beside every sum how many points it should have; sums of no group have null there."""
    numbered = observed.select(
        number_of("key").alias("group_number"),
        slot_of_key("key").alias("slot"),
        "milli_kwh",
        "bits",
        "observed",
        "points",
        "marked",
    )
    steps = lookup(
        numbered.sparkSession,
        [(group.number, begin, end, count) for group in groups for begin, end, count in group.steps],
        _STEPS,
        (-1, 0, 0, 0),
    )
    in_step = (F.col("slot") >= F.col("from_slot")) & (F.col("slot") < F.col("to_slot"))
    of_group = F.col("group_number") == F.col("number")
    return numbered.join(F.broadcast(steps), on=of_group & in_step, how="left").select(
        F.col("group_number").alias("number"),
        "slot",
        "milli_kwh",
        "bits",
        "observed",
        "expected",
        "points",
        "marked",
    )


def _empty_slots(observed: DataFrame, short: Collection[Group], clock: Clock) -> DataFrame:
    """A row for every expected slot of these groups in which no point came."""
    steps = lookup(
        observed.sparkSession,
        [(group.number, begin, end - 1, _step(group, clock)) for group in short for begin, end, _ in group.steps],
        "number int, begin int, last int, step int",
        (-1, 0, -1, 1),
    )
    expected = steps.select("number", F.explode(F.sequence("begin", "last", "step")).alias("slot"))
    expected = expected.withColumn("key", F.col("number").cast("bigint") * SLOTS + F.col("slot"))
    return expected.join(observed.select("key"), on="key", how="left_anti").select(
        "number",
        "slot",
        F.lit(0).cast("bigint").alias("milli_kwh"),
        F.lit(MISSING | MISSING << OWN_QUALITIES).alias("bits"),
    )
