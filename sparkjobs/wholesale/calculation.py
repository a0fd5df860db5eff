"""Wholesale settlement, read aloud (wholesale.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame

from shared.danish_time import local_midnights
from shared.lake_layout import AMOUNTS_PER_CHARGE
from sparkjobs.wholesale.amounts import amounts_per_charge
from sparkjobs.wholesale.charge_keys import Materialise
from sparkjobs.wholesale.monthly import monthly_amounts_per_charge, total_monthly_amounts
from sparkjobs.wholesale.subscriptions_and_fees import daily_prices, factors_linked, piece_series, priced_pieces
from sparkjobs.wholesale.tariffs import (
    NumberedTariffs,
    energy_behind_tariffs,
    numbered_tariffs,
    priced_energy,
    tariff_series,
    tariffs_with_prices,
)

Identify = Callable[[DataFrame], DataFrame]


@dataclass(frozen=True, kw_only=True)
class WholesaleResults:
    """The three charge tables, without job_id, attempt and result_id."""

    amounts_per_charge: DataFrame
    monthly_amounts_per_charge: DataFrame
    total_monthly_amounts: DataFrame


@dataclass(frozen=True, kw_only=True)
class WholesaleSettlement:
    """The results, and the tariffs with the energy behind them, which `checks` holds the results against."""

    results: WholesaleResults
    tariffs: NumberedTariffs


def calculate(
    *,
    tariff_hours: DataFrame,
    tariff_sets: DataFrame,
    grid_loss_points: DataFrame,
    metering_points: DataFrame,
    charge_prices: DataFrame,
    charge_links: DataFrame,
    charge_price_points: DataFrame,
    period_start: datetime,
    period_end: datetime,
    time_zone: str,
    identify: Identify = lambda series: series,
    materialise: Materialise = lambda _, frame: frame,
) -> WholesaleSettlement:
    """What suppliers owe the owners of charges in [period_start, period_end).

    Args:
        tariff_hours: tariff_set_id, grid_area_code, energy_supplier_id, metering_point_type, settlement_method, hour
            (UTC hours since the epoch), milli_kwh bigint, qualities (bit mask): sums of every expected hour of all
            metering points but exchange and the raw grid-loss ones, at their own resolution.
        tariff_sets: tariff_set_id, charge_code, charge_owner_id (`tariff_sets.with_tariff_sets`).
        grid_loss_points: calculated grid loss (energy 10): metering_point_id bigint, metering_point_type,
            settlement_method, grid_area_code, energy_supplier_id, time, milli_kwh bigint.
        metering_points: clamped periods after the child rule (`children`), grid-loss metering points among them.
        charge_prices: kept price information (`reading.Charges.prices`).
        charge_links: kept links (`reading.Charges.links`).
        charge_price_points: kept price points (`reading.Charges.price_points`).
        period_start: start of the local month; a simulation may begin at any whole hour.
        period_end: its end.
        time_zone: the market's, by its IANA name.
        materialise: calculates a frame once, in the job's work folder; the amounts, under their table's name, where
            they are to be found as a result.
        identify: adds columns (a result id, say) to the series of the amounts, once per series and not per row.
    """
    midnights = local_midnights(period_start, period_end, ZoneInfo(time_zone))

    energy = energy_behind_tariffs(tariff_hours, grid_loss_points)
    linked = tariffs_with_prices(tariff_sets, grid_loss_points, charge_links, charge_prices)
    tariffs = numbered_tariffs(energy, linked, materialise)
    factors = materialise("factors", factors_linked(charge_links, metering_points))
    days = materialise("charge_days", daily_prices(charge_prices, charge_price_points, midnights))

    series = identify(tariff_series(tariffs).unionByName(piece_series(factors, days)))
    quantities = priced_energy(tariffs, charge_price_points, time_zone).unionByName(priced_pieces(factors, days))
    amounts = materialise(AMOUNTS_PER_CHARGE, amounts_per_charge(quantities, series))
    monthly = monthly_amounts_per_charge(amounts, period_start)
    results = WholesaleResults(
        amounts_per_charge=amounts,
        monthly_amounts_per_charge=monthly,
        total_monthly_amounts=total_monthly_amounts(monthly, period_start),
    )
    return WholesaleSettlement(results=results, tariffs=tariffs)
