"""The post-office envelope and the properties of its event (messages 4)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from functions.messages.batch import Line, LineView, Message
from functions.messages.envelope_pb2 import Document
from functions.messages.errors import BadEnvelope
from shared.danish_time import parse_instant

VERSION = "1"
_CONTENT_TAG = bytes([Document.CONTENT_FIELD_NUMBER << 3 | 2])


class Envelope(NamedTuple):
    """What an event carries: the bytes of the protobuf message, and its application properties."""

    body: bytes
    properties: Mapping[str, str | int]


def whole(line: Line | LineView) -> Envelope:
    """The envelope with the whole document in it.

    Raises:
        BadEnvelope: a property is blank, the date is none, or the content is not the JSON that was made for it.
    """
    _check_content(line)
    return _envelope(line.message, line.content, {})


def by_reference(message: Message, public_base_url: str) -> Envelope:
    """The envelope that says where the document can be fetched, for one that is larger than the hub allows.

    Raises:
        BadEnvelope: a property is blank or the date is none.
    """
    reference = f"{public_base_url.rstrip('/')}/api/messages/{message.message_id}"
    return _envelope(message, b"", {"contentRef": reference})


def _envelope(message: Message, content: bytes | memoryview, extra: Mapping[str, str]) -> Envelope:
    body = Document(type=message.document_type, recipient=message.recipient, version=VERSION)
    try:
        body.effectuationDate.CopyFrom(_timestamp(message.created))
    except ValueError as error:
        raise BadEnvelope(f"message {message.message_id} has no date: {error}") from error
    for name in ("type", "recipient", "version"):
        if not getattr(body, name).strip():
            raise BadEnvelope(f"message {message.message_id}: the envelope's {name} is blank")
    properties: dict[str, str | int] = {
        "documentType": message.document_type,
        "processType": message.process_type,
        "recipient": message.recipient,
        "recipientRole": message.recipient_role,
        "gridArea": message.grid_area,
        "jobId": message.job_id,
        "contentLength": message.content_length,
        "contentSha256": message.content_sha256,
    }
    return Envelope(body.SerializeToString() + _content_field(content), {**properties, **extra})


@lru_cache(maxsize=16)
def _timestamp(text: str) -> Timestamp:
    """The messages of a job share theirs. Raises ValueError."""
    stamp = Timestamp()
    stamp.FromDatetime(parse_instant(text))
    return stamp


def _content_field(content: bytes | memoryview) -> bytes:
    """The field `content` as protobuf encodes it, without a way round by text: the document is nearly all of the body.

    Fields may come in any order; an empty one is left out.
    """
    if not content:
        return b""
    length, left = bytearray(), len(content)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    length.append(left)
    return b"".join((_CONTENT_TAG, length, content))


def _check_content(line: Line | LineView) -> None:
    """The content is the JSON that was made for this message: its beginning, its end and its length say so.

    Reading it through would cost more than sending it. That what was made is JSON with this hash, the tests of
    splitting prove; that it is what was made, the checksums of its file, which the reader of the batch has checked.
    """
    message, content = line
    beginning = f'{{"{message.document_type}_MarketDocument":{{'.encode()
    if content[: len(beginning)] != beginning or content[-2:] != b"}}":
        raise BadEnvelope(f"message {message.message_id}: its content is no JSON of a {message.document_type}")
    if len(content) != message.content_length:
        raise BadEnvelope(f"message {message.message_id}: its content is not the one that was made for it")
