"""Who was sent what, when; one document as it was sent; each actor sees its own (coordinator 3)."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from functions.adapters.in_memory import FakePostOffice
from functions.adapters.in_memory_lake import FakeClock, InMemoryLake
from functions.adapters.message_index import DeltaMessageIndex
from functions.coordinator.archive import ActorScope, Archive, as_xml, find_document, list_messages
from functions.coordinator.archive_index import gather, rebuild, tidy
from functions.coordinator.dispatch import dispatch_batch
from functions.coordinator.errors import NothingThere
from functions.messages.envelope_pb2 import Document
from functions.ports import MessageIndex, PostOfficeMessage
from shared import lake_layout
from tests.support.message_index import InMemoryMessageIndex
from tests.support.messages import split_in_memory
from tests.support.results import ESETT, JOB, OWNER, SUPPLIER, energy_rows, market, per_supplier_rows, splitting


@pytest.fixture(params=["in memory", "delta"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> MessageIndex:
    return InMemoryMessageIndex() if request.param == "in memory" else DeltaMessageIndex(str(tmp_path))


@pytest.fixture
def archive(index: MessageIndex) -> Archive:
    """Four messages that wait in the outbox, one batch of each kind of receiver."""
    results = market()
    results.add(lake_layout.ENERGY, energy_rows("a", ["1.000", "2.000"]))
    results.add(lake_layout.ENERGY_PER_ES, per_supplier_rows("b", ["1.000", "2.000"]))
    return Archive(lake=split_in_memory(splitting(), results, InMemoryLake(FakeClock())).lake, index=index)


def lake_of(archive: Archive) -> InMemoryLake:
    assert isinstance(archive.lake, InMemoryLake)
    return archive.lake


def waits(archive: Archive) -> None:
    """Nothing is sent."""


def is_sent(archive: Archive, largest: int = 10**6) -> FakePostOffice:
    lake, hub = lake_of(archive), FakePostOffice(largest=largest)
    for file in list(lake.list("outbox")):
        dispatch_batch(
            file.path,
            lake=lake,
            post_office=hub,
            public_base_url="https://x",
            clock=lake.clock,
            deadline=lake.clock.now() + timedelta(minutes=1),
        )
    return hub


def is_gathered(archive: Archive) -> None:
    is_sent(archive)
    gather_all(archive)


def gather_all(archive: Archive) -> None:
    lake = lake_of(archive)
    gather(lake=lake, index=archive.index, clock=lake.clock, until=lake.clock.now() + timedelta(minutes=1))


STAGES = pytest.mark.parametrize("stage", [waits, is_sent, is_gathered])


@STAGES
def test_the_messages_of_a_job_are_listed_at_every_stage(archive: Archive, stage: Callable[[Archive], object]) -> None:
    stage(archive)
    page = list_messages(JOB, archive=archive)
    assert page.after is None
    assert [(row["recipient"], row["recipient_role"]) for row in page.messages] == [
        (ESETT, "DDX"),
        (OWNER, "MDR"),
        (SUPPLIER, "DDQ"),
        ("5790000000030", "DDK"),
    ]
    assert all((row["sent_at"] is None) == (stage is waits) for row in page.messages)


@STAGES
def test_pages_together_hold_every_message_once(archive: Archive, stage: Callable[[Archive], object]) -> None:
    stage(archive)
    found, after = [], None
    for _ in range(4):
        page = list_messages(JOB, archive=archive, after=after, limit=1)
        found += [row["message_id"] for row in page.messages]
        after = page.after
    assert after is None
    assert found == [row["message_id"] for row in list_messages(JOB, archive=archive).messages]


@STAGES
def test_a_document_is_found_by_its_id_byte_for_byte(archive: Archive, stage: Callable[[Archive], object]) -> None:
    waiting = {row["message_id"]: row for row in list_messages(JOB, archive=archive).messages}
    stage(archive)
    for message_id, row in waiting.items():
        line = find_document(message_id, archive=archive)
        assert len(line.content) == row["content_length"]
        assert json.loads(line.content)["NotifyAggregatedMeasureData_MarketDocument"]["mRID"] == message_id
        assert as_xml(line).startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<cim:NotifyAggregatedMeasureData')


def test_what_the_hub_got_is_what_the_archive_has(archive: Archive) -> None:
    for event in is_sent(archive).sent:
        content = find_document(event.message_id, archive=archive).content
        assert Document.FromString(event.body).content.encode() == content


def test_a_referred_document_can_be_fetched_before_its_batch_is_sent(archive: Archive) -> None:
    fetched = []

    class FetchingHub(FakePostOffice):
        def send(self, messages: Iterator[PostOfficeMessage]) -> None:
            for message in messages:
                fetched.append(find_document(message.message_id, archive=archive).message.message_id)
                self.sent.append(message)

    lake = lake_of(archive)
    (path,) = [file.path for file in lake.list("outbox")]
    hub = FetchingHub(largest=1)
    dispatch_batch(
        path,
        lake=lake,
        post_office=hub,
        public_base_url="https://x",
        clock=lake.clock,
        deadline=lake.clock.now() + timedelta(minutes=1),
    )
    assert len(fetched) == 4
    assert len(list(lake.list("archive/references"))) == 4
    gather_all(archive)
    assert not list(lake.list("archive/references"))
    assert find_document(fetched[0], archive=archive)


@STAGES
def test_an_actor_sees_its_own_messages_alone(archive: Archive, stage: Callable[[Archive], object]) -> None:
    everything = {row["message_id"]: row for row in list_messages(JOB, archive=archive).messages}
    stage(archive)
    scope = ActorScope(actor_id=SUPPLIER, actor_role="DDQ")
    page = list_messages(JOB, archive=archive, scope=scope)
    assert [row["recipient"] for row in page.messages] == [SUPPLIER]
    assert not list_messages(JOB, archive=archive, scope=ActorScope(actor_id=SUPPLIER, actor_role="DDK")).messages
    assert not list_messages(JOB, archive=archive, scope=scope, wanted={"recipient": OWNER}).messages
    for message_id, row in everything.items():
        if row["recipient"] == SUPPLIER:
            assert find_document(message_id, archive=archive, scope=scope)
        else:
            with pytest.raises(NothingThere):
                find_document(message_id, archive=archive, scope=scope)


@pytest.mark.parametrize("message_id", ["0" * 32, "../../state/version", "' OR true --", ""])
def test_an_unknown_message_is_not_there(archive: Archive, message_id: str) -> None:
    is_gathered(archive)
    with pytest.raises(NothingThere):
        find_document(message_id, archive=archive)


def test_messages_are_found_by_receiver_type_area_period_and_time(archive: Archive) -> None:
    is_gathered(archive)

    def found(**wanted: str) -> int:
        return len(archive.index.search(wanted, after=None, limit=10))

    now = lake_of(archive).clock.now().isoformat()
    assert found(recipient=OWNER) == 1
    assert found(document_type="NotifyAggregatedMeasureData", grid_area="800") == 4
    assert found(document_type="NotifyWholesaleServices") == 0
    assert found(period_from="2025-01-31T23:15:00Z", period_to="2025-02-01T00:00:00Z") == 4
    assert found(period_from="2025-01-31T23:30:00Z") == 0
    assert found(sent_from=now[:10]) == 4
    assert found(sent_to=now[:10]) == 0


def test_gathering_that_was_cut_short_shows_each_message_once(archive: Archive) -> None:
    is_sent(archive)
    lake = lake_of(archive)
    waiting = [(file.path, lake.read(file.path)[0]) for file in lake.list("archive/waiting")]
    gather_all(archive)
    for path, content in waiting:
        lake.create(path, content)
    gather_all(archive)
    assert len(list_messages(JOB, archive=archive).messages) == 4


def test_rows_that_are_just_being_written_are_gathered_the_next_time(archive: Archive) -> None:
    lake = lake_of(archive)
    is_sent(archive)
    path = next(file.path for file in lake.list("archive/waiting"))
    content, _ = lake.read(path)
    lake.delete(path)
    etag = lake.create(path, b"")
    gather_all(archive)
    lake.replace(path, content, etag)
    gather_all(archive)
    assert list(lake.list("archive/waiting")) == []
    assert len(list_messages(JOB, archive=archive).messages) == 4


def test_a_lost_index_is_made_again_from_what_is_sent(archive: Archive) -> None:
    is_sent(archive)
    lake = lake_of(archive)
    for file in list(lake.list("archive")):
        lake.delete(file.path)
    assert not list_messages(JOB, archive=archive).messages
    assert rebuild(JOB, lake=lake) == 1
    gather_all(archive)
    assert len(list_messages(JOB, archive=archive).messages) == 4


def test_what_is_older_than_the_retention_is_dropped(archive: Archive) -> None:
    is_gathered(archive)
    lake = lake_of(archive)
    lake.clock.advance(days=10)
    tidy(index=archive.index, clock=lake.clock, retention_days=11)
    assert len(archive.index.search({}, after=None, limit=10)) == 4
    index = archive.index
    if isinstance(index, DeltaMessageIndex):
        index._tidied = None
    tidy(index=index, clock=lake.clock, retention_days=9)
    assert not index.search({}, after=None, limit=10)
