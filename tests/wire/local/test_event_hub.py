"""The Event Hub stand-in, spoken to by stock clients over its real wire."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.aio import EventHubProducerClient as AsyncProducerClient
from proton import Message, Receiver
from proton.reactor import ReceiverOption, Selector
from proton.utils import BlockingConnection, LinkDetached

from local.event_hub.reading import HubReader
from tests.support.event_hub import HUB, RunningHub, a_producer, matching, running_hub, send, unique


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), "--partitions", "2") as running:
        yield running


@pytest.fixture(scope="module")
def reader(hub: RunningHub) -> Iterator[HubReader]:
    with HubReader(hub.connection_string, HUB) as open_reader:
        yield open_reader


@pytest.fixture(scope="module")
def producer(hub: RunningHub) -> Iterator[EventHubProducerClient]:
    with a_producer(hub) as client:
        yield client


def bodies_from(hub: RunningHub, count: int, group: str = "$Default", **position: Any) -> list[str]:
    """The bodies of the first events that a receiver gets which begins at a position."""
    events: list[EventData] = []
    client = EventHubConsumerClient.from_connection_string(hub.connection_string, group)

    def take(_: object, event: EventData | None) -> None:
        if event:
            events.append(event)
        if len(events) >= count:
            threading.Thread(target=client.close).start()

    client.receive(take, **position)
    return [event.body_as_str() for event in events]


def other_client(hub: RunningHub) -> BlockingConnection:
    return BlockingConnection(f"amqp://127.0.0.1:{hub.port}", allowed_mechs="ANONYMOUS")


def test_hub_tells_its_partitions(hub: RunningHub, producer: EventHubProducerClient) -> None:
    properties = producer.get_eventhub_properties()
    assert properties["eventhub_name"] == HUB
    assert properties["partition_ids"] == ["0", "1"]


def test_partition_tells_its_newest_event(reader: HubReader, producer: EventHubProducerClient) -> None:
    body = unique()
    send(producer, "a", body, partition_id="1")
    properties = producer.get_partition_properties("1")
    (newest,) = matching(reader, 1, body=body.encode())
    assert properties["beginning_sequence_number"] == 0
    assert properties["last_enqueued_sequence_number"] == newest.sequence_number
    assert properties["last_enqueued_offset"] == newest.offset
    assert properties["last_enqueued_time_utc"] == newest.enqueued_time
    assert not properties["is_empty"]


def test_event_keeps_its_properties_and_gets_those_of_the_hub(
    reader: HubReader, producer: EventHubProducerClient
) -> None:
    key = unique()

    def described(body: str) -> EventData:
        event = EventData(body.encode())
        event.message_id, event.correlation_id, event.content_type = key, "job", "application/x-protobuf"
        event.properties = {"recipient": "5790000000001", "contentLength": 8}
        return event

    before = datetime.now().astimezone()
    send(producer, "document", event=described, partition_key=key)
    (event,) = matching(reader, 1, partition_key=key)
    assert event.body == b"document"
    assert (event.message_id, event.correlation_id, event.content_type) == (key, "job", "application/x-protobuf")
    assert event.properties == {"recipient": "5790000000001", "contentLength": 8}
    assert abs((event.enqueued_time - before).total_seconds()) < 30
    assert int(event.offset) > 0


def test_events_of_one_key_lie_in_one_partition_in_order(reader: HubReader, producer: EventHubProducerClient) -> None:
    keys = [unique() for _ in range(12)]
    for number in range(3):
        for key in keys:
            send(producer, f"{number}", f"{number}b", partition_key=key)
    partitions = set()
    for key in keys:
        events = matching(reader, 6, partition_key=key)
        assert len({event.partition for event in events}) == 1
        assert [event.body for event in events] == [b"0", b"0b", b"1", b"1b", b"2", b"2b"]
        partitions.add(events[0].partition)
    assert len(partitions) > 1


def test_events_without_a_key_go_round(reader: HubReader, producer: EventHubProducerClient) -> None:
    body = unique()
    for _ in range(2):
        send(producer, body)
    assert {event.partition for event in matching(reader, 2, body=body.encode())} == {"0", "1"}


def test_receiver_begins_where_it_asks_to(hub: RunningHub, reader: HubReader, producer: EventHubProducerClient) -> None:
    bodies = [f"{unique()}-{number}" for number in range(3)]
    for body in bodies:
        for partition in "01":
            send(producer, body, partition_id=partition)
    first = {event.partition: event for event in matching(reader, 2, body=bodies[0].encode())}
    positions = {"0": first["0"].offset, "1": first["1"].sequence_number}
    got = sorted(bodies_from(hub, 5, starting_position=positions, starting_position_inclusive={"1": True}))
    assert got == sorted([bodies[0], *bodies[1:] * 2])


def test_receiver_of_the_latest_gets_what_comes_later_and_only_that(
    hub: RunningHub, producer: EventHubProducerClient
) -> None:
    send(producer, "earlier", partition_id="0")
    body = unique()
    connection = other_client(hub)
    latest = Selector("amqp.annotation.x-opt-offset > '@latest'")
    receiver = connection.create_receiver(f"{HUB}/ConsumerGroups/g/Partitions/0", options=latest)
    send(producer, body, partition_id="0")
    assert bytes(receiver.receive(timeout=5).body) == body.encode()
    connection.close()


def test_thousands_of_events_in_batches_are_unpacked(reader: HubReader, producer: EventHubProducerClient) -> None:
    key = unique()
    for start in range(0, 3000, 1000):
        send(producer, *map(str, range(start, start + 1000)), partition_key=key)
    events = matching(reader, 3000, partition_key=key)
    assert [event.body for event in events] == [str(number).encode() for number in range(3000)]
    assert [event.sequence_number for event in events] == [events[0].sequence_number + n for n in range(3000)]


def test_largest_event_fits_and_a_larger_one_is_told_before_it_is_sent(
    reader: HubReader, producer: EventHubProducerClient
) -> None:
    key = unique()
    batch = producer.create_batch(partition_key=key)
    assert batch.max_size_in_bytes == 1_048_576
    with pytest.raises(ValueError, match="size limit"):
        batch.add(EventData(b"x" * 1_048_577))
    body = b"x" * 1_048_000
    batch.add(EventData(body))
    producer.send_batch(batch)
    (event,) = matching(reader, 1, partition_key=key)
    assert event.body == body


@pytest.mark.parametrize("address", ["elsewhere/ConsumerGroups/g/Partitions/0", f"{HUB}/ConsumerGroups/g/Partitions/9"])
def test_unknown_address_is_refused(hub: RunningHub, address: str) -> None:
    connection = other_client(hub)
    with pytest.raises(LinkDetached, match="amqp:not-found"):
        connection.create_receiver(address)
    connection.close()


def test_reader_with_a_higher_owner_level_takes_over(hub: RunningHub) -> None:
    address = f"{HUB}/ConsumerGroups/owned/Partitions/1"
    first, second, third = (other_client(hub) for _ in range(3))
    owned = first.create_receiver(address, options=OwnerLevel(1))
    second.create_receiver(address, options=OwnerLevel(2))
    with pytest.raises(LinkDetached, match="amqp:link:stolen"):
        owned.receive(timeout=5)
    with pytest.raises(LinkDetached, match="amqp:link:stolen"):
        third.create_receiver(address)
    for connection in (first, second, third):
        connection.close()


class OwnerLevel(ReceiverOption):
    """What the stock client calls owner_level."""

    def __init__(self, level: int) -> None:
        self.level = level

    def apply(self, receiver: Receiver) -> None:
        receiver.properties = {"com.microsoft:epoch": self.level}


def test_asynchronous_client_sends_too(hub: RunningHub, reader: HubReader) -> None:
    body = unique()

    async def run() -> None:
        async with AsyncProducerClient.from_connection_string(hub.connection_string) as client:
            batch = await client.create_batch()
            batch.add(EventData(body))
            await client.send_batch(batch)

    asyncio.run(run())
    assert matching(reader, 1, body=body.encode())


def test_another_client_library_sends_a_single_message(hub: RunningHub, reader: HubReader) -> None:
    body = unique()
    connection = other_client(hub)
    annotations = {"x-opt-partition-key": body}
    connection.create_sender(HUB).send(Message(body=body.encode(), inferred=True, annotations=annotations))
    connection.close()
    (event,) = matching(reader, 1, partition_key=body)
    assert event.body == body.encode()
