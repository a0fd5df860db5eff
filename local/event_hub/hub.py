"""The hub: its partitions, who reads them, and what is known about it across restarts."""

import fcntl
import json
import os
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from local.event_hub.partition_log import PartitionLog


class HubInUse(Exception):
    """Another process serves the same state folder."""


class PartitionCountFixed(Exception):
    """The hub exists already with another number of partitions."""


class Refused(Exception):
    """A link that cannot be attached; `condition` is the AMQP error for it."""

    condition = "amqp:not-allowed"


class Stolen(Refused):
    """Another reader owns the partition."""

    condition = "amqp:link:stolen"


class Reader(Protocol):
    """A receiver link on a partition. `epoch` is its owner level, None for one that shares the partition."""

    group: str
    epoch: int | None

    def wake(self) -> None:
        """There are new events."""

    def disconnect(self, condition: str, description: str) -> None:
        """Another reader took the partition over."""


class Partition:
    """A log and its readers. One reader with an owner level excludes all of its group with a lower one or none."""

    def __init__(self, partition_id: str, log: PartitionLog) -> None:
        self.id = partition_id
        self.log = log
        self._readers: set[Reader] = set()

    def append(self, events: Sequence[bytes]) -> None:
        """Keeps the events of one delivery and wakes the readers; OSError when they cannot be kept."""
        self.log.append(events, time.time_ns() // 1_000_000)
        for reader in list(self._readers):
            reader.wake()

    def admit(self, reader: Reader) -> None:
        """Lets a reader in; Stolen when its group has a reader with a higher owner level."""
        others = [other for other in self._readers if other.group == reader.group]
        highest = max((other.epoch for other in others if other.epoch is not None), default=None)
        if highest is not None and (reader.epoch is None or reader.epoch < highest):
            raise Stolen(f"a receiver with the owner level {highest} reads partition {self.id} of group {reader.group}")
        if reader.epoch is not None:
            for other in others:
                self.leave(other)
                other.disconnect("amqp:link:stolen", f"a receiver with the owner level {reader.epoch} took over")
        self._readers.add(reader)

    def leave(self, reader: Reader) -> None:
        """A reader that is no longer there."""
        self._readers.discard(reader)


class Hub:
    """One event hub in a state folder that only one process may hold. The partition count is fixed when it is made."""

    def __init__(self, state: Path, name: str, *, partitions: int | None, max_message_size: int) -> None:
        self.name = name
        self.max_message_size = max_message_size
        folder = state / name
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise HubInUse(f"another process serves {folder}: end it, or choose another --state") from None
        try:
            count, self.created = _known(folder / "hub.json", partitions)
        except PartitionCountFixed:
            os.close(self._lock)
            raise
        self.partitions = {str(i): Partition(str(i), PartitionLog(folder / f"{i}.log")) for i in range(count)}
        self._turn = 0

    def partition_for(self, key: str | None) -> Partition:
        """The partition of a key (always the same one), or the next in turn when there is no key."""
        if key is None:
            self._turn += 1
        number = self._turn if key is None else zlib.crc32(key.encode())
        return self.partitions[str(number % len(self.partitions))]

    def address_of(self, partition: Partition | None) -> str:
        """The target address of a partition, or of the whole hub."""
        return self.name if partition is None else f"{self.name}/Partitions/{partition.id}"

    def close(self) -> None:
        """Gives the files and the folder back."""
        for partition in self.partitions.values():
            partition.log.close()
        os.close(self._lock)


def _known(path: Path, partitions: int | None) -> tuple[int, int]:
    """Partition count and time of creation (ms), kept from the first start on."""
    if path.exists():
        known = json.loads(path.read_text())
        if partitions not in (None, known["partitions"]):
            raise PartitionCountFixed(
                f"the hub in {path.parent} has {known['partitions']} partitions, not {partitions}"
            )
        return int(known["partitions"]), int(known["created"])
    known = {"partitions": partitions or 4, "created": time.time_ns() // 1_000_000}
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(known))
    draft.replace(path)
    return int(known["partitions"]), int(known["created"])
