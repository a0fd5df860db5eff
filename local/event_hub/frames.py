"""AMQP frames: cut out of the byte stream, looked at, and padded for the Azure SDK's decoder (coordinator 7)."""

import struct
from collections.abc import Iterator

from local.event_hub import encoding

_UINT = struct.Struct(">I")
PROTOCOL_HEADER = b"AMQP"
_PROTOCOL_HEADER_SIZE = 8
_FRAME_HEADER_SIZE = 8
OPEN, ATTACH, TRANSFER = 0x10, 0x12, 0x14
_ROOM_FOR_PADDING = 64

# Fields of each performative. The SDK's decoder reads them by index, so trailing nulls must be spelled out to it.
FIELD_COUNT = {OPEN: 10, 0x11: 8, ATTACH: 14, 0x13: 11, TRANSFER: 11, 0x15: 6, 0x16: 3, 0x17: 1, 0x18: 1}


class FrameCutter:
    """Cuts a byte stream into whole frames; a protocol header ("AMQP" and four bytes) counts as one."""

    def __init__(self, max_frame_size: int | None = None) -> None:
        self._rest = b""
        self._max_frame_size = max_frame_size

    def cut(self, data: bytes) -> Iterator[bytes]:
        """The frames that are complete with `data`; Malformed for one smaller than its header or larger than agreed."""
        self._rest = self._rest + data if self._rest else data
        position = 0
        try:
            while len(self._rest) - position >= _FRAME_HEADER_SIZE:
                size = self._size(position)
                if position + size > len(self._rest):
                    break
                yield self._rest[position : position + size]
                position += size
        finally:
            self._rest = self._rest[position:]

    def _size(self, position: int) -> int:
        if self._rest.startswith(PROTOCOL_HEADER, position):
            return _PROTOCOL_HEADER_SIZE
        size = int(_UINT.unpack_from(self._rest, position)[0])
        if size < _FRAME_HEADER_SIZE or (self._max_frame_size and size > self._max_frame_size):
            raise encoding.Malformed(
                f"a frame of {size} bytes, where {_FRAME_HEADER_SIZE} to {self._max_frame_size} fit"
            )
        return size


def performative(frame: bytes) -> tuple[int, int] | None:
    """The code of the frame's performative and where its list begins; None for a header and an empty frame."""
    body = frame[4] * 4
    if frame.startswith(PROTOCOL_HEADER) or body >= len(frame):
        return None
    return encoding.described(frame, body)


def message_format(frame: bytes) -> int | None:
    """The message format of the delivery that this transfer frame begins; None in any other frame (part 2.7.5)."""
    found = performative(frame)
    if found is None or found[0] != TRANSFER:
        return None
    count, position = encoding.items(frame, found[1])
    if count < 4:
        return None
    for _ in ("handle", "delivery-id", "delivery-tag"):
        position = encoding.end_of(frame, position)
    return _uint(frame, position)


def _uint(data: bytes, position: int) -> int | None:
    encoding.end_of(data, position)  # Malformed when there is less
    match data[position]:
        case 0x43:
            return 0
        case 0x52:
            return data[position + 1]
        case 0x70:
            return int(_UINT.unpack_from(data, position + 1)[0])
    return None


def with_room_for_padding(frame: bytes) -> bytes:
    """The client's open frame asking for slightly smaller frames than it takes, so that padded ones fit; else as is."""
    found = performative(frame)
    if found is None or found[0] != OPEN:
        return frame
    count, position = encoding.items(frame, found[1])
    for _ in range(min(count, 2)):
        position = encoding.end_of(frame, position)
    if count < 3 or frame[position : position + 1] != b"\x70":
        return frame
    end = encoding.end_of(frame, position)
    size = int(_UINT.unpack_from(frame, position + 1)[0])
    return frame[: position + 1] + _UINT.pack(max(512, size - _ROOM_FOR_PADDING)) + frame[end:]


def padded(frame: bytes) -> bytes:
    """The same frame with every field of its performative present: what was left out at the end becomes null.

    It grows by less than 64 bytes, for which `with_room_for_padding` has made room.
    """
    found = performative(frame)
    if found is None or found[0] not in FIELD_COUNT:
        return frame
    code, start = found
    count, first = encoding.items(frame, start)
    missing = FIELD_COUNT[code] - count
    if missing <= 0:
        return frame
    end = encoding.end_of(frame, start)
    fields = frame[first:end] + b"\x40" * missing
    whole = frame[4:start] + _list(FIELD_COUNT[code], fields) + frame[end:]
    return _UINT.pack(len(whole) + 4) + whole


def _list(count: int, fields: bytes) -> bytes:
    if len(fields) < 255:
        return bytes([0xC0, len(fields) + 1, count]) + fields
    return encoding.listing(count, fields)
