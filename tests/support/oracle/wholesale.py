"""The wholesale results (wholesale 1 to 7) as rows of the result tables, without ids."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from tests.support.oracle import charges
from tests.support.oracle.model import Arguments, Row, RuleBroken
from tests.support.oracle.points import Point, expected_points

Amount = Decimal | None


def settle_charges(
    periods: list[Row],
    points: list[Row],
    grid_loss: tuple[set[str], list[Point]],
    links: list[Row],
    charge_periods: list[Row],
    prices: list[Row],
    arguments: Arguments,
) -> dict[str, list[Row]]:
    """`periods` after wholesale 1; `grid_loss` the ids and the calculated points (energy 10)."""
    grid_loss_ids, grid_loss_points = grid_loss
    metered = [row for row in periods if row["metering_point_id"] not in grid_loss_ids and row["type"] != "E20"]
    energies = charges.Energies([*expected_points(metered, points), *grid_loss_points], arguments)
    cut = charges.cut_links(links, periods)
    tariffs = [row for row in charge_periods if row["charge_type"] == "tariff"]
    others = [row for row in charge_periods if row["charge_type"] != "tariff"]
    amounts = charges.tariff_amounts(tariffs, cut, prices, energies, arguments)
    amounts += charges.daily_charge_amounts(others, cut, prices, arguments)
    monthly = monthly_amounts(amounts, arguments)
    return {
        "amounts_per_charge": amounts,
        "monthly_amounts_per_charge": monthly,
        "total_monthly_amounts": [*totals_per_owner(monthly, arguments), *totals_per_supplier(monthly, arguments)],
    }


def total(amounts: Iterable[Amount], of: object) -> Amount:
    """Nulls ignored, null if all are null."""
    known = [amount for amount in amounts if amount is not None]
    summed = sum(known, Decimal(0)) if known else None
    if summed is not None and abs(summed) > charges.LARGEST_AMOUNT:
        raise RuleBroken("amount beyond its decimal", [of, summed])
    return summed


MONTHLY = ("energy_supplier_id", "grid_area_code", "charge_code", "charge_owner_id", "charge_type")
MONTHLY += ("quantity_unit", "is_tax")


def monthly_amounts(rows: list[Row], arguments: Arguments) -> list[Row]:
    """Wholesale 6."""
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in MONTHLY)].append(row["amount"])
    return [
        dict(zip(MONTHLY, group, strict=True)) | {"time": arguments.period_start, "amount": total(amounts, group)}
        for group, amounts in groups.items()
    ]


def _by_area_and_supplier(rows: list[Row]) -> dict[tuple[str, str | None], list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[row["grid_area_code"], row["energy_supplier_id"]].append(row)
    return groups


def _total_row(group: tuple[str, str | None], owner: str | None, amount: Amount, arguments: Arguments) -> Row:
    place = dict(zip(("grid_area_code", "energy_supplier_id"), group, strict=True))
    return place | {"time": arguments.period_start, "amount": amount, "charge_owner_id": owner}


def totals_per_owner(monthly: list[Row], arguments: Arguments) -> list[Row]:
    """N(co) + Σ T(o), o ≠ co, for every co with non-tax charges (wholesale 7)."""
    found = []
    for group, rows in _by_area_and_supplier(monthly).items():
        owners = {row["charge_owner_id"] for row in rows if not row["is_tax"]}
        for owner in owners:
            own = [row["amount"] for row in rows if row["charge_owner_id"] == owner and not row["is_tax"]]
            tax = [row["amount"] for row in rows if row["charge_owner_id"] != owner and row["is_tax"]]
            found.append(_total_row(group, owner, total(own + tax, group), arguments))
    return found


def totals_per_supplier(monthly: list[Row], arguments: Arguments) -> list[Row]:
    """Everything summed, owner null (wholesale 7)."""
    groups = _by_area_and_supplier(monthly)
    return [
        _total_row(group, None, total((row["amount"] for row in rows), group), arguments)
        for group, rows in groups.items()
    ]
