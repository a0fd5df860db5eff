"""Amount per charge (wholesale 5)."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkjobs.contracts.columns import columns
from sparkjobs.contracts.quality_sets import QUALITY_SETS, quality_sets
from sparkjobs.wholesale import rounding
from sparkjobs.wholesale.charge_keys import small
from sparkjobs.wholesale.series import AmountKey, Catalogue, key_columns

_SERIES = columns(f"number int, result_id string, {key_columns(AmountKey)}")
_NO_QUALITY = (0, None)  # subscriptions and fees have none to tell


def amounts_per_charge(quantities: DataFrame, series: Catalogue[AmountKey]) -> DataFrame:
    """Quantity × price, exact to the sixth decimal, half up; a null price leaves the quantity and a null amount.

    Args:
        quantities: series, time, milli bigint, qualities, price: one row per series and time.
        series: the series of the table.

    Returns:
        The contract's columns, result_id, and series: the order in which rows lie in the table.
    """
    spark = quantities.sparkSession
    rows = [(number, series.ids[key], *key) for key, number in series.numbers.items()]
    names, qualities = small(spark, rows, _SERIES), small(spark, [_NO_QUALITY, *quality_sets()], QUALITY_SETS)
    # The small sides on the left, as in `charge_keys.beside`.
    named = F.broadcast(names).join(quantities, on=F.col("number") == F.col("series"), how="inner")
    of_mask = F.col("mask") == F.coalesce("qualities", F.lit(0))
    return (
        F.broadcast(qualities)
        .join(named, on=of_mask, how="inner")
        .withColumn("quantity", rounding.quantity(F.col("milli")))
        .withColumn("amount", rounding.amount(F.col("quantity"), F.col("price")))
        .drop("number", "mask", "milli", "qualities")
    )
