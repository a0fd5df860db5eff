"""From suppliers to balance responsibles and areas: adjustment and plain sums of rounded values (energy 8, 9)."""

from collections.abc import Collection

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shared.codes import TimeSeriesType
from sparkjobs.balance.exact import exact_sum
from sparkjobs.balance.grid_loss import CALCULATED, EXCHANGE
from sparkjobs.balance.points import SLOTS, number_of, slot_of_key
from sparkjobs.balance.series import AREA_SERIES, AllSeries, lookup, without_supplier
from sparkjobs.balance.temporary_series import NEIGHBOURS_FROM


def adjusted_per_supplier(temporary: DataFrame, losses: DataFrame, adjusted: Collection[int]) -> DataFrame:
    """Production plus negative and flex plus positive grid loss; a supplier with a loss alone gets rows (energy 8).

    Only the few series that carry a loss are summed again, the others pass through.

    Args:
        temporary: series, slot, milli_kwh, qualities.
        losses: `grid_loss.grid_loss_points`.
        adjusted: the numbers of the series that carry a loss.
    """
    suppliers = temporary.filter(F.col("series") < NEIGHBOURS_FROM)
    carries_loss = F.col("series").isin(list(adjusted))
    both = suppliers.filter(carries_loss).unionByName(losses.select("series", "slot", "milli_kwh", "qualities"))
    return suppliers.filter(~carries_loss).unionByName(both.transform(_summed))


def per_responsible(per_supplier: DataFrame, series: AllSeries) -> DataFrame:
    """Per supplier summed by area, balance responsible and time (energy 9)."""
    responsible = [
        (number, series.per_responsible.numbers[without_supplier(key)])
        for key, number in series.per_supplier.numbers.items()
    ]
    part_of = lookup(per_supplier.sparkSession, responsible, "number int, part_of int", (-1, -1))
    joined = per_supplier.join(F.broadcast(part_of), on=F.col("series") == F.col("number"), how="inner")
    return joined.select(F.col("part_of").alias("series"), "slot", "milli_kwh", "qualities").transform(_summed)


def _summed(parts: DataFrame) -> DataFrame:
    """Rows of one series and slot added up, qualities the union."""
    key = (F.col("series").cast("bigint") * SLOTS + F.col("slot")).alias("key")
    sums = (
        parts.select(key, "milli_kwh", "qualities")
        .groupBy(F.col("key"))
        .agg(exact_sum(F.col("milli_kwh")).alias("milli_kwh"), F.bit_or("qualities").alias("qualities"))
    )
    return sums.select(number_of("key").alias("series"), slot_of_key("key").alias("slot"), "milli_kwh", "qualities")


def per_area(balances: DataFrame, series: AllSeries) -> DataFrame:
    """Every series of the energy table out of the wide rows: series, slot, milli_kwh, qualities (energy 7 to 9).

    Production and flex consumption are those after adjustment, temp_… before; total consumption is production plus
    exchange where both are.
    """
    wide = balances.transform(_with_adjusted)
    structs = [_series_of_row(kind, place) for place, kind in enumerate(AREA_SERIES)]
    rows = wide.select("area", "slot", F.explode(F.array(*structs)).alias("row"))
    numbers = [
        (place, kind, series.energy.numbers[(area, str(name))])
        for place, area in enumerate(series.areas)
        for kind, name in enumerate(AREA_SERIES)
    ]
    number = lookup(balances.sparkSession, numbers, "in_area int, kind int, series int", (-1, -1, -1))
    joined = rows.filter("row.milli_kwh is not null").join(
        F.broadcast(number), on=(F.col("area") == F.col("in_area")) & (F.col("row.kind") == F.col("kind")), how="inner"
    )
    return joined.select(
        "series",
        "slot",
        F.col("row.milli_kwh").alias("milli_kwh"),
        F.col("row.qualities").alias("qualities"),
    )


def _with_adjusted(balances: DataFrame) -> DataFrame:
    """Beside the temporary sums: adjusted_production, adjusted_flex and total_consumption, each with qualities.

    Every area has exactly one positive and one negative loss at every time (`grid_loss.check_complete`), so both come
    from the balance itself.
    """
    loss, zero = F.col("grid_loss"), F.lit(0).cast("bigint")
    production = F.coalesce("production", zero) + F.greatest(-loss, zero)
    flex = F.coalesce("flex_consumption", zero) + F.greatest(loss, zero)
    exchange = F.col(EXCHANGE)
    return balances.withColumns(
        {
            "adjusted_production": production,
            "adjusted_production_qualities": _calculated_and("production_qualities"),
            "adjusted_flex": flex,
            "adjusted_flex_qualities": _calculated_and("flex_consumption_qualities"),
            "total_consumption": F.when(exchange.isNotNull(), production + exchange),
            "total_consumption_qualities": _calculated_and("production_qualities").bitwiseOR(
                F.col("exchange_qualities")
            ),
        }
    )


def _calculated_and(qualities: str) -> Column:
    return F.coalesce(qualities, F.lit(0)).bitwiseOR(F.lit(CALCULATED))


_COLUMN_OF = {
    TimeSeriesType.PRODUCTION: "adjusted_production",
    TimeSeriesType.FLEX_CONSUMPTION: "adjusted_flex",
    TimeSeriesType.NON_PROFILED_CONSUMPTION: "non_profiled_consumption",
    TimeSeriesType.NET_EXCHANGE_PER_GA: EXCHANGE,
    TimeSeriesType.TOTAL_CONSUMPTION: "total_consumption",
    TimeSeriesType.GRID_LOSS: "grid_loss",
    TimeSeriesType.TEMP_PRODUCTION: "production",
    TimeSeriesType.TEMP_FLEX_CONSUMPTION: "flex_consumption",
}


def _series_of_row(kind: TimeSeriesType, place: int) -> Column:
    column = _COLUMN_OF[kind]
    is_loss = kind is TimeSeriesType.GRID_LOSS
    qualities = F.lit(CALCULATED) if is_loss else F.col(f"{column}_qualities")
    return F.struct(F.lit(place).alias("kind"), F.col(column).alias("milli_kwh"), qualities.alias("qualities"))
