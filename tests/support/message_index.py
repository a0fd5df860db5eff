"""The index over sent messages in a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from functions.ports import Row
from shared.danish_time import format_instant


@dataclass
class InMemoryMessageIndex:
    rows: list[Row] = field(default_factory=list)

    def add(self, rows: Sequence[Row]) -> None:
        self.rows += [{**row, "month": row["sent_at"][:7]} for row in rows]

    def find(self, message_id: str) -> Row | None:
        found = self.search({"message_id": message_id}, after=None, limit=1)
        return found[0] if found else None

    def search(self, wanted: Mapping[str, str], *, after: tuple[str, str, int] | None, limit: int) -> Sequence[Row]:
        once: dict[str, Row] = {}
        for row in sorted(self.rows, key=lambda row: row["sent_at"]):
            if all(_holds(row, name, value) for name, value in wanted.items()):
                once.setdefault(row["message_id"], row)
        ordered = sorted(once.values(), key=_order)
        return [row for row in ordered if after is None or _order(row) > after][:limit]

    def tidy(self, keep_from: datetime | None) -> None:
        if keep_from is not None:
            self.rows = [row for row in self.rows if row["sent_at"] >= format_instant(keep_from)]


def _order(row: Row) -> tuple[str, str, int]:
    return row["job_id"], row["batch"], row["number"]


def _holds(row: Row, name: str, value: str) -> bool:
    match name:
        case "sent_from":
            return bool(row["sent_at"] >= value)
        case "sent_to":
            return bool(row["sent_at"] < value)
        case "period_from":
            return bool(row["period_end"] > value)
        case "period_to":
            return bool(row["period_start"] < value)
    return bool(row[name] == value)
