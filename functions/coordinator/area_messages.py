"""The messages of a grid area while it is split: packed, in a temporary file, with what they are sorted by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import IO, Any, NamedTuple
from zoneinfo import ZoneInfo

from functions.messages import cim_json
from functions.messages.actors import Actors
from functions.messages.batch import Message, Points, pack_line
from functions.messages.recipients import Receiver, Rule, rules_for
from shared.codes import ProcessType
from shared.result_series import ResultSeries


@dataclass(frozen=True, kw_only=True)
class SplitJob:
    """What splitting knows of the job; `created` is its splitAt in whole seconds, `predecessors` by grid area."""

    job_id: str
    attempt: int
    process_type: ProcessType
    correction: str | None
    version: str
    created: datetime
    time_zone: str
    actors: Actors
    predecessors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The market's time zone."""
        return ZoneInfo(self.time_zone)

    def rules(self, table: str) -> tuple[Rule, ...]:
        """The rows of the receiver table for one result, eSett's only when it is switched on."""
        rules = rules_for(table, self.process_type)
        if self.actors.esett_id:
            return rules
        return tuple(rule for rule in rules if rule.receiver is not Receiver.ESETT)


class Entry(NamedTuple):
    """One message in the spool: where it stands and what it is sorted by."""

    recipient: str
    role: str
    number: int
    offset: int
    length: int
    size: int
    head_length: int


@dataclass
class AreaSplit:
    """What has been made of a grid area so far: packed lines in the spool, series to reject, and counts."""

    grid_area: str
    spool: IO[bytes]
    entries: list[Entry] = field(default_factory=list)
    rejected: list[dict[str, object]] = field(default_factory=list)
    without_receiver: int = 0
    position: int = 0

    def add(self, message: Message, document: cim_json.CimJson, points: Points) -> None:
        """Put a message into the spool."""
        head, packed, size = pack_line(message, document, points)
        self.spool.write(head)
        self.spool.write(packed)
        self.entries.append(
            Entry(
                message.recipient,
                message.recipient_role,
                len(self.entries),
                self.position,
                len(packed),
                size,
                len(head),
            )
        )
        self.position += len(head) + len(packed)

    def read(self, entry: Entry) -> tuple[bytes, bytes]:
        """Head and packed line of an entry."""
        self.spool.seek(entry.offset)
        return self.spool.read(entry.head_length), self.spool.read(entry.length)

    def reject(self, table: str, rule: Rule | None, series: ResultSeries, reason: str) -> None:
        """Note a series, or one row of the receiver table for it, that can never be sent; the same fault once."""
        last = self.rejected[-1] if self.rejected else {}
        if (last.get("resultId"), last.get("reason")) == (series.result_id, reason):
            return
        self.rejected.append(
            {
                "gridArea": self.grid_area,
                "table": table,
                "row": rule.name if rule else None,
                "resultId": series.result_id,
                "key": dict(series.key),
                "reason": reason,
            }
        )
