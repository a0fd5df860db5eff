"""Split a job in memory and look at what came out."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from functions.adapters.in_memory_lake import FakeClock, InMemoryLake
from functions.coordinator.receive_result import SplitOutcome, split
from functions.coordinator.record import JobRecord
from functions.messages.batch import Line, read_batch, read_rejected
from tests.support.results import InMemoryResults


@dataclass
class Split:
    """The outcome and the lake after a split."""

    outcome: SplitOutcome
    lake: InMemoryLake

    @property
    def lines(self) -> list[Line]:
        found = []
        for file in self.lake.list("outbox"):
            lines = read_batch(file.path.rpartition("/")[2].removesuffix(".jsonl.gz"), self.lake.read(file.path)[0])
            assert lines is not None
            found += lines
        return found

    def documents(self, **wanted: str) -> list[dict[str, Any]]:
        """The documents of the messages with these properties, as JSON; numbers as text."""
        return [
            json.loads(line.content, parse_float=str)
            for line in self.lines
            if all(getattr(line.message, name) == value for name, value in wanted.items())
        ]

    @property
    def receivers(self) -> list[tuple[str, str]]:
        return sorted((line.message.recipient, line.message.recipient_role) for line in self.lines)

    @property
    def rejected(self) -> list[dict[str, object]]:
        return [line for file in self.lake.list("rejected") for line in read_rejected(self.lake.read(file.path)[0])]


def split_in_memory(record: JobRecord, tables: InMemoryResults, lake: InMemoryLake | None = None) -> Split:
    clock = lake.clock if lake else FakeClock()
    lake = lake or InMemoryLake(clock)
    until = clock.now() + timedelta(hours=1)
    return Split(split(record, lake=lake, tables=tables, clock=clock, until=until), lake)
