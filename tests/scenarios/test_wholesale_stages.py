"""Single stages of wholesale settlement on a few rows each; whole calculations are the scenario folders."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkjobs.storage.engine import Engine
from sparkjobs.wholesale import judging, quality
from sparkjobs.wholesale.charge_keys import Charge
from sparkjobs.wholesale.children import orphaned_children, with_supplier_of_parent
from sparkjobs.wholesale.findings import findings
from sparkjobs.wholesale.local_days import micros
from sparkjobs.wholesale.monthly import total_monthly_amounts
from sparkjobs.wholesale.reading import Charges, PriceInformation
from sparkjobs.wholesale.rounding import amount, exact_sum, money, price_per_day, quantity
from sparkjobs.wholesale.series import MonthlyKey
from sparkjobs.wholesale.tariff_sets import tariffs_of_set, with_tariff_sets

START, END = datetime(2023, 1, 31, 23, tzinfo=UTC), datetime(2023, 2, 28, 23, tzinfo=UTC)
PERIOD = (START, END, "Europe/Copenhagen")
LINKS = (
    "charge_code string, charge_type string, charge_owner_id string, metering_point_id bigint, metering_point string, "
    "quantity int, from_date timestamp, to_date timestamp"
)
POINTS = (
    "charge int, charge_code string, charge_type string, charge_owner_id string, charge_price decimal(18,6), "
    "charge_time timestamp"
)
METERING_POINTS = (
    "metering_point_id bigint, metering_point string, type string, grid_area_code string, energy_supplier_id string, "
    "parent_metering_point_id bigint, from_date timestamp, to_date timestamp"
)


def day(number: int) -> datetime:
    """The local midnight of that day of February."""
    return START + timedelta(days=number - 1)


def value(engine: Engine, column: Any) -> Any:
    return engine.spark.range(1).select(column.alias("value")).collect()[0].value


def dec(text: str, kind: str) -> Any:
    return F.lit(text).cast(kind)


def link(
    code: str = "net", kind: str = "tariff", point: int = 1, factor: int | None = 1, begin: Any = START, end: Any = END
):
    return (code, kind, "owner", point, str(point), factor, begin, end)


def price(
    code: str = "net",
    kind: str = "tariff",
    resolution: str | None = "PT1H",
    tax: bool = False,
    begin: Any = START,
    end: Any = END,
):
    return PriceInformation(Charge(code, kind, "owner"), resolution, tax, micros(begin), micros(end), micros(begin))


def point(code: str = "net", kind: str = "tariff", amount: str | None = "1.5", time: Any = START):
    return (0, code, kind, "owner", Decimal(amount) if amount else None, time)


def charges(engine: Engine, links: list[Any] = (), prices: list[Any] = (), points: list[Any] = ()) -> Charges:
    make = engine.spark.createDataFrame
    frames = {"links": make(list(links), LINKS), "price_points": make(list(points), POINTS)}
    return Charges(prices=prices, numbers={}, **frames)


def broken_rules(engine: Engine, **rows: list[Any]) -> dict[str, list[str]]:
    """By rule the rows that break it."""
    judged = charges(engine, **rows)
    found = judging.broken_prices(judged.prices, *PERIOD)
    for row in findings(judging.broken_links_and_points(judged, *PERIOD)).collect():
        found[row.rule].append(row.row)
    return found


def metering_point(
    number: int = 1,
    kind: str = "consumption",
    supplier: str | None = "A",
    parent: int | None = None,
    begin: Any = START,
    end: Any = END,
    area: str = "800",
):
    return (number, str(number), kind, area, supplier, parent, begin, end)


def periods(frame: DataFrame, *columns: str) -> set[tuple[Any, ...]]:
    """Rows with their dates as days of February, whatever the machine's zone."""
    as_days = [F.datediff(name, F.lit("2023-01-30")).alias(name) for name in ("from_date", "to_date")]
    return {tuple(row) for row in frame.select(*columns, *as_days).collect()}


