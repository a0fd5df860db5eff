"""Grid loss: what an area took in and did not deliver, and who carries it (energy 7, 8, 10)."""

from collections.abc import Collection

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shared.codes import QUALITY_BIT, MeteringPointType, Quality, TimeSeriesType
from shared.danish_time import format_instant
from shared.errors import DataError
from sparkjobs.balance.clock import Clock
from sparkjobs.balance.exact import exact_sum
from sparkjobs.balance.points import SLOTS, number_of, slot_of_key
from sparkjobs.balance.series import AllSeries, grid_loss_key, grid_loss_supplier_key, lookup
from sparkjobs.balance.settlement_groups import GridLossPeriod
from sparkjobs.balance.temporary_series import NEIGHBOURS_FROM

EXCHANGE = "exchange"
_SUMMED = (
    TimeSeriesType.PRODUCTION.value,
    TimeSeriesType.FLEX_CONSUMPTION.value,
    TimeSeriesType.NON_PROFILED_CONSUMPTION.value,
    EXCHANGE,
)
CALCULATED = QUALITY_BIT[Quality.CALCULATED]


def check_complete(periods: Collection[GridLossPeriod], grid_areas: Collection[str], clock: Clock) -> None:
    """Every area needs one grid-loss metering point of each kind over the whole period, and never two at once.

    Raises:
        DataError: names the areas and the missing kind, or the areas that have two at once.
    """
    missing, doubled = [], []
    for area in sorted(grid_areas):
        for kind in (MeteringPointType.CONSUMPTION, MeteringPointType.PRODUCTION):
            covered = sorted((p.from_slot, p.to_slot) for p in periods if (p.grid_area_code, p.type) == (area, kind))
            reached = 0
            for begin, end in [*covered, (clock.slots, clock.slots)]:
                stretch = f"{area} {kind} {format_instant(clock.instant(min(reached, begin)))}"
                if begin > reached:
                    missing.append(f"{stretch} to {format_instant(clock.instant(begin))}")
                elif begin < min(reached, clock.slots):
                    doubled.append(stretch)
                reached = max(reached, end)
    if missing:
        rule = "a grid area needs grid-loss metering points of type consumption and production at every time; missing"
        raise DataError("GRID_LOSS_MISSING", rule, missing)
    if doubled:
        raise DataError(
            "GRID_LOSS_TWICE", "two grid-loss metering points of one kind at once in one grid area", doubled
        )


def area_balances(temporary: DataFrame, series: AllSeries) -> DataFrame:
    """The temporary series summed to areas, side by side, and the grid loss that is left over (energy 7, 9).

    `grid_loss = exchange + production − (non_profiled + flex)`; what an area does not have is 0.

    Returns:
        area int (place in series.areas), slot int, grid_loss bigint, and for production, flex_consumption,
        non_profiled_consumption and exchange: <name> bigint and <name>_qualities int, both null where there is none.
    """
    parts = lookup(temporary.sparkSession, _areas_of_series(series), "number int, part_of int", (-1, -1))
    of_area = temporary.join(F.broadcast(parts), on=F.col("series") == F.col("number"), how="inner")
    # Summed by one long key first, then set side by side: the wide sums see thousands of times fewer rows.
    key = (F.col("part_of").cast("bigint") * SLOTS + F.col("slot")).alias("key")
    tall = (
        of_area.select(key, "milli_kwh", "qualities")
        .groupBy(F.col("key"))
        .agg(exact_sum(F.col("milli_kwh")).alias("milli_kwh"), F.bit_or("qualities").alias("qualities"))
        .select(number_of("key").alias("part_of"), slot_of_key("key").alias("slot"), "milli_kwh", "qualities")
    )
    sums = [sum_ for place, kind in enumerate(_SUMMED) for sum_ in _side_by_side(place, kind)]
    kinds = len(_SUMMED)
    wide = tall.groupBy(F.floor(F.col("part_of") / kinds).cast("int").alias("area"), F.col("slot")).agg(*sums)
    have = {kind: F.coalesce(kind, F.lit(0).cast("bigint")) for kind in _SUMMED}
    loss = (
        have[EXCHANGE]
        + have[TimeSeriesType.PRODUCTION.value]
        - have[TimeSeriesType.NON_PROFILED_CONSUMPTION.value]
        - have[TimeSeriesType.FLEX_CONSUMPTION.value]
    )
    return wide.withColumn("grid_loss", loss)


def _areas_of_series(series: AllSeries) -> list[tuple[object, ...]]:
    """Series and what it is part of: area × the number of kinds + kind."""
    place = {area: number for number, area in enumerate(series.areas)}

    def part(area: object, kind: str) -> int:
        return place[str(area)] * len(_SUMMED) + _SUMMED.index(kind)

    suppliers = [(number, part(key[0], str(key[-1]))) for key, number in series.per_supplier.numbers.items()]
    neighbours = [
        (NEIGHBOURS_FROM + number, part(key[0], EXCHANGE)) for key, number in series.per_neighbour.numbers.items()
    ]
    return [*suppliers, *neighbours]


def _side_by_side(place: int, kind: str) -> tuple[Column, Column]:
    is_kind = F.col("part_of") % len(_SUMMED) == place
    return (
        F.max(F.when(is_kind, F.col("milli_kwh"))).alias(kind),
        F.max(F.when(is_kind, F.col("qualities"))).alias(f"{kind}_qualities"),
    )


def grid_loss_points(balances: DataFrame, periods: Collection[GridLossPeriod], series: AllSeries) -> DataFrame:
    """The loss as points of the metering points that carry it, zero rows kept (energy 7, 10).

    positive: `max(grid_loss, 0)` for the consumption one; negative: `max(−grid_loss, 0)` for the production one.

    Returns:
        area int, slot int, milli_kwh bigint, qualities int (calculated), series int (of per_supplier, which it
        adjusts),
        loss_series int (of grid_loss), is_consumption boolean.
    """
    place = {area: number for number, area in enumerate(series.areas)}
    carriers = [
        (
            place[period.grid_area_code],
            period.from_slot,
            period.to_slot,
            period.type == MeteringPointType.CONSUMPTION,
            series.per_supplier.numbers[grid_loss_supplier_key(period)],
            series.grid_loss.numbers[grid_loss_key(period)],
        )
        for period in periods
    ]
    columns = "carrier_area int, from_slot int, to_slot int, is_consumption boolean, series int, loss_series int"
    carrier = lookup(balances.sparkSession, carriers, columns, (-1, 0, 0, True, -1, -1))
    in_period = (F.col("slot") >= F.col("from_slot")) & (F.col("slot") < F.col("to_slot"))
    joined = balances.join(F.broadcast(carrier), on=(F.col("area") == F.col("carrier_area")) & in_period, how="inner")
    signed = F.when(F.col("is_consumption"), F.col("grid_loss")).otherwise(-F.col("grid_loss"))
    return joined.select(
        "area",
        "slot",
        F.greatest(signed, F.lit(0).cast("bigint")).alias("milli_kwh"),
        F.lit(CALCULATED).alias("qualities"),
        "series",
        "loss_series",
        "is_consumption",
    )
