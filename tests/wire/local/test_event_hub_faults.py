"""The Event Hub stand-in when it is told to fail, and when it is killed."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.eventhub import EventHubProducerClient
from azure.eventhub.exceptions import EventDataSendError, EventHubError

from local.event_hub.reading import HubReader, read_all
from tests.support.event_hub import HUB, RunningHub, a_producer, matching, running_hub, send, unique

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


@pytest.fixture(scope="module")
def bold(hub: RunningHub) -> Iterator[EventHubProducerClient]:
    """A producer on partition 0 whose sends may fail."""
    with a_producer(hub) as client:
        send(client, "before it fails", partition_id="0")
        yield client
    gc.collect()


@pytest.fixture
def broken(hub: RunningHub) -> Iterator[None]:
    """The hub may be told to fail, and is whole again after the test."""
    yield
    hub.break_by()


def test_throttled_sends_are_refused_and_not_kept(
    hub: RunningHub, reader: HubReader, bold: EventHubProducerClient, broken: None
) -> None:
    hub.break_by({"on": "send", "fault": "server_busy", "times": 2})
    body = unique()
    with pytest.raises(EventDataSendError, match="server-busy"):  # the client hides a first refusal
        send(bold, body, partition_id="0")
    assert hub.fired() == 2
    send(bold, body, partition_id="0")
    assert kept(reader, bold, body) == 1


def test_message_larger_than_the_hub_takes_is_refused_by_name(
    hub: RunningHub, bold: EventHubProducerClient, broken: None
) -> None:
    hub.break_by({"on": "send", "fault": "oversize", "times": 2})
    with pytest.raises(EventHubError, match="message is larger than the 1048576 bytes"):
        send(bold, unique())


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        ("drop_link_before", 1),
        ("drop_connection_before", 1),
        ("drop_link_after", 2),
        ("drop_connection_after", 2),
        ("delay", 1),
    ],
)
def test_event_survives_a_fault_once_or_as_a_recognisable_duplicate(
    hub: RunningHub, reader: HubReader, bold: EventHubProducerClient, broken: None, fault: str, times: int
) -> None:
    hub.break_by({"on": "send", "path": f"{HUB}/Partitions/0", "fault": fault, "times": 1, "seconds": 0.05})
    body = unique()
    send(bold, body, partition_id="0")
    assert hub.fired() == 1
    assert kept(reader, bold, body) == times


def kept(reader: HubReader, producer: EventHubProducerClient, body: str) -> int:
    """How often the body lies in partition 0: counted when an event sent after it is there."""
    marker = unique()
    send(producer, marker, partition_id="0")
    matching(reader, 1, body=marker.encode())
    return len(matching(reader, 0, body=body.encode()))


def test_limit_announced_to_new_links_can_shrink(hub: RunningHub) -> None:
    hub.limit_to(4096)
    try:
        with a_producer(hub) as small:
            assert small.create_batch().max_size_in_bytes == 4096
    finally:
        hub.limit_to(1_048_576)


def test_everything_accepted_is_there_after_kill_and_restart_and_the_client_goes_on(tmp_path: Path) -> None:
    with running_hub(tmp_path, "--partitions", "1") as first, a_producer(first) as producer:
        send(producer, "before", partition_key="k")
        first.kill()
        with running_hub(tmp_path, port=first.port) as second:
            send(producer, "after", partition_key="k")
            events = read_all(second.connection_string, HUB)
    gc.collect()
    assert [(event.sequence_number, event.body) for event in events] == [(0, b"before"), (1, b"after")]
    assert events[0].partition_key == "k"
