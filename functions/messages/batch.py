"""Batches of messages as they lie in outbox/ and sent/: gzip'd JSON lines (coordinator 2 and 6).

One line per message: what dispatch and the archive need, and last of all `content`, the document itself. It stands
there as it is, not as a string, so that a line is half the size and the document is cut out byte for byte. Every part
of a line is a gzip member of its own; a file is read whole as one gzip.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from isal import igzip, igzip_lib

from functions.messages.cim_json import CimJson

_BAD_GZIP: Any = igzip_lib.IsalError  # a class, though its stub says an instance
ENDING = ".jsonl.gz"
_CONTENT = b',"content":'
_END_OF_LINE = b"}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one actor; instants are text (`…Z`), `row` is the row of the receiver table.

    `recipient` and `recipient_role` are who gets it; the original ones whom the data is meant for (delegation).
    """

    message_id: str
    document_type: str
    process_type: str
    recipient: str
    recipient_role: str
    original_recipient: str
    original_role: str
    grid_area: str
    job_id: str
    row: str
    period_start: str
    period_end: str
    created: str
    content_length: int
    content_sha256: str


class Packed(NamedTuple):
    """One line, packed: `head` are its unpacked bytes up to the content, `size` all its unpacked bytes."""

    head: bytes
    packed: bytes
    size: int


def pack(data: bytes) -> bytes:
    """One gzip member without a time of its own."""
    return igzip.compress(data, 1, mtime=0)


@lru_cache(maxsize=4)
def _pack_tail(tail: bytes) -> bytes:
    return pack(tail)


@dataclass(frozen=True, slots=True)
class Points:
    """The points of a document, packed once however many documents carry them."""

    text: bytes
    packed: bytes

    @classmethod
    def of(cls, text: str) -> "Points":
        """Pack a document's points."""
        data = text.encode()
        return cls(data, pack(data))


def digest(document: CimJson, points: Points) -> tuple[int, str]:
    """Length and SHA-256 of a document's UTF-8 bytes."""
    head, tail = document.head.encode(), document.tail.encode()
    sha = hashlib.sha256(head)
    sha.update(points.text)
    sha.update(tail)
    return len(head) + len(points.text) + len(tail), sha.hexdigest()


def pack_line(message: Message, document: CimJson, points: Points) -> Packed:
    """A message and its document as one line."""
    head = orjson.dumps(message)[:-1] + _CONTENT
    opening, tail = head + document.head.encode(), document.tail.encode() + _END_OF_LINE
    packed = b"".join((pack(opening), points.packed, _pack_tail(tail)))
    return Packed(head, packed, len(opening) + len(points.text) + len(tail))


class Line(NamedTuple):
    """One line read back: the message and the bytes of its document."""

    message: Message
    content: bytes


class LineView(NamedTuple):
    """The same while its batch is in memory: the document is not copied out of it."""

    message: Message
    content: memoryview


def batch_name(grid_area: str, number: int, heads: Sequence[bytes]) -> str:
    """The name of a batch: it depends only on what is in it (the heads hold the hashes of the documents)."""
    return f"{grid_area}-{number:05d}-{fingerprint(heads)}"


def fingerprint(heads: Sequence[bytes]) -> str:
    """What stands for the content of a batch in its name."""
    return hashlib.sha256(b"".join(heads)).hexdigest()[:16]


def read_batch(name: str, content: bytes) -> list[Line] | None:
    """The lines of a batch; None when it is incomplete: empty, cut short, or not all that its name says."""
    views = view_batch(name, content)
    return None if views is None else [Line(message, bytes(document)) for message, document in views]


def view_batch(name: str, content: bytes) -> list[LineView] | None:
    """The same without a copy of the documents, which are nearly all of a batch."""
    data = unpack(content)
    if not data.endswith(_END_OF_LINE):
        return None
    heads, lines, at = [], [], 0
    view = memoryview(data)
    while at < len(data):
        end = data.index(b"\n", at)
        document = data.find(_CONTENT, at, end) + len(_CONTENT)
        if document < at + len(_CONTENT):
            return None
        heads.append(data[at:document])
        message = Message(**orjson.loads(data[at : document - len(_CONTENT)] + b"}"))
        lines.append(LineView(message, view[document : end - 1]))
        at = end + 1
    return lines if name.endswith(f"-{fingerprint(heads)}") else None


def unpack(content: bytes) -> bytes:
    """The unpacked bytes of a file; nothing when it is cut short or no gzip."""
    try:
        return bytes(igzip.decompress(content))  # type: ignore[no-untyped-call] # isal types this one not
    except (EOFError, OSError, ValueError, _BAD_GZIP):
        return b""


def pack_rejected(lines: Sequence[dict[str, object]]) -> bytes:
    """Rejected series or messages with their reasons, as gzip'd JSON lines."""
    return pack(b"".join(json.dumps(line, ensure_ascii=False, sort_keys=True).encode() + b"\n" for line in lines))


def read_rejected(content: bytes) -> Iterator[dict[str, object]]:
    """The lines of a file below rejected/."""
    return map(json.loads, unpack(content).splitlines())
