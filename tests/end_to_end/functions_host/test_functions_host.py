"""The functions host over its real process: routes, webhook, queues, timers, and what survives a kill."""

import ast
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.end_to_end.functions_host.conftest import ROOT, Host

pytestmark = pytest.mark.end_to_end
WEBHOOK = "/runtime/webhooks/blobs?functionName=Host.Functions.Completed"


def event_grid(path: str) -> bytes:
    subject = f"/blobServices/default/containers/aggregations/blobs/{path}"
    return json.dumps(
        [{"id": "1", "subject": subject, "eventType": "Microsoft.Storage.BlobCreated", "data": {}}]
    ).encode()


def cloud_event(path: str, kind: str = "Microsoft.Storage.BlobCreated") -> bytes:
    subject = f"/blobServices/default/containers/aggregations/blobs/{path}"
    return json.dumps({"id": "1", "specversion": "1.0", "subject": subject, "type": kind, "data": {}}).encode()


def test_function_gets_the_raw_url_route_parameters_and_body(shared_host: Host) -> None:
    path = "/api/echo/a%20b/c?x=1&x=2&empty=&plus=a+b"
    status, text, headers = shared_host.call("POST", path, b"\xff\x00", x_one="1")
    seen = ast.literal_eval(text)
    assert (status, headers["X-Answer"], headers["Content-Type"]) == (207, "yes", "text/plain; charset=utf-8")
    assert seen["url"].endswith("/api/echo/a b/c?x=1&x=2&empty=&plus=a+b")
    assert seen["route"] == {"first": "a b", "second": "c"}
    assert seen["query"] == {"x": "1,2", "plus": "a b"}
    assert (seen["body"], seen["method"], seen["trace"]) == ("\xff\x00", "POST", "1")


def test_optional_route_parameter_may_be_left_out(shared_host: Host) -> None:
    assert ast.literal_eval(shared_host.call("GET", "/api/echo/a")[1])["route"] == {"first": "a"}


def test_the_most_literal_route_answers(shared_host: Host) -> None:
    assert shared_host.call("GET", "/api/ECHO/fixed")[:2] == (200, "fixed")


def test_the_next_route_answers_when_the_most_literal_one_does_not_take_the_method(shared_host: Host) -> None:
    assert shared_host.call("POST", "/api/echo/fixed", b"")[0] == 207


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/none"), ("DELETE", "/api/slow"), ("GET", "/slow")])
def test_unknown_path_and_undeclared_method_are_not_found(shared_host: Host, method: str, path: str) -> None:
    assert shared_host.call(method, path)[:2] == (404, "")


def test_async_functions_run_too(shared_host: Host) -> None:
    assert shared_host.call("GET", "/api/coroutine")[:2] == (200, "async")


def test_function_that_raises_is_500_without_a_body_and_in_the_account(shared_host: Host) -> None:
    assert shared_host.call("GET", "/api/broken")[:2] == (500, "")
    account = (shared_host.state / "logs" / "invocations.log").read_text()
    assert "Broken Failed" in account
    assert "RuntimeError: of its own" in account


def test_200_callers_at_once_are_all_answered(shared_host: Host) -> None:
    with ThreadPoolExecutor(200) as callers:
        answers = list(callers.map(lambda _: shared_host.call("GET", "/api/echo/x")[0], range(400)))
    assert answers == [207] * 400


def test_subscription_validation_of_both_schemas_is_answered(shared_host: Host) -> None:
    body = json.dumps([{"data": {"validationCode": "code-1"}}]).encode()
    status, text, _ = shared_host.call("POST", WEBHOOK, body, aeg_event_type="SubscriptionValidation")
    assert (status, json.loads(text)) == (200, {"validationResponse": "code-1"})
    status, _, headers = shared_host.call("OPTIONS", WEBHOOK, WebHook_Request_Origin="eventgrid.azure.net")
    assert (status, headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")


@pytest.mark.parametrize(
    ("body", "path"), [(event_grid("completed/a/1"), "a/1"), (cloud_event("completed/a/2"), "a/2")]
)
def test_blob_event_of_either_schema_runs_the_function_with_the_blobs_bytes(
    shared_host: Host, body: bytes, path: str
) -> None:
    assert shared_host.call("POST", WEBHOOK, body, aeg_event_type="Notification")[0] == 202
    expected = f"aggregations/completed/{path} content of /aggregations/completed/{path}"
    shared_host.until(lambda: expected in shared_host.notes())


def test_events_that_are_not_for_the_function_start_nothing(shared_host: Host) -> None:
    for body in (
        event_grid("outbox/x"),
        cloud_event("completed/x", "Microsoft.Storage.BlobDeleted"),
        event_grid("completed/gone"),
    ):
        assert shared_host.call("POST", WEBHOOK, body)[0] == 202
    assert shared_host.call("POST", WEBHOOK, event_grid("completed/last"))[0] == 202
    shared_host.until(lambda: any("completed/last content" in note for note in shared_host.notes()))
    started = [note for note in shared_host.notes() if note.startswith("started")]
    assert not any(name in note for note in started for name in ("outbox", "completed/x", "completed/gone"))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'["x"]'])
