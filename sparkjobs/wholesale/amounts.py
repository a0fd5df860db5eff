"""Amount per charge (wholesale 5)."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shared.codes import QUALITY_BIT, ChargeType
from sparkjobs.contracts.charges import AMOUNTS_PER_CHARGE
from sparkjobs.wholesale import rounding


def with_price_at_time(quantities: DataFrame, price_points: DataFrame) -> DataFrame:
    """Tariffs: the price point at exactly that time; none is null, for tariffs are never carried forward."""
    prices = price_points.filter(F.col("charge_type") == ChargeType.TARIFF.value).select(
        "charge_code", "charge_owner_id", F.col("charge_time").alias("time"), F.col("charge_price").alias("price")
    )
    return quantities.join(
        F.broadcast(prices),  # one row per tariff and time
        on=["charge_code", "charge_owner_id", "time"],
        how="left",
    )


def amounts_per_charge(quantities: DataFrame) -> DataFrame:
    """Quantity × price, exact to the sixth decimal, half up; a null price leaves the quantity and a null amount.

    Args:
        quantities: one row per charge, GROUP, time, resolution, is_tax and price: with milli bigint and qualities.
    """
    is_tariff = F.col("charge_type") == ChargeType.TARIFF.value
    priced = quantities.withColumn("quantity", rounding.quantity(F.col("milli"))).withColumns(
        {
            "amount": rounding.amount(F.col("quantity"), F.col("price")),
            "quantity_unit": F.when(is_tariff, F.lit("kWh")).otherwise(F.lit("pcs")),
            "quantity_qualities": _quality_names(F.col("qualities")),
        }
    )
    return priced.select(*AMOUNTS_PER_CHARGE.fieldNames())


def _quality_names(mask: Column) -> Column:
    """The qualities of a bit mask, sorted; null where there is none to tell (subscriptions and fees)."""
    names = [F.when(mask.bitwiseAND(QUALITY_BIT[quality]) > 0, F.lit(quality.value)) for quality in sorted(QUALITY_BIT)]
    present = F.filter(F.array(*names), lambda name: name.isNotNull())
    return F.when(mask.isNotNull(), present)
