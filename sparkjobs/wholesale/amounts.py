"""Amount per charge (wholesale 5)."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shared.codes import QUALITY_BIT, ChargeType
from sparkjobs.wholesale import rounding


def amounts_per_charge(quantities: DataFrame, series: DataFrame) -> DataFrame:
    """Quantity × price, exact to the sixth decimal, half up; a null price leaves the quantity and a null amount.

    Args:
        quantities: charge, supply, time, milli bigint, qualities, price: one row per series and time.
        series: charge, supply, and the names: the key of each series; further columns go along.
    """
    is_tariff = F.col("charge_type") == ChargeType.TARIFF.value
    return (
        quantities.join(F.broadcast(series), on=["charge", "supply"], how="inner")  # one row per series
        .withColumn("quantity", rounding.quantity(F.col("milli")))
        .withColumns(
            {
                "amount": rounding.amount(F.col("quantity"), F.col("price")),
                "quantity_unit": F.when(is_tariff, F.lit("kWh")).otherwise(F.lit("pcs")),
                "quantity_qualities": _quality_names(F.col("qualities")),
            }
        )
        .drop("charge", "supply", "milli", "qualities")
    )


def _quality_names(mask: Column) -> Column:
    """The qualities of a bit mask, sorted; null where there is none to tell (subscriptions and fees)."""
    names = [F.when(mask.bitwiseAND(QUALITY_BIT[quality]) > 0, F.lit(quality.value)) for quality in sorted(QUALITY_BIT)]
    present = F.filter(F.array(*names), lambda name: name.isNotNull())
    return F.when(mask.isNotNull(), present)
