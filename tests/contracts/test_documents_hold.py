"""What holds for the documents of any result: valid in both forms, the same in both, nothing lost, nobody else's."""

import json
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from functions.messages import cim_json, cim_xml
from functions.messages.batch import Line
from functions.messages.recipients import DocumentName
from shared import lake_layout as lake
from tests.support.messages import split_in_memory
from tests.support.results import (
    BRP,
    ESETT,
    OTHER_BRP,
    OTHER_SUPPLIER,
    OWNER,
    START,
    SUPPLIER,
    SYSTEM_OPERATOR,
    InMemoryResults,
    charge_rows,
    energy_rows,
    market,
    monthly_rows,
    per_supplier_rows,
    splitting,
    total_rows,
)
from tests.support.schemas import json_errors, needs_schemas, xml_errors

KINDS = ("production", "flex_consumption", "non_profiled_consumption")
thousandths = st.integers(-(10**17), 10**17).map(lambda n: str(Decimal(n).scaleb(-3).quantize(Decimal("0.001"))))
millionths = st.integers(-(10**16), 10**16).map(lambda n: str(Decimal(n).scaleb(-6).quantize(Decimal("0.000001"))))
qualities = st.none() | st.lists(st.sampled_from(["missing", "estimated", "measured", "calculated"]), unique=True)
suppliers = st.sampled_from([SUPPLIER, OTHER_SUPPLIER, "45V000000000028X", None])
responsibles = st.sampled_from([BRP, OTHER_BRP, None])


def plain(number: str) -> str:
    return f"{Decimal(number):f}"


