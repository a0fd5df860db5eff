"""Time inside the calculation: slots, quarter hours counted from the start of the settled period.

A period begins and ends at whole hours, and metering point periods at local midnights, so every border is a slot.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from shared.codes import Resolution

QUARTER_MICROS = 15 * 60 * 1_000_000
HOUR_MICROS = 4 * QUARTER_MICROS
QUARTERS_OF_AN_HOUR = 4


@dataclass(frozen=True)
class Clock:
    """The settled period [start, end) and the resolution of its results."""

    start: datetime
    end: datetime
    resolution: Resolution
    time_zone: str

    @property
    def slots(self) -> int:
        """How many quarters the period has."""
        return (self.end - self.start) // timedelta(minutes=15)

    @property
    def step(self) -> int:
        """How many slots one result interval takes: 1 at PT15M, 4 at PT1H."""
        return 1 if self.resolution is Resolution.QUARTER else QUARTERS_OF_AN_HOUR

    @property
    def first_hour(self) -> int:
        """The UTC hour since the epoch in which the period begins."""
        return int(self.start.timestamp()) // 3600

    def slot_of(self, column: str) -> Column:
        """The slot that the instant in a column lies in."""
        return F.expr(
            f"cast((unix_micros({column}) - {int(self.start.timestamp()) * 1_000_000}) div {QUARTER_MICROS} as int)"
        )

    def time_of(self, slot: Column) -> Column:
        """The instant at which a slot begins."""
        return F.timestamp_seconds(F.lit(int(self.start.timestamp())) + slot.cast("bigint") * 900)

    def instant(self, slot: int) -> datetime:
        """The instant at which a slot begins."""
        return self.start.astimezone(UTC) + timedelta(minutes=15) * slot


def instant(moment: datetime) -> Column:
    """An aware instant as a timestamp, whatever the machine's zone."""
    return F.lit(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")).cast("timestamp")
