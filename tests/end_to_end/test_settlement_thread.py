"""From the HTTP call to the post office: the whole thread over the running stack."""

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest
from azure.eventhub import EventData

from functions.messages.envelope_pb2 import Document
from local.demo.report import series_sums
from shared.manifest import read_manifest
from tests.end_to_end.driver import Driver, period

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def job(driver: Driver) -> dict[str, Any]:
    """One day of all areas, settled."""
    return driver.completed(driver.start(1))


@pytest.fixture(scope="module")
def events(driver: Driver, job: dict[str, Any]) -> list[EventData]:
    """The job's events in the hub."""
    return driver.events(job["jobId"])


def test_job_goes_through_its_states_in_order_with_times(job: dict[str, Any]) -> None:
    states = [step["status"] for step in job["history"]]
    order = ["Submitted", "Running", "Calculated", "Splitting", "Dispatching", "Completed"]
    assert [state for state in order if state in states] == states
    assert states[-1] == "Completed"
    times = [step["at"] for step in job["history"]]
    assert times == sorted(times)


def test_grid_areas_left_out_are_all_that_have_an_owner(job: dict[str, Any]) -> None:
    assert job["gridAreas"] == ["801", "802", "803"]


def test_manifest_is_there_and_says_what_the_job_shows(driver: Driver, job: dict[str, Any]) -> None:
    content = (driver.lake / "completed" / f"{job['jobId']}.1.json").read_bytes()
    manifest = read_manifest(content)
    assert manifest is not None
    assert {table: result.rows for table, result in manifest.results.items()} == job["results"]
    assert job["results"]["energy"] > 0


def test_every_message_reaches_the_event_hub_and_its_envelope_is_what_its_properties_say(
    job: dict[str, Any], events: list[EventData]
) -> None:
    ids = Counter(str(event.message_id) for event in events)
    assert len(ids) == job["messages"]["made"] > 0
    for event in events:
        properties = {key.decode(): value for key, value in (event.properties or {}).items()}
        properties = {key: value.decode() if isinstance(value, bytes) else value for key, value in properties.items()}
        document = Document.FromString(b"".join(event.body))
        assert event.content_type == "application/x-protobuf"
        assert document.recipient == properties["recipient"]
        assert hashlib.sha256(document.content.encode()).hexdigest() == properties["contentSha256"]
        content = json.loads(document.content)[f"{document.type}_MarketDocument"]
        assert content["mRID"] == str(event.message_id)
        assert event.partition_key in (document.recipient, document.recipient.encode())


def test_all_that_was_sent_is_in_sent_and_nothing_waits(driver: Driver, job: dict[str, Any]) -> None:
    sent = list((driver.lake / "sent" / job["jobId"]).glob("*.jsonl.gz"))
    lines = [line for path in sent for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert len(lines) == job["messages"]["made"]
    assert not list((driver.lake / "outbox").rglob(f"{job['jobId']}/*.gz"))


def test_suppliers_balance_responsibles_owners_and_esett_each_get_messages(events: list[EventData]) -> None:
    roles = {_text(dict(event.properties or {})[b"recipientRole"]) for event in events}
    assert roles == {"MDR", "DDQ", "DDK", "DDX"}


def test_consumption_sent_to_suppliers_is_that_of_the_results(
    driver: Driver, job: dict[str, Any], events: list[EventData]
) -> None:
    sent: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for event in events:
        document = json.loads(Document.FromString(b"".join(event.body)).content, parse_float=Decimal)
        series = next(iter(document.values()))["Series"][0]
        if _text(dict(event.properties or {})[b"recipientRole"]) == "DDQ":
            method = series.get("marketEvaluationPoint.settlementMethod", {}).get("value", "production")
            total = sum((Decimal(point["quantity"]) for point in series["Period"]["Point"]), Decimal(0))
            sent[series["meteringGridArea_Domain.mRID"]["value"], method] += total
    names = {"flex_consumption": "D01", "non_profiled_consumption": "E02", "production": "production"}
    settled = {
        (area, names[kind]): total
        for area, sums in series_sums(job, str(driver.lake)).items()
        for kind, total in sums.items()
        if kind in names
    }
    assert dict(sent) == settled


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def test_old_callers_get_with_a_plus_that_arrives_as_a_space_starts_a_job(driver: Driver) -> None:
    query = "beginTime=2025-10-02T00:00:00+0200&endTime=2025-10-03T00:00:00+0200&processType=D03&simulation=true"
    answer = driver.call("GET", f"/api/KickStartJob?{query}")
    assert answer.status == 202, answer.content
    assert answer.headers["Location"] == answer.json["statusUrl"]
    job = driver.completed(answer.json["jobId"])
    assert (job["beginTime"], job["processType"]) == ("2025-10-01T22:00:00Z", "D03")
    assert job["messages"]["made"] == 0


def test_same_key_twice_is_one_job_and_one_run_and_another_body_is_refused(driver: Driver) -> None:
    body = period(3) | {"processType": "D04", "gridAreas": ["801"], "simulation": True}
    answers = [driver.call("POST", "/api/KickStartJob", body, Idempotency_Key="key-1") for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    ids = {answer.json["jobId"] for answer in answers}
    assert len(ids) == 1
    job_id = ids.pop()
    driver.completed(job_id)
    assert len(driver.runs_of(job_id)) == 1
    other = driver.call("POST", "/api/KickStartJob", body | {"processType": "D03"}, Idempotency_Key="key-1")
    assert other.status == 422


def test_equal_actual_job_under_way_is_a_conflict_that_names_it(driver: Driver) -> None:
    body = period(4) | {"processType": "D04", "gridAreas": ["802"], "scheduledAt": "2099-01-01T00:00:00Z"}
    first = driver.call("POST", "/api/KickStartJob", body)
    second = driver.call("POST", "/api/KickStartJob", body)
    assert (first.status, second.status) == (202, 409)
    assert first.json["jobId"] in second.content.decode()
    assert driver.call("DELETE", f"/api/jobs/{first.json['jobId']}").status == 202
    assert driver.wait(first.json["jobId"])["status"] == "Cancelled"
