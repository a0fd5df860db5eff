"""Amount per charge (wholesale 5)."""

from collections.abc import Iterable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shared.codes import QUALITY_BIT
from sparkjobs.contracts.columns import columns
from sparkjobs.wholesale import rounding
from sparkjobs.wholesale.charge_keys import small
from sparkjobs.wholesale.series import AmountKey, Catalogue

_TYPES = {"is_tax": "boolean"}
_SERIES = columns(
    "number int, result_id string, " + ", ".join(f"{name} {_TYPES.get(name, 'string')}" for name in AmountKey._fields)
)
_QUALITIES = columns("mask int, quantity_qualities array<string>")


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
    names, qualities = small(spark, rows, _SERIES), small(spark, _quality_sets(), _QUALITIES)
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


def _quality_sets() -> Iterable[tuple[int, list[str] | None]]:
    """Every set of qualities, sorted, by its bit mask; null where there is none to tell (subscriptions and fees)."""
    for mask in range(16):
        yield mask, sorted(str(quality) for quality, bit in QUALITY_BIT.items() if mask & bit) or None
