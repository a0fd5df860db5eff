"""Instants and local days as columns (README: instants in UTC, local time configurable)."""

from datetime import UTC, datetime, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from shared.danish_time import format_instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(moment: datetime) -> Column:
    """An aware instant as a timestamp, whatever the machine's zone."""
    return F.timestamp_seconds(F.lit(int(moment.timestamp())))


def micros(moment: datetime) -> int:
    """An aware instant in microseconds since the epoch."""
    return int(moment.timestamp()) * 1_000_000


def as_instant(moment: int) -> datetime:
    """Microseconds since the epoch as an instant."""
    return _EPOCH + timedelta(microseconds=moment)


def written(moment: int) -> str:
    """Microseconds since the epoch as 2023-01-31T23:00:00Z."""
    return format_instant(as_instant(moment).replace(microsecond=0))


def local_midnight(time: Column, time_zone: str) -> Column:
    """The beginning of the local day that an instant lies in; days of 23 and 25 hours are ordinary."""
    local_day = F.date_trunc("DAY", F.from_utc_timestamp(time, time_zone))
    return F.to_utc_timestamp(local_day, time_zone)
