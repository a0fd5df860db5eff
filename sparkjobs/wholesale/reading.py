"""Which rows of the charge tables a settlement of [S,E) uses, clamped to it (inputs, reading rules)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shared.codes import ChargeType
from sparkjobs.wholesale.charge_keys import CHARGE
from sparkjobs.wholesale.local_days import instant


@dataclass(frozen=True, kw_only=True)
class Charges:
    """The rows that the reading rules keep; `judging.broken_rules` judges them, the calculation uses them.

    links: CHARGE, metering_point_id bigint, metering_point string (as written), quantity, from_date, to_date.
    prices: CHARGE, resolution, is_tax, from_date, to_date, and charge_from: where the unclamped period begins.
    price_points: CHARGE, charge_price, charge_time.
    """

    links: DataFrame
    prices: DataFrame
    price_points: DataFrame

    def materialised(self, materialise: Callable[[str, DataFrame], DataFrame]) -> "Charges":
        """The same rows, each frame made once: judging, tariff sets and every kind of charge read them again."""
        return Charges(
            links=materialise("charge_links", self.links),
            prices=materialise("charge_prices", self.prices),
            price_points=materialise("charge_price_points", self.price_points),
        )


def keep_charges(
    *,
    links: DataFrame,
    prices: DataFrame,
    price_points: DataFrame,
    metering_points: DataFrame,
    period_start: datetime,
    period_end: datetime,
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
    """
    start, end = instant(period_start), instant(period_end)
    known = metering_points.select("metering_point_id").distinct()
    kept_links = (
        links.filter(_overlaps(start, end))
        .withColumn("metering_point", F.col("metering_point_id"))
        .withColumn("metering_point_id", F.col("metering_point_id").try_cast("bigint"))
        .join(known, on="metering_point_id", how="left_semi")
        .withColumns(_clamped(start, end))
        .select(*CHARGE, "metering_point_id", "metering_point", "quantity", "from_date", "to_date")
    )
    linked = kept_links.select(*CHARGE).distinct()
    kept_prices = (
        prices.join(linked, on=list(CHARGE), how="left_semi")
        .filter(_overlaps(start, end))
        .withColumn("charge_from", F.col("from_date"))
        .withColumns(_clamped(start, end))
        .select(*CHARGE, "resolution", "is_tax", "from_date", "to_date", "charge_from")
    )
    points = price_points.join(linked, on=list(CHARGE), how="left_semi").filter(
        F.col("charge_time").isNull() | (F.col("charge_time") < end)
    )
    kept_points = points.filter(F.col("charge_time").isNull() | (F.col("charge_time") >= start)).unionByName(
        _carried_into_period(points, kept_prices, start)
    )
    return Charges(
        links=kept_links, prices=kept_prices, price_points=kept_points.select(*CHARGE, "charge_price", "charge_time")
    )


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


def _carried_into_period(points: DataFrame, prices: DataFrame, start: Column) -> DataFrame:
    """Subscriptions and fees: the newest price before S inside the charge period that S lies in."""
    running = prices.filter(F.col("charge_type").isin(ChargeType.SUBSCRIPTION.value, ChargeType.FEE.value)).filter(
        F.col("charge_from") < start
    )
    earlier = points.filter(F.col("charge_time") < start).join(
        running.select(*CHARGE, "charge_from"), on=list(CHARGE), how="inner"
    )
    newest = (
        earlier.filter("charge_from <= charge_time").groupBy(*CHARGE).agg(F.max("charge_time").alias("charge_time"))
    )
    return points.join(newest, on=[*CHARGE, "charge_time"], how="left_semi")
