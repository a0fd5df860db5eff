"""Rounding (energy 6, wholesale 4 and 5), with the formulas of the spec as they stand."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal

EXACT = Context(prec=80)
MILLI, MICRO = Decimal("0.001"), Decimal("0.000001")


def round3(value: Decimal) -> Decimal:
    return value.quantize(MILLI, rounding=ROUND_HALF_UP, context=EXACT)


def round6(value: Decimal) -> Decimal:
    return value.quantize(MICRO, rounding=ROUND_HALF_UP, context=EXACT)


def sum_keeping(q: Decimal, time: datetime) -> Decimal:
    """Energy 6: r = q; i times r = q − round3(r) + r; round3(r), i being the quarter of the hour."""
    r = q
    for _ in range(time.minute // 15):
        r = q - round3(r) + r
    return round3(r)
