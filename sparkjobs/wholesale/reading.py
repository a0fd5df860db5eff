"""Which rows of the charge tables a settlement of [S,E) uses, clamped to it (inputs, reading rules)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F

from sparkjobs.contracts.columns import columns
from sparkjobs.wholesale.charge_keys import CHARGE, Charge, Materialise, small
from sparkjobs.wholesale.local_days import instant, micros

_POINT = ("charge", *CHARGE, "charge_price", "charge_time")
_NUMBERED = columns("charge int, charge_code string, charge_type string, charge_owner_id string")
_RUNNING = columns("running int, begins bigint")


class PriceInformation(NamedTuple):
    """One price-information period of a linked charge, clamped; instants in microseconds since the epoch.

    charge_from: where the unclamped period begins. What is null is null in the input, and judged.
    """

    charge: Charge
    resolution: str | None
    is_tax: bool | None
    from_date: int | None
    to_date: int
    charge_from: int | None


@dataclass(frozen=True, kw_only=True)
class Charges:
    """The rows that the reading rules keep; `judging` judges them, the calculation uses them.

    links: CHARGE, metering_point_id bigint, metering_point string (as written), quantity, from_date, to_date.
    prices: held here, for there are about as many as charges.
    price_points: charge int (its place in `numbers`), CHARGE, charge_price, charge_time.
    numbers: every linked charge, those without price information too.
    """

    links: DataFrame
    prices: Sequence[PriceInformation]
    price_points: DataFrame
    numbers: Mapping[Charge, int]


def keep_charges(
    *,
    links: DataFrame,
    prices: DataFrame,
    price_points: DataFrame,
    metering_points: DataFrame,
    period_start: datetime,
    period_end: datetime,
    materialise: Materialise,
) -> Charges:
    """Keep what overlaps the period: links of the metering points, and prices of the charges in those links.

    Args:
        links: charge_link_periods as read.
        prices: charge_price_information_periods as read.
        price_points: charge_price_points as read.
        metering_points: kept periods after the child rule, with metering_point_id bigint; exchange and grid-loss
            metering points among them.
        period_start: S.
        period_end: E.
        materialise: calculates a frame once: judging, tariff sets and every kind of charge read them again.
    """
    start, end = instant(period_start), instant(period_end)
    kept_links = materialise("charge_links", _kept_links(links, metering_points, start, end))
    rows = _prices_of_linked(kept_links, prices, start, end).collect()
    linked = sorted({charge for row in rows if None not in (charge := _charge(row))})
    numbers = {charge: number for number, charge in enumerate(linked)}
    kept_prices = [_information(row) for row in rows if row.has_prices]
    points = _kept_points(price_points, numbers, kept_prices, period_start, period_end)
    return Charges(
        links=kept_links,
        prices=kept_prices,
        price_points=materialise("charge_price_points", points),
        numbers=numbers,
    )


def _kept_links(links: DataFrame, metering_points: DataFrame, start: Column, end: Column) -> DataFrame:
    known = metering_points.select("metering_point_id").distinct()
    return (
        links.filter(_overlaps(start, end))
        .withColumn("metering_point", F.col("metering_point_id"))
        .withColumn("metering_point_id", F.col("metering_point_id").try_cast("bigint"))
        .join(known, on="metering_point_id", how="left_semi")
        .withColumns(_clamped(start, end))
        .select(*CHARGE, "metering_point_id", "metering_point", "quantity", "from_date", "to_date")
    )


def _prices_of_linked(links: DataFrame, prices: DataFrame, start: Column, end: Column) -> DataFrame:
    """Every charge in the links, with its price information where it has any."""
    overlapping = (
        prices.filter(_overlaps(start, end))
        .withColumn("charge_from", F.unix_micros("from_date"))
        .withColumns(_clamped(start, end))
        .select(
            *CHARGE,
            "resolution",
            "is_tax",
            F.unix_micros("from_date").alias("from_date"),
            F.unix_micros("to_date").alias("to_date"),
            "charge_from",
            F.lit(True).alias("has_prices"),
        )
    )
    linked = links.select(*CHARGE).distinct()
    return linked.join(F.broadcast(overlapping), on=list(CHARGE), how="left")  # few: as many as charges


def _charge(row: Row) -> Charge:
    return Charge(row.charge_code, row.charge_type, row.charge_owner_id)


def _information(row: Row) -> PriceInformation:
    return PriceInformation(_charge(row), row.resolution, row.is_tax, row.from_date, row.to_date, row.charge_from)


def _kept_points(
    points: DataFrame,
    numbers: Mapping[Charge, int],
    prices: Sequence[PriceInformation],
    period_start: datetime,
    period_end: datetime,
) -> DataFrame:
    """Price points in the period, and of subscriptions and fees the newest one that is carried into it."""
    spark = points.sparkSession
    linked = small(spark, [(number, *charge) for charge, number in numbers.items()], _NUMBERED)
    of_linked = points.join(F.broadcast(linked), on=list(CHARGE), how="inner")  # one row per charge
    time, start, end = F.col("charge_time"), instant(period_start), instant(period_end)
    kept = of_linked.filter(time.isNull() | ((time >= start) & (time < end))).select(*_POINT)
    begun: dict[int, int] = {}
    for price in prices:
        if not price.charge.is_tariff and price.charge_from is not None and price.charge_from < micros(period_start):
            number = numbers[price.charge]
            begun[number] = min(price.charge_from, begun.get(number, price.charge_from))
    if not begun:
        return kept
    in_time = (F.col("charge") == F.col("running")) & (F.unix_micros(time) >= F.col("begins"))
    earlier = of_linked.filter(time < start).join(
        F.broadcast(small(spark, begun.items(), _RUNNING)), on=in_time, how="inner"
    )
    newest = F.rank().over(Window.partitionBy("charge").orderBy(F.desc("charge_time")))
    carried = earlier.withColumn("place", newest).filter("place = 1").select(*_POINT)
    return kept.unionByName(carried)


def _overlaps(start: Column, end: Column) -> Column:
    """A row without from_date is kept, so that the missing date is reported; an empty period never is."""
    begins, ends = F.col("from_date"), F.col("to_date")
    in_period = (begins.isNull() | (begins < end)) & (ends.isNull() | (ends > start))
    return in_period & ~begins.eqNullSafe(ends)


def _clamped(start: Column, end: Column) -> dict[str, Column]:
    return {
        "from_date": F.when(F.col("from_date").isNotNull(), F.greatest("from_date", start)),
        "to_date": F.least(F.coalesce("to_date", end), end),
    }
