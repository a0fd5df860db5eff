"""The Databricks adapter over the local Jobs API, with databricks-sdk unchanged (platform 2)."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from functions.adapters import databricks
from functions.adapters.databricks import DatabricksJobs
from functions.ports import NotFound, RunPhase, Unavailable
from local.jobs_api.server import JOB_ID, jobs_app
from local.serving import serving

STEP = """#!/bin/sh
for argument in "$@"; do
  case $argument in
    --do=fail) echo "rule broken: row 7" >&2; exit 3;;
    --do=wait) sleep 60;;
  esac
done
"""


@pytest.fixture
def jobs_url(tmp_path: Path) -> Iterator[str]:
    step = tmp_path / "step"
    step.write_text(STEP)
    step.chmod(0o755)
    with serving(lambda: jobs_app(tmp_path / "jobs", [str(step)])) as url:
        yield url


def ended(jobs: DatabricksJobs, run_id: int) -> databricks.Run:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        run = jobs.run(run_id)
        if run.phase not in (RunPhase.WAITING, RunPhase.RUNNING):
            return run
        time.sleep(0.05)
    raise AssertionError("the run does not end")


def test_a_run_is_started_once_per_token_by_the_jobs_name(jobs_url: str) -> None:
    jobs = DatabricksJobs(jobs_url, token="local")
    jobs.check()
    run_id = jobs.start({"job-id": "x"}, "x-1")
    assert jobs.start({"job-id": "x"}, "x-1") == run_id
    assert jobs.start({"job-id": "x"}, "x-2") != run_id
    run = ended(jobs, run_id)
    assert (run.phase, run.state) == (RunPhase.SUCCEEDED, "SUCCESS")
    assert run.page


def test_a_run_whose_start_was_never_answered_is_found_by_its_parameters(jobs_url: str) -> None:
    jobs, since = DatabricksJobs(jobs_url, token="local"), datetime.now(UTC)
    jobs.start({"job-id": "y", "attempt": "1"}, "y-1")
    run_id = jobs.start({"job-id": "x", "attempt": "2"}, "x-2")
    found = jobs.find("x", 2, since)
    assert found is not None
    assert (found.run_id, found.page) == (run_id, jobs.run(run_id).page)
    assert jobs.find("x", 1, since) is None


def test_a_failed_run_gives_the_error_of_its_task(jobs_url: str) -> None:
    jobs = DatabricksJobs(jobs_url, token="local", job_id=str(JOB_ID))
    jobs.check()
    run = ended(jobs, jobs.start({"do": "fail"}, "x-1"))
    assert (run.phase, run.state) == (RunPhase.FAILED, "FAILED")
    assert run.error is not None
    assert "rule broken: row 7" in run.error


def test_a_run_is_cancelled_and_an_ended_or_unknown_one_is_none_to_cancel(jobs_url: str) -> None:
    jobs = DatabricksJobs(jobs_url, token="local")
    run_id = jobs.start({"do": "wait"}, "x-1")
    jobs.cancel(run_id)
    assert ended(jobs, run_id).phase is RunPhase.CANCELLED
    jobs.cancel(run_id)
    jobs.cancel(4711)
    with pytest.raises(NotFound):
        jobs.run(4711)


def test_a_job_that_is_not_there_is_named(jobs_url: str) -> None:
    with pytest.raises(Unavailable, match="no job named other"):
        DatabricksJobs(jobs_url, token="local", job_name="other").check()
    with pytest.raises(Unavailable, match="no job 4711"):
        DatabricksJobs(jobs_url, token="local", job_id="4711").check()


def test_a_job_is_found_by_its_name_also_in_a_list_of_others(answering: Callable[..., str]) -> None:
    listed = [{"job_id": 1, "settings": {"name": "other"}}, {"job_id": 2, "settings": {"name": "Settlement"}}]
    assert DatabricksJobs(answering(200, {"jobs": listed, "has_more": False}), token="local")._job() == 2


@pytest.mark.parametrize("document", [{}, {"run_id": None}, {"run_id": "x"}])
def test_an_answer_that_makes_no_sense_is_unavailable(answering: Callable[..., str], document: dict[str, Any]) -> None:
    jobs = DatabricksJobs(answering(200, document), token="local", job_id="7")
    with pytest.raises(Unavailable, match="databricks"):
        jobs.start({"job-id": "x"}, "x-1")


@pytest.fixture
def answering() -> Iterator[Callable[..., str]]:
    """A jobs API that answers every call the same."""
    servers = []

    def serve(code: int, document: dict[str, Any]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(document).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                if not self.path.endswith("databricks-config"):
                    self.send_header("Retry-After", "3600")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_what_may_pass_is_unavailable(
    answering: Callable[..., str], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(databricks, "RETRY_SECONDS", 1)
    jobs = DatabricksJobs(answering(status, {"error_code": "X", "message": "secret"}), token="t", job_id="1")
    with pytest.raises(Unavailable):
        jobs.start({}, "x-1")


@pytest.mark.parametrize(
    ("run", "phase"),
    [
        ({"state": {"life_cycle_state": "QUEUED"}}, RunPhase.WAITING),
        ({"state": {"life_cycle_state": "BRAND_NEW"}}, RunPhase.RUNNING),
        ({"state": {"life_cycle_state": "WAITING"}}, RunPhase.WAITING),
        ({"state": {"life_cycle_state": "RUNNING", "result_state": "BRAND_NEW"}}, RunPhase.RUNNING),
        ({"state": {"life_cycle_state": "BRAND_NEW", "result_state": "TIMEDOUT"}}, RunPhase.FAILED),
        ({"state": {"life_cycle_state": "SKIPPED", "result_state": "BRAND_NEW"}}, RunPhase.FAILED),
        ({"state": {"life_cycle_state": "SKIPPED"}}, RunPhase.CANCELLED),
        ({}, RunPhase.RUNNING),
        ({"state": {"life_cycle_state": "TERMINATED", "result_state": "BRAND_NEW"}}, RunPhase.FAILED),
        (
            {"state": {"life_cycle_state": "SKIPPED", "result_state": "MAXIMUM_CONCURRENT_RUNS_REACHED"}},
            RunPhase.REFUSED,
        ),
        ({"status": {"state": "WAITING"}}, RunPhase.WAITING),
        (
            {"status": {"state": "TERMINATED", "termination_details": {"code": "SUCCESS", "type": "SUCCESS"}}},
            RunPhase.SUCCEEDED,
        ),
        (
            {"status": {"state": "TERMINATED", "termination_details": {"code": "USER_CANCELED"}}},
            RunPhase.CANCELLED,
        ),
    ],
)
def test_states_arrive_through_the_sdk(answering: Callable[..., str], run: dict[str, Any], phase: RunPhase) -> None:
    jobs = DatabricksJobs(answering(200, {"run_id": 7, **run}), token="t", job_id="1")
    assert jobs.run(7).phase is phase


def test_an_address_where_nobody_answers_is_unavailable_within_the_functions_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(databricks, "RETRY_SECONDS", 1)
    with pytest.raises(Unavailable, match="databricks"):
        DatabricksJobs("http://127.0.0.1:1", token="t", job_id="1").start({}, "x-1")
