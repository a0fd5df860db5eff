"""Balance settlement, read aloud (energy.md)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkjobs.balance.clock import Clock
from sparkjobs.balance.findings import check_sums
from sparkjobs.balance.grid_loss import area_balances, check_complete, grid_loss_points
from sparkjobs.balance.group_sums import Account, accounts, complete_sums
from sparkjobs.balance.levels import adjusted_per_supplier, per_area, per_responsible
from sparkjobs.balance.points import observed_sums
from sparkjobs.balance.series import AllSeries, Catalogue, find_series, grid_loss_supplier_key
from sparkjobs.balance.settlement_groups import Market
from sparkjobs.balance.temporary_series import NEIGHBOURS_FROM, temporary_series
from sparkjobs.contracts.quality_sets import QUALITY_SETS, quality_sets

# Calculates a frame once, under a name, in the job's work folder, and gives back what reads it.
Materialise = Callable[[str, DataFrame], DataFrame]


@dataclass(frozen=True, kw_only=True)
class BalanceResults:
    """The energy tables, and what wholesale settlement and the manifest need of the way there.

    tables: each table's series and sums, series, slot, milli_kwh and qualities; `named` gives them their names.
    sums: complete group sums; losses: grid-loss points; received: what the groups got.
    """

    tables: tuple[tuple[Catalogue, DataFrame], ...]
    series: AllSeries
    sums: DataFrame
    losses: DataFrame
    received: Mapping[int, Account]


def calculate(
    *,
    points: DataFrame,
    market: Market,
    grid_areas: tuple[str, ...],
    job_id: str,
    clock: Clock,
    materialise: Materialise,
) -> BalanceResults:
    """What was produced, consumed, exchanged and lost in [S,E).

    Args:
        points: time_series_points as read.
        market: the settlement groups of the kept metering points.
        grid_areas: the settled areas.
        job_id: part of every result id.
        clock: the settled period.
        materialise: what several steps share is calculated once (architecture 3).

    Raises:
        DataError: points or grid-loss metering points break a rule.
    """
    check_complete(market.grid_loss, grid_areas, clock)
    series = find_series(market, grid_areas, job_id, clock.resolution)

    observed = materialise("observed_sums", observed_sums(points, market, clock))
    received = accounts(observed, market.groups)
    check_sums(received, points=points, market=market, observed=observed, clock=clock)
    sums = complete_sums(observed, market.groups, received, clock)

    temporary = materialise("temporary_series", temporary_series(sums, market.groups, series, clock))
    balances = materialise("area_balances", area_balances(temporary, series))
    losses = grid_loss_points(balances, market.grid_loss, series)

    carrying_loss = [series.per_supplier.numbers[grid_loss_supplier_key(period)] for period in market.grid_loss]
    per_supplier = adjusted_per_supplier(temporary, losses, carrying_loss)
    exchange = temporary.filter(F.col("series") >= NEIGHBOURS_FROM).withColumn(
        "series", F.col("series") - NEIGHBOURS_FROM
    )
    of_tables = [
        (series.energy, per_area(balances, series)),
        (series.per_responsible, per_responsible(per_supplier, series)),
        (series.per_supplier, per_supplier),
        (series.per_neighbour, exchange),
        (series.grid_loss, losses.withColumn("series", F.col("loss_series"))),
    ]
    return BalanceResults(
        tables=tuple(of_tables),
        series=series,
        sums=sums,
        losses=losses,
        received=received,
    )


def named(sums: DataFrame, catalogue: Catalogue, clock: Clock) -> DataFrame:
    """Integers back to what a reader wants to see: kWh, instants, names (energy 11).

    Returns:
        The contract's columns, result_id, and series and slot: the order in which rows lie in the table.
    """
    spark = sums.sparkSession
    keys = catalogue.frame(spark).withColumnRenamed("series", "number")
    names = spark.createDataFrame(quality_sets(), QUALITY_SETS)
    kwh = (F.col("milli_kwh").cast("decimal(18,0)") * F.lit("0.001").cast("decimal(4,3)")).cast("decimal(18,3)")
    return (
        sums.join(F.broadcast(keys), on=F.col("series") == F.col("number"), how="inner")
        .join(F.broadcast(names), on=F.col("qualities") == F.col("mask"), how="inner")
        .select(
            "series",
            "slot",
            "result_id",
            *catalogue.columns,
            F.lit(str(clock.resolution)).alias("resolution"),
            clock.time_of(F.col("slot")).alias("time"),
            kwh.alias("quantity"),
            "quantity_qualities",
        )
    )
