"""Everything that lies in the hub, read with the stock consumer client: for tests and the demo."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, cast

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


class HubReader:
    """Reads all partitions in the background, from the beginning on, while it is open (`with`).

    Each partition has a client and a thread of its own: one client for all waits 0.2 s at each partition that is idle.
    """

    def __init__(self, connection_string: str, hub: str, consumer_group: str = "$Default") -> None:
        self._address = (connection_string, hub, consumer_group)
        self._events: list[ReceivedEvent] = []
        self._last: dict[str, int | None] = {}
        self._seen: dict[str, int] = {}
        self._changed = threading.Condition()
        self._newest = time.monotonic()
        self._failure: Exception | None = None
        self._clients: list[EventHubConsumerClient] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        with self._connect() as client:
            partitions = client.get_partition_ids()
        self._last = dict.fromkeys(partitions)
        self._seen = dict.fromkeys(partitions, -1)
        self._clients = [self._connect() for _ in partitions]
        pairs = zip(self._clients, partitions, strict=True)
        self._threads = [threading.Thread(target=self._read, args=pair) for pair in pairs]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for client, thread in zip(self._clients, self._threads, strict=True):
            while thread.is_alive():  # a client that had not begun to receive when it was closed begins all the same
                client.close()
                thread.join(0.2)

    def until(self, enough: Callable[[list[ReceivedEvent]], bool], timeout: float = 60.0) -> list[ReceivedEvent]:
        """What has come, as soon as it is enough; by partition and sequence number.

        Raises:
            TimeoutError: it was not enough within `timeout` seconds.
        """
        return self._wait(lambda: 0.0 if enough(self._events) else None, timeout)

    def until_caught_up(self, until_idle: float = 0.0, timeout: float = 60.0) -> list[ReceivedEvent]:
        """What has come, when that is all the hub held at the start and nothing more came for `until_idle` seconds.

        Raises:
            TimeoutError: events are missing still, or keep coming, after `timeout` seconds.
        """

        def left() -> float | None:
            if any(last is None or last > self._seen[partition] for partition, last in self._last.items()):
                return None
            return max(0.0, self._newest + until_idle - time.monotonic())

        return self._wait(left, timeout)

    def _wait(self, left: Callable[[], float | None], timeout: float) -> list[ReceivedEvent]:
        """Waits until `left` is 0; it tells the seconds until it could be, or None when only a new event helps."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while (seconds := left()) != 0.0:
                if self._failure:
                    raise self._failure
                now = time.monotonic()
                if now >= deadline:
                    raise TimeoutError(f"read by partition, as last sequence numbers: {self._seen} of {self._last}")
                self._changed.wait(min(deadline - now, seconds or timeout))
            return sorted(self._events, key=lambda event: (int(event.partition), event.sequence_number))

    def _connect(self) -> EventHubConsumerClient:
        connection_string, hub, group = self._address
        return EventHubConsumerClient.from_connection_string(connection_string, group, eventhub_name=hub)

    def _read(self, client: EventHubConsumerClient, partition: str) -> None:
        try:
            last = int(client.get_partition_properties(partition)["last_enqueued_sequence_number"])
            with self._changed:
                self._last[partition] = last
                self._changed.notify_all()
            client.receive_batch(
                self._take,
                partition_id=partition,
                starting_position="-1",
                max_batch_size=_BATCH,
                prefetch=_PREFETCH,
                on_error=self._fail,
            )
        except Exception as failure:  # whatever it is, who waits must learn of it
            self._fail(None, failure)

    def _take(self, context: PartitionContext, batch: list[EventData]) -> None:
        received = [_received(context.partition_id, event) for event in batch]
        with self._changed:
            for event in received:
                if event.sequence_number > self._seen[event.partition]:  # a reconnect may repeat some
                    self._seen[event.partition] = event.sequence_number
                    self._events.append(event)
            self._newest = time.monotonic()
            self._changed.notify_all()

    def _fail(self, _: PartitionContext | None, failure: Exception) -> None:
        with self._changed:
            self._failure = failure
            self._changed.notify_all()


def read_all(
    connection_string: str,
    hub: str,
    consumer_group: str = "$Default",
    until_idle: float = 0.0,
    timeout: float = 60.0,
) -> list[ReceivedEvent]:
    """All events, by partition and sequence number: at least those that the hub held when called.

    Goes on until nothing came for `until_idle` seconds.

    Raises:
        TimeoutError: not everything came within `timeout` seconds.
    """
    with HubReader(connection_string, hub, consumer_group) as reader:
        return reader.until_caught_up(until_idle, timeout)


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
