"""Monthly amount per charge, and totals per charge owner and per supplier (wholesale 6 and 7).

Of sums per series, which the client holds anyway: as many rows as there are series, added exactly.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal

from sparkjobs.wholesale.series import AmountKey, MonthlyKey, TotalKey

# Sums of decimal(38,6) are exact in it.
_EXACT = Context(prec=60)


def monthly_amounts_per_charge(amounts: Mapping[AmountKey, Decimal | None]) -> dict[MonthlyKey, Decimal | None]:
    """Per supplier, grid area and charge: the sum of the amounts, nulls ignored, null where all are null."""
    parts: dict[MonthlyKey, list[Decimal | None]] = defaultdict(list)
    for key, amount in amounts.items():
        monthly = MonthlyKey(key.grid_area_code, key.energy_supplier_id, key.quantity_unit, key.is_tax, *key.charge)
        parts[monthly].append(amount)
    return {key: exact_sum(of_key) for key, of_key in parts.items()}


def total_monthly_amounts(monthly: Mapping[MonthlyKey, Decimal | None]) -> dict[TotalKey, Decimal | None]:
    """Totals per charge owner and, without an owner, per supplier.

    An owner's total is N(co) + Σ T(o) over all tax owners o ≠ co: 100 of the grid company, tax 10 and tariff 5 of the
    system operator → grid company 110, system operator 5, supplier 115. Tax alone makes no row of its own.
    """
    of_supply: dict[tuple[str, str | None], list[tuple[MonthlyKey, Decimal | None]]] = defaultdict(list)
    for key, amount in monthly.items():
        of_supply[key.grid_area_code, key.energy_supplier_id].append((key, amount))
    totals: dict[TotalKey, Decimal | None] = {}
    for (area, supplier), amounts in of_supply.items():
        for owner in {key.charge_owner_id for key, _ in amounts if not key.is_tax}:
            totals[TotalKey(area, supplier, owner)] = exact_sum(
                amount for key, amount in amounts if key.is_tax != (key.charge_owner_id == owner)
            )
        totals[TotalKey(area, supplier, None)] = exact_sum(amount for _, amount in amounts)
    return totals


def exact_sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum, nulls ignored; null where all are null or there are none."""
    total = None
    for amount in amounts:
        if amount is not None:
            total = amount if total is None else _EXACT.add(total, amount)
    return total
