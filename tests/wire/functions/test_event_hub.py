"""The post office over the stock client and the local hub: order, sizes, refusals (coordinator 6)."""

import gc
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from functions.adapters.event_hub import EventHubPostOffice
from functions.ports import PostOfficeMessage, TooLarge, Unavailable
from local.event_hub.reading import HubReader, ReceivedEvent
from shared.settings import Settings
from tests.support.event_hub import HUB, RunningHub, running_hub

# The stock client leaves the socket of a cut connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), "--partitions", "2") as running:
        yield running


@pytest.fixture(scope="module")
def reader(hub: RunningHub) -> Iterator[HubReader]:
    with HubReader(hub.connection_string, HUB) as open_reader:
        yield open_reader


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def post_office(hub: RunningHub, waits: list[float]) -> Iterator[EventHubPostOffice]:
    settings = Settings.from_environment({"POST_OFFICE": hub.connection_string, "POST_OFFICE_HUB": HUB})
    office = EventHubPostOffice(settings, patience=5.0, sleep=waits.append)
    yield office
    office.close()
    hub.break_by()
    gc.collect()


def message(job: str, recipient: str = "5790000000001", size: int = 100) -> PostOfficeMessage:
    properties: dict[str, str | int] = {"recipient": recipient, "contentLength": size}
    return PostOfficeMessage(uuid4().hex, recipient, b"x" * size, job, properties)


def received(reader: HubReader, job: str, count: int) -> list[ReceivedEvent]:
    def of_job(events: list[ReceivedEvent]) -> list[ReceivedEvent]:
        return [event for event in events if event.correlation_id == job]

    return of_job(reader.until(lambda events: len(of_job(events)) >= count))


def test_messages_arrive_as_they_were_in_order_per_receiver(post_office: EventHubPostOffice, reader: HubReader) -> None:
    job = uuid4().hex
    sent = [message(job, f"579000000000{number % 3}", size=10_000 + number) for number in range(300)]
    post_office.send(sorted(sent, key=lambda one: one.recipient))
    events = received(reader, job, 300)
    assert {event.message_id for event in events} == {one.message_id for one in sent}
    for recipient in {one.recipient for one in sent}:
        mine = [event for event in events if event.partition_key == recipient]
        assert len({event.partition for event in mine}) == 1
        ordered = [event.message_id for event in sorted(mine, key=lambda event: event.sequence_number)]
        assert ordered == [one.message_id for one in sent if one.recipient == recipient]
    assert {event.content_type for event in events} == {"application/x-protobuf"}
    assert {event.properties["contentLength"] for event in events} == set(range(10_000, 10_300))


def test_what_fits_is_decided_to_the_byte_as_the_hub_does(post_office: EventHubPostOffice, reader: HubReader) -> None:
    job, low, high = uuid4().hex, 1_000_000, 1_048_576
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if post_office.fits(message(job, size=middle)) else (low, middle)
    post_office.send([message(job, size=low)])
    assert len(received(reader, job, 1)) == 1


def test_throttling_is_waited_out(
    hub: RunningHub, post_office: EventHubPostOffice, reader: HubReader, waits: list[float]
) -> None:
    job = uuid4().hex
    post_office.send([message(job)])
    hub.break_by({"on": "send", "fault": "server_busy", "times": 5})
    post_office.send([message(job)])
    assert hub.fired() == 5
    assert waits
    assert waits == sorted(waits)
    assert len(received(reader, job, 2)) == 2


@pytest.mark.parametrize("fault", ["drop_link_before", "drop_connection_after"])
def test_a_lost_link_loses_nothing(
    hub: RunningHub, post_office: EventHubPostOffice, reader: HubReader, fault: str
) -> None:
    job = uuid4().hex
    post_office.send([message(job)])
    hub.break_by({"on": "send", "fault": fault, "times": 1})
    one = message(job)
    post_office.send([one])
    assert one.message_id in {event.message_id for event in received(reader, job, 2)}


def test_a_hub_that_takes_less_than_it_announces_is_measured(
    hub: RunningHub, post_office: EventHubPostOffice, reader: HubReader
) -> None:
    job, large = uuid4().hex, message(uuid4().hex, size=200_000)
    hub.break_by({"on": "send", "fault": "oversize", "over": 100_000})
    assert post_office.fits(large)
    for _ in range(10):
        if not post_office.fits(large):
            break
        with pytest.raises(TooLarge, match="larger than"):
            post_office.send([large])
    assert not post_office.fits(large)
    fitting = [message(job, size=30_000) for _ in range(20)]
    for _ in range(10):
        try:
            post_office.send(fitting)
        except TooLarge:
            continue
        break
    assert {one.message_id for one in fitting} <= {one.message_id for one in received(reader, job, 20)}


def test_one_refusal_of_a_size_is_no_limit(hub: RunningHub, post_office: EventHubPostOffice) -> None:
    large = message(uuid4().hex, size=200_000)
    hub.break_by({"on": "send", "fault": "oversize", "times": 2})
    post_office.send([large])
    assert hub.fired() == 2
    assert post_office.fits(large)


def test_a_hub_that_begins_to_announce_less_is_believed_whichever_link_learns_it(
    hub: RunningHub, post_office: EventHubPostOffice
) -> None:
    receivers = [f"579000000000{number}" for number in range(3)]
    post_office.send([message(uuid4().hex, receiver) for receiver in receivers])
    large = message(uuid4().hex, receivers[1], size=200_000)
    hub.limit_to(100_000)
    try:
        hub.break_by({"on": "send", "fault": "drop_connection_before", "times": 3})
        with pytest.raises(TooLarge):
            post_office.send([message(uuid4().hex, receivers[0]), large])
        assert not post_office.fits(large)
    finally:
        hub.limit_to(1_048_576)


def test_a_hub_that_stays_busy_is_unavailable(hub: RunningHub, post_office: EventHubPostOffice) -> None:
    post_office.check()
    hub.break_by({"on": "send", "fault": "server_busy", "times": 1000})
    with pytest.raises(Unavailable, match="post office"):
        post_office.send([message(uuid4().hex)])


def test_a_hub_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        hub.kill()
    settings = Settings.from_environment({"POST_OFFICE": hub.connection_string, "POST_OFFICE_HUB": HUB})
    office = EventHubPostOffice(settings, patience=0.5)
    with pytest.raises(Unavailable, match="post office"):
        office.send([message("j")])
    with pytest.raises(Unavailable, match="post office"):
        office.check()
    gc.collect()