@pytest.mark.parametrize(
    ("price", "days", "per_day"),
    [
        ("100.10", 31, "3.229032"),
        ("31", 31, "1.000000"),
        ("0.000001", 2, "0.000001"),
        ("-100.10", 31, "-3.229032"),
        ("999999999999.999999", 1, "999999999999.999999"),
        ("900719925474.099301", 31, "29055481466.906429"),
    ],
)
def test_a_monthly_price_is_divided_and_rounded_half_up(price: str, days: int, per_day: str) -> None:
    assert price_per_day(Decimal(price), days) == Decimal(per_day)


@pytest.mark.parametrize(
    ("quantity", "price", "result"),
    [("4.003", "0.123456", "0.494194"), ("0.001", "0.000500", "0.000001"), ("0.001", "-0.000500", "-0.000001")],
)
def test_an_amount_is_exact_to_the_sixth_decimal(engine: Engine, quantity: str, price: str, result: str) -> None:
    column = amount(dec(quantity, "decimal(18,3)"), dec(price, "decimal(18,6)"))
    assert value(engine, column) == Decimal(result)


def test_what_is_beyond_its_decimal_becomes_null_and_not_wrong(engine: Engine) -> None:
    most = dec("999999999999999.999", "decimal(18,3)")
    assert value(engine, amount(most, dec("999999999999.999999", "decimal(18,6)"))) is None
    assert value(engine, quantity(F.lit(10**18))) is None
    assert value(engine, quantity(F.lit(10**18 - 1))) == Decimal("999999999999999.999")
    assert value(engine, money(dec("1000000000000", "decimal(38,6)"))) is None


def test_a_sum_of_longs_never_wraps(engine: Engine) -> None:
    def sums(*numbers: int) -> int | None:
        rows = engine.spark.createDataFrame([(number,) for number in numbers], "number bigint")
        return rows.agg(exact_sum(F.col("number")).alias("total")).collect()[0].total

    assert sums(2**62, 2**62, 2**62) is None
    assert sums(-5, 3, -(2**40)) == -2 - 2**40


def test_a_period_is_cut_where_its_tariffs_begin_and_end(engine: Engine) -> None:
    points = engine.spark.createDataFrame([metering_point(1), metering_point(2)], METERING_POINTS)
    links = charges(
        engine,
        [
            link("a", point=1, end=day(20)),
            link("b", point=1, begin=day(10)),
            link("fee", "fee", point=1, begin=day(5), end=day(6)),
            link("a", point=2),
        ],
    ).links
    cuts = periods(with_tariff_sets(points, links), "metering_point_id", "tariff_set_id")
    found = {(point, "".join(each.charge_code for each in tariffs_of_set(of)), *days) for point, of, *days in cuts}
    assert found == {(1, "a", 1, 10), (1, "ab", 10, 20), (1, "b", 20, 29), (2, "a", 1, 29)}


def test_points_without_tariffs_and_exchange_have_no_set(engine: Engine) -> None:
    rows = [metering_point(1), metering_point(2, "exchange")]
    cuts = with_tariff_sets(
        engine.spark.createDataFrame(rows, METERING_POINTS), charges(engine, [link(point=2, begin=day(9))]).links
    )
    assert periods(cuts, "metering_point_id", "tariff_set_id") == {(1, None, 1, 29), (2, None, 1, 29)}


