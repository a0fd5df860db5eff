"""The grid areas that are known: rows of grid_area_owners that overlap the period (coordinator 3)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from functions.ports import Clock, ResultTables, Row
from shared.lake_layout import GRID_AREA_OWNERS

CACHED_FOR = timedelta(minutes=5)


@dataclass
class GridAreas:
    """Who owns which area when, read from the lake and kept for five minutes."""

    tables: ResultTables
    clock: Clock
    _rows: Sequence[Row] = ()
    _read_at: datetime | None = field(default=None)

    def owners(self) -> Sequence[Row]:
        """The rows of grid_area_owners, at most five minutes old."""
        now = self.clock.now()
        if self._read_at is None or not timedelta(0) <= now - self._read_at < CACHED_FOR:
            self._rows, self._read_at = self.tables.input_rows(GRID_AREA_OWNERS), now
        return self._rows

    def known(self, start: datetime, end: datetime) -> frozenset[str]:
        """The areas with an owner at some time in [start, end)."""
        return frozenset(
            str(row["grid_area_code"])
            for row in self.owners()
            if row["from_date"] < end and (row["to_date"] is None or row["to_date"] > start)
        )

    def owned_by(self, owner: str) -> frozenset[str]:
        """The areas that an actor owns now (messages 1: the row valid now)."""
        now = self.clock.now()
        return frozenset(
            str(row["grid_area_code"])
            for row in self.owners()
            if row["owner_id"] == owner and row["from_date"] <= now and (row["to_date"] is None or row["to_date"] > now)
        )
