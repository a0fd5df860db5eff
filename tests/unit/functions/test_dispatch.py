"""From the outbox to sent/: order, leases, crashes, references (coordinator 6)."""

import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.adapters.in_memory import FakePostOffice
from functions.adapters.in_memory_lake import FakeClock, InMemoryLake
from functions.coordinator import holding
from functions.coordinator.dispatch import Dispatched, DispatchOutcome, dispatch_batch
from functions.messages.batch import batch_name, pack, read_batch, read_rejected
from functions.messages.envelope_pb2 import Document
from functions.ports import PostOfficeMessage, TooLarge, Unavailable
from shared import lake_layout
from tests.support.messages import split_in_memory
from tests.support.results import JOB, energy_rows, market, per_supplier_rows, splitting

PUBLIC = "https://settlement.example"


@pytest.fixture
def lake() -> InMemoryLake:
    results = market()
    results.add(lake_layout.ENERGY, energy_rows("a", ["1.000", "2.000"]))
    results.add(lake_layout.ENERGY_PER_ES, per_supplier_rows("b", ["1.000", "2.000"]))
    return split_in_memory(splitting(), results, InMemoryLake(FakeClock())).lake


def path_in(lake: InMemoryLake) -> str:
    return next(file.path for file in lake.list("outbox"))


def send(lake: InMemoryLake, hub: FakePostOffice, path: str | None = None) -> DispatchOutcome:
    return dispatch_batch(
        path or path_in(lake),
        lake=lake,
        post_office=hub,
        public_base_url=PUBLIC,
        clock=lake.clock,
        deadline=lake.clock.now() + timedelta(minutes=8),
    )


def test_a_batch_is_sent_and_moved(lake: InMemoryLake) -> None:
    path, hub = path_in(lake), FakePostOffice()
    outcome = send(lake, hub)
    assert (outcome.state, outcome.sent, outcome.rejected) == (Dispatched.SENT, 4, 0)
    assert not list(lake.list("outbox"))
    assert [file.path for file in lake.list("sent")] == [path.replace("outbox", "sent")]
    assert [message.recipient for message in hub.sent] == sorted(message.recipient for message in hub.sent)


def test_an_event_says_what_the_document_is(lake: InMemoryLake) -> None:
    hub = FakePostOffice()
    send(lake, hub)
    event = next(message for message in hub.sent if message.properties["recipientRole"] == "MDR")
    envelope = Document.FromString(event.body)
    document = json.loads(envelope.content)["NotifyAggregatedMeasureData_MarketDocument"]
    assert (envelope.type, envelope.version) == ("NotifyAggregatedMeasureData", "1")
    assert envelope.recipient == event.recipient == document["receiver_MarketParticipant.mRID"]["value"]
    assert envelope.effectuationDate.ToJsonString() == document["createdDateTime"] == "2025-03-05T10:11:12Z"
    assert event.message_id == document["mRID"]
    assert event.correlation_id == event.properties["jobId"] == JOB
    assert set(event.properties) == {
        *("documentType", "processType", "recipient", "recipientRole"),
        *("gridArea", "jobId", "contentLength", "contentSha256"),
    }
    assert event.properties["contentLength"] == len(envelope.content.encode())


def test_what_is_too_large_goes_by_reference(lake: InMemoryLake) -> None:
    hub = FakePostOffice(largest=400)
    send(lake, hub)
    for event in hub.sent:
        assert Document.FromString(event.body).content == ""
        assert event.properties["contentRef"] == f"{PUBLIC}/api/messages/{event.message_id}"
        assert event.properties["contentLength"] > 400


def test_what_a_hub_refuses_though_it_said_it_takes_it_goes_by_reference(lake: InMemoryLake) -> None:
    class TakesLess(FakePostOffice):
        def send(self, messages: Iterable[PostOfficeMessage]) -> None:
            for message in messages:
                if len(message.body) > 400:
                    self.largest = 400
                    raise TooLarge("the post office refused")
                self.sent.append(message)

    hub = TakesLess()
    outcome = send(lake, hub)
    assert (outcome.state, outcome.sent, len(hub.sent)) == (Dispatched.SENT, 4, 4)
    assert all("contentRef" in event.properties for event in hub.sent)


def test_a_hub_that_fails_leaves_the_file_where_it_is(lake: InMemoryLake) -> None:
    path = path_in(lake)
    with pytest.raises(Unavailable):
        send(lake, FakePostOffice(failing=Unavailable("post office")))
    assert path_in(lake) == path
    assert send(lake, FakePostOffice()).state is Dispatched.SENT


def test_a_crash_before_the_move_sends_again_with_the_same_ids(lake: InMemoryLake) -> None:
    hub = FakePostOffice()

    def die(verb: str, path: str) -> None:
        if verb == "rename":
            raise KeyboardInterrupt

    lake.before = die
    with pytest.raises(KeyboardInterrupt):
        send(lake, hub)
    lake.before = lambda verb, path: None
    lake.clock.advance(seconds=61)
    assert send(lake, hub).state is Dispatched.SENT
    ids = [message.message_id for message in hub.sent]
    assert ids[:4] == ids[4:]


