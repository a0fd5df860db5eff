"""The events of the hub as messages: the envelope decoded by hand, the document by its JSON (messages 4 and 5)."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.expected import Identity, Message

PUBLIC_BASE_URL = "https://settlement.example"


@dataclass(frozen=True)
class Event:
    """One event as it lies in the hub."""

    message_id: str
    partition_key: str
    body: bytes
    correlation_id: str
    properties: Mapping[str, str | int]


@dataclass(frozen=True)
class Received:
    """One message: who gets what."""

    message_id: str
    message: Message
    version: str
    series_id: str
    content: bytes


class Wrong(Exception):
    """An event that no receiver could read, or that says two things at once."""


def fields(body: bytes) -> dict[int, bytes]:
    """The fields of a protobuf message that has only texts and sub-messages (wire type 2)."""
    found, at = {}, 0
    while at < len(body):
        tag, at = _varint(body, at)
        if tag & 7 != 2:
            raise Wrong(f"wire type {tag & 7} in the envelope")
        length, at = _varint(body, at)
        found[tag >> 3] = body[at : at + length]
        at += length
    return found


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def archived(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Message id and document of every line of a file of sent/."""
    for line in gzip.decompress(content).split(b"\n")[:-1]:
        head, _, document = line.partition(b',"content":')
        yield json.loads(head + b"}")["message_id"], document[:-1]


def rejected_lines(content: bytes) -> int:
    """How many lines a file of rejected/ has."""
    return gzip.decompress(content).count(b"\n")


def read(event: Event, documents: Mapping[str, bytes]) -> Received:
    """Read an event; one that goes by reference has its document in the archive. Raises Wrong."""
    envelope = fields(event.body)
    properties = event.properties
    content = envelope.get(4, b"")
    if "contentRef" in properties:
        _same("contentRef", properties["contentRef"], f"{PUBLIC_BASE_URL}/api/messages/{event.message_id}")
        _same("content beside a reference", content, b"")
        content = documents[event.message_id]
    elif not content:
        raise Wrong(f"{event.message_id} has neither content nor a reference")
    _same("contentLength", properties["contentLength"], len(content))
    _same("contentSha256", properties["contentSha256"], hashlib.sha256(content).hexdigest())
    _same("type", envelope[1].decode(), properties["documentType"])
    _same("version", envelope[5], b"1")
    if not envelope.get(2):
        raise Wrong("no effectuation date")
    _same("jobId", properties["jobId"], event.correlation_id)
    for name, told in (("envelope", envelope[3].decode()), ("partition key", event.partition_key)):
        _same(f"recipient of the {name}", told, properties["recipient"])
    ((root, document),) = json.loads(content, parse_float=str, parse_int=str).items()
    _same("root", root, f"{properties['documentType']}_MarketDocument")
    received = _document(event, document, properties, content)
    _same("mRID", document["mRID"], event.message_id)
    _same("gridArea", properties["gridArea"], received.message.identity.area)
    _same("processType", properties["processType"], received.message.identity.process)
    _same("receiver", document["receiver_MarketParticipant.mRID"]["value"], properties["recipient"])
    return received


def _document(
    event: Event, document: Mapping[str, Any], properties: Mapping[str, str | int], content: bytes
) -> Received:
    (series,) = document["Series"]
    period = series["Period"]
    sender = (
        _value(document, "sender_MarketParticipant.mRID"),
        _value(document, "sender_MarketParticipant.marketRole.type"),
    )
    charges = properties["documentType"] == "NotifyWholesaleServices"
    names = _CHARGE_KIND if charges else _ENERGY_KIND
    identity = Identity(
        document=str(properties["documentType"]),
        process=str(_value(document, "process.processType")),
        sender=(str(sender[0]), str(sender[1])),
        recipient=(str(properties["recipient"]), str(properties["recipientRole"])),
        original_role=str(_value(document, "receiver_MarketParticipant.marketRole.type")),
        area=str(_value(series, "meteringGridArea_Domain.mRID")),
        kind=tuple(_value(series, name) for name in names),
        supplier=_value(series, "energySupplier_MarketParticipant.mRID"),
        responsible=_value(series, "balanceResponsibleParty_MarketParticipant.mRID"),
        resolution=period["resolution"],
        start=period["timeInterval"]["start"]["value"],
    )
    return Received(
        message_id=event.message_id,
        message=Message(
            identity=identity,
            end=period["timeInterval"]["end"]["value"],
            points=tuple(_point(point) for point in period["Point"]),
        ),
        version=series["version"],
        series_id=series["mRID"],
        content=content,
    )


_ENERGY_KIND = (
    "marketEvaluationPoint.type",
    "marketEvaluationPoint.settlementMethod",
    "in_Domain.mRID",
    "out_Domain.mRID",
)
_CHARGE_KIND = (
    "marketEvaluationPoint.type",
    "marketEvaluationPoint.settlementMethod",
    "chargeType.mRID",
    "chargeType.type",
    "chargeType.chargeTypeOwner_MarketParticipant.mRID",
)


def _point(point: Mapping[str, Any]) -> tuple[Any, ...]:
    quantity = point.get("quantity", point.get("energy_Quantity.quantity"))
    total = point.get("energySum_Quantity.quantity")
    return int(point["position"]["value"]), quantity, _value(point, "price.amount"), total, _value(point, "quality")


def _value(document: Mapping[str, Any], name: str) -> str | None:
    found = document.get(name)
    return found["value"] if isinstance(found, dict) else found


def _same(what: str, one: object, other: object) -> None:
    if one != other:
        raise Wrong(f"{what}: {one!r} is not {other!r}")
