"""Exact numbers of the charges: whole milli-kWh and decimals, rounded half up, away from zero (wholesale 4 and 5).

Every decimal that leaves an expression is cast: the engines give intermediate decimals different scales. A value beyond
its decimal becomes null here, which `checks` finds and names; it is never cut or wrapped.
"""

from decimal import Decimal

from pyspark.sql import Column
from pyspark.sql import functions as F

_MILLI = Decimal("0.001")
_QUANTITY_LIMIT = 10**18  # in milli units: decimal(18,3) holds what is below
_HALF = 31
_AMOUNT_LIMIT = 10**12  # in DKK: decimal(18,6) holds what is below


def quantity(milli: Column) -> Column:
    """Thousandths (bigint) as decimal(18,3); null beyond it."""
    exact = (milli.cast("decimal(19,0)") * F.lit(_MILLI)).cast("decimal(22,3)")
    return F.when(F.abs(milli) < F.lit(_QUANTITY_LIMIT), exact).cast("decimal(18,3)")


def exact_sum(whole: Column) -> Column:
    """The sum of longs; null from 2⁶¹ on, never wrapped: that is beyond decimal(18,3) anyway.

    The upper and the lower 31 bits are summed apart, since a sum of longs wraps silently on one engine and ends the
    query on the other, and try_sum costs five times as much on the first.
    """
    upper, lower = F.sum(F.shiftright(whole, _HALF)), F.sum(whole.bitwiseAND(F.lit(2**_HALF - 1)))
    fits = (F.abs(upper) < F.lit(2**30)) & (lower < F.lit(2**61))
    return F.when(fits, upper * F.lit(2**_HALF) + lower)


def amount(quantity: Column, price: Column) -> Column:
    """decimal(18,3) × decimal(18,6) → decimal(18,6), null beyond it: 4.003 × 0.123456 = 0.494194368 → 0.494194."""
    return money(F.round((quantity * price).cast("decimal(37,9)"), 6))


def money(exact: Column) -> Column:
    """A sum of amounts as decimal(18,6); null beyond it."""
    return F.when(F.abs(exact) < F.lit(_AMOUNT_LIMIT), exact).cast("decimal(18,6)")


def price_per_day(price: Decimal, days: int) -> Decimal:
    """A monthly price, decimal(18,6), divided by the days of the period: 100.10 in 31 days → 3.229032.

    In whole micro-DKK, so that nothing is rounded twice: m → sgn(m) · ((2·|m| + days) div (2·days)).

    >>> price_per_day(Decimal("100.10"), 31)
    Decimal('3.229032')
    """
    micro = int(price.scaleb(6))
    rounded = (2 * abs(micro) + days) // (2 * days)
    return Decimal(rounded if micro >= 0 else -rounded).scaleb(-6)


def fits_money(amount: Decimal) -> bool:
    """Whether decimal(18,6) holds a sum of amounts."""
    return abs(amount) < _AMOUNT_LIMIT