def test_what_is_in_sent_already_is_not_sent_again(lake: InMemoryLake) -> None:
    path, hub = path_in(lake), FakePostOffice()
    lake.create(path.replace("outbox", "sent"), lake.read(path)[0])
    assert send(lake, hub).state is Dispatched.SENT_BEFORE
    assert not hub.sent
    assert not list(lake.list("outbox"))


def test_a_file_that_another_one_holds_is_left_to_it(lake: InMemoryLake) -> None:
    lake.lease(path_in(lake))
    assert send(lake, FakePostOffice()).state is Dispatched.HELD


def test_a_file_that_is_gone_is_no_error(lake: InMemoryLake) -> None:
    assert send(lake, FakePostOffice(), f"outbox/{JOB}/800-00001-0.jsonl.gz").state is Dispatched.GONE


def test_a_lease_that_is_lost_meanwhile_leaves_the_file_to_the_other(lake: InMemoryLake) -> None:
    class SlowHub(FakePostOffice):
        def send(self, messages):
            super().send(messages)
            lake.clock.advance(seconds=61)
            lake.lease(path_in(lake))

    assert send(lake, SlowHub()).state is Dispatched.HELD
    assert list(lake.list("outbox"))


def test_a_lease_is_renewed_while_sending(lake: InMemoryLake) -> None:
    class SlowHub(FakePostOffice):
        def send(self, messages):
            for message in messages:
                lake.clock.advance(seconds=40)
                self.sent.append(message)

    assert send(lake, SlowHub()).state is Dispatched.SENT


def test_a_lease_is_renewed_while_the_hub_keeps_the_last_batch_waiting(
    lake: InMemoryLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "RENEW_EVERY", 0.01)
    renewed = threading.Event()
    take = lake.lease

    class Watched:
        def __init__(self, lease):
            self.lease = lease
            self.release = lease.release

        def renew(self):
            self.lease.renew()
            renewed.set()

    class SlowHub(FakePostOffice):
        def send(self, messages):
            super().send(messages)
            renewed.clear()
            assert renewed.wait(10)

    monkeypatch.setattr(lake, "lease", lambda *args: Watched(take(*args)))
    monkeypatch.setattr(lake, "rename", lambda source, target, lease: lake.create(target, b""))
    assert send(lake, SlowHub()).state is Dispatched.SENT


def test_when_the_time_is_over_the_file_stays(lake: InMemoryLake) -> None:
    hub = FakePostOffice()
    outcome = dispatch_batch(
        path_in(lake), lake=lake, post_office=hub, public_base_url=PUBLIC, clock=lake.clock, deadline=lake.clock.now()
    )
    assert outcome.state is Dispatched.LATER
    assert list(lake.list("outbox"))


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_an_incomplete_file_is_ignored(lake: InMemoryLake, cut: int) -> None:
    path, hub = path_in(lake), FakePostOffice()
    content = lake.read(path)[0]
    lake.delete(path)
    lake.create(path, content[:cut])
    assert send(lake, hub).state is Dispatched.INCOMPLETE
    assert not hub.sent
    assert list(lake.list("outbox"))


def test_a_file_cut_between_two_messages_is_incomplete_too(lake: InMemoryLake) -> None:
    path = path_in(lake)
    name = path.rpartition("/")[2].removesuffix(".jsonl.gz")
    content = lake.read(path)[0]
    ends = [index for index in range(len(content)) if content[index : index + 4] == b"\x1f\x8b\x08\x00"]
    assert len(ends) == 12
    assert all(read_batch(name, content[:end]) is None for end in ends)


def test_a_message_that_can_never_be_sent_is_put_aside_and_the_others_go(lake: InMemoryLake) -> None:
    path, hub = path_in(lake), FakePostOffice()
    name = path.rpartition("/")[2].removesuffix(".jsonl.gz")
    lines = read_batch(name, lake.read(path)[0])
    assert lines is not None
    blank = json.dumps({**_fields(lines[0].message), "recipient": " "}, separators=(",", ":"))[:-1] + ',"content":'
    good = json.dumps(_fields(lines[1].message), separators=(",", ":"))[:-1] + ',"content":'
    heads = [blank.encode(), good.encode()]
    bad = f"outbox/{JOB}/{batch_name('800', 9, heads)}.jsonl.gz"
    content = b"".join(head + line.content + b"}\n" for head, line in zip(heads, lines, strict=False))
    lake.create(bad, pack(content))
    outcome = send(lake, hub, bad)
    assert (outcome.state, outcome.sent, outcome.rejected) == (Dispatched.SENT, 1, 1)
    rejected = [line for file in lake.list("rejected") for line in read_rejected(lake.read(file.path)[0])]
    assert [line["messageId"] for line in rejected] == [lines[0].message.message_id]
    assert "recipient is blank" in str(rejected[0]["reason"])


def _fields(message: object) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(replace(message))
