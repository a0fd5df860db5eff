"""Rows to series, qualities, ids, and what is generated from the code (messages 1 to 4)."""

import hashlib
import itertools
import subprocess
import sys
from array import array
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.messages import cim_json, envelope
from functions.messages.actors import Party, coding_scheme
from functions.messages.batch import Line, Message
from functions.messages.charges_document import amount_points
from functions.messages.documents import Codes, PointForm, Points, Values
from functions.messages.errors import BadEnvelope, BadSeries
from functions.messages.ids import document_ids
from functions.messages.recipients import receivers_page
from functions.messages.series import AMOUNT_QUALITIES, ENERGY_QUALITIES, Stretch, stretches
from shared.codes import QUALITY_BIT, Quality
from tests.support.results import START, charge_rows, series_of

ROOT = Path(__file__).parents[3]
DENMARK = ZoneInfo("Europe/Copenhagen")
M, E, A, C = Quality.MISSING, Quality.ESTIMATED, Quality.MEASURED, Quality.CALCULATED


def times(*instants: datetime) -> "array[int]":
    return array("q", (int(instant.timestamp()) * 10**6 for instant in instants))


def every(step: timedelta, count: int, start: datetime = START) -> list[datetime]:
    return [start + index * step for index in range(count)]


QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(("resolution", "step"), [("PT15M", QUARTER), ("PT1H", HOUR)])
def test_a_series_without_a_gap_is_one_message(resolution: str, step: timedelta) -> None:
    cut = stretches(times(*every(step, 100)), resolution, DENMARK)
    assert cut == [Stretch(0, 100, START, START + 100 * step)]


def test_a_gap_begins_a_new_message() -> None:
    instants = [*every(QUARTER, 2), *every(QUARTER, 3, START + HOUR), START + DAY]
    assert stretches(times(*instants), "PT15M", DENMARK) == [
        Stretch(0, 2, START, START + 2 * QUARTER),
        Stretch(2, 5, START + HOUR, START + HOUR + 3 * QUARTER),
        Stretch(5, 6, START + DAY, START + DAY + QUARTER),
    ]


def test_a_step_shorter_than_the_resolution_begins_a_new_message_too() -> None:
    cut = stretches(times(START, START + QUARTER), "PT1H", DENMARK)
    assert [(stretch.first, stretch.last) for stretch in cut] == [(0, 1), (1, 2)]


def test_hours_follow_each_other_over_both_changes_of_the_clock() -> None:
    for night in (datetime(2025, 3, 29, 23, tzinfo=UTC), datetime(2025, 10, 25, 22, tzinfo=UTC)):
        assert len(stretches(times(*every(HOUR, 30, night)), "PT1H", DENMARK)) == 1


def test_days_follow_each_other_by_the_local_calendar() -> None:
    spring = [datetime(2025, 3, 28, 23, tzinfo=UTC), datetime(2025, 3, 29, 23, tzinfo=UTC)]
    after = [datetime(2025, 3, 30, 22, tzinfo=UTC), datetime(2025, 3, 31, 22, tzinfo=UTC)]
    assert stretches(times(*spring, *after), "P1D", DENMARK) == [
        Stretch(0, 4, spring[0], datetime(2025, 4, 1, 22, tzinfo=UTC))
    ]
    assert len(stretches(times(spring[0], after[0]), "P1D", DENMARK)) == 2


def test_months_follow_each_other_by_the_local_calendar() -> None:
    months = [datetime(2025, 2, 28, 23, tzinfo=UTC), datetime(2025, 3, 31, 22, tzinfo=UTC)]
    assert stretches(times(*months), "P1M", DENMARK) == [
        Stretch(0, 2, months[0], datetime(2025, 4, 30, 22, tzinfo=UTC))
    ]


@pytest.mark.parametrize(
    ("instants", "resolution", "reason"),
    [
        ([START, START], "PT1H", "there twice"),
        ([START, START + QUARTER, START + QUARTER], "PT15M", "2025-01-31T23:15:00.*there twice"),
        ([START + HOUR], "P1D", "begins no local day"),
        ([START + DAY], "P1M", "begins no local calendar month"),
        ([START], "P1Y", "'P1Y' is no resolution"),
        ([START], "", "'' is no resolution"),
        ([START + timedelta(seconds=1)], "PT15M", "no whole minute"),
    ],
)
def test_times_that_make_no_series_are_refused(instants: list[datetime], resolution: str, reason: str) -> None:
    with pytest.raises(BadSeries, match=reason):
        stretches(times(*instants), resolution, DENMARK)


