"""The part of AMQP 1.0's type encoding that the hub needs: walking over values without decoding them.

Events are stored and sent on as the bytes that the sender made, so only sizes, section codes and a few keys are ever
looked at (AMQP 1.0, parts 1.6 and 3.2).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_UINT = struct.Struct(">I")
_ULONG = struct.Struct(">Q")
_LONG = struct.Struct(">q")

DESCRIBED = 0x00
_SMALL_ULONG = 0x53

# Width of a value by the upper half of its constructor; variable and compound values carry a size of 1 or 4 bytes.
_FIXED_WIDTH = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
_SIZE_OF_1 = (0xA, 0xC, 0xE)
_SIZE_OF_4 = (0xB, 0xD, 0xF)
_TEXT_OF_1 = (b"\xa0", b"\xa1", b"\xa3")
_TEXT_OF_4 = (b"\xb0", b"\xb1", b"\xb3")


class Malformed(ValueError):
    """Bytes that are not AMQP 1.0; the message says what was expected where."""


class Section(NamedTuple):
    """One section of a message: `code` (0x70 header … 0x78 footer), [start, end) with its descriptor, and its value."""

    code: int
    start: int
    value: int
    end: int


def end_of(data: bytes, position: int) -> int:
    """The position just after the value at `position`; Malformed when it reaches beyond the data."""
    try:
        constructor = data[position]
        if constructor == DESCRIBED:
            return end_of(data, end_of(data, position + 1))
        kind = constructor >> 4
        if kind in _FIXED_WIDTH:
            end = position + 1 + _FIXED_WIDTH[kind]
        elif kind in _SIZE_OF_1:
            end = position + 2 + data[position + 1]
        elif kind in _SIZE_OF_4:
            end = position + 5 + _UINT.unpack_from(data, position + 1)[0]
        else:
            raise Malformed(f"no AMQP constructor has the code 0x{constructor:02x} (byte {position})")
    except (IndexError, struct.error, RecursionError):
        raise Malformed(f"the value at byte {position} of {len(data)} is cut short") from None
    if end > len(data):
        raise Malformed(f"the value at byte {position} ends at {end}, beyond the {len(data)} bytes there are")
    return end


def described(data: bytes, position: int) -> tuple[int, int]:
    """The numeric descriptor of the described value at `position`, and where the value itself begins."""
    if data[position : position + 1] == b"\x00":
        code = data[position + 1 : position + 2]
        if code == b"\x53":
            return data[position + 2], position + 3
        if code == b"\x80" and position + 10 < len(data):
            return int(_ULONG.unpack_from(data, position + 2)[0]), position + 10
    raise Malformed(f"byte {position} should begin a value with a numeric descriptor")


def sections(message: bytes) -> Iterator[Section]:
    """The sections of an encoded message in their order."""
    position = 0
    while position < len(message):
        code, value = described(message, position)
        end = end_of(message, value)
        yield Section(code, position, value, end)
        position = end


def items(data: bytes, position: int) -> tuple[int, int]:
    """The count of items of the list or map at `position` (a map counts keys and values) and where the first begins."""
    try:
        match data[position]:
            case 0x45:
                return 0, position + 1
            case 0xC0 | 0xC1:
                return data[position + 2], position + 3
            case 0xD0 | 0xD1:
                return int(_UINT.unpack_from(data, position + 5)[0]), position + 9
    except (IndexError, struct.error):
        raise Malformed(f"the list or map at byte {position} of {len(data)} is cut short") from None
    raise Malformed(f"byte {position} should begin a list or a map, not 0x{data[position]:02x}")


def text(data: bytes, position: int) -> bytes | None:
    """The bytes of the binary, string or symbol at `position`; None when something else stands there."""
    if data[position : position + 1] in _TEXT_OF_1:
        return bytes(data[position + 2 : end_of(data, position)])
    if data[position : position + 1] in _TEXT_OF_4:
        return bytes(data[position + 5 : end_of(data, position)])
    return None


def symbol(value: str) -> bytes:
    """An encoded symbol of at most 255 ASCII letters."""
    return b"\xa3" + bytes([len(value)]) + value.encode("ascii")


def string(value: str) -> bytes:
    """An encoded string."""
    body = value.encode()
    return (b"\xa1" + bytes([len(body)]) if len(body) < 256 else b"\xb1" + _UINT.pack(len(body))) + body


def long(value: int) -> bytes:
    """An encoded signed integer of 64 bits."""
    return b"\x81" + _LONG.pack(value)


def timestamp(milliseconds: int) -> bytes:
    """An encoded instant, in milliseconds since 1970."""
    return b"\x83" + _LONG.pack(milliseconds)


def section(code: int, value: bytes) -> bytes:
    """A section or any other value with a numeric descriptor below 256."""
    return bytes([DESCRIBED, _SMALL_ULONG, code]) + value


def mapping(count: int, body: bytes) -> bytes:
    """A map of `count` encoded keys and values."""
    return b"\xd1" + _UINT.pack(len(body) + 4) + _UINT.pack(count) + body


def listing(count: int, body: bytes) -> bytes:
    """A list of `count` encoded items."""
    return b"\xd0" + _UINT.pack(len(body) + 4) + _UINT.pack(count) + body
