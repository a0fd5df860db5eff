"""The second opinion keeps the invariants of a settlement on random markets (no Spark needed)."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.oracle import Row, settle
from tests.support.oracle.market_charges import charge_markets
from tests.support.oracle.markets import areas_of, arguments_for, energy_markets, of_areas, placed, together

FEW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), database=None)
RESOLUTIONS = pytest.mark.parametrize("resolution", ["PT15M", "PT1H"])


def summed(rows: list[Row], *columns: str, value: str = "quantity") -> dict[tuple[Any, ...], Decimal]:
    found: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for row in rows:
        found[tuple(row[name] for name in columns)] += row[value] or 0
    return {key: total for key, total in found.items() if total}


@RESOLUTIONS
@FEW
@given(st.data())
def test_every_level_holds_the_same_energy(resolution: str, data: Any) -> None:
    arguments = arguments_for("D03", resolution=resolution, hours=6).for_areas(areas_of(0))
    tables = settle(placed(data.draw(energy_markets(arguments)), 0), arguments)
    key = ("grid_area_code", "time_series_type", "time")
    per_supplier = summed(tables["energy_per_es"], *key)
    assert per_supplier == summed(tables["energy_per_brp"], *key)
    supplied = {kind for _, kind, _ in per_supplier}
    assert per_supplier == summed([row for row in tables["energy"] if row["time_series_type"] in supplied], *key)


@RESOLUTIONS
@FEW
@given(st.data())
def test_exchange_of_two_calculated_areas_cancels_out(resolution: str, data: Any) -> None:
    areas = areas_of(0)
    arguments = arguments_for("D03", resolution=resolution, hours=6).for_areas(areas)
    tables = settle(placed(data.draw(energy_markets(arguments)), 0), arguments)
    inner = [row for row in tables["exchange_per_neighbor"] if row["neighbor_grid_area_code"] in areas]
    assert not summed(inner, "time")


@RESOLUTIONS
@FEW
@given(st.data())
def test_two_markets_in_one_job_do_not_touch(resolution: str, data: Any) -> None:
    arguments = arguments_for("D05", resolution=resolution, hours=27)
    markets = [placed(data.draw(charge_markets(arguments)), index) for index in (0, 1)]
    both = settle(together(markets), arguments.for_areas((*areas_of(0), *areas_of(1))))
    for index, market in enumerate(markets):
        alone = settle(market, arguments.for_areas(areas_of(index)))
        for table, rows in of_areas(both, areas_of(index)).items():
            assert sorted(map(str, rows)) == sorted(map(str, alone[table])), table


@FEW
@given(st.data())
def test_the_suppliers_total_is_the_sum_of_all_charges(data: Any) -> None:
    arguments = arguments_for("D05", resolution="PT15M", hours=27).for_areas(areas_of(0))
    tables = settle(placed(data.draw(charge_markets(arguments)), 0), arguments)
    of_supplier = [row for row in tables["total_monthly_amounts"] if row["charge_owner_id"] is None]
    key = ("grid_area_code", "energy_supplier_id")
    amounts = summed(tables["amounts_per_charge"], *key, value="amount")
    assert amounts == summed(of_supplier, *key, value="amount")
    assert amounts == summed(tables["monthly_amounts_per_charge"], *key, value="amount")