def test_a_time_beyond_every_calendar_is_refused() -> None:
    with pytest.raises(BadSeries, match="no year"):
        stretches(array("q", [2**62 - 2**62 % (60 * 10**6)]), "PT1H", DENMARK)


@given(st.lists(st.integers(0, 40), min_size=1, unique=True).map(sorted))
def test_stretches_hold_every_point_once_and_nothing_but_gaps_between_them(slots: list[int]) -> None:
    instants = [START + slot * QUARTER for slot in slots]
    cut = stretches(times(*instants), "PT15M", DENMARK)
    assert [index for one in cut for index in range(one.first, one.last)] == list(range(len(slots)))
    for one in cut:
        assert one.end - one.start == (one.last - one.first) * QUARTER
        assert one.start == instants[one.first]
    assert all(before.end < after.start for before, after in itertools.pairwise(cut))


def bits(*qualities: Quality) -> int:
    return sum(QUALITY_BIT[quality] for quality in qualities)


@pytest.mark.parametrize(
    ("qualities", "energy", "amount"),
    [
        ([M], "A05", "A05"),
        ([M, E], "A05", "A05"),
        ([M, A], "A05", "A05"),
        ([M, C], "A05", "A05"),
        ([E], "A03", "A06"),
        ([E, A, C], "A03", "A06"),
        ([A], None, "A06"),
        ([A, C], None, "A06"),
        ([C], "A06", "A06"),
        ([], "A02", "A02"),
    ],
)
def test_the_quality_of_a_point_follows_the_table(qualities: list[Quality], energy: str | None, amount: str) -> None:
    assert ENERGY_QUALITIES[bits(*qualities)] == energy
    assert AMOUNT_QUALITIES[bits(*qualities)] == amount


@pytest.mark.parametrize(
    ("charge", "price", "qualities", "code"),
    [
        ("tariff", "1.000000", ["measured"], "A06"),
        ("tariff", "1.000000", ["missing"], "A05"),
        ("tariff", "1.000000", [], "A02"),
        ("tariff", None, ["measured"], "A05"),
        ("subscription", "1.000000", None, "A06"),
        ("fee", "1.000000", None, "A06"),
        ("subscription", None, None, "A05"),
    ],
)
def test_the_quality_of_an_amount(charge: str, price: str | None, qualities: list[str] | None, code: str) -> None:
    rows = charge_rows("a", [("1.000", price, None)], charge_type=charge, quantity_qualities=qualities)
    (column,) = [
        one for one in amount_points(series_of(rows), Stretch(0, 1, START, START)).columns if isinstance(one, Codes)
    ]
    assert column.table[column.indices[0]] == code


def test_decimals_are_written_as_they_are_stored() -> None:
    values = ["0.000", "-0.001", "123456789012345.678", None]
    points = Points(4, (Values("quantity", values), Values("price.amount", values, PointForm.BOXED_NUMBER)))
    text = cim_json.points_text(points)
    assert text.startswith('{"position":{"value":1},"quantity":0.000,"price.amount":{"value":0.000}},{"position"')
    assert text.endswith('{"position":{"value":4}}')


def test_points_may_have_nothing_but_their_positions() -> None:
    assert cim_json.points_text(Points(2, ())) == '{"position":{"value":1}},{"position":{"value":2}}'
    assert cim_json.points_text(Points(0, ())) == ""


KEY = {"grid_area_code": "800", "energy_supplier_id": None, "is_tax": False}
PARTY = Party("5790000000001", "DDQ")


def ids(**changes: object) -> tuple[str, str]:
    given_ids = {"job_id": "j", "row": "r", "key": KEY, "original": PARTY, "effective": PARTY, "period_start": "p"}
    return document_ids(**{**given_ids, **changes})


def test_ids_are_hex_digits_and_the_same_whenever_asked() -> None:
    message, series = ids()
    assert ids() == (message, series)
    assert ids(key=dict(reversed(KEY.items()))) == (message, series)
    assert message != series
    assert all(len(one) == 32 and int(one, 16) for one in (message, series))


