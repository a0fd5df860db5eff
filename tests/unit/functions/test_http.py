"""The rules of the HTTP interface, to the letter (coordinator 3)."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.ports import Unavailable
from functions.web.http import negotiate
from functions.web.routes import ROUTES
from tests.support.app import DAY, World, fields, problem

QUERY = "beginTime=2023-02-01T00:00:00%2B0100&endTime=2023-02-02T00:00:00%2B0100&processType=D03"
MONTH = {"beginTime": "2023-02-01T00:00:00+01:00", "endTime": "2023-03-01T00:00:00+01:00", "processType": "D05"}


@pytest.fixture
def world() -> World:
    return World()


def test_an_old_caller_starts_a_job_with_a_get(world: World) -> None:
    """The + of the offset arrives as a space where the caller did not encode it."""
    query = "beginTime=2020-01-01T00:00:00+0100&endTime=2020-01-02T00:00:00+0100&processType=D03"
    answered = world.call("GET", f"KickStartJob?{query}")
    document = json.loads(answered.body)
    assert (answered.status, document["status"]) == (202, "Submitted")
    url = f"https://settlement.example/api/jobs/{document['jobId']}"
    assert (document["statusUrl"], answered.headers["Location"]) == (url, url)
    record = world.record(document["jobId"])
    assert record.arguments["period-start"] == "2019-12-31T23:00:00Z"
    assert record.arguments["grid-areas"] == "800,801"


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("", {"beginTime", "endTime", "processType"}),
        (QUERY.replace("D03", "D99"), {"processType"}),
        (QUERY.replace("processType=D03", ""), {"processType"}),
        (QUERY + "&processType=D03", {"processType"}),
        (QUERY + "&process%54ype=D03", {"processType"}),
        (QUERY + "&gridarea=800", {"gridarea"}),
        (QUERY.replace("2023-02-02", "2023-01-02"), {"endTime"}),
        (QUERY.replace("2023-02-02T00", "2023-02-02T01"), {"endTime"}),
        (QUERY.replace("T00:00:00", "T00:30:00").replace("D03", "D99"), {"beginTime", "endTime", "processType"}),
        (QUERY.replace("2023-02-02T00", "2022-02-02T01"), {"endTime"}),
        (QUERY.replace("2023-02-01T00", "2023-02-01T05").replace("2023-02-02", "2023-01-02"), {"beginTime", "endTime"}),
        (QUERY.replace("%2B0100", ""), {"beginTime", "endTime"}),
        (QUERY.replace("2023-02-02", "2024-03-20"), {"endTime"}),
        (QUERY.replace("2023-02-02T00:00:00%2B0100", "2023-05-02T00:00:00%2B0200"), {"endTime"}),
        (QUERY.replace("D03", "D05"), {"endTime"}),
        (QUERY.replace("D03", "D32"), {"processVariant", "endTime"}),
        (QUERY + "&processVariant=D01", {"processVariant"}),
        (QUERY + "&processVariant=D04", {"processVariant"}),
        (QUERY + "&gridAreas=80,800", {"gridAreas"}),
        (QUERY + "&gridAreas=", {"gridAreas"}),
        (QUERY + "&gridAreas=%D9%A3%D9%A3%D9%A3", {"gridAreas"}),
        (QUERY + "&simulation=yes", {"simulation"}),
        (QUERY + "&scheduledAt=tomorrow", {"scheduledAt"}),
        (QUERY.replace("2023-02-01T00:00:00%2B0100", "0001-01-01T00:00:00Z"), {"beginTime"}),
        (QUERY.replace("2023-02-02T00:00:00%2B0100", "9999-12-31T23:59:59-1200"), {"endTime"}),
        (QUERY.replace("processType=D03", "processType=%FF"), {"query"}),
        ("beginTime=2023-02-01T05:00:00Z", {"beginTime", "endTime", "processType"}),
    ],
)
def test_every_wrong_parameter_is_named_at_once(world: World, query: str, wrong: set[str]) -> None:
    answered = world.call("GET", f"KickStartJob?{query}")
    assert (answered.status, fields(answered)) == (400, wrong)
    assert world.runner.runs == {}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"gridAreas": []}, {"gridAreas"}),
        ({"gridAreas": ["800", 801]}, {"gridAreas"}),
        ({"gridAreas": {"a": 1}}, {"gridAreas"}),
        ({"simulation": "true"}, {"simulation"}),
        ({"processVariant": None}, {"processVariant"}),
        ({"beginTime": 20230201}, {"beginTime"}),
        ({"beginTime": "2023-02-01T00:00:00 0100"}, {"beginTime"}),
        ({"processType": ["D03"]}, {"processType"}),
        ({"more": 1}, {"more"}),
        ({"simulation": 3, "beginTime": "2023-02-01T05:00:00Z"}, {"simulation"}),
    ],
)
def test_json_of_a_wrong_type_is_named(world: World, changes: dict[str, Any], wrong: set[str]) -> None:
    answered = world.call("POST", "KickStartJob", body=DAY | changes)
    assert (answered.status, fields(answered)) == (400, wrong)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"", {"body"}),
        (b"{", {"body"}),
        (b"[]", {"body"}),
        (b'"text"', {"body"}),
        (b'{"beginTime": "\xff"}', {"body"}),
        (b"[" * 100_000, {"body"}),
        (b'{"beginTime": NaN}', {"body"}),
        (b'{"beginTime": ' + b"9" * 5000 + b"}", {"body"}),
        (
            json.dumps(DAY).encode()[:-1] + b', "endTime": "2023-02-02T00:00:00+0100"}',
            {"endTime"},
        ),
        (b'{"\\ud800": 1}', {"\ud800", "beginTime", "endTime", "processType"}),
    ],
)
def test_broken_bodies_are_400(world: World, body: bytes, wrong: set[str]) -> None:
    answered = world.call("POST", "KickStartJob", body=body)
    assert (answered.status, fields(answered)) == (400, wrong)


def test_bodies_above_a_megabyte_are_413_and_other_types_415(world: World) -> None:
    assert world.call("POST", "KickStartJob", body=b" " * (10 * 1024 * 1024)).status == 413
    declared = {"content-type": "application/json", "content-length": "99999999"}
    assert world.call("POST", "KickStartJob", body=b"{}", headers=declared).status == 413
    for call in ("retry", "promote"):
        assert world.call("POST", f"jobs/{world.start(simulation=True)}/{call}", body=b" " * 2_000_000).status == 413
    for media_type in ("text/plain", "application/xml", "", "application/json; charset=latin-1"):
        assert world.call("POST", "KickStartJob", body=b"{}", headers={"content-type": media_type}).status == 415
    json_utf8 = {"content-type": "Application/JSON; Charset=UTF-8"}
    assert world.call("POST", "KickStartJob", body=json.dumps(DAY).encode(), headers=json_utf8).status == 202


def test_a_post_takes_nothing_from_the_query(world: World) -> None:
    answered = world.call("POST", "KickStartJob?processType=D03", body=DAY)
    assert (answered.status, fields(answered)) == (400, {"processType"})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_a_wrong_method_is_405_with_allow(world: World, route: Any) -> None:
    path = route.path.replace("{jobId}", "6f1e2f6e-0000-4000-8000-000000000001")
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        if method not in route.operations and not (method == "HEAD" and route.safe):
            answered = world.call(method, path)
            allowed = {*route.operations, "HEAD"} if route.safe else set(route.operations)
            assert (answered.status, set(answered.headers["Allow"].split(", "))) == (405, allowed)


def test_head_is_answered_as_get_without_the_body_and_starts_no_job(world: World) -> None:
    for path in ("health/live", "jobs", f"jobs/{world.start()}", "openapi.json"):
        got, head = world.call("GET", path), world.call("HEAD", path)
        assert (head.status, head.media_type, head.body) == (got.status, got.media_type, b"")
    assert world.call("HEAD", "jobs?more=1").status == 400
    assert world.call("HEAD", f"KickStartJob?{QUERY}").headers["Allow"] == "GET, POST"


@pytest.mark.parametrize("job_id", ["1", "nonsense", "..%2F..", "6f1e2f6e-0000-4000-8000-000000000001", "{}"])
def test_an_unknown_job_is_404(world: World, job_id: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/retry"), ("POST", "/promote"), ("GET", "/results")):
        assert problem(world.call(method, f"jobs/{job_id}{path}"))["status"] == 404


@pytest.mark.parametrize("path", ["", "nothing", "jobs/1/2/3", "openapi.json/more", "JOBS%2F1", "requests"])
def test_a_path_that_is_not_there_is_404_for_every_method(world: World, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert problem(world.call(method, path, headers={"accept": "text/html"}))["status"] == 404


def test_an_accept_that_nothing_satisfies_is_406(world: World) -> None:
    for path in ("jobs", "health/live", "openapi.json"):
        assert world.call("GET", path, headers={"accept": "application/xml"}).status == 406
        assert world.call("GET", path, headers={"accept": "text/html, application/*;q=0.5"}).status == 200
    assert world.call("GET", "jobs", headers={"accept": "*/*, application/json;q=0"}).status == 406


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("text/csv", "text/csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("*/*", "application/json"),
        ("text/*", "text/csv"),
        ("nonsense, text/csv;q=1", "text/csv"),
    ],
)
def test_the_best_of_what_is_offered_is_chosen(accept: str | None, media_type: str) -> None:
    assert negotiate(accept, ("application/json", "text/csv")) == media_type


def test_unknown_grid_areas_are_422(world: World) -> None:
    answered = world.call("POST", "KickStartJob", body=DAY | {"gridAreas": ["800", "123"]})
    assert (answered.status, fields(answered)) == (422, {"gridAreas"})
    world.tables.inputs["grid_area_owners"] = []
    world.clock.advance(minutes=6)
    assert world.call("POST", "KickStartJob", body=DAY).status == 422


def test_an_equal_actual_job_is_409_with_its_address(world: World) -> None:
    first = world.start(gridAreas="801,800,801")
    answered = world.call("POST", "KickStartJob", body=DAY)
    assert answered.status == 409
    assert problem(answered)["statusUrl"] == f"https://settlement.example/api/jobs/{first}"
    assert [path for path in world.lake.files if path.startswith("state/open/")] == [f"state/open/{first}"]
    assert world.start(simulation=True)
    assert world.start(gridAreas="800")
    world.runner.runs.clear()
    world.tick()
    assert world.record(first).status == "Failed"
    assert world.start() != first


def test_a_scheduled_job_counts_as_under_way(world: World) -> None:
    world.start(scheduledAt="2024-01-01T00:00:00Z")
    assert world.call("POST", "KickStartJob", body=DAY).status == 409


def test_the_same_key_is_the_same_job_and_another_body_422(world: World) -> None:
    key = {"idempotency-key": "october"}
    first = world.call("POST", "KickStartJob", body=DAY, headers=key)
    again = world.call("POST", "KickStartJob", body=dict(reversed(DAY.items())), headers=key)
    assert json.loads(first.body)["jobId"] == json.loads(again.body)["jobId"]
    other = world.call("POST", "KickStartJob", body=DAY | {"processType": "D03"}, headers=key)
    assert (other.status, fields(other)) == (422, {"Idempotency-Key"})
    assert len(world.runner.runs) == 1
    assert world.call("POST", "KickStartJob", body=DAY, headers={"idempotency-key": "ø"}).status == 400
    world.tick(days=31)
    assert [path for path in world.lake.files if path.startswith("state/keys")] == []


@pytest.mark.parametrize("month", ["2023-02-01", "2023-03-01"])
def test_wholesale_fixing_takes_a_month_and_a_correction_its_variant(world: World, month: str) -> None:
    assert world.call("POST", "KickStartJob", body=MONTH).status == 202
    assert (
        world.call("POST", "KickStartJob", body=MONTH | {"processType": "D32", "processVariant": "D02"}).status == 202
    )
    simulated = {"endTime": "2023-02-01T05:00:00+01:00", "simulation": True}
    assert world.call("POST", "KickStartJob", body=MONTH | simulated).status == 202


def test_jobs_are_listed_newest_first_by_pages_and_filters(world: World) -> None:
    made = []
    for hour in range(1, 6):
        world.clock.advance(seconds=1)
        made.append(world.start(simulation=True, endTime=f"2023-02-01T{hour:02d}:00:00+0100"))
    world.call("DELETE", f"jobs/{made[0]}")
    seen, path = [], "jobs?pageSize=2"
    while path:
        answered = world.call("GET", path)
        document = json.loads(answered.body)
        seen += [job["jobId"] for job in document["jobs"]]
        token = document.get("continuationToken")
        path = f"jobs?pageSize=2&continuationToken={quote(token)}" if token else ""
        assert ("Link" in answered.headers) == bool(token)
    assert seen == made[::-1]

    def listed(query: str) -> list[str]:
        return [job["jobId"] for job in json.loads(world.call("GET", f"jobs?{query}").body)["jobs"]]

    assert listed("status=Submitted&processType=D04") == made[::-1]
    assert listed("processType=D03") == []
    assert listed("beginTime=2023-02-01T04:00:00%2B0100") == [made[4]]
    assert listed("endTime=2023-02-01T00:00:00%2B0100") == []
    wrong = world.call("GET", "jobs?status=x&processType=y&pageSize=0&beginTime=z&continuationToken=%21&more=1")
    assert fields(wrong) == {"status", "processType", "pageSize", "beginTime", "continuationToken", "more"}
    assert fields(world.call("GET", "jobs?continuationToken=YWJj")) == {"continuationToken"}
    assert fields(world.call("GET", f"jobs/{made[0]}/messages?pageSize=0&more=1")) == {"pageSize", "more"}
    assert fields(world.call("GET", f"jobs/{made[0]}/results/energy?gridArea=1&more=1")) == {"gridArea", "more"}


def test_an_app_without_its_settings_says_what_is_missing_and_refuses_work(world: World) -> None:
    world.app.replace(settings=type(world.app.settings).from_environment({}))
    ready = world.call("GET", "health/ready")
    assert ready.status == 503
    assert {"LAKE_URL", "DATABRICKS_HOST", "ENTRA_ISSUER"} <= set(json.loads(ready.body)["settings"])
    refused = world.call("POST", "KickStartJob", body=DAY)
    assert (refused.status, "LAKE_URL" in fields(refused)) == (503, True)
    assert world.call("GET", "health/live").status == 200
    world.app.watch()
    world.app.sweep()


def test_ready_names_what_does_not_answer(world: World) -> None:
    assert world.call("GET", "health/ready").status == 200
    world.runner.failing = Unavailable("databricks", "there is no job named settlement")
    answered = world.call("GET", "health/ready")
    assert answered.status == 503
    assert json.loads(answered.body)["checks"] == {
        "lake": "ok",
        "databricks": "databricks cannot be reached: there is no job named settlement",
        "eventHub": "ok",
    }


# A busy machine draws slowly; what is drawn counts, not how fast.
QUIET = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
TEXTS = st.text(max_size=40)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@QUIET
@given(st.dictionaries(st.sampled_from([*DAY, "gridAreas", "simulation", "scheduledAt", "x"]), JSON_VALUES))
def test_no_body_brings_the_app_down(body: dict[str, Any]) -> None:
    assert World().call("POST", "KickStartJob", body=body).status == 400


@QUIET
@given(st.lists(st.tuples(st.sampled_from([*DAY, "gridAreas", "x"]), TEXTS), max_size=6), TEXTS)
def test_no_query_brings_the_app_down(pairs: list[tuple[str, str]], rest: str) -> None:
    query = "&".join(f"{name}={quote(value)}" for name, value in pairs)
    assert World().call("GET", f"KickStartJob?{query}&{quote(rest)}").status == 400


@QUIET
@given(st.binary(max_size=60), st.text(max_size=30))
def test_no_bytes_or_accept_bring_the_app_down(body: bytes, accept: str) -> None:
    world = World()
    assert world.call("POST", "KickStartJob", body=body, headers={"accept": accept}).status in (400, 406)
    assert world.call("GET", "jobs", headers={"accept": accept}).status in (200, 406)
