"""Instants and local days as columns (README: instants in UTC, local time configurable)."""

from datetime import datetime

from pyspark.sql import Column
from pyspark.sql import functions as F


def instant(moment: datetime) -> Column:
    """An aware instant as a timestamp, whatever the machine's zone."""
    return F.timestamp_seconds(F.lit(int(moment.timestamp())))


def each_of(moments: list[datetime]) -> Column:
    """One row per instant; no instant, no row."""
    seconds = F.array(*[F.lit(int(moment.timestamp())) for moment in moments]).cast("array<bigint>")
    return F.explode(F.transform(seconds, F.timestamp_seconds))


def local_midnight(time: Column, time_zone: str) -> Column:
    """The beginning of the local day that an instant lies in; days of 23 and 25 hours are ordinary."""
    local_day = F.date_trunc("DAY", F.from_utc_timestamp(time, time_zone))
    return F.to_utc_timestamp(local_day, time_zone)
