"""Replies of the lake that get lost: the SDK repeats, and what was done once counts once."""

import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.pipeline.transport import RequestsTransport

from functions.adapters.lake import RETRIES, TIMEOUTS, DataLake
from functions.ports import Changed, Unavailable
from local.lake.server import lake_app
from local.serving import serving


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RequestsTransport, "sleep", lambda _transport, _seconds: None)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with serving(lambda: lake_app(tmp_path / "aggregations", with_faults=True)) as url:
        yield url


def lose(url: str, operation: str) -> None:
    rules = {"rules": [{"on": operation, "fault": "lost_reply", "nth": [1]}]}
    request = urllib.request.Request(f"{url}/_faults", json.dumps(rules).encode(), method="POST")
    urllib.request.urlopen(request, timeout=10).close()


@pytest.mark.parametrize("operation", ["create", "append", "flush", "rename"])
def test_a_replacement_is_done_once_whichever_reply_is_lost(url: str, operation: str) -> None:
    lake = DataLake(url)
    etag = lake.create("jobs/a.json", b"1")
    lose(url, operation)
    lake.replace("jobs/a.json", b"22", etag)
    content, now = lake.read("jobs/a.json")
    assert content == b"22"
    assert now != etag
    assert [file.path for file in lake.list("state")] == []
    lake.close()


def test_an_equal_content_of_another_one_is_not_taken_for_ones_own(url: str) -> None:
    lake = DataLake(url)
    etag = lake.create("state/version.json", b"1")
    lake.replace("state/version.json", b"2", etag)
    with pytest.raises(Changed):
        lake.replace("state/version.json", b"2", etag)
    lake.close()


def test_a_lake_that_never_answers_is_unavailable_after_a_few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TIMEOUTS, "read_timeout", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lake = DataLake(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Unavailable, match="lake"):
            lake.exists("jobs/a.json")
        lake.close()
        silent.setblocking(False)
        for _ in range(RETRIES["retry_read"] + 1):
            silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
