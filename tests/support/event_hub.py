"""What tests of the hub send and read with stock clients."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from azure.eventhub import EventData, EventHubProducerClient

from local.event_hub.process import RunningHub, running_hub
from local.event_hub.reading import HubReader, ReceivedEvent

HUB = "post-office"
__all__ = ["HUB", "RunningHub", "a_producer", "matching", "running_hub", "send", "unique"]


def a_producer(hub: RunningHub, **options: Any) -> EventHubProducerClient:
    options = {"retry_backoff_factor": 0.01, **options}
    return EventHubProducerClient.from_connection_string(hub.connection_string, **options)


def send(
    producer: EventHubProducerClient, *bodies: str, event: Callable[[str], EventData] = EventData, **to: Any
) -> None:
    batch = producer.create_batch(**to)
    for body in bodies:
        batch.add(event(body))
    producer.send_batch(batch)


def matching(reader: HubReader, count: int, **wanted: Any) -> list[ReceivedEvent]:
    """The events with these attributes, as soon as there are so many."""

    def fit(event: ReceivedEvent) -> bool:
        return all(getattr(event, name) == value for name, value in wanted.items())

    return [event for event in reader.until(lambda events: sum(map(fit, events)) >= count, 10) if fit(event)]


def unique() -> str:
    return uuid4().hex
