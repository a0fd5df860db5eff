"""What the market actors would get: the job's messages, received from the Event Hub by the stock client."""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azure.eventhub import EventData, EventHubConsumerClient, PartitionContext

from functions.messages.envelope_pb2 import Document
from local.demo.failure import DemoFailed
from local.stack import Stack

LONGEST_SECONDS = 90


@dataclass(frozen=True)
class Received:
    """One message: to whom, of what type, and its document (None, without content, when it goes by reference)."""

    id: str
    recipient: str
    role: str
    type: str
    content: str
    document: Any


def read_messages(hub: Mapping[str, str], job: Mapping[str, Any], stack: Stack) -> list[Received]:
    """All messages of a job, each once.

    Raises:
        DemoFailed: fewer came than the job says it made, or one is not what its properties say.
    """
    log = str(stack.folder / "logs" / "event-hub.log")
    expected = job["messages"]["made"] - job["messages"]["rejected"]
    received: dict[str, Received] = {}
    wrong: list[str] = []
    complete = threading.Event()

    def take(_: PartitionContext, events: Sequence[EventData]) -> None:
        for event in events:
            properties = _text(event.properties)
            if properties.get("jobId") == job["jobId"]:
                try:
                    message = _open(event, properties)
                    received[message.id] = message
                except ValueError as error:
                    wrong.append(str(error))
        if len(received) >= expected or wrong:
            complete.set()

    client = EventHubConsumerClient.from_connection_string(
        hub["connectionString"], consumer_group="$Default", eventhub_name=hub["name"]
    )
    options = {"on_event_batch": take, "starting_position": "-1", "max_wait_time": 1.0, "max_batch_size": 100}
    reader = threading.Thread(target=client.receive_batch, kwargs=options, daemon=True)
    reader.start()
    complete.wait(LONGEST_SECONDS if expected else 0)
    client.close()
    reader.join(10)
    if wrong:
        raise DemoFailed("the post office", wrong[0], log)
    if len(received) != expected or not received:
        raise DemoFailed("the post office", f"{len(received)} of {expected} messages arrived", log)
    return sorted(received.values(), key=lambda message: (message.recipient, message.role, message.type, message.id))


def _text(properties: Mapping[Any, Any] | None) -> dict[str, str]:
    """Application properties, whose names and texts may come as bytes."""
    plain = (properties or {}).items()
    return {_decoded(name): _decoded(value) for name, value in plain}


def _decoded(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _open(event: EventData, properties: Mapping[str, str]) -> Received:
    """Unpack an envelope. Raises ValueError where its content is not the document that the properties announce."""
    body: Any = event.body
    envelope = Document.FromString(b"".join(body))
    if "contentRef" not in properties:
        content = envelope.content.encode()
        if hashlib.sha256(content).hexdigest() != properties["contentSha256"]:
            raise ValueError(f"message {event.message_id}: its content has another hash than its properties say")
    document = json.loads(envelope.content) if envelope.content else None
    return Received(
        str(event.message_id),
        envelope.recipient,
        properties["recipientRole"],
        envelope.type,
        envelope.content,
        document,
    )
