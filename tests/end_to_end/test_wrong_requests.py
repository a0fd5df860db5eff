"""What is wrong with a request is said by status and field, over the real host (coordinator 3)."""

from typing import Any

import pytest

from tests.end_to_end.driver import Driver, period

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(400)]
GOOD: dict[str, Any] = period(1) | {"processType": "D04", "simulation": True}
KICK = "/api/KickStartJob"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"processType": "D99"}, {"processType"}),
        ({"beginTime": GOOD["endTime"], "endTime": GOOD["beginTime"]}, {"endTime"}),
        ({"beginTime": "2025-10-01T00:00:00Z", "simulation": False}, {"beginTime"}),
        ({"beginTime": "yesterday", "endTime": "2025-10-01T00:00:00"}, {"beginTime", "endTime"}),
        ({"processType": "D32"}, {"processVariant"}),
        ({"processVariant": "D01"}, {"processVariant"}),
        ({"gridAreas": ["1"]}, {"gridAreas"}),
        ({"colour": "red", "processType": 4}, {"colour", "processType"}),
        ({"beginTime": "2023-04-29T22:00:00Z", "endTime": "2023-05-01T22:00:00Z"}, {"endTime"}),
        ({"beginTime": "2024-01-31T23:00:00Z"}, {"endTime"}),
        ({"processType": "D05", "simulation": False}, {"endTime"}),
    ],
)
def test_every_wrong_field_is_named(driver: Driver, fields: dict[str, Any], wrong: set[str]) -> None:
    answer = driver.call("POST", KICK, GOOD | fields)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert {error["field"] for error in answer.json["errors"]} == wrong


def test_missing_parameters_are_named_together(driver: Driver) -> None:
    answer = driver.call("GET", f"{KICK}?processType=D04")
    assert answer.status == 400
    assert {error["field"] for error in answer.json["errors"]} == {"beginTime", "endTime"}


def test_parameter_twice_is_refused(driver: Driver) -> None:
    query = f"beginTime={GOOD['beginTime']}&endTime={GOOD['endTime']}&processType=D03&processType=D04"
    answer = driver.call("GET", f"{KICK}?{query}")
    assert answer.status == 400
    assert {error["field"] for error in answer.json["errors"]} == {"processType"}


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff\xfe{}", b'{"processType": "\xe6"}', b""])
def test_body_that_is_no_json_object_in_utf_8_is_400(driver: Driver, body: bytes) -> None:
    answer = driver.call("POST", KICK, body)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")


def test_10_mb_body_is_413(driver: Driver) -> None:
    assert driver.call("POST", KICK, b" " * 10_000_000).status == 413


def test_other_media_type_is_415(driver: Driver) -> None:
    assert driver.call("POST", KICK, b"<job/>", Content_Type="application/xml").status == 415


def test_other_method_is_405_and_says_which_are_allowed(driver: Driver) -> None:
    answer = driver.call("PUT", KICK, GOOD)
    assert answer.status == 405
    assert {method.strip() for method in answer.headers["Allow"].split(",")} >= {"GET", "POST"}


@pytest.mark.parametrize("job", ["00000000-0000-4000-8000-000000000000", "none"])
def test_unknown_job_is_404(driver: Driver, job: str) -> None:
    answer = driver.call("GET", f"/api/jobs/{job}")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_unknown_grid_area_is_422(driver: Driver) -> None:
    answer = driver.call("POST", KICK, GOOD | {"gridAreas": ["801", "999"]})
    assert answer.status == 422
    assert "999" in answer.content.decode()


def test_token_that_is_no_token_is_401_though_callers_without_one_are_let_in(driver: Driver) -> None:
    assert driver.call("GET", "/api/jobs", Authorization="Bearer nonsense").status == 401
    assert driver.call("GET", "/api/jobs").status == 200
