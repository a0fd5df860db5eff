"""Children, links, prices and amounts per charge (wholesale 1 to 5), as they are written."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tests.support.oracle.model import HOUR, Arguments, Row, RuleBroken, local_day, midnight_of, steps
from tests.support.oracle.points import Point
from tests.support.oracle.reading import charge_of
from tests.support.oracle.rounding import EXACT, round3, round6
from tests.support.oracle.series import Value, add

PARENT_TYPES = ("E17", "E18")
LARGEST_QUANTITY, LARGEST_AMOUNT = Decimal("999999999999999.999"), Decimal("999999999999.999999")
TYPE_NAMES = {
    "E17": "consumption",
    "E18": "production",
    "D01": "ve_production",
    "D05": "net_production",
    "D06": "supply_to_grid",
    "D07": "consumption_from_grid",
    "D08": "wholesale_services_information",
    "D09": "own_production",
    "D10": "net_from_grid",
    "D11": "net_to_grid",
    "D12": "total_consumption",
    "D14": "electrical_heating",
    "D15": "net_consumption",
    "D19": "capacity_settlement",
}
METHOD_NAMES = {"D01": "flex", "E02": "non_profiled", None: None}


def with_supplier_of_parent(periods: list[Row]) -> list[Row]:
    """Parents and exchange as they are; a child once per period of its parent that it overlaps (wholesale 1)."""
    found = [row for row in periods if row["type"] in (*PARENT_TYPES, "E20")]
    children = [row for row in periods if row["type"] not in (*PARENT_TYPES, "E20")]
    for child in children:
        for parent in periods:
            is_parent = parent["type"] in PARENT_TYPES and parent["grid_area_code"] == child["grid_area_code"]
            if is_parent and parent["metering_point_id"] == child["parent_metering_point_id"]:
                begins = max(child["from_date"], parent["from_date"])
                ends = min(child["to_date"], parent["to_date"])
                if begins < ends:
                    supplier = {
                        "energy_supplier_id": parent["energy_supplier_id"],
                        "balance_responsible_party_id": None,
                    }
                    found.append({**child, **supplier, "from_date": begins, "to_date": ends})
    return found


@dataclass(frozen=True)
class Link:
    """A charge link cut with one metering point period that it overlaps (wholesale 2)."""

    charge: tuple[str, str, str]
    factor: int
    period: Row
    begins: datetime
    ends: datetime


def cut_links(links: list[Row], periods: list[Row]) -> list[Link]:
    found = []
    for link in links:
        for period in periods:
            if period["type"] == "E20" or period["metering_point_id"] != link["metering_point_id"]:
                continue
            begins, ends = max(link["from_date"], period["from_date"]), min(link["to_date"], period["to_date"])
            if begins < ends:
                found.append(Link(charge_of(link), link["quantity"], period, begins, ends))
    return found


class Energies:
    """Energy of each metering point by the UTC hour and by the local day (wholesale 3)."""

    def __init__(self, points: list[Point], arguments: Arguments) -> None:
        self._sums: dict[tuple[str, str, datetime], Value] = {}
        for point in points:
            hour = point.time.replace(minute=0)
            day = midnight_of(local_day(point.time, arguments.zone), arguments.zone)
            for resolution, time in (("PT1H", hour), ("P1D", day)):
                key = (point.period["metering_point_id"], resolution, time)
                value = (point.quantity, point.qualities)
                self._sums[key] = add(self._sums[key], value) if key in self._sums else value

    def of(self, metering_point_id: str, resolution: str, time: datetime) -> Value | None:
        return self._sums.get((metering_point_id, resolution, time))


def tariff_amounts(
    periods: list[Row], links: list[Link], prices: list[Row], energies: Energies, arguments: Arguments
) -> list[Row]:
    """Wholesale 3: price exactly at the time, else null; the factor is ignored."""
    price_at = {(charge_of(row), row["charge_time"]): row["charge_price"] for row in prices}
    groups: dict[tuple[object, ...], list[Value]] = defaultdict(list)
    for period in periods:
        charge, resolution = charge_of(period), period["resolution"]
        times = arguments.midnights() if resolution == "P1D" else _utc_hours(arguments)
        for time in times:
            if not period["from_date"] <= time < period["to_date"]:
                continue
            for link in links:
                if link.charge != charge or not link.begins <= time < link.ends:
                    continue
                energy = energies.of(link.period["metering_point_id"], resolution, time)
                if energy:
                    price = price_at.get((charge, time))
                    groups[_group(period, link, time, resolution, price)].append(energy)
    return [_amount_row(group, *add(*values), "kWh") for group, values in groups.items()]


def _utc_hours(arguments: Arguments) -> list[datetime]:
    return steps(arguments.period_start, arguments.period_end, HOUR)


def daily_charge_amounts(periods: list[Row], links: list[Link], prices: list[Row], arguments: Arguments) -> list[Row]:
    """Wholesale 4: newest price inside the same charge period; subscriptions by the day; the factors add up."""
    midnights = arguments.midnights()
    groups: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for period in periods:
        for time in midnights:
            if not period["from_date"] <= time < period["to_date"]:
                continue
            price = _newest_price(period, time, prices)
            if period["charge_type"] == "subscription" and price is not None:
                price = round6(EXACT.divide(price, Decimal(len(midnights))))
            for link in links:
                if link.charge == charge_of(period) and link.begins <= time < link.ends:
                    groups[_group(period, link, time, "P1D", price)] += link.factor
    return [_amount_row(group, quantity, None, "pcs") for group, quantity in groups.items()]


def _newest_price(period: Row, time: datetime, prices: list[Row]) -> Decimal | None:
    inside = [
        row
        for row in prices
        if charge_of(row) == charge_of(period) and period["whole_from"] <= row["charge_time"] <= time
    ]
    return max(inside, key=lambda row: row["charge_time"])["charge_price"] if inside else None


GROUP = (
    *("charge_code", "charge_owner_id", "charge_type", "grid_area_code", "energy_supplier_id", "time"),
    *("metering_point_type", "settlement_method", "resolution", "is_tax", "price"),
)


def _group(period: Row, link: Link, time: datetime, resolution: str, price: Decimal | None) -> tuple[object, ...]:
    mp = link.period
    kind = TYPE_NAMES[mp["type"]], METHOD_NAMES[mp["settlement_method"]]
    place = mp["grid_area_code"], mp["energy_supplier_id"]
    return (*charge_of(period), *place, time, *kind, resolution, period["is_tax"], price)


def _amount_row(group: tuple[object, ...], quantity: Decimal, qualities: frozenset[str] | None, unit: str) -> Row:
    row: Row = dict(zip(GROUP, group, strict=True))
    row["quantity"] = round3(quantity)
    row["quantity_unit"] = unit
    row["quantity_qualities"] = None if qualities is None else sorted(qualities)
    price = row["price"]
    row["amount"] = None if price is None else round6(EXACT.multiply(row["quantity"], price))
    if abs(row["quantity"]) > LARGEST_QUANTITY or abs(row["amount"] or Decimal(0)) > LARGEST_AMOUNT:
        raise RuleBroken("quantity or amount beyond its decimal", [row])
    return row
