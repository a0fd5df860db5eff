"""The parts of the Event Hub stand-in that need no wire: frames, events, the log, positions."""

from pathlib import Path

import pytest
from proton import Message, symbol

from local.event_hub import encoding, events, frames
from local.event_hub.addresses import NotFound, WrongFilter, first_to_read, source, target
from local.event_hub.hub import Hub, HubInUse, PartitionCountFixed
from local.event_hub.partition_log import PartitionLog
from local.event_hub.sasl import SaslServer


def frame(code: int, fields: bytes, payload: bytes = b"") -> bytes:
    body = b"\x02\x00\x00\x00" + encoding.section(code, fields) + payload
    return (len(body) + 4).to_bytes(4, "big") + body


@pytest.mark.parametrize("code", sorted(frames.FIELD_COUNT))
def test_every_performative_is_padded_to_its_full_field_count(code: int) -> None:
    for short in (b"\x45", b"\xc0\x02\x01\x43", b"\xd0\x00\x00\x00\x05\x00\x00\x00\x01\x43"):
        whole = frames.padded(frame(code, short, b"payload"))
        assert int.from_bytes(whole[:4], "big") == len(whole)
        found = frames.performative(whole)
        assert found is not None
        count, _ = encoding.items(whole, found[1])
        assert (found[0], count) == (code, frames.FIELD_COUNT[code])
        assert whole[encoding.end_of(whole, found[1]) :] == b"payload"


def test_long_performative_grows_to_a_wide_list() -> None:
    fields = b"\xa1\xfa" + b"n" * 250
    whole = frames.padded(frame(0x12, bytes([0xC0, len(fields) + 1, 1]) + fields))
    found = frames.performative(whole)
    assert found is not None
    assert whole[found[1]] == 0xD0
    assert encoding.items(whole, found[1])[0] == 14


def test_frames_are_cut_out_of_any_pieces() -> None:
    stream = (
        b"AMQP\x00\x01\x00\x00"
        + frame(0x18, b"\x45")
        + b"\x00\x00\x00\x08\x02\x00\x00\x00"
        + frame(0x14, b"\x45", b"x")
    )
    cutter = frames.FrameCutter(512)
    found = [piece for position in range(0, len(stream), 5) for piece in cutter.cut(stream[position : position + 5])]
    assert b"".join(found) == stream
    assert len(found) == 4


@pytest.mark.parametrize("size", [7, 513])
def test_frame_of_an_impossible_size_is_malformed(size: int) -> None:
    with pytest.raises(encoding.Malformed, match="frame of"):
        list(frames.FrameCutter(512).cut(size.to_bytes(4, "big") + b"\x02\x00\x00\x00"))


def test_client_is_sent_frames_that_leave_room_for_padding() -> None:
    fields = encoding.string("me") + encoding.string("host") + b"\x70" + (65536).to_bytes(4, "big")
    changed = frames.with_room_for_padding(frame(0x10, encoding.listing(3, fields)))
    assert changed.endswith((65536 - 64).to_bytes(4, "big"))


@pytest.mark.parametrize("mechanism", ["MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL"])
def test_every_mechanism_of_a_stock_client_succeeds(mechanism: str) -> None:
    sasl = SaslServer()
    offer = sasl.answer(b"AMQP\x03\x01\x00\x00")
    assert offer is not None
    assert mechanism.encode() in offer
    outcome = sasl.answer(frame(0x41, encoding.listing(1, encoding.symbol(mechanism))))
    assert outcome is not None
    assert outcome.endswith(b"\x50\x00")
    assert sasl.done


def test_unknown_mechanism_is_refused() -> None:
    sasl = SaslServer()
    sasl.answer(frame(0x41, encoding.listing(1, encoding.symbol("SCRAM"))))
    assert sasl.refused
    assert not sasl.done


def test_event_goes_out_as_it_came_with_what_the_hub_knows() -> None:
    message = Message(body=b"body", inferred=True, id="m", durable=True, properties={"a": 1})
    message.annotations = {symbol("x-opt-partition-key"): "k", symbol("own"): 5, symbol("x-opt-offset"): "forged"}
    key, (kept,) = events.unpack(message.encode(), 0)
    last = events.Place(9, 99, 999)
    out = Message()
    out.decode(events.outgoing(kept, events.Place(3, 120, 1700), last))
    assert key == "k"
    assert (out.body, out.id, out.durable, out.properties) == (b"body", "m", True, {"a": 1})
    assert out.annotations == {
        "x-opt-sequence-number": 3,
        "x-opt-offset": "120",
        "x-opt-enqueued-time": 1700,
        "x-opt-partition-key": "k",
        "own": 5,
    }
    assert out.instructions["last_enqueued_sequence_number"] == 9


