"""From balance settlement to wholesale settlement: sums per set of tariffs and hour, and grid loss as points."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shared.codes import MeteringPointType, SettlementMethod
from sparkjobs.balance.calculation import BalanceResults
from sparkjobs.balance.clock import QUARTERS_OF_AN_HOUR, Clock
from sparkjobs.balance.series import lookup
from sparkjobs.balance.settlement_groups import Market
from sparkjobs.wholesale.rounding import exact_sum

_NAMES = (
    "number int, tariff_set_id bigint, grid_area_code string, energy_supplier_id string, metering_point_type string, "
    "settlement_method string"
)


def tariff_hours(balance: BalanceResults, market: Market, clock: Clock) -> DataFrame:
    """Energy of every group that carries tariffs by UTC hour, at the points' own resolution and quality (wholesale 2).

    Returns:
        tariff_set_id, grid_area_code, energy_supplier_id, metering_point_type, settlement_method, hour int, milli_kwh,
        qualities: one row per settlement group and hour.
    """
    names = [
        (
            group.number,
            group.tariff_set_id,
            group.grid_area_code,
            group.energy_supplier_id,
            group.type,
            group.settlement_method,
        )
        for group in market.groups
        if group.tariff_set_id is not None
    ]
    carrying = F.broadcast(lookup(balance.sums.sparkSession, names, _NAMES, (-1, None, "", None, "", None)))
    hour = (F.lit(clock.first_hour) + F.floor(F.col("slot") / F.lit(QUARTERS_OF_AN_HOUR))).cast("int")
    hours = (
        balance.sums.join(carrying.select(F.col("number")), on="number", how="left_semi")
        .groupBy("number", hour.alias("hour"))
        .agg(exact_sum(F.col("milli_kwh")).alias("milli_kwh"), F.bit_or("own_qualities").alias("qualities"))
    )
    return hours.join(carrying, on="number", how="inner").drop("number")


def grid_loss_as_points(balance: BalanceResults, clock: Clock) -> DataFrame:
    """Grid loss as points of flex consumption and production (energy 10).

    Returns:
        metering_point_id bigint, metering_point_type, settlement_method, grid_area_code, energy_supplier_id,
        balance_responsible_party_id, time, milli_kwh.
    """
    carriers = balance.series.grid_loss.frame(balance.losses.sparkSession).withColumnRenamed("series", "loss_series")
    is_consumption = F.col("metering_point_type") == MeteringPointType.CONSUMPTION.value
    losses = balance.losses.select("loss_series", "slot", "milli_kwh")
    return losses.join(F.broadcast(carriers), on="loss_series", how="inner").select(
        F.col("metering_point_id").cast("bigint").alias("metering_point_id"),
        "metering_point_type",
        F.when(is_consumption, F.lit(SettlementMethod.FLEX.value)).alias("settlement_method"),
        "grid_area_code",
        "energy_supplier_id",
        "balance_responsible_party_id",
        clock.time_of(F.col("slot")).alias("time"),
        "milli_kwh",
    )
