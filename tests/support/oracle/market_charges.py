"""Children, charges, links and prices for the random markets (wholesale)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.support.oracle.markets import AREAS, LONG_AGO, energy_markets, metering_point, points_of, spans
from tests.support.oracle.model import HOUR, Arguments, Inputs, Row, steps

OWNERS = st.sampled_from(["8000000000008", "5790000432752", "6660000000666"])
CHILD_TYPES = st.sampled_from(["D01", "D05", "D06", "D07", "D09", "D12", "D14", "D15", "D19"])
PRICES = st.one_of(st.integers(1, 2_000_001), st.integers(-2_000_000, 999), st.sampled_from([0, 100_100_001, 500]))
QUANTITIES = st.integers(-4_000, 30_000)


@st.composite
def charge_markets(draw: Any, arguments: Arguments) -> Inputs:
    """An energy market with children, up to six charges, their prices, and links of metering points of any kind."""
    market = draw(energy_markets(arguments, QUANTITIES))
    for number in range(draw(st.integers(0, 3))):
        market["metering_point_periods"] += _child(draw, number, market, arguments)
        market["time_series_points"] += points_of(draw, f"07{number:06d}", arguments, QUANTITIES)
    ids = sorted({row["metering_point_id"] for row in market["metering_point_periods"]})
    ids += 3 * [name for name in ids if name.startswith("07")]
    for number in range(draw(st.integers(2, 6))):
        _charge(draw, number, market, ids, arguments)
    return market


def _child(draw: Any, number: int, market: Inputs, arguments: Arguments) -> list[Row]:
    """A child whose parent may change at midnight, be of another area, have gaps, or be unknown."""
    parents = [row for row in market["metering_point_periods"] if row["type"] in ("E17", "E18")]
    columns = {"type": draw(CHILD_TYPES), "resolution": draw(st.sampled_from(["PT1H", "PT15M"]))}
    rows = []
    for span in spans(draw, arguments, gaps=True):
        parent = draw(st.sampled_from(parents))
        home = {"grid_area_code": parent["grid_area_code"], "parent_metering_point_id": parent["metering_point_id"]}
        oddity = draw(st.integers(0, 9))
        if oddity == 9:
            home["parent_metering_point_id"] = "17777777"
        if oddity == 8:
            home["grid_area_code"] = draw(st.sampled_from(AREAS))
        rows.append(metering_point("07", number, span, **columns, **home))
    return rows


def _charge(draw: Any, number: int, market: Inputs, ids: list[str], arguments: Arguments) -> None:
    kind, resolution = draw(
        st.sampled_from([("tariff", "PT1H"), ("tariff", "P1D"), ("subscription", "P1M"), ("fee", "P1M")])
    )
    charge = {"charge_code": f"c{number}", "charge_type": kind, "charge_owner_id": draw(OWNERS)}
    is_tax = kind == "tariff" and draw(st.booleans())
    for begins, ends in spans(draw, arguments, gaps=True):
        row = {"resolution": resolution, "is_tax": is_tax, "from_date": begins, "to_date": ends}
        market["charge_price_information_periods"].append(charge | row)
    times = _price_times(resolution, arguments)
    for price, time in _prices(draw, times):
        row = {"charge_price": Decimal(price).scaleb(-6), "charge_time": time}
        market["charge_price_points"].append(charge | row)
    linked = draw(st.lists(st.sampled_from(ids), min_size=2, max_size=8, unique=kind != "fee"))
    for name in linked:
        for begins, ends in spans(draw, arguments, gaps=True):
            factor = 1 if kind == "tariff" else draw(st.integers(1, 3))
            row = {"metering_point_id": name, "quantity": factor, "from_date": begins, "to_date": ends}
            market["charge_link_periods"].append(charge | row)


def _prices(draw: Any, times: list[datetime]) -> list[tuple[int, datetime]]:
    """A price at every time, or at a few of them."""
    if draw(st.integers(0, 2)):
        first, slope = draw(PRICES), draw(st.integers(0, 1_000))
        return [(first + slope * index, time) for index, time in enumerate(times)]
    some = draw(st.lists(st.sampled_from(times), unique=True, max_size=4))
    return [(draw(PRICES), time) for time in some]


def _price_times(resolution: str, arguments: Arguments) -> list[datetime]:
    """Hours or midnights of the period, and some before and after it."""
    if resolution == "PT1H":
        return steps(arguments.period_start - HOUR, arguments.period_end + HOUR, HOUR)
    midnights = arguments.midnights()
    before = [midnights[0] - timedelta(days=days) for days in (1, 2, 40)]
    return [*midnights, *before, LONG_AGO - timedelta(days=1), midnights[-1] + timedelta(days=1)]
