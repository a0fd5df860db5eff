"""Series: rows by key, summed, with the set of qualities. A key is a tuple that ends in the time."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

Key = tuple[Any, ...]
Value = tuple[Decimal, frozenset[str]]
Series = dict[Key, Value]


def add(*values: Value) -> Value:
    """Sum of quantities, union of qualities."""
    return sum((value[0] for value in values), Decimal(0)), frozenset().union(*(value[1] for value in values))


def negated(value: Value) -> Value:
    return -value[0], value[1]


def total(items: Iterable[tuple[Key, Value]]) -> Series:
    """Everything under one key summed."""
    found: Series = {}
    for key, value in items:
        found[key] = add(found[key], value) if key in found else value
    return found


def regroup(series: Series, by: Callable[[Key], Key]) -> Series:
    return total((by(key), value) for key, value in series.items())


def rounded(series: Series, how: Callable[[Decimal, datetime], Decimal]) -> Series:
    return {key: (how(quantity, key[-1]), qualities) for key, (quantity, qualities) in series.items()}