def test_batch_gives_its_partition_key_to_members_without_one() -> None:
    member = Message(body=b"x", inferred=True).encode()
    annotations = encoding.mapping(2, encoding.symbol("x-opt-partition-key") + encoding.string("k"))
    batch = encoding.section(0x72, annotations) + encoding.section(
        0x75, b"\xb0" + len(member).to_bytes(4, "big") + member
    )
    key, (kept,) = events.unpack(batch, events.BATCH_FORMAT)
    out = Message()
    out.decode(events.outgoing(kept, events.Place(0, 0, 0), None))
    assert (key, out.annotations["x-opt-partition-key"]) == ("k", "k")


@pytest.mark.parametrize(
    ("message", "message_format"),
    [
        (b"", 0),
        (b"garbage", 0),
        (b"\x00\x53\x75\xa0\x09short", 0),
        (b"\x00\x53\x75", 0),
        (b"\x00" * 5000, 0),
        (b"\x00\x53\x73\x45", 0),
        (b"", events.BATCH_FORMAT),
        (b"\x00\x53\x75\xa0\x01x", events.BATCH_FORMAT),
        (b"\x00\x53\x77\xa0\x01x", events.BATCH_FORMAT),
    ],
)
def test_what_is_no_message_is_refused(message: bytes, message_format: int) -> None:
    with pytest.raises(encoding.Malformed):
        events.unpack(message, message_format)


def test_log_survives_and_cuts_off_what_was_never_accepted(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    log = PartitionLog(path)
    log.append([b"a", b"bb"], 1000)
    first = path.read_bytes()
    log.append([b"ccc"], 900)
    log.close()
    whole = path.read_bytes()
    for torn in (first[:7], first[:-1], first[:-2] + b"xy"):
        path.write_bytes(whole + torn)
        log = PartitionLog(path)
        assert [log.read(number) for number in range(len(log))] == [b"a", b"bb", b"ccc"]
        assert [log.place(number).enqueued for number in range(3)] == [1000, 1000, 1000]
        assert path.read_bytes() == whole
        log.close()


def test_positions_are_found_by_offset_sequence_number_and_time(tmp_path: Path) -> None:
    hub = Hub(tmp_path, "h", partitions=1, max_message_size=100)
    partition = hub.partitions["0"]
    for time in (1000, 2000, 3000):
        partition.log.append([b"x"], time)
    offset = partition.log.place(1).offset
    name = "amqp.annotation.x-opt-"
    expected = {
        f"{name}offset > '-1'": 0,
        f"{name}offset > '{offset}'": 2,
        f"{name}offset >= '{offset}'": 1,
        f"{name}sequence-number > '0'": 1,
        f"{name}sequence-number >= '0'": 0,
        f"{name}sequence-number > '-1'": 0,
        f"{name}sequence-number > 77": 3,
        f"{name}enqueued-time > '2000'": 2,
        f"{name}enqueued-time >= '2000'": 1,
        f"{name}offset > '@latest'": 3,
    }
    assert {selector: first_to_read(partition, selector) for selector in expected} == expected
    assert first_to_read(partition, None) == 0
    for wrong in ("color > 'red'", f"{name}offset > 'x'", f"{name}offset < '5'"):
        with pytest.raises(WrongFilter):
            first_to_read(partition, wrong)
    hub.close()


def test_addresses_lead_to_partitions(tmp_path: Path) -> None:
    hub = Hub(tmp_path, "h", partitions=2, max_message_size=100)
    assert target(hub, "amqps://localhost/h") is None
    assert target(hub, "h/Partitions/1") is hub.partitions["1"]
    assert source(hub, "h/ConsumerGroups/$Default/Partitions/0").group == "$Default"
    for wrong in ("x", "h/Partitions/2", "h/ConsumerGroups/g", None):
        with pytest.raises(NotFound):
            target(hub, wrong)
        with pytest.raises(NotFound):
            source(hub, wrong)
    hub.close()


def test_only_one_process_holds_a_hub_and_its_partition_count_is_fixed(tmp_path: Path) -> None:
    hub = Hub(tmp_path, "h", partitions=2, max_message_size=100)
    with pytest.raises(HubInUse, match="another process"):
        Hub(tmp_path, "h", partitions=2, max_message_size=100)
    hub.close()
    with pytest.raises(PartitionCountFixed, match="2 partitions, not 3"):
        Hub(tmp_path, "h", partitions=3, max_message_size=100)
    again = Hub(tmp_path, "h", partitions=None, max_message_size=100)
    assert len(again.partitions) == 2
    again.close()