def test_a_child_follows_the_suppliers_of_its_parent(engine: Engine) -> None:
    rows = [
        metering_point(1, supplier="A", end=day(10)),
        metering_point(1, supplier="B", begin=day(10), end=day(20)),
        metering_point(2, "net_consumption", None, parent=1),
        metering_point(3, "net_consumption", None, parent=1, area="801"),
    ]
    kept = engine.spark.createDataFrame(rows, METERING_POINTS)
    children = with_supplier_of_parent(kept).filter("parent_metering_point_id is not null")
    assert periods(children, "metering_point_id", "energy_supplier_id") == {(2, "A", 1, 10), (2, "B", 10, 20)}
    assert [row.metering_point_id for row in orphaned_children(kept).collect()] == [3]


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ({"links": [link(end=day(9)), link(begin=day(8))]}, judging.LINKS_OVERLAP),
        ({"links": [link(factor=0)]}, judging.FACTOR),
        ({"links": [link(kind="gift")]}, judging.UNKNOWN_TYPE),
        ({"links": [link(factor=None)]}, judging.NULL_IN_LINK),
        ({"links": [link(begin=day(9), end=day(8))]}, judging.BACKWARDS),
        ({"links": [link(end=datetime(2023, 2, 9, 12, tzinfo=UTC))]}, judging.NO_MIDNIGHT),
        ({"prices": [price(end=day(9)), price(begin=day(8))]}, judging.PRICES_OVERLAP),
        ({"prices": [price(end=day(8)), price(resolution="P1D", begin=day(8))]}, judging.CHANGES),
        ({"prices": [price(end=day(8)), price(tax=True, begin=day(8))]}, judging.CHANGES),
        ({"prices": [price(resolution="P1M")]}, judging.UNKNOWN_RESOLUTION),
        ({"prices": [price(kind="fee", resolution="P1Y")]}, judging.UNKNOWN_RESOLUTION),
        ({"prices": [price(kind="fee", resolution="P1M", tax=True)]}, judging.TAX_NO_TARIFF),
        ({"prices": [price(resolution=None)]}, judging.NULL_IN_PRICE_INFORMATION),
        ({"points": [point(), point(amount="2")]}, judging.TWO_PRICES),
        ({"points": [point(amount=None)]}, judging.NULL_IN_PRICE_POINT),
    ],
)
def test_a_broken_rule_names_its_rows(engine: Engine, rows: dict[str, Any], rule: str) -> None:
    found = broken_rules(engine, **rows)
    assert set(found) == {rule}
    assert all("net of owner" in row for row in found[rule])


def test_sound_rows_break_nothing(engine: Engine) -> None:
    found = broken_rules(
        engine,
        links=[
            link(end=day(9)),
            link(begin=day(9)),
            link("f", "fee"),
            link("f", "fee"),
            link("s", "subscription", factor=3),
        ],
        prices=[price(end=day(9)), price(begin=day(9)), price(tax=True, code="tax"), price("s", "subscription", "P1M")],
        points=[point(), point(time=day(2)), point("f", "fee")],
    )
    assert found == {}


def test_links_outside_known_charge_periods_are_listed(engine: Engine) -> None:
    kept = charges(
        engine,
        [link(point=1, end=day(9)), link(point=2), link("unknown", point=3), link(point=4, begin=day(12))],
        [price(end=day(5)), price(begin=day(5), end=day(10)), price(begin=day(12))],
    )
    found = quality.unmatched_links(kept).collect()
    assert {(row.charge_code, row.metering_point_id) for row in found} == {("net", 2), ("unknown", 3)}


def monthly(owner: str, amount: str | None, tax: bool = False, supplier: str | None = "A"):
    key = MonthlyKey("800", supplier, "kWh", tax, f"{owner}{tax}", "tariff", owner)
    return key, None if amount is None else Decimal(amount)


@pytest.mark.parametrize(
    ("rows", "totals"),
    [
        (
            [monthly("grid", "100"), monthly("system", "10", tax=True), monthly("system", "5")],
            {"grid": 110, "system": 5, None: 115},
        ),
        ([monthly("state", "10", tax=True)], {None: 10}),
        ([monthly("grid", None), monthly("state", "10", tax=True)], {"grid": 10, None: 10}),
        ([monthly("grid", None), monthly("grid", "10", tax=True)], {"grid": None, None: 10}),
        (
            [
                monthly("grid", "1"),
                monthly("state", "10", tax=True),
                monthly("system", "20", tax=True),
                monthly("system", "2"),
            ],
            {"grid": 31, "system": 12, None: 33},
        ),
        ([monthly("grid", "1", supplier=None), monthly("state", "2", tax=True, supplier=None)], {"grid": 3, None: 3}),
    ],
)
def test_an_owner_gets_its_charges_and_the_taxes_of_others(rows: list[Any], totals: dict[Any, Any]) -> None:
    found = total_monthly_amounts(dict(rows))
    assert {key.charge_owner_id: amount for key, amount in found.items()} == totals
