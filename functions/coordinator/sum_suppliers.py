"""Series of an energy supplier summed over its balance responsibles, for eSett (messages 1)."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import add
from typing import Any, NamedTuple, cast

from shared.result_series import ResultSeries

_BRP = "balance_responsible_party_id"
Comparable = tuple[tuple[str, Any], ...]


def comparable(key: Mapping[str, Any]) -> Comparable:
    """A series' key as something that can be compared and put into sets."""
    return tuple(sorted(key.items()))


def without_brp(key: Mapping[str, Any]) -> dict[str, Any]:
    """The key of the sum that a series belongs to."""
    return {column: value for column, value in key.items() if column != _BRP}


@dataclass
class _Sum:
    """A sum under way. `values` are thousandths by point, None where every quantity so far was null."""

    left: int
    first: ResultSeries | None = None
    bad: bool = False
    times: Sequence[int] = ()
    values: list[int | None] = field(default_factory=list)
    qualities: bytes = b""


class Total(NamedTuple):
    """A finished sum. `alone`: it has one part, whose very columns it has; `bad`: one of its parts was rejected."""

    series: ResultSeries
    alone: bool
    bad: bool


class SupplierSums:
    """Adds up series; each sum comes out as soon as its last part is in, so that few are held at once.

    Args:
        parts: the series that will be added, without their points.
    """

    def __init__(self, parts: Iterable[ResultSeries]) -> None:
        self._open: dict[Comparable, _Sum] = {}
        for part in parts:
            key = comparable(without_brp(part.key))
            self._open.setdefault(key, _Sum(left=0)).left += 1

    def __contains__(self, key: Comparable) -> bool:
        return key in self._open

    def add(self, series: ResultSeries, *, bad: bool) -> Total | None:
        """Add a series; the sum when it was the last part, else None.

        Quantities are summed exactly, nulls ignored; qualities are the union. A bad sum has no points.
        """
        key = comparable(without_brp(series.key))
        total = self._open[key]
        total.left -= 1
        total.bad |= bad
        alone = total.first is None and total.left == 0
        total.first = total.first or series
        if not (alone or total.bad):
            _add(total, series)
        if total.left:
            return None
        del self._open[key]
        if alone:
            return Total(replace(series, key=without_brp(series.key)), alone=True, bad=total.bad)
        return Total(_finished(total, total.first), alone=False, bad=total.bad)


def _add(total: _Sum, series: ResultSeries) -> None:
    values = _thousandths(series.quantities)
    if not total.times:
        total.times, total.values, total.qualities = series.times, values, series.qualities
    elif total.times == series.times:
        total.values = _added(total.values, values)
        total.qualities = _united(total.qualities, series.qualities)
    else:
        _add_other_times(total, series, values)


def _add_other_times(total: _Sum, series: ResultSeries, values: list[int | None]) -> None:
    times = array("q", sorted({*total.times, *series.times}))
    old, new = (
        _spread(times, *one)
        for one in ((total.times, total.values, total.qualities), (series.times, values, series.qualities))
    )
    total.times, total.values, total.qualities = times, _added(old[0], new[0]), _united(old[1], new[1])


def _spread(
    times: Sequence[int], own: Sequence[int], values: list[int | None], qualities: bytes
) -> tuple[list[int | None], bytes]:
    """Values and qualities at more times than their own: nothing where they have none."""
    points = dict(zip(own, zip(values, qualities, strict=True), strict=True))
    found = [points.get(time, (None, 0)) for time in times]
    return [value for value, _ in found], bytes(bits for _, bits in found)


def _thousandths(quantities: Sequence[str | None]) -> list[int | None]:
    if None in quantities:
        return [None if text is None else int(text.replace(".", "")) for text in quantities]
    # One text for all: splitting it is several times faster than a call per point.
    return list(map(int, ",".join(cast("Sequence[str]", quantities)).replace(".", "").split(",")))


def _added(left: list[int | None], right: list[int | None]) -> list[int | None]:
    if None in left or None in right:
        pairs = zip(left, right, strict=True)
        return [a if b is None else b if a is None else a + b for a, b in pairs]
    return list(map(add, left, right))


def _united(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) | int.from_bytes(right)).to_bytes(len(left))


def _finished(total: _Sum, first: ResultSeries) -> ResultSeries:
    return replace(
        first,
        key=without_brp(first.key),
        times=total.times,
        quantities=[None if value is None else _decimal(value) for value in total.values],
        qualities=total.qualities,
    )


def _decimal(value: int) -> str:
    return f"{value // 1000}.{value % 1000:03}" if value >= 0 else f"-{-value // 1000}.{-value % 1000:03}"
