"""Everything that lies in the hub, read with the stock consumer client: for tests and the demo."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from azure.eventhub import EventData, EventHubConsumerClient, PartitionContext

_PREFETCH = 3000
_BATCH = 1000


@dataclass(frozen=True)
class ReceivedEvent:
    """An event with the properties that messages 4 names, as text where the client gives bytes."""

    partition: str
    sequence_number: int
    offset: str
    enqueued_time: datetime
    partition_key: str | None
    body: bytes
    message_id: str | None
    content_type: str | None
    correlation_id: str | None
    properties: dict[str, Any]


def read_all(
    connection_string: str,
    hub: str,
    consumer_group: str = "$Default",
    until_idle: float = 0.0,
    timeout: float = 60.0,
) -> list[ReceivedEvent]:
    """All events from the beginning, by partition and sequence number.

    Reads at least what the hub held when called, and goes on until nothing came for `until_idle` seconds.

    Raises:
        TimeoutError: not everything came within `timeout` seconds; says which partitions lack what.
    """
    client = EventHubConsumerClient.from_connection_string(connection_string, consumer_group, eventhub_name=hub)
    reading = _Reading(_last_sequence_numbers(client))
    thread = threading.Thread(
        target=client.receive_batch,
        kwargs={
            "on_event_batch": reading.take,
            "on_error": reading.fail,
            "starting_position": "-1",
            "prefetch": _PREFETCH,
            "max_batch_size": _BATCH,
        },
    )
    if not reading.missing() and not until_idle:
        client.close()
        return []
    thread.start()
    try:
        reading.wait(until_idle, time.monotonic() + timeout)
    finally:
        client.close()
        thread.join()
    return sorted(reading.events, key=lambda event: (int(event.partition), event.sequence_number))


def _last_sequence_numbers(client: EventHubConsumerClient) -> dict[str, int]:
    return {
        partition: int(client.get_partition_properties(partition)["last_enqueued_sequence_number"])
        for partition in client.get_partition_ids()
    }


class _Reading:
    """What has come so far; the client calls `take` from its thread."""

    def __init__(self, last: dict[str, int]) -> None:
        self.events: list[ReceivedEvent] = []
        self._last = last
        self._seen = dict.fromkeys(last, -1)
        self._changed = threading.Condition()
        self._newest = time.monotonic()
        self._failure: Exception | None = None

    def take(self, context: PartitionContext, batch: list[EventData]) -> None:
        with self._changed:
            for event in batch:
                received = _received(context.partition_id, event)
                if received.sequence_number > self._seen[received.partition]:  # a reconnect may repeat some
                    self._seen[received.partition] = received.sequence_number
                    self.events.append(received)
            self._newest = time.monotonic()
            self._changed.notify()

    def fail(self, _: PartitionContext, failure: Exception) -> None:
        with self._changed:
            self._failure = failure
            self._changed.notify()

    def missing(self) -> dict[str, int]:
        """How many events of each partition have not come yet, where any."""
        return {part: last - self._seen[part] for part, last in self._last.items() if last > self._seen[part]}

    def wait(self, until_idle: float, deadline: float) -> None:
        with self._changed:
            while self._failure is None:
                now = time.monotonic()
                missing = self.missing()
                idle = now - self._newest
                if not missing and idle >= until_idle:
                    return
                if now >= deadline:
                    raise TimeoutError(f"events still missing by partition: {missing or 'none, but more keep coming'}")
                self._changed.wait(deadline - now if missing else min(deadline - now, until_idle - idle))
            raise self._failure


def _received(partition: str, event: EventData) -> ReceivedEvent:
    return ReceivedEvent(
        partition=partition,
        sequence_number=int(event.sequence_number or 0),
        offset=str(event.offset),
        enqueued_time=event.enqueued_time or datetime.min,  # noqa: DTZ901 - the hub always sets it
        partition_key=_text(event.partition_key),
        body=b"".join(cast("Iterable[bytes]", event.body)),
        message_id=_text(event.message_id),
        content_type=_text(event.content_type),
        correlation_id=_text(event.correlation_id),
        properties={str(_text(name)): _text(value) for name, value in (event.properties or {}).items()},
    )


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
