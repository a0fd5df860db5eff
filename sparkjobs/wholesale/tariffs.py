"""Quantities and prices of hourly and daily tariffs, from sums per part of the market and hour (wholesale 3).

A part is a supply with one set of tariffs. Which tariff counts for which part and when is known from the periods alone:
it is found here, not by the engine, and sums meet it as small integers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from shared.codes import Resolution
from sparkjobs.contracts.columns import columns
from sparkjobs.wholesale.charge_keys import Charge, Supply, small
from sparkjobs.wholesale.local_days import local_midnight
from sparkjobs.wholesale.reading import PriceInformation
from sparkjobs.wholesale.rounding import exact_sum
from sparkjobs.wholesale.series import AmountKey, amount_key
from sparkjobs.wholesale.tariff_sets import tariffs_of_set

_COUNTING = columns("counted_part int, series int, charge int, begins bigint, ends bigint")


class Part(NamedTuple):
    """A supply with one set of tariffs: the metering points among which no tariff can tell."""

    tariff_set_id: str
    supply: Supply


class Counting(NamedTuple):
    """A tariff that counts for a part in a stretch of time, microseconds since the epoch."""

    part: int
    charge: Charge
    key: AmountKey
    begins: int
    ends: int


def counting_tariffs(parts: Sequence[Part], prices: Iterable[PriceInformation]) -> list[Counting]:
    """Which tariff counts for which part: links that have price information, inside its clamped period.

    Args:
        parts: a part's number is its place.
        prices: sound price information; periods of one charge do not overlap.
    """
    of_charge: dict[Charge, list[PriceInformation]] = defaultdict(list)
    for price in prices:
        of_charge[price.charge].append(price)
    return [
        Counting(number, charge, _key(part, price), price.from_date or 0, price.to_date)
        for number, part in enumerate(parts)
        for charge in tariffs_of_set(part.tariff_set_id)
        for price in of_charge[charge]
    ]


def _key(part: Part, price: PriceInformation) -> AmountKey:
    return amount_key(price.charge, part.supply, is_tax=bool(price.is_tax), resolution=str(price.resolution))


def priced_energy(
    energy: DataFrame,
    tariffs: Iterable[Counting],
    series: Mapping[AmountKey, int],
    charges: Mapping[Charge, int],
    price_points: DataFrame,
    time_zone: str,
) -> DataFrame:
    """Quantity and price of every tariff, supply and time; hourly and daily tariffs apart.

    The price is the price point at exactly that time; none is null, for tariffs are never carried forward.

    Args:
        energy: part int, time (the hour), milli_kwh bigint, qualities int (bit mask of shared.codes.QUALITY_BIT).
        tariffs: what counts when.
        series: the numbers of the series.
        charges: the numbers of the charges in price_points.
        price_points: `reading.Charges.price_points`.
        time_zone: the market's, by its IANA name.

    Returns:
        series int, time, milli bigint (null: beyond a long), qualities int, price null.
    """
    rows: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    for counted in tariffs:
        row = (counted.part, series[counted.key], charges[counted.charge], counted.begins, counted.ends)
        rows[counted.key.resolution].append(row)
    of_time = {Resolution.HOUR.value: energy, Resolution.DAY.value: _days(energy, time_zone)}
    quantities = [_quantities(of_time[resolution], of_resolution) for resolution, of_resolution in rows.items()]
    counted_energy = quantities[0] if len(quantities) == 1 else quantities[0].unionByName(quantities[1])
    prices = price_points.select("charge", F.col("charge_time").alias("time"), F.col("charge_price").alias("price"))
    # One row per tariff and time; the small side on the left, as in `charge_keys.beside`.
    priced = F.broadcast(prices).join(counted_energy, on=["charge", "time"], how="right")
    return priced.select("series", "time", "milli", "qualities", "price")


def energy_of_charges(energy: DataFrame, tariffs: Iterable[Counting], charges: Mapping[Charge, int]) -> DataFrame:
    """All energy behind the links of each hourly tariff: charge int, milli_kwh decimal(38,0)."""
    hourly = [
        (counted.part, -1, charges[counted.charge], counted.begins, counted.ends)
        for counted in tariffs
        if counted.key.resolution == Resolution.HOUR
    ]
    exact = F.sum(F.col("milli_kwh").cast("decimal(28,0)")).cast("decimal(38,0)").alias("milli_kwh")
    return _counted(energy, hourly).groupBy(F.col("charge")).agg(exact)


def _days(hours: DataFrame, time_zone: str) -> DataFrame:
    """Energy of local days of 23, 24 or 25 hours.

    Hours before the period's first local midnight get a day that began outside it, which no price information contains.
    """
    days = hours.withColumn("time", local_midnight(F.col("time"), time_zone)).groupBy(F.col("part"), F.col("time"))
    return days.agg(exact_sum(F.col("milli_kwh")).alias("milli_kwh"), F.bit_or("qualities").alias("qualities"))


def _quantities(energy: DataFrame, tariffs: Iterable[tuple[object, ...]]) -> DataFrame:
    """series, charge, time, milli, qualities where link and price information count; factors are ignored."""
    counted = _counted(energy, tariffs).groupBy(F.col("series"), F.col("charge"), F.col("time"))
    return counted.agg(exact_sum(F.col("milli_kwh")).alias("milli"), F.bit_or("qualities").alias("qualities"))


def _counted(energy: DataFrame, tariffs: Iterable[tuple[object, ...]]) -> DataFrame:
    """The energy once for each tariff that counts for its part at its time."""
    spark: SparkSession = energy.sparkSession
    times = small(spark, tariffs, _COUNTING).select(
        "counted_part",
        "series",
        "charge",
        F.timestamp_micros("begins").alias("begins"),
        F.timestamp_micros("ends").alias("ends"),
    )
    at_that_time = (F.col("time") >= F.col("begins")) & (F.col("time") < F.col("ends"))
    of_part = F.col("counted_part") == F.col("part")
    return F.broadcast(times).join(energy, on=of_part & at_that_time, how="inner")
