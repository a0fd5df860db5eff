"""Subscriptions and fees count on every local midnight of their links (wholesale 4)."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shared.codes import ChargeType, MeteringPointType, Resolution
from sparkjobs.wholesale.charge_keys import CHARGE, GROUP, numbered, with_number
from sparkjobs.wholesale.local_days import each_of
from sparkjobs.wholesale.rounding import exact_sum, price_per_day


def factors_linked(links: DataFrame, metering_points: DataFrame) -> DataFrame:
    """Links of subscriptions and fees cut with the metering point periods that they overlap, factors summed.

    Every type but exchange carries charges, grid-loss metering points too. Links that begin and end alike are summed
    per group here, before a day is joined: no row per metering point and day.

    Returns:
        CHARGE, GROUP, from_date, to_date, factor bigint.
    """
    points = metering_points.filter(F.col("type") != MeteringPointType.EXCHANGE.value).select(
        "metering_point_id",
        "grid_area_code",
        "energy_supplier_id",
        F.col("type").alias("metering_point_type"),
        "settlement_method",
        F.col("from_date").alias("point_from"),
        F.col("to_date").alias("point_to"),
    )
    return (
        links.filter(F.col("charge_type") != ChargeType.TARIFF.value)
        .join(points, on="metering_point_id", how="inner")
        .withColumns({"from_date": F.greatest("from_date", "point_from"), "to_date": F.least("to_date", "point_to")})
        .filter("from_date < to_date")
        .groupBy(*CHARGE, *GROUP, "from_date", "to_date")
        .agg(exact_sum(F.col("quantity").cast("bigint")).alias("factor"))
    )


def daily_prices(prices: DataFrame, price_points: DataFrame, midnights: list[datetime]) -> DataFrame:
    """The price of every subscription and fee at every local midnight inside its price information.

    It is the newest price point at or before that time inside the same, unclamped price-information period: nothing is
    carried from one period to the next; none is null. A subscription's is divided by the number of midnights.

    Returns:
        CHARGE, is_tax, time, price decimal(18,6) null.
    """
    times = (
        prices.filter(F.col("charge_type") != ChargeType.TARIFF.value)
        .withColumn("time", each_of(midnights))
        .filter("from_date <= time and time < to_date")
        .select(*CHARGE, "is_tax", "time", "charge_from")
    )
    newest = (
        times.join(price_points, on=list(CHARGE), how="inner")
        .filter("charge_from <= charge_time and charge_time <= time")
        .groupBy(*CHARGE, "time")
        .agg(F.max_by("charge_price", "charge_time").alias("charge_price"))
    )
    per_day = price_per_day(F.col("charge_price"), max(len(midnights), 1))
    price = F.when(F.col("charge_type") == ChargeType.SUBSCRIPTION.value, per_day).otherwise(F.col("charge_price"))
    return times.join(newest, on=[*CHARGE, "time"], how="left").select(
        *CHARGE, "is_tax", "time", price.cast("decimal(18,6)").alias("price")
    )


def piece_series(factors: DataFrame, days: DataFrame) -> DataFrame:
    """Every series that can have rows: charge, supply, CHARGE, is_tax, resolution (P1D), GROUP.

    Charges have negative numbers, so that none is a tariff's.
    """
    charges, supplies = _charges(days), numbered(factors, GROUP, "supply")
    named = factors.select(*CHARGE, *GROUP).distinct().join(charges, on=list(CHARGE), how="inner")
    return (
        with_number(named, supplies, GROUP)
        .withColumn("resolution", F.lit(Resolution.DAY.value))
        .select("charge", "supply", *CHARGE, "is_tax", "resolution", *GROUP)
    )


def priced_pieces(factors: DataFrame, days: DataFrame) -> DataFrame:
    """The sum of the factors that count on each local midnight, with the price of that day.

    Returns:
        charge, supply, time, milli bigint (pieces × 1000), qualities (null), price null.
    """
    charges, supplies = _charges(days), numbered(factors, GROUP, "supply")
    priced = days.join(charges.drop("is_tax"), on=list(CHARGE), how="inner")
    counted = (
        factors.join(F.broadcast(priced), on=list(CHARGE), how="inner")  # one row per charge and midnight
        .filter("from_date <= time and time < to_date")
        .groupBy("charge", *GROUP, "time", "price")
        .agg(exact_sum(F.col("factor") * F.lit(1000)).alias("milli"))
    )
    return with_number(counted, supplies, GROUP).select(
        "charge", "supply", "time", "milli", F.lit(None).cast("int").alias("qualities"), "price"
    )


def _charges(days: DataFrame) -> DataFrame:
    charges = numbered(days, (*CHARGE, "is_tax"), "number")
    return charges.select(*CHARGE, "is_tax", (-F.col("number")).alias("charge"))
