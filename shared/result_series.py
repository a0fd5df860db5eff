"""One series of a result table as columns: what the reader of results hands to the makers of messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ResultSeries:
    """One whole series of a result table as columns, sorted by time (energy 11: all rows of one result_id).

    Columns rather than rows, because a month of quarters is 2 976 points: `key` holds what is the same in all of them
    (every column but time, quantity, quality, price and amount), the others have one entry per point.
    """

    result_id: str
    key: Mapping[str, Any]
    times: Sequence[int]
    """Microseconds since 1970 in UTC; repeated where the table holds a time twice."""
    quantities: Sequence[str | None] = ()
    """kWh or pieces as stored, 3 decimals; empty where the table has no such column, as the three below."""
    qualities: bytes = b""
    """The set of qualities per point, bits of codes.QUALITY_BIT; UNKNOWN_QUALITY where one is not in the list."""
    prices: Sequence[str | None] = ()
    amounts: Sequence[str | None] = ()


UNKNOWN_QUALITY = 16
