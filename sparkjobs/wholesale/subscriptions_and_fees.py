"""Subscriptions and fees count on every local midnight of their links (wholesale 4)."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from shared.codes import ChargeType, MeteringPointType, Resolution
from sparkjobs.contracts.charges import MONEY
from sparkjobs.contracts.columns import columns
from sparkjobs.wholesale.charge_keys import CHARGE, GROUP, Charge, Supply, beside, small
from sparkjobs.wholesale.local_days import micros
from sparkjobs.wholesale.reading import PriceInformation
from sparkjobs.wholesale.rounding import exact_sum, price_per_day
from sparkjobs.wholesale.series import AmountKey, amount_key

_SERIES = columns("series int, priced int, " + ", ".join(f"{name} string" for name in (*CHARGE, *GROUP)))
_DAYS = T.StructType([*columns("charge int, midnight bigint").fields, T.StructField("price", MONEY)])


class Day(NamedTuple):
    """The price of a charge on one local day; midnight in microseconds since the epoch."""

    charge: Charge
    midnight: int
    price: Decimal | None


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
    linked = links.filter(F.col("charge_type") != ChargeType.TARIFF.value).join(
        points, on="metering_point_id", how="inner"
    )
    key = [F.col(name) for name in (*CHARGE, *GROUP, "from_date", "to_date")]
    return (
        linked.withColumns(
            {"from_date": F.greatest("from_date", "point_from"), "to_date": F.least("to_date", "point_to")}
        )
        .filter("from_date < to_date")
        .groupBy(*key)
        .agg(exact_sum(F.col("quantity").cast("bigint")).alias("factor"))
    )


def daily_prices(
    prices: Iterable[PriceInformation],
    price_points: Mapping[Charge, Sequence[tuple[int, Decimal]]],
    midnights: Sequence[datetime],
) -> list[Day]:
    """The price of every subscription and fee at every local midnight inside its price information.

    It is the newest price point at or before that time inside the same, unclamped price-information period: nothing is
    carried from one period to the next; none is null. A subscription's is divided by the number of midnights.

    Args:
        prices: price information of all charges.
        price_points: of subscriptions and fees, microseconds since the epoch and price, by time.
        midnights: every local midnight of the settled period.
    """
    days = []
    for information in prices:
        charge = information.charge
        if charge.is_tariff:
            continue
        points = price_points.get(charge, ())
        times = [time for time, _ in points]
        for midnight in map(micros, midnights):
            if not (information.from_date or 0) <= midnight < information.to_date:
                continue
            newest = bisect_right(times, midnight) - 1
            known = newest >= 0 and times[newest] >= (information.charge_from or 0)
            price = points[newest][1] if known else None
            if price is not None and charge.charge_type == ChargeType.SUBSCRIPTION:
                price = price_per_day(price, len(midnights))
            days.append(Day(charge, midnight, price))
    return days


def piece_keys(
    linked: Iterable[tuple[Charge, Supply]], prices: Iterable[PriceInformation]
) -> dict[tuple[Charge, Supply], AmountKey]:
    """The series of each charge and supply that it is linked to; charges without price information have none."""
    is_tax = {price.charge: bool(price.is_tax) for price in prices}
    day = Resolution.DAY.value
    return {
        (charge, supply): amount_key(charge, supply, is_tax=is_tax[charge], resolution=day)
        for charge, supply in linked
        if charge in is_tax
    }


def priced_pieces(
    factors: DataFrame,
    days: Iterable[Day],
    keys: Mapping[tuple[Charge, Supply], AmountKey],
    series: Mapping[AmountKey, int],
    charges: Mapping[Charge, int],
) -> DataFrame:
    """The sum of the factors that count on each local midnight, with the price of that day.

    Returns:
        series int, time, milli bigint (pieces × 1000), qualities (null), price null.
    """
    spark = factors.sparkSession
    names = [(series[key], charges[charge], *charge, *supply) for (charge, supply), key in keys.items()]
    numbered = beside(small(spark, names, _SERIES), factors, (*CHARGE, *GROUP))
    priced = small(spark, [(charges[day.charge], day.midnight, day.price) for day in days], _DAYS).select(
        "charge", F.timestamp_micros("midnight").alias("time"), "price"
    )
    counts = (F.col("charge") == F.col("priced")) & F.expr("from_date <= time and time < to_date")
    return (
        F.broadcast(priced)
        .join(numbered, on=counts, how="inner")  # one row per charge and midnight
        .groupBy(F.col("series"), F.col("time"), F.col("price"))
        .agg(exact_sum(F.col("factor") * F.lit(1000)).alias("milli"))
        .select("series", "time", "milli", F.lit(None).cast("int").alias("qualities"), "price")
    )


def price_points_by_charge(
    rows: Iterable[tuple[int, int, Decimal]], charges: Mapping[Charge, int]
) -> dict[Charge, list[tuple[int, Decimal]]]:
    """Rows (number of the charge, microseconds since the epoch, price) by charge and in order of time."""
    by_number: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for number, time, price in rows:
        by_number[number].append((time, price))
    return {charge: sorted(by_number[number]) for charge, number in charges.items() if number in by_number}