def test_body_that_is_no_event_is_refused(shared_host: Host, body: bytes) -> None:
    assert shared_host.call("POST", WEBHOOK, body)[0] == 400


def test_webhook_of_a_function_that_is_not_there_is_not_found(shared_host: Host) -> None:
    assert (
        shared_host.call("POST", "/runtime/webhooks/blobs?functionName=Host.Functions.None", event_grid("completed/x"))[
            0
        ]
        == 404
    )


def test_accepted_blob_event_survives_the_kill_of_the_host(own_host: Host) -> None:
    (own_host.state / "hang").touch()
    assert own_host.call("POST", WEBHOOK, event_grid("completed/x"))[0] == 202
    own_host.until(lambda: "started aggregations/completed/x" in own_host.notes())
    own_host.end()
    (own_host.state / "hang").unlink()
    own_host.start()
    own_host.until(lambda: any("completed/x content" in note for note in own_host.notes()))
    own_host.until(lambda: not list((own_host.state / "queues" / "webjobs-blobtrigger").glob("*.json")))


def test_queue_message_is_tried_again_until_it_succeeds(shared_host: Host) -> None:
    assert shared_host.call("POST", "/runtime/queues/orders", b'[{"id": "fail"}]')[0] == 202
    shared_host.until(
        lambda: (
            [note for note in shared_host.notes() if note.startswith("order")]
            == [f'order {count} {{"id": "fail"}}' for count in (1, 2, 3)]
        )
    )


def test_blob_that_fails_five_times_is_poison(shared_host: Host) -> None:
    shared_host.call("POST", WEBHOOK, event_grid("completed/bad"))
    poison = shared_host.state / "queues" / "webjobs-blobtrigger-poison"
    shared_host.until(lambda: poison.exists() and len(list(poison.glob("*.json"))) == 1)
    assert shared_host.notes().count("started aggregations/completed/bad") == 5


def test_timers_run_on_their_schedule(shared_host: Host) -> None:
    shared_host.until(lambda: shared_host.notes().count("tick") >= 2)


def test_host_ends_by_itself_when_told_while_a_function_hangs(own_host: Host) -> None:
    (own_host.state / "hang").touch()
    own_host.call("POST", WEBHOOK, event_grid("completed/x"))
    own_host.until(lambda: "started aggregations/completed/x" in own_host.notes())
    started = time.monotonic()
    assert own_host.end(signal.SIGTERM) == 0
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        ("import nowhere", "nowhere"),
        ("", "Could not find top level function app"),
        ("import azure.functions as func\napp = func.FunctionApp()\n"
         "@app.blob_trigger(arg_name='b', path='a/{name}', connection='LAKE')\n"
         "def F(b: func.InputStream) -> None: ...", "LAKE__blobServiceUri"),
        ("import azure.functions as func\napp = func.FunctionApp()\n"
         "@app.timer_trigger(arg_name='t', schedule='now and then')\n"
         "def F(t: func.TimerRequest) -> None: ...", "now and then"),
    ],
)  # fmt: skip
def test_app_that_cannot_be_indexed_ends_the_host_with_the_reason(tmp_path: Path, app: str, reason: str) -> None:
    (tmp_path / "function_app.py").write_text(app)
    command = [
        sys.executable,
        "-m",
        "local.functions_host",
        "--app",
        str(tmp_path),
        "--port",
        "0",
        "--state",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert reason in done.stderr


def test_host_has_no_import_path_of_its_own_into_the_app(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("import shared.codes")
    command = [
        sys.executable,
        "-m",
        "local.functions_host",
        "--app",
        str(tmp_path),
        "--port",
        "0",
        "--state",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "No module named 'shared'" in done.stderr
