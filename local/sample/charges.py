"""The charges of the sample: what the grid companies and the system operator ask for, and who pays what."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from local.sample.market import AREAS, END, OWNERS, SINCE, START, SYSTEM_OPERATOR, ZONE, MeteringPoint
from shared.danish_time import local_midnight, local_midnights, next_local_midnight

type Row = dict[str, Any]

SYSTEM_TARIFF = ("40000", "tariff", SYSTEM_OPERATOR)
FEED_IN_TARIFF = ("40010", "tariff", SYSTEM_OPERATOR)
ELECTRICITY_TAX = ("EA-001", "tariff", SYSTEM_OPERATOR)
GRID_TARIFFS = {area: ("NT-C", "tariff", OWNERS[area]) for area in AREAS}
SUBSCRIPTIONS = {area: ("AB-C", "subscription", OWNERS[area]) for area in AREAS}
READING_FEES = {area: ("GEB-1", "fee", OWNERS[area]) for area in AREAS}
PRICE_LIST = datetime(2024, 12, 31, 23, tzinfo=UTC)
FEE_DAY = local_midnight(date(2025, 10, 8), ZONE)
WINTER_PEAK, DAY, NIGHT = Decimal("0.412300"), Decimal("0.137400"), Decimal("0.091600")


def charge_price_information_periods() -> list[Row]:
    """Every charge with its resolution; the electricity tax is the only tax."""
    by_hour, by_day, by_month = "PT1H", "P1D", "P1M"
    charges = [(SYSTEM_TARIFF, by_day), (FEED_IN_TARIFF, by_day), (ELECTRICITY_TAX, by_day)]
    charges += [(charge, by_hour) for charge in GRID_TARIFFS.values()]
    charges += [(charge, by_month) for charge in (*SUBSCRIPTIONS.values(), *READING_FEES.values())]
    return [
        {**_key(charge), "resolution": resolution, "is_tax": charge == ELECTRICITY_TAX, "from_date": SINCE}
        for charge, resolution in charges
    ]


def charge_price_points() -> list[Row]:
    """Tariffs have a price at every hour or day of the month, the others that of the year's price list."""
    rows = []
    for day in local_midnights(START, END, ZONE):
        rows.append(_price(SYSTEM_TARIFF, day, Decimal("0.061000")))
        rows.append(_price(FEED_IN_TARIFF, day, Decimal("0.009000")))
        rows.append(_price(ELECTRICITY_TAX, day, Decimal("0.720000")))
    for area, charge in GRID_TARIFFS.items():
        level = Decimal(int(area) - 700) / 100
        hour = START
        while hour < END:
            rows.append(_price(charge, hour, _grid_price(hour) * level))
            hour += timedelta(hours=1)
    rows += [_price(charge, PRICE_LIST, Decimal("48.500000")) for charge in SUBSCRIPTIONS.values()]
    rows += [_price(charge, PRICE_LIST, Decimal("125.000000")) for charge in READING_FEES.values()]
    return rows


def charge_link_periods(points: list[MeteringPoint]) -> list[Row]:
    """Consumption pays all but the feed-in tariff, production that one; a few pay a fee for a reading on one day."""
    rows = []
    for point in {point.id: point for point in points}.values():
        if point.type == "E18":
            rows.append(_link(FEED_IN_TARIFF, point))
        elif point.type == "E17":
            charges = (SYSTEM_TARIFF, ELECTRICITY_TAX, GRID_TARIFFS[point.area], SUBSCRIPTIONS[point.area])
            rows += [_link(charge, point) for charge in charges]
            if point.method == "D01" and point.id[-2] == "3":
                fee = _link(READING_FEES[point.area], point)
                rows.append({**fee, "from_date": FEE_DAY, "to_date": next_local_midnight(FEE_DAY, ZONE)})
        elif point.type == "D14":
            rows.append(_link(ELECTRICITY_TAX, point))
    return rows


def _grid_price(hour: datetime) -> Decimal:
    local = hour.astimezone(ZONE).hour
    return WINTER_PEAK if 17 <= local < 21 else DAY if local >= 6 else NIGHT


def _key(charge: tuple[str, str, str]) -> Row:
    return dict(zip(("charge_code", "charge_type", "charge_owner_id"), charge, strict=True))


def _price(charge: tuple[str, str, str], time: datetime, price: Decimal) -> Row:
    return {**_key(charge), "charge_price": price, "charge_time": time}


def _link(charge: tuple[str, str, str], point: MeteringPoint) -> Row:
    return {**_key(charge), "metering_point_id": point.id, "quantity": 1, "from_date": SINCE}
