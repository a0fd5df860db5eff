"""The bare loop that dispatch is measured against: one stock producer client, the same bodies, the same hub.

`python -m bench.hub [--events 5000] [--size 2000] [--receivers 20]` measures it, and reading, on a hub of its own.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from azure.eventhub import EventData, EventDataBatch, EventHubProducerClient

from local.event_hub.process import running_hub
from local.event_hub.reading import read_all


@dataclass(frozen=True)
class Event:
    """What is sent: to whom (the partition key), and the body."""

    recipient: str
    body: bytes


@dataclass(frozen=True)
class Rate:
    """How much went through in how long."""

    events: int
    bytes: int
    seconds: float

    @property
    def events_per_second(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def megabytes_per_second(self) -> float:
        """Body bytes a second, in 10⁶."""
        return self.bytes / self.seconds / 1e6


def bare_loop(connection_string: str, hub: str, events: Sequence[Event]) -> Rate:
    """Sends the events in their order, a batch filled to its size for each row of equal recipients.

    The clock runs from the first event to the last acceptance; the connection is there before.
    """
    with EventHubProducerClient.from_connection_string(connection_string, eventhub_name=hub) as producer:
        producer.create_batch()  # connects and learns the hub's limit
        started = time.perf_counter()
        for batch in _batches(producer, events):
            producer.send_batch(batch)
        seconds = time.perf_counter() - started
    return Rate(len(events), sum(len(event.body) for event in events), seconds)


def _batches(producer: EventHubProducerClient, events: Iterable[Event]) -> Iterable[EventDataBatch]:
    batch, recipient = None, None
    for event in events:
        data = EventData(event.body)
        if batch is not None and event.recipient == recipient:
            try:
                batch.add(data)
                continue
            except ValueError:  # the batch is full
                pass
        if batch is not None:
            yield batch
        batch, recipient = producer.create_batch(partition_key=event.recipient), event.recipient
        batch.add(data)
    if batch is not None:
        yield batch


def _read(connection_string: str, hub: str, expected: Sequence[Event]) -> Rate:
    started = time.perf_counter()
    received = read_all(connection_string, hub)
    seconds = time.perf_counter() - started
    if sorted(event.body for event in received) != sorted(event.body for event in expected):
        sys.exit(f"{len(expected)} events were sent, {len(received)} or other ones came back")
    return Rate(len(received), sum(len(event.body) for event in received), seconds)


def main() -> None:
    """Sends and reads back, and prints the two rates."""
    parser = argparse.ArgumentParser(prog="python -m bench.hub")
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--size", type=int, default=2000, help="bytes of a body")
    parser.add_argument("--receivers", type=int, default=20)
    chosen = parser.parse_args()
    each = -(-chosen.events // chosen.receivers)
    bodies = (f"{number}:".encode().ljust(chosen.size, b"x") for number in range(chosen.events))
    events = [Event(str(5790000000000 + number // each), body) for number, body in enumerate(bodies)]
    with tempfile.TemporaryDirectory() as state, running_hub(Path(state)) as hub:
        for what, rate in (
            ("sent by a bare loop", bare_loop(hub.connection_string, hub.name, events)),
            ("read back", _read(hub.connection_string, hub.name, events)),
        ):
            speed = f"{rate.events_per_second:,.0f} events/s, {rate.megabytes_per_second:,.1f} MB/s"
            print(f"{rate.events} events of {chosen.size} bytes {what} in {rate.seconds:.2f} s: {speed}")


if __name__ == "__main__":
    main()
