"""The sample lake: what a settlement of it must find."""

from collections import Counter
from decimal import Decimal

import numpy as np
import pytest

from local.sample import charges
from local.sample.energy import QUARTERS, present, quarter_values
from local.sample.market import AREAS, OWNERS, SUPPLIERS, MeteringPoint, metering_points, with_check_digit

POINTS = metering_points()


@pytest.fixture(scope="module")
def values() -> dict[str, np.ndarray]:
    return quarter_values(POINTS)


def test_check_digit_is_that_of_gs1() -> None:
    assert with_check_digit("579000133055") == "5790001330552"


def test_month_has_a_25_hour_day() -> None:
    assert QUARTERS == 31 * 96 + 4


def test_every_area_has_all_kinds_of_metering_points() -> None:
    for area in AREAS:
        kinds = Counter((point.type, point.method, point.resolution) for point in POINTS if point.area == area)
        for kind in (("E17", "D01"), ("E17", "E02"), ("E18", None)):
            assert kinds[*kind, "PT15M"], (area, kind)
            assert kinds[*kind, "PT1H"], (area, kind)
        assert {"D06", "D07", "D14", "E20"} <= {kind[0] for kind in kinds}


def test_metering_points_are_some_hundred_with_18_digits_and_the_actors_differ() -> None:
    assert 100 <= len({point.id for point in POINTS}) <= 300
    assert {len(point.id) for point in POINTS} == {18}
    assert len({*SUPPLIERS, *OWNERS.values()}) == 7


def test_periods_of_one_metering_point_meet_and_its_supplier_changes() -> None:
    changed = [point for point in POINTS if point.until]
    assert changed
    for before in changed:
        after = next(point for point in POINTS if point.id == before.id and point.since == before.until)
        assert after.supplier != before.supplier


def test_grid_loss_is_some_percent_and_nearly_always_positive(values: dict[str, np.ndarray]) -> None:
    for area in AREAS:
        exchange = sum((_shown(point, values) * _sign(point, area) for point in POINTS if point.type == "E20"), 0)
        production, consumption = (_side(area, kind, values) for kind in ("E18", "E17"))
        loss = exchange + production - consumption
        assert 0.03 < loss.sum() / consumption.sum() < 0.06
        assert 0 < (loss < 0).sum() < 0.01 * QUARTERS


def _side(area: str, kind: str, values: dict[str, np.ndarray]) -> np.ndarray:
    total = np.zeros(QUARTERS)
    for point in POINTS:
        if (point.area, point.type) == (area, kind) and point.profile:
            total[present(point)] += _shown(point, values)[present(point)]
    return total


def _shown(point: MeteringPoint, values: dict[str, np.ndarray]) -> np.ndarray:
    return np.repeat(values[point.id][::4] / 4, 4) if point.resolution == "PT1H" else values[point.id]


def _sign(point: MeteringPoint, area: str) -> int:
    return (point.receiver == area) - (point.sender == area)


def test_values_are_the_same_every_time(values: dict[str, np.ndarray]) -> None:
    again = quarter_values(POINTS)
    assert all((again[point] == series).all() for point, series in values.items())


def test_every_linked_charge_has_prices_with_six_decimals_and_one_is_a_tax() -> None:
    keys = ("charge_code", "charge_type", "charge_owner_id")
    known = {tuple(row[key] for key in keys): row for row in charges.charge_price_information_periods()}
    priced = {tuple(row[key] for key in keys) for row in charges.charge_price_points()}
    linked = {tuple(row[key] for key in keys) for row in charges.charge_link_periods(POINTS)}
    assert linked == priced == known.keys()
    assert sum(row["is_tax"] for row in known.values()) == 1
    assert all(row["charge_price"] % Decimal("0.000001") == 0 for row in charges.charge_price_points())