def test_whatever_makes_another_document_makes_other_ids() -> None:
    other = Party("5790000000002", "DDQ")
    changes: list[dict[str, object]] = [
        {"job_id": "k"},
        {"row": "s"},
        {"key": {**KEY, "grid_area_code": "80"}},
        {"key": {**KEY, "energy_supplier_id": ""}},
        {"key": {**KEY, "is_tax": True}},
        {"original": other},
        {"effective": other},
        {"effective": Party(PARTY.actor_id, "DDK")},
        {"period_start": "q"},
        {"transaction_id": "t"},
    ]
    made = [ids(), *(ids(**change) for change in changes)]
    assert len({one for pair in made for one in pair}) == 2 * len(made)


@given(st.lists(st.text("a1:-", max_size=3), min_size=2, max_size=2), st.lists(st.text("a1:-", max_size=3), min_size=2))
def test_no_letters_in_the_keys_make_two_series_collide(one: list[str], other: list[str]) -> None:
    first, second = (dict(enumerate(values)) for values in (one, other[:2]))
    keys = [{f"column{index}": value for index, value in key.items()} for key in (first, second)]
    assert (ids(key=keys[0]) == ids(key=keys[1])) == (keys[0] == keys[1])


def test_an_actor_is_a_gln_or_an_eic() -> None:
    assert coding_scheme("5790001330552") == "A10"
    assert coding_scheme("44V000000000029A") == coding_scheme("45v-company_2025") == "A01"
    for wrong in (
        "",
        "579000133055",
        "57900013305521",
        "44V000000000029",
        "44V000000000029AA",
        "44V00000000002 A",
        "٥٧٩٠٠٠١٣٣٠٥٥٢",
    ):
        with pytest.raises(BadSeries, match="neither a GLN"):
            coding_scheme(wrong)


CONTENT = b'{"NotifyAggregatedMeasureData_MarketDocument":{}}'
MESSAGE = Message(
    message_id="0" * 32,
    document_type="NotifyAggregatedMeasureData",
    process_type="D04",
    recipient="5790000000001",
    recipient_role="DDQ",
    original_recipient="5790000000001",
    original_role="DDQ",
    grid_area="800",
    job_id="j",
    row="r",
    period_start="2025-01-31T23:00:00Z",
    period_end="2025-02-28T23:00:00Z",
    created="2025-03-05T10:11:12Z",
    content_length=len(CONTENT),
    content_sha256=hashlib.sha256(CONTENT).hexdigest(),
)


@pytest.mark.parametrize(
    ("change", "content", "reason"),
    [
        ({"recipient": ""}, CONTENT, "recipient is blank"),
        ({"created": "yesterday"}, CONTENT, "has no date"),
        ({}, b"{", "no JSON of a NotifyAggregatedMeasureData"),
        ({}, CONTENT.replace(b"{}", b'{"mRID":"x"}'), "not the one that was made"),
    ],
)
def test_a_message_that_must_not_be_sent_is_refused(change: dict[str, str], content: bytes, reason: str) -> None:
    from dataclasses import replace

    with pytest.raises(BadEnvelope, match=reason):
        envelope.whole(Line(replace(MESSAGE, **change), content))


@pytest.mark.parametrize("length", [2, 127, 128, 20_000, 3_000_000])
def test_an_envelope_of_any_length_is_read_back_whole(length: int) -> None:
    from dataclasses import replace

    content = b'{"NotifyAggregatedMeasureData_MarketDocument":{"x":"%b"}}' % ("æ" * length).encode()
    made = envelope.whole(Line(replace(MESSAGE, content_length=len(content)), content))
    document = envelope.Document.FromString(made.body)
    assert document.content == content.decode()
    assert (document.type, document.recipient, document.version) == (MESSAGE.document_type, MESSAGE.recipient, "1")
    assert len(made.body) == document.ByteSize()


def test_the_generated_envelope_is_that_of_the_proto(tmp_path: Path) -> None:
    source = ROOT / "functions" / "messages"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{source}", f"--python_out={tmp_path}"]
    subprocess.run([*command, f"--pyi_out={tmp_path}", "envelope.proto"], check=True, timeout=60)
    for name in ("envelope_pb2.py", "envelope_pb2.pyi"):
        assert (tmp_path / name).read_text() == (source / name).read_text(), "generate it anew"


def test_the_page_of_receivers_is_that_of_the_table() -> None:
    page = (ROOT / "docs" / "receivers.md").read_text(encoding="utf-8")
    assert page == receivers_page(), "run python -m functions.messages.recipients > docs/receivers.md"
