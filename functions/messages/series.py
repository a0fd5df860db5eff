"""From the rows of one series to the stretches that become messages, and the qualities of their points (messages 2)."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from functions.messages.errors import BadSeries
from shared.codes import QUALITY_BIT, Quality, Resolution
from shared.danish_time import is_local_midnight, local_date, local_midnight, next_local_month
from shared.result_series import UNKNOWN_QUALITY, ResultSeries

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = 60_000_000
_FIXED_STEPS = {Resolution.QUARTER: 15 * _MINUTE, Resolution.HOUR: 60 * _MINUTE}


@dataclass(frozen=True)
class Stretch:
    """Points `first` to `last` (exclusive) of a series that follow each other without a gap: one message."""

    first: int
    last: int
    start: datetime
    end: datetime


def stretches(times: Sequence[int], resolution: str, zone: ZoneInfo) -> list[Stretch]:
    """Cut a series where a step is not one resolution long; days and months by the local calendar.

    Args:
        times: sorted microseconds since 1970, UTC.
        resolution: PT15M, PT1H, P1D or P1M.
        zone: the market's time zone.

    Raises:
        BadSeries: an unknown resolution, a time twice, a time that begins no day, month or minute.
    """
    if resolution not in tuple(Resolution):
        raise BadSeries(f"'{resolution}' is no resolution of a series: PT15M, PT1H, P1D or P1M")
    kind = Resolution(resolution)
    if not times:
        return []
    try:
        step = _FIXED_STEPS.get(kind)
        if step and times[0] % _MINUTE == 0 and _is_grid(times, step):
            return [Stretch(0, len(times), _instant(times[0]), _instant(times[-1] + step))]
        return _cut(times, kind, zone)
    except OverflowError as error:
        raise BadSeries("a time of the series is in no year that a message can carry") from error


def _is_grid(times: Sequence[int], step: int) -> bool:
    count = len(times)
    if times[-1] - times[0] != (count - 1) * step:
        return False
    grid = _grid(times[0], step, count)
    return times == grid if isinstance(times, array) else list(times) == list(grid)


@lru_cache(maxsize=8)
def _grid(first: int, step: int, count: int) -> "array[int]":
    return array("q", range(first, first + count * step, step))


def _cut(times: Sequence[int], resolution: Resolution, zone: ZoneInfo) -> list[Stretch]:
    found: list[Stretch] = []
    first, expected = 0, times[0]
    for index, time in enumerate(times):
        if index and time == times[index - 1]:
            raise BadSeries(f"the time {_instant(time).isoformat()} is there twice")
        if time != expected:
            found.append(Stretch(first, index, _instant(times[first]), _instant(expected)))
            first = index
        expected = _next(time, resolution, zone)
    found.append(Stretch(first, len(times), _instant(times[first]), _instant(expected)))
    return found


def _next(time: int, resolution: Resolution, zone: ZoneInfo) -> int:
    """The time one resolution later; checks that a step of that resolution begins at `time` at all."""
    fixed = _FIXED_STEPS.get(resolution)
    instant = _instant(time)
    if fixed:
        if time % _MINUTE:
            raise BadSeries(f"the time {instant.isoformat()} is no whole minute")
        return time + fixed
    if not is_local_midnight(instant, zone):
        raise BadSeries(f"the time {instant.isoformat()} begins no local day ({zone.key})")
    day = local_date(instant, zone)
    if resolution is Resolution.DAY:
        return _microseconds(local_midnight(day + timedelta(days=1), zone))
    if day.day != 1:
        raise BadSeries(f"the time {instant.isoformat()} begins no local calendar month ({zone.key})")
    return _microseconds(next_local_month(instant, zone))


def _instant(time: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time)


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


_MISSING, _ESTIMATED = QUALITY_BIT[Quality.MISSING], QUALITY_BIT[Quality.ESTIMATED]
_MEASURED, _CALCULATED = QUALITY_BIT[Quality.MEASURED], QUALITY_BIT[Quality.CALCULATED]
NO_VALUE, MISSING, ESTIMATED, CALCULATED = "A02", "A05", "A03", "A06"


def _energy_code(qualities: int) -> str | None:
    if not qualities:
        return NO_VALUE
    if qualities & _MISSING:
        return MISSING
    if qualities & _ESTIMATED:
        return ESTIMATED
    return None if qualities & _MEASURED else CALCULATED


def _amount_code(qualities: int) -> str:
    if not qualities:
        return NO_VALUE
    return MISSING if qualities & _MISSING else CALCULATED


ENERGY_QUALITIES = tuple(_energy_code(qualities) for qualities in range(UNKNOWN_QUALITY))
"""Code of an energy point by its set of qualities (bits); None: omitted, which means A04."""
AMOUNT_QUALITIES = tuple(_amount_code(qualities) for qualities in range(UNKNOWN_QUALITY))
"""Code of an amount of a tariff by its set of qualities; a null price, subscriptions and fees decide for themselves."""
_KNOWN = bytes(range(UNKNOWN_QUALITY))


def check_qualities(series: ResultSeries) -> None:
    """Raise BadSeries when a point has a quality that the list does not know."""
    if series.qualities.translate(None, _KNOWN):
        raise BadSeries(f"a quality is none of {', '.join(Quality)}")
