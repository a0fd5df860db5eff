"""Series of an energy supplier summed over its balance responsibles, for eSett (messages 1)."""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

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
    """A sum under way: quantities in thousandths, None in `known` where every one so far was null."""

    left: int
    first: ResultSeries | None = None
    bad: bool = False
    points: dict[int, tuple[int | None, int]] = field(default_factory=dict)


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

    def add(self, series: ResultSeries, *, bad: bool) -> ResultSeries | None:
        """Add a series; the sum when it was the last part and none was bad, else None.

        A sum of one series has its very columns. Quantities are summed exactly, nulls ignored; qualities are the union.
        """
        key = comparable(without_brp(series.key))
        total = self._open[key]
        total.left -= 1
        total.bad |= bad
        alone = total.first is None and total.left == 0
        total.first = total.first or series
        if not (alone or total.bad):
            _add(total.points, series)
        if total.left:
            return None
        del self._open[key]
        if total.bad:
            return None
        if alone:
            return replace(series, key=without_brp(series.key))
        return _finished(total)


def _add(points: dict[int, tuple[int | None, int]], series: ResultSeries) -> None:
    for time, text, qualities in zip(series.times, series.quantities, series.qualities, strict=True):
        value = None if text is None else int(text.replace(".", ""))
        known, before = points.get(time, (None, 0))
        points[time] = (known if value is None else value + (known or 0), before | qualities)


def _finished(total: _Sum) -> ResultSeries:
    assert total.first is not None  # noqa: S101 - a sum is finished by its last part
    points = sorted(total.points.items())
    return replace(
        total.first,
        key=without_brp(total.first.key),
        times=array("q", (time for time, _ in points)),
        quantities=[_thousandths(value) for _, (value, _) in points],
        qualities=bytes(qualities for _, (_, qualities) in points),
    )


def _thousandths(value: int | None) -> str | None:
    if value is None:
        return None
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value) // 1000}.{abs(value) % 1000:03}"
