"""Energy that hourly and daily tariffs are paid for, from sums per group and hour (wholesale 2 and 3).

A grid-loss metering point is one of its own: its calculated points carry the tariffs that are linked to it.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shared.codes import QUALITY_BIT, ChargeType, Quality, Resolution
from sparkjobs.wholesale.charge_keys import CHARGE, GROUP
from sparkjobs.wholesale.local_days import local_midnight

_HOUR_IN_SECONDS = 3600


def energy_behind_tariffs(tariff_hours: DataFrame, grid_loss_points: DataFrame) -> DataFrame:
    """Energy per set of tariffs, group and UTC hour: measured points and calculated grid loss.

    A grid-loss metering point's set has the number −metering_point_id, so that it meets no other.

    Returns:
        tariff_set_id bigint, GROUP, time, milli_kwh bigint, qualities (bit mask of shared.codes.QUALITY_BIT).
    """
    measured = tariff_hours.filter("tariff_set_id is not null").select(
        "tariff_set_id",
        *GROUP,
        F.timestamp_seconds(F.col("hour").cast("bigint") * _HOUR_IN_SECONDS).alias("time"),
        "milli_kwh",
        F.col("qualities").cast("int").alias("qualities"),
    )
    calculated = (
        grid_loss_points.withColumn("tariff_set_id", -F.col("metering_point_id"))
        .groupBy("tariff_set_id", *GROUP, F.date_trunc("HOUR", "time").alias("time"))
        .agg(F.try_sum("milli_kwh").alias("milli_kwh"))
        .withColumn("qualities", F.lit(QUALITY_BIT[Quality.CALCULATED]).cast("int"))
    )
    return measured.unionByName(calculated)


def tariffs_with_prices(
    tariff_sets: DataFrame, grid_loss_points: DataFrame, links: DataFrame, prices: DataFrame
) -> DataFrame:
    """When which tariff counts for which set: links of grid-loss points, and price information, cut with each other.

    Returns:
        tariff_set_id, charge_code, charge_type, charge_owner_id, resolution, is_tax, from_date, to_date.
    """
    grid_loss = grid_loss_points.select("metering_point_id").distinct()
    linked_to_grid_loss = links.filter(F.col("charge_type") == ChargeType.TARIFF.value).join(
        F.broadcast(grid_loss),  # one row per grid-loss metering point
        on="metering_point_id",
        how="left_semi",
    )
    sets = tariff_sets.select(
        "tariff_set_id",
        "charge_code",
        "charge_owner_id",
        F.lit(None).cast("timestamp").alias("link_from"),
        F.lit(None).cast("timestamp").alias("link_to"),
    ).unionByName(
        linked_to_grid_loss.select(
            (-F.col("metering_point_id")).alias("tariff_set_id"),
            "charge_code",
            "charge_owner_id",
            F.col("from_date").alias("link_from"),
            F.col("to_date").alias("link_to"),
        )
    )
    tariff_prices = prices.filter(F.col("charge_type") == ChargeType.TARIFF.value)
    return (
        sets.join(tariff_prices, on=["charge_code", "charge_owner_id"], how="inner")
        .withColumns({"from_date": F.greatest("from_date", "link_from"), "to_date": F.least("to_date", "link_to")})
        .filter("from_date < to_date")
        .select("tariff_set_id", *CHARGE, "resolution", "is_tax", "from_date", "to_date")
    )


def hourly_quantities(energy: DataFrame, tariffs: DataFrame) -> DataFrame:
    """Energy per PT1H tariff, group and UTC hour inside link and price information; see `_quantities`."""
    return _quantities(energy, tariffs.filter(F.col("resolution") == Resolution.HOUR.value))


def daily_quantities(energy: DataFrame, tariffs: DataFrame, time_zone: str) -> DataFrame:
    """Energy per P1D tariff, group and local day that begins inside link and price information; see `_quantities`.

    Hours before the period's first local midnight belong to a day that began outside it, so they make no row.
    """
    days = (
        energy.withColumn("time", local_midnight(F.col("time"), time_zone))
        .groupBy("tariff_set_id", *GROUP, "time")
        .agg(F.try_sum("milli_kwh").alias("milli_kwh"), F.bit_or("qualities").alias("qualities"))
    )
    return _quantities(days, tariffs.filter(F.col("resolution") == Resolution.DAY.value))


def _quantities(energy: DataFrame, tariffs: DataFrame) -> DataFrame:
    """Charge, is_tax, resolution, GROUP, time, milli bigint (null: beyond a long), qualities. Factors are ignored."""
    counted = energy.join(
        F.broadcast(tariffs),  # one row per set, tariff and price period: periods of one tariff do not overlap
        on="tariff_set_id",
        how="inner",
    ).filter("from_date <= time and time < to_date")
    return counted.groupBy(*CHARGE, "is_tax", "resolution", *GROUP, "time").agg(
        F.try_sum("milli_kwh").alias("milli"), F.bit_or("qualities").alias("qualities")
    )
