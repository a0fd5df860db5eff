"""Energy that hourly and daily tariffs are paid for, from sums per group and hour (wholesale 2 and 3).

A grid-loss metering point is one of its own: its calculated points carry the tariffs that are linked to it.
Tariffs and supplies (GROUP) are small integers until quantities have their prices: names would make every step dearer.
"""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shared.codes import QUALITY_BIT, ChargeType, Quality, Resolution
from sparkjobs.wholesale.charge_keys import CHARGE, GROUP, Materialise, numbered, with_number
from sparkjobs.wholesale.local_days import local_midnight
from sparkjobs.wholesale.rounding import exact_sum

_HOUR_IN_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class NumberedTariffs:
    """Tariffs and the energy behind them, by number.

    charges: charge int, CHARGE, is_tax, resolution. supplies: supply int, GROUP.
    hours: tariff_set_id, supply, time, milli_kwh, qualities.
    counting: tariff_set_id, charge, resolution, from_date, to_date: when which tariff counts for which set.
    """

    charges: DataFrame
    supplies: DataFrame
    hours: DataFrame
    counting: DataFrame


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
        .agg(exact_sum(F.col("milli_kwh")).alias("milli_kwh"))
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


def numbered_tariffs(energy: DataFrame, tariffs: DataFrame, materialise: Materialise) -> NumberedTariffs:
    """Put numbers in the place of names, for all the steps up to the amounts.

    What several steps read is made once: series, hourly and daily quantities and the invariants would each plan and
    calculate all of it again.
    """
    made = materialise("tariffs", tariffs)
    charges = numbered(made, (*CHARGE, "is_tax", "resolution"), "charge")
    supplies = materialise("supplies", numbered(energy, GROUP, "supply"))
    hours = with_number(energy, supplies, GROUP).select("tariff_set_id", "supply", "time", "milli_kwh", "qualities")
    return NumberedTariffs(
        charges=charges,
        supplies=supplies,
        hours=materialise("tariff_energy", hours),
        counting=with_number(made, charges.select(*CHARGE, "charge"), CHARGE).select(
            "tariff_set_id", "charge", "resolution", "from_date", "to_date"
        ),
    )


def tariff_series(tariffs: NumberedTariffs) -> DataFrame:
    """Every series that can have rows: charge, supply, CHARGE, is_tax, resolution, GROUP."""
    supplies_of_sets = tariffs.hours.select("tariff_set_id", "supply").distinct()
    charges_of_sets = tariffs.counting.select("tariff_set_id", "charge").distinct()
    return (
        supplies_of_sets.join(charges_of_sets, on="tariff_set_id", how="inner")
        .select("charge", "supply")
        .distinct()
        .join(tariffs.charges, on="charge", how="inner")
        .join(tariffs.supplies, on="supply", how="inner")
        .select("charge", "supply", *CHARGE, "is_tax", "resolution", *GROUP)
    )


def priced_energy(tariffs: NumberedTariffs, price_points: DataFrame, time_zone: str) -> DataFrame:
    """Quantity and price of every tariff, group and time; hourly and daily tariffs apart.

    The price is the price point at exactly that time; none is null, for tariffs are never carried forward.

    Returns:
        charge, supply, time, milli bigint (null: beyond a long), qualities, price null.
    """
    prices = with_number(price_points, tariffs.charges.select(*CHARGE, "charge"), CHARGE).select(
        "charge", F.col("charge_time").alias("time"), F.col("charge_price").alias("price")
    )
    hourly = tariffs.counting.filter(F.col("resolution") == Resolution.HOUR.value)
    daily = tariffs.counting.filter(F.col("resolution") == Resolution.DAY.value)
    energy = _quantities(tariffs.hours, hourly).unionByName(_quantities(_days(tariffs.hours, time_zone), daily))
    return energy.join(
        F.broadcast(prices),  # one row per tariff and time
        on=["charge", "time"],
        how="left",
    )


def _days(hours: DataFrame, time_zone: str) -> DataFrame:
    """Energy of local days of 23, 24 or 25 hours.

    Hours before the period's first local midnight get a day that began outside it, which no price information contains.
    """
    return (
        hours.withColumn("time", local_midnight(F.col("time"), time_zone))
        .groupBy("tariff_set_id", "supply", "time")
        .agg(exact_sum(F.col("milli_kwh")).alias("milli_kwh"), F.bit_or("qualities").alias("qualities"))
    )


def _quantities(energy: DataFrame, tariffs: DataFrame) -> DataFrame:
    """charge, supply, time, milli, qualities where link and price information count; factors are ignored."""
    counted = energy.join(
        F.broadcast(tariffs),  # one row per set, tariff and price period: periods of one tariff do not overlap
        on="tariff_set_id",
        how="inner",
    ).filter("from_date <= time and time < to_date")
    return counted.groupBy("charge", "supply", "time").agg(
        exact_sum(F.col("milli_kwh")).alias("milli"), F.bit_or("qualities").alias("qualities")
    )
