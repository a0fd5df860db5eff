"""What can go wrong, as one tree.

SettlementError
├── InvalidArguments   what the caller asked for is wrong; carries one (field, message) per wrong field
├── DataError          a rule of the domain is broken by the data; carries the rule and up to ten offending rows
└── JobSuperseded      a manifest of the same or a higher attempt is there already
"""

from collections.abc import Mapping, Sequence

ROWS_NAMED = 10


class SettlementError(Exception):
    """Base of every error that the product raises about its input."""


class InvalidArguments(SettlementError):
    """Arguments that break a rule; `fields` names every wrong one with what would be right."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("; ".join(f"{name}: {message}" for name, message in self.fields.items()))


class DataError(SettlementError):
    """A rule of the domain is broken by the input data; names the rule and up to ten offending rows."""

    def __init__(self, code: str, rule: str, rows: Sequence[str] = (), total: int | None = None) -> None:
        self.code = code
        self.rows = list(rows[:ROWS_NAMED])
        count = len(rows) if total is None else total
        more = f" (first {len(self.rows)} of {count})" if count > len(self.rows) else ""
        super().__init__(f"{rule}{more}: {'; '.join(self.rows)}" if self.rows else rule)


class JobSuperseded(SettlementError):
    """A manifest of the same or a higher attempt of this job exists: nothing may be touched."""
