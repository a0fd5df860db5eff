"""Events as they come in, as they are kept and as they go out (messages 4; AMQP 1.0 part 3.2).

A sender's message is one event, or (message format 0x80013700) a batch whose data sections are each an encoded event.
Kept are the sender's bytes: its header, its own message annotations, and everything from the properties on. Sequence
number, offset and enqueued time are added when an event is sent to a receiver.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from local.event_hub import encoding

BATCH_FORMAT = 0x80013700
_HEADER, _DELIVERY_ANNOTATIONS, _MESSAGE_ANNOTATIONS, _DATA = 0x70, 0x71, 0x72, 0x75
_BODY = (0x75, 0x76, 0x77)
_PARTITION_KEY = b"x-opt-partition-key"
_SET_BY_THE_HUB = (b"x-opt-sequence-number", b"x-opt-offset", b"x-opt-enqueued-time")
_KEPT = struct.Struct(">III")  # bytes of the header section, count and bytes of the annotations' keys and values

_SEQUENCE_NUMBER = encoding.symbol("x-opt-sequence-number")
_OFFSET = encoding.symbol("x-opt-offset")
_ENQUEUED_TIME = encoding.symbol("x-opt-enqueued-time")


class Incoming(NamedTuple):
    """What one accepted delivery puts into a partition: the partition key, if any, and the events ready to be kept."""

    partition_key: str | None
    events: list[bytes]


class Place(NamedTuple):
    """Where an event stands in its partition: sequence number, offset, and milliseconds since 1970."""

    sequence_number: int
    offset: int
    enqueued: int


class _Annotations(NamedTuple):
    """The sender's annotations as encoded keys and values, without those that the hub sets itself."""

    partition_key: bytes | None
    items: int
    pairs: bytes


def unpack(message: bytes, message_format: int) -> Incoming:
    """The events of one delivery; Malformed when it is no AMQP message or a batch without an event."""
    if message_format != BATCH_FORMAT:
        key, kept = _keep(message, None)
        return Incoming(_text(key), [kept])
    envelope = _Annotations(None, 0, b"")
    members: list[bytes] = []
    for section in encoding.sections(message):
        if section.code == _MESSAGE_ANNOTATIONS:
            envelope = _annotations(message, section.value)
        elif section.code == _DATA:
            member = encoding.text(message, section.value)
            if member is None:
                raise encoding.Malformed("a data section of the batch holds no binary")
            members.append(member)
    if not members:
        raise encoding.Malformed("the batch holds no event")
    kept_events = [_keep(member, envelope.partition_key) for member in members]
    return Incoming(_text(envelope.partition_key or kept_events[0][0]), [kept for _, kept in kept_events])


def _text(key: bytes | None) -> str | None:
    return None if key is None else key.decode("utf-8", "replace")


def _keep(message: bytes, batch_key: bytes | None) -> tuple[bytes | None, bytes]:
    header, rest, has_body = b"", len(message), False
    annotations = _Annotations(None, 0, b"")
    for section in encoding.sections(message):
        if section.code == _HEADER:
            header = message[section.start : section.end]
        elif section.code == _MESSAGE_ANNOTATIONS:
            annotations = _annotations(message, section.value)
        elif section.code != _DELIVERY_ANNOTATIONS:
            rest = min(rest, section.start)
            has_body = has_body or section.code in _BODY
    if not has_body:
        raise encoding.Malformed("an event has no body: no data, sequence or value section")
    key, count, pairs = annotations
    if key is None and batch_key is not None:
        key, count = batch_key, count + 2
        pairs += encoding.symbol(_PARTITION_KEY.decode()) + encoding.string(batch_key.decode("utf-8", "replace"))
    return key, _KEPT.pack(len(header), count, len(pairs)) + header + pairs + message[rest:]


def _annotations(message: bytes, position: int) -> _Annotations:
    count, position = encoding.items(message, position)
    partition_key, kept, pairs = None, 0, b""
    for _ in range(count // 2):
        value = encoding.end_of(message, position)
        end = encoding.end_of(message, value)
        name = encoding.text(message, position)
        if name == _PARTITION_KEY:
            partition_key = encoding.text(message, value)
        if name not in _SET_BY_THE_HUB:
            kept, pairs = kept + 2, pairs + message[position:end]
        position = end
    return _Annotations(partition_key, kept, pairs)


def outgoing(kept: bytes, place: Place, last: Place | None) -> bytes:
    """The message for a receiver. `last`, the partition's newest event, goes along when the receiver asked for it."""
    header_size, count, pairs_size = _KEPT.unpack_from(kept)
    pairs = _KEPT.size + header_size
    rest = pairs + pairs_size
    own = (
        _SEQUENCE_NUMBER
        + encoding.long(place.sequence_number)
        + _OFFSET
        + encoding.string(str(place.offset))
        + _ENQUEUED_TIME
        + encoding.timestamp(place.enqueued)
    )
    annotations = encoding.section(_MESSAGE_ANNOTATIONS, encoding.mapping(6 + count, own + kept[pairs:rest]))
    return kept[_KEPT.size : pairs] + (_runtime_metric(last) if last else b"") + annotations + kept[rest:]


def _runtime_metric(last: Place) -> bytes:
    pairs: Sequence[bytes] = (
        encoding.symbol("last_enqueued_sequence_number"),
        encoding.long(last.sequence_number),
        encoding.symbol("last_enqueued_offset"),
        encoding.string(str(last.offset)),
        encoding.symbol("last_enqueued_time_utc"),
        encoding.timestamp(last.enqueued),
        encoding.symbol("runtime_info_retrieval_time_utc"),
        encoding.timestamp(last.enqueued),
    )
    return encoding.section(_DELIVERY_ANNOTATIONS, encoding.mapping(len(pairs), b"".join(pairs)))
