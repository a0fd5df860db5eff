"""One partition as an append-only file that outlives the process.

The file is a row of batches: a head (length and CRC-32 of the rest, enqueued time in ms, count of events), then each
event as its length and its bytes. A batch is handed to the operating system whole before it is accepted, so `kill -9`
loses nothing accepted; what a kill cut short at the end of the file was never accepted, and the next start cuts it off.
Not written through to the disk: a power failure is outside what the stand-in promises.
An event's offset is its position in the file.
"""

import logging
import mmap
import os
import struct
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from local.event_hub.events import Place

logger = logging.getLogger(__name__)
_HEAD = struct.Struct(">IIQI")
_SIZE = struct.Struct(">I")
By = Literal["sequence_number", "offset", "enqueued"]


class PartitionLog:
    """Appends batches and reads single events. Sequence numbers count from 0 and have no gaps."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._offsets = array("Q")
        self._sizes = array("I")
        self._enqueued = array("Q")
        self._end = 0
        self._recover()

    def __len__(self) -> int:
        return len(self._offsets)

    def append(self, events: Sequence[bytes], now_ms: int) -> None:
        """Keeps a batch whole or, with OSError (a full disk), not at all. Enqueued times never go back."""
        enqueued = max(now_ms, self._enqueued[-1] if self._enqueued else 0)
        body = b"".join(part for event in events for part in (_SIZE.pack(len(event)), event))
        head = _HEAD.pack(len(body), zlib.crc32(body), enqueued, len(events))
        try:
            self._write(head + body)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._index(body, enqueued, len(events))

    def read(self, sequence_number: int) -> bytes:
        """The bytes of one event, as they were appended."""
        return os.pread(self._file, self._sizes[sequence_number], self._offsets[sequence_number])

    def place(self, sequence_number: int) -> Place:
        """Where an event stands."""
        return Place(sequence_number, self._offsets[sequence_number], self._enqueued[sequence_number])

    def first_after(self, by: By, value: int, *, inclusive: bool) -> int:
        """The sequence number of the first event whose `by` is greater than `value` (or equal, when inclusive)."""
        if by == "sequence_number":
            return max(0, min(len(self), value if inclusive else value + 1))
        column = self._offsets if by == "offset" else self._enqueued
        return (bisect_left if inclusive else bisect_right)(column, value)

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._file)

    def _write(self, record: bytes) -> None:
        rest = memoryview(record)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def _index(self, body: bytes, enqueued: int, count: int) -> None:
        position = 0
        start = self._end + _HEAD.size
        for _ in range(count):
            size = _SIZE.unpack_from(body, position)[0]
            self._offsets.append(start + position + _SIZE.size)
            self._sizes.append(size)
            self._enqueued.append(enqueued)
            position += _SIZE.size + size
        self._end = start + len(body)

    def _recover(self) -> None:
        size = os.fstat(self._file).st_size
        if size == 0:
            return
        with mmap.mmap(self._file, size, access=mmap.ACCESS_READ) as content:
            while self._end + _HEAD.size <= size:
                length, checksum, enqueued, count = _HEAD.unpack_from(content, self._end)
                start = self._end + _HEAD.size
                body = content[start : start + length]
                if len(body) < length or zlib.crc32(body) != checksum:
                    break
                self._index(body, enqueued, count)
        if self._end < size:
            logger.warning("cut %d bytes that were never accepted off the end of %s", size - self._end, self._path)
            os.ftruncate(self._file, self._end)
