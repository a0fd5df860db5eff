"""Local days and months as UTC instants (spec: README; energy 1). Every instant is an aware datetime in UTC."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DEFAULT_TIME_ZONE = "Europe/Copenhagen"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)")


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant with an offset (`Z`, `+01:00` or `+0100`).

    Raises:
        ValueError: the text is no such instant; the message says what would be right.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"'{text}' is not an ISO 8601 instant with an offset, such as 2023-01-31T23:00:00Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"'{text}' is not a date and time that exists") from error


def format_instant(instant: datetime) -> str:
    """Write an instant as `2023-01-31T23:00:00Z`, with a fraction only where there is one."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The local day that an instant lies in."""
    return instant.astimezone(zone).date()


def is_local_midnight(instant: datetime, zone: ZoneInfo) -> bool:
    """Whether a local day begins at this instant."""
    return local_midnight(local_date(instant, zone), zone) == instant


def next_local_midnight(instant: datetime, zone: ZoneInfo) -> datetime:
    """The first local midnight after an instant."""
    return local_midnight(local_date(instant, zone) + timedelta(days=1), zone)


def local_midnights(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Every local midnight in [start, end): 23-, 24- and 25-hour days are ordinary."""
    first = start if is_local_midnight(start, zone) else next_local_midnight(start, zone)
    midnights = []
    while first < end:
        midnights.append(first)
        first = next_local_midnight(first, zone)
    return midnights


def next_local_month(instant: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the local month after the one that an instant lies in."""
    day = local_date(instant, zone)
    return local_midnight(date(day.year + day.month // 12, day.month % 12 + 1, 1), zone)


def is_local_month(start: datetime, end: datetime, zone: ZoneInfo) -> bool:
    """Whether [start, end) is exactly one local calendar month."""
    begins = is_local_midnight(start, zone) and local_date(start, zone).day == 1
    return begins and next_local_month(start, zone) == end