@st.composite
def energy_points(draw: st.DrawFn, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with random times (some with gaps), quantities and qualities."""
    time = START
    for row in rows:
        row["time"] = time
        time += draw(st.sampled_from([1, 1, 1, 2, 7])) * timedelta(minutes=15)
        row["quantity"] = draw(st.none() | thousandths.map(plain))
        row["quantity_qualities"] = draw(qualities)
    return rows


@st.composite
def balance_results(draw: st.DrawFn) -> InMemoryResults:
    results = market()
    count = st.integers(1, 6)
    for kind in draw(st.sets(st.sampled_from([*KINDS, "net_exchange_per_ga", "total_consumption", "grid_loss"]))):
        rows = energy_rows(f"energy {kind}", ["0.000"] * draw(count), kind=kind)
        results.add(lake.ENERGY, draw(energy_points(rows)))
    for kind, brp in draw(st.sets(st.tuples(st.sampled_from(KINDS), responsibles), max_size=4)):
        rows = energy_rows(f"brp {kind} {brp}", ["0.000"] * draw(count), kind=kind, balance_responsible_party_id=brp)
        results.add(lake.ENERGY_PER_BRP, draw(energy_points(rows)))
    for kind, es, brp in draw(st.sets(st.tuples(st.sampled_from(KINDS), suppliers, responsibles), max_size=6)):
        actors = {"energy_supplier_id": es, "balance_responsible_party_id": brp}
        rows = per_supplier_rows(f"es {kind} {es} {brp}", ["0.000"] * draw(count), kind=kind, **actors)
        results.add(lake.ENERGY_PER_ES, draw(energy_points(rows)))
    for neighbour in draw(st.sets(st.sampled_from(["801", "802"]))):
        rows = draw(energy_points(energy_rows(f"neighbour {neighbour}", ["0.000"] * draw(count))))
        exchange = [{**row, "neighbor_grid_area_code": neighbour} for row in rows]
        for row in exchange:
            del row["time_series_type"]
        results.add(lake.EXCHANGE_PER_NEIGHBOR, exchange)
    return results


CHARGES = [("tariff", "kWh", "PT1H"), ("subscription", "pcs", "P1D"), ("fee", "pcs", "P1D")]


@st.composite
def wholesale_results(draw: st.DrawFn) -> InMemoryResults:
    results = market()
    owners = st.sampled_from([OWNER, SYSTEM_OPERATOR, "5790000000077"])
    keys = st.tuples(st.sampled_from(CHARGES), suppliers, owners, st.booleans())
    totals: dict[tuple[str | None, str | None], None] = {}
    for number, ((kind, unit, resolution), es, owner, tax) in enumerate(draw(st.lists(keys, max_size=4))):
        charge = {
            **{"charge_type": kind, "quantity_unit": unit, "charge_owner_id": owner, "charge_code": f"{number}"},
            **{"energy_supplier_id": es, "is_tax": tax and kind == "tariff"},
        }
        values = st.tuples(thousandths.map(plain), st.none() | millionths.map(plain), st.none() | millionths.map(plain))
        rows = charge_rows(
            f"a{number}", draw(st.lists(values, min_size=1, max_size=5)), **charge, resolution=resolution
        )
        for index, row in enumerate(rows):
            row["quantity_qualities"] = draw(qualities)
            row["time"] = START + index * (timedelta(hours=1) if resolution == "PT1H" else timedelta(days=1))
        results.add(lake.AMOUNTS_PER_CHARGE, rows)
        monthly = monthly_rows(f"m{number}", draw(st.none() | millionths.map(plain)), **charge)
        results.add(lake.MONTHLY_AMOUNTS_PER_CHARGE, monthly)
        totals[es, owner if tax else None] = None
    for es, owner in totals:
        amount = draw(st.none() | millionths.map(plain))
        results.add(lake.TOTAL_MONTHLY_AMOUNTS, total_rows(f"t {es} {owner}", amount, owner, energy_supplier_id=es))
    return results


def expected_receivers(results: InMemoryResults, balance: bool) -> Counter[tuple[str, str, str]]:
    """The table of messages 1 once more, in its own words: (result id, receiver, role) of every series."""
    expected: Counter[tuple[str, str, str]] = Counter()
    seen: set[str] = set()
    for table, jobs in results.tables.items():
        for row in (row for rows in jobs.values() for row in rows):
            if row["result_id"] not in seen:
                seen.add(row["result_id"])
                expected.update((row["result_id"], *receiver) for receiver in _receivers(table, row, balance))
    return expected


def _receivers(table: str, row: dict[str, Any], balance: bool) -> list[tuple[str, str]]:
    es, brp, owner = (
        row.get(name) for name in ("energy_supplier_id", "balance_responsible_party_id", "charge_owner_id")
    )
    if table == lake.ENERGY:
        return [(OWNER, "MDR")] if row["time_series_type"] != "grid_loss" else []
    if table == lake.ENERGY_PER_BRP:
        return [(brp, "DDK")] if brp and balance else []
    if table == lake.ENERGY_PER_ES:
        return ([(es, "DDQ")] if es else []) + ([(brp, "DDK")] if brp and balance else [])
    if table == lake.EXCHANGE_PER_NEIGHBOR:
        return [(ESETT, "DDX")] if balance else []
    if es is None:
        return []
    operator = owner == SYSTEM_OPERATOR and not row.get("is_tax")
    if table == lake.TOTAL_MONTHLY_AMOUNTS:
        return [(es, "DDQ") if owner is None else ((SYSTEM_OPERATOR, "EZ") if operator else (OWNER, "DDM"))]
    return [(es, "DDQ"), (SYSTEM_OPERATOR, "EZ") if operator else (OWNER, "DDM")]


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
RELAXED = settings(max_examples=25, deadline=None, suppress_health_check=SLOW)


@needs_schemas
@RELAXED
@given(st.data())
def test_every_document_is_valid_and_says_the_same_in_both_forms(data: st.DataObject) -> None:
    balance = data.draw(st.booleans())
    results = data.draw(balance_results() if balance else wholesale_results())
    made = split_in_memory(splitting("D03") if balance else splitting("D32", "D01"), results)
    for line in made.lines:
        document = cim_json.parse(line.content)
        xml = cim_xml.render(document)
        name = DocumentName(line.message.document_type)
        assert json_errors(name, line.content) == []
        assert xml_errors(name, xml) == []
        assert cim_json.render(document).encode() == line.content
        assert flat_json(json.loads(line.content, parse_float=str, parse_int=str)) == flat_xml(etree.fromstring(xml))


def flat_json(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Every value of the JSON form with its path, boxes opened, in document order."""
    if isinstance(value, list):
        return [pair for one in value for pair in flat_json(one, path)]
    if not isinstance(value, dict):
        return [(path, value)]
    if "value" in value:
        return [(path, value["value"]), *((f"{path}@{name}", code) for name, code in value.items() if name != "value")]
    return [pair for name, one in value.items() for pair in flat_json(one, f"{path}/{name}")]


def flat_xml(element: Any, path: str = "") -> list[tuple[str, str]]:
    """Every value of the XML form with its path, in document order."""
    path = f"{path}/{etree.QName(element).localname}"
    if not len(element):
        attributes = [(f"{path}@{name}", value) for name, value in element.attrib.items()]
        return [(path, element.text or ""), *attributes]
    return [pair for child in element for pair in flat_xml(child, path)]


POINT_VALUES = {
    "quantity": "quantity",
    "energy_Quantity.quantity": "quantity",
    "price.amount": "price",
    "energySum_Quantity.quantity": "amount",
}


@RELAXED
@given(balance_results(), st.sampled_from(["D03", "D04", "D05", "D32"]))
def test_each_energy_row_reaches_exactly_its_receivers(results: InMemoryResults, process_type: str) -> None:
    variant = "D01" if process_type == "D32" else ""
    made = split_in_memory(splitting(process_type, variant), results)
    assert made.outcome.rejected == 0
    balance = process_type in ("D03", "D04")
    check_receivers(results, [line for line in made.lines if line.message.row != "energy-per-es-esett"], balance)
    check_sums_for_esett(results, [line for line in made.lines if line.message.row == "energy-per-es-esett"], balance)


@RELAXED
@given(wholesale_results(), st.sampled_from(["D05", "D32"]))
def test_each_amount_reaches_exactly_its_receivers(results: InMemoryResults, process_type: str) -> None:
    made = split_in_memory(splitting(process_type, "D01" if process_type == "D32" else ""), results)
    check_receivers(results, made.lines, balance=False)


def check_receivers(results: InMemoryResults, lines: list[Line], balance: bool) -> None:
    """The points at a receiver are the rows of the series that are meant for it, as a multiset; ids are unique."""
    expected: Counter[tuple[Any, ...]] = Counter()
    wanted = expected_receivers(results, balance)
    for jobs in results.tables.values():
        for row in (row for rows in jobs.values() for row in rows):
            for result_id, actor, role in wanted:
                if result_id == row["result_id"]:
                    expected[actor, role, *point_of_row(row)] += 1
    found: Counter[tuple[Any, ...]] = Counter()
    for line in lines:
        document = json.loads(line.content, parse_float=str, parse_int=str)
        for point in next(iter(document.values()))["Series"][0]["Period"]["Point"]:
            found[line.message.recipient, line.message.recipient_role, *point_of_document(point)] += 1
    assert found == expected
    assert len({line.message.message_id for line in lines}) == len(lines)


def point_of_row(row: dict[str, Any]) -> tuple[Decimal | None, ...]:
    amount = {"amount": row["amount"] or "0"} if "amount" in row else {}
    return tuple(number({**row, **amount}.get(name)) for name in ("quantity", "price", "amount"))


def point_of_document(point: dict[str, Any]) -> tuple[Decimal | None, ...]:
    values: dict[str, Any] = {POINT_VALUES[name]: value for name, value in point.items() if name in POINT_VALUES}
    price = values.get("price")
    return number(values.get("quantity")), number(price["value"] if price else None), number(values.get("amount"))


def number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def check_sums_for_esett(results: InMemoryResults, lines: list[Line], balance: bool) -> None:
    rows = [row for jobs in results.tables.get(lake.ENERGY_PER_ES, {}).values() for row in jobs] if balance else []
    found = [point_of_document(point)[0] for line in lines for point in json_points(line)]
    keys = {(row["energy_supplier_id"], row["time_series_type"], row["time"]) for row in rows}
    assert sum(value for value in found if value is not None) == sum(Decimal(row["quantity"] or 0) for row in rows)
    assert len(found) == len(keys)
    assert all((asdict(line.message)["recipient"], line.message.recipient_role) == (ESETT, "DDX") for line in lines)


def json_points(line: Line) -> list[dict[str, Any]]:
    document = json.loads(line.content, parse_float=str, parse_int=str)
    points: list[dict[str, Any]] = next(iter(document.values()))["Series"][0]["Period"]["Point"]
    return points
