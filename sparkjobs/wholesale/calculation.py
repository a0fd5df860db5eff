"""Wholesale settlement, read aloud (wholesale.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from shared.codes import ChargeType
from shared.danish_time import local_midnights
from shared.lake_layout import AMOUNTS_PER_CHARGE
from sparkjobs.contracts.charges import MONEY
from sparkjobs.wholesale.charge_keys import CHARGE, GROUP, Charge, Materialise, Supply, small
from sparkjobs.wholesale.reading import Charges
from sparkjobs.wholesale.series import AmountKey, Catalogue, catalogue
from sparkjobs.wholesale.subscriptions_and_fees import (
    daily_prices,
    factors_linked,
    piece_keys,
    price_points_by_charge,
    priced_pieces,
)
from sparkjobs.wholesale.tariffs import Counting, Part, counting_tariffs, priced_energy

_QUANTITIES = T.StructType(
    [
        T.StructField("series", T.IntegerType()),
        T.StructField("time", T.TimestampType()),
        T.StructField("milli", T.LongType()),
        T.StructField("qualities", T.IntegerType()),
        T.StructField("price", MONEY),
    ]
)


@dataclass(frozen=True, kw_only=True)
class PricedQuantities:
    """What is owed, before it is multiplied: `amounts.amounts_per_charge`.

    quantities: series, time, milli, qualities, price; no row where no charge counts for anything.
    series: those that can have rows. tariffs: which counted for which part, which `checks` holds the results against.
    """

    quantities: DataFrame
    series: Catalogue[AmountKey]
    tariffs: list[Counting]


def calculate(
    *,
    energy: DataFrame | None,
    parts: Sequence[Part],
    metering_points: DataFrame,
    charges: Charges,
    job_id: str,
    period_start: datetime,
    period_end: datetime,
    time_zone: str,
    materialise: Materialise,
) -> PricedQuantities:
    """Quantities and prices of all charges in [period_start, period_end).

    Args:
        energy: part, time, milli_kwh, qualities of all metering points but exchange and the raw grid-loss ones,
            and of calculated grid loss; read several times, so materialised. None where no part carries tariffs.
        parts: what the parts are.
        metering_points: clamped periods after the child rule (`children`), grid-loss metering points among them.
        charges: the kept and sound charge rows.
        job_id: part of every result id.
        period_start: start of the local month; a simulation may begin at any whole hour.
        period_end: its end.
        time_zone: the market's, by its IANA name.
        materialise: calculates a frame once, in the job's work folder.
    """
    tariffs = counting_tariffs(parts, charges.prices)
    has_pieces = any(not price.charge.is_tariff for price in charges.prices)
    factors = materialise("factors", factors_linked(charges.links, metering_points)) if has_pieces else None
    pieces = piece_keys(_linked(factors), charges.prices)
    series = catalogue(job_id, AMOUNTS_PER_CHARGE, {*(each.key for each in tariffs), *pieces.values()})

    quantities = []
    if energy is not None and tariffs:
        points = charges.price_points
        quantities.append(priced_energy(energy, tariffs, series.numbers, charges.numbers, points, time_zone))
    if factors is not None and pieces:
        midnights = local_midnights(period_start, period_end, ZoneInfo(time_zone))
        days = daily_prices(charges.prices, _prices_of_pieces(charges), midnights)
        quantities.append(priced_pieces(factors, days, pieces, series.numbers, charges.numbers))
    none = small(metering_points.sparkSession, [], _QUANTITIES)
    priced = reduce(DataFrame.unionByName, quantities) if quantities else none
    return PricedQuantities(quantities=priced, series=series, tariffs=tariffs)


def _linked(factors: DataFrame | None) -> list[tuple[Charge, Supply]]:
    if factors is None:
        return []
    rows = factors.select(*CHARGE, *GROUP).distinct().collect()
    return [(Charge(*row[: len(CHARGE)]), Supply(*row[len(CHARGE) :])) for row in rows]


def _prices_of_pieces(charges: Charges) -> dict[Charge, list[tuple[int, Decimal]]]:
    """Price points of subscriptions and fees: a few for each, which the client holds."""
    of_pieces = charges.price_points.filter(F.col("charge_type") != ChargeType.TARIFF.value)
    rows = of_pieces.select("charge", F.unix_micros("charge_time").alias("time"), "charge_price").collect()
    return price_points_by_charge(rows, charges.numbers)
