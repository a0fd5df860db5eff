"""The Jobs API as the stock databricks-sdk sees it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from databricks.sdk.core import ApiClient, Config
from databricks.sdk.errors import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.service.jobs import JobsAPI, Run, RunLifeCycleState, RunResultState, TerminationTypeType

from local.jobs_api.server import JOB_ID, jobs_app
from local.serving import serving

STEP = """#!/bin/sh
for argument in "$@"; do
  case $argument in
    --do=fail) echo started; echo "rule broken: row 7" >&2; exit 3;;
    --do=wait) echo $$ > "$0.pid"; sleep 60;;
    --do=flee) trap '' TERM; echo $$ > "$0.pid"; sleep 60;;
  esac
done
echo "$@"
"""


@pytest.fixture
def step(tmp_path: Path) -> Path:
    script = tmp_path / "step"
    script.write_text(STEP)
    script.chmod(0o755)
    return script


@pytest.fixture
def jobs_url(tmp_path: Path, step: Path) -> Iterator[str]:
    with serving(lambda: jobs_app(tmp_path / "jobs", [str(step)], with_faults=True)) as url:
        yield url


@pytest.fixture
def jobs(jobs_url: str) -> JobsAPI:
    return client(jobs_url)


def client(url: str, patience: int = 4) -> JobsAPI:
    return JobsAPI(ApiClient(Config(host=url, token="local", http_timeout_seconds=5, retry_timeout_seconds=patience)))


def start(jobs: JobsAPI, token: str | None = None, **parameters: str) -> int:
    return int(jobs.run_now(JOB_ID, idempotency_token=token, job_parameters=parameters).response.run_id)


def wait_for(happens: Callable[[], Any], seconds: float = 10) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = happens()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{happens} did not happen in {seconds} s")


def ended(jobs: JobsAPI, run_id: int) -> Run:
    def look() -> Run | None:
        run = jobs.get_run(run_id)
        return run if run.state and run.state.result_state else None

    run: Run = wait_for(look)
    return run


def post(url: str, document: dict[str, Any]) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(document).encode(), method="POST")) as answer:
        answer.read()


def lives(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def process_of(step: Path) -> int:
    return int(wait_for(lambda: (pid := step.with_name("step.pid")).exists() and pid.read_text().strip()))


def test_the_job_is_found_by_its_name(jobs: JobsAPI) -> None:
    (job,) = jobs.list(name="settlement")
    assert job.job_id == JOB_ID
    assert job.settings is not None
    assert job.settings.queue is not None
    assert job.settings.queue.enabled
    assert list(jobs.list(name="another")) == []
    assert jobs.get(JOB_ID).job_id == JOB_ID


def test_a_run_gets_its_non_empty_parameters_and_succeeds(jobs: JobsAPI) -> None:
    run = ended(jobs, start(jobs, **{"job-id": "1", "process-variant": "", "grid-areas": "800,801"}))
    assert run.state is not None
    assert run.status is not None
    assert run.tasks is not None
    assert run.tasks[0].run_id is not None
    assert run.state.life_cycle_state is RunLifeCycleState.TERMINATED
    assert run.state.result_state is RunResultState.SUCCESS
    assert run.status.termination_details is not None
    assert run.status.termination_details.type is TerminationTypeType.SUCCESS
    output = jobs.get_run_output(run.tasks[0].run_id)
    assert (output.error, output.logs) == (None, "--job-id=1 --grid-areas=800,801\n")
    with urllib.request.urlopen(str(run.run_page_url)) as page:
        assert "--grid-areas=800,801" in page.read().decode()


def test_a_failed_run_tells_what_it_wrote_to_stderr(jobs: JobsAPI) -> None:
    run = ended(jobs, start(jobs, do="fail"))
    assert run.state is not None
    assert run.tasks is not None
    assert run.tasks[0].run_id is not None
    assert run.state.result_state is RunResultState.FAILED
    assert "exit code 3" in str(run.state.state_message)
    assert jobs.get_run_output(run.tasks[0].run_id).error == "rule broken: row 7"


def test_the_same_token_is_the_same_run_also_after_a_lost_reply(jobs: JobsAPI, jobs_url: str) -> None:
    post(f"{jobs_url}/_faults", {"rules": [{"on": "run-now", "fault": "lost_reply", "nth": [1]}]})
    first = start(jobs, "job-1", do="x")
    assert start(jobs, "job-1") == first
    assert start(jobs, "job-2") != first
    assert len(list(jobs.list_runs(job_id=JOB_ID))) == 2


def test_throttling_and_outage_are_tried_again_by_the_client(jobs: JobsAPI, jobs_url: str) -> None:
    busy = {"on": "run-now", "fault": "status", "status": 429, "retry_after": 0, "nth": [1]}
    post(f"{jobs_url}/_faults", {"rules": [busy]})
    start(jobs, "job-1")
    post(f"{jobs_url}/_faults", {"rules": [{"on": "runs/get", "fault": "status", "status": 503, "retry_after": 1}]})
    with pytest.raises(TimeoutError):
        client(jobs_url, patience=1).get_run(2)


def test_cancelling_ends_the_whole_process_group(jobs: JobsAPI, step: Path) -> None:
    run_id = start(jobs, do="wait")
    process = process_of(step)
    assert jobs.get_run(run_id).state.life_cycle_state is RunLifeCycleState.RUNNING  # type: ignore[union-attr] # a run has one
    jobs.cancel_run(run_id)
    run = ended(jobs, run_id)
    assert run.state is not None
    assert run.state.result_state is RunResultState.CANCELED
    assert run.state.user_cancelled_or_timedout
    assert not lives(process)
    jobs.cancel_run(run_id)


def test_only_as_many_runs_work_at_once_as_allowed(jobs: JobsAPI) -> None:
    waiting = [start(jobs, do="wait") for _ in range(3)]
    wait_for(lambda: jobs.get_run(waiting[1]).state.life_cycle_state is RunLifeCycleState.RUNNING)  # type: ignore[union-attr] # a run has one
    queued = jobs.get_run(waiting[2])
    assert queued.state is not None
    assert queued.status is not None
    assert queued.state.life_cycle_state is RunLifeCycleState.QUEUED
    jobs.cancel_run(waiting[2])
    assert ended(jobs, waiting[2]).state.result_state is RunResultState.CANCELED  # type: ignore[union-attr] # a run has one
    assert [run.run_id for run in jobs.list_runs(active_only=True)] == [waiting[1], waiting[0]]


def test_unknown_runs_and_jobs_are_refused_as_databricks_does(jobs: JobsAPI) -> None:
    with pytest.raises(ResourceDoesNotExist):
        jobs.get_run(998)
    with pytest.raises(ResourceDoesNotExist):
        jobs.get(77)
    with pytest.raises(InvalidParameterValue):
        jobs.run_now(77)
    run_id = start(jobs, "gone")
    ended(jobs, run_id)
    with pytest.raises(InvalidParameterValue):
        jobs.get_run_output(run_id)
    jobs.delete_run(run_id)
    with pytest.raises(ResourceDoesNotExist):
        jobs.get_run(run_id)
    with pytest.raises(InvalidParameterValue):
        start(jobs, "gone")


def test_runs_are_listed_newest_first_in_pages(jobs: JobsAPI, jobs_url: str) -> None:
    post(f"{jobs_url}/_faults", {"rules": [{"on": "run", "fault": "end", "code": "SUCCESS"}]})
    started = [start(jobs) for _ in range(7)]
    assert [run.run_id for run in jobs.list_runs(limit=3)] == started[::-1]


@pytest.mark.parametrize(
    ("fault", "life_cycle", "result"),
    [
        ({"fault": "end", "code": "TIMEDOUT"}, "TERMINATED", "TIMEDOUT"),
        ({"fault": "end", "code": "INTERNAL_ERROR"}, "INTERNAL_ERROR", "FAILED"),
        ({"fault": "end", "code": "MAXIMUM_CONCURRENT_RUNS_REACHED"}, "SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED"),
        ({"fault": "kill", "seconds": 0.05}, "TERMINATED", "FAILED"),
    ],
)
def test_runs_end_as_a_fault_test_asks(
    fault: dict[str, Any], life_cycle: str, result: str, jobs: JobsAPI, jobs_url: str
) -> None:
    post(f"{jobs_url}/_faults", {"rules": [{"on": "run", "path": "abc", **fault}]})
    state = ended(jobs, start(jobs, **{"job-id": "abcd", "do": "wait"})).state
    assert state is not None
    assert state.life_cycle_state is not None
    assert state.result_state is not None
    assert (state.life_cycle_state.value, state.result_state.value) == (life_cycle, result)


def test_a_run_can_be_forgotten(jobs: JobsAPI, jobs_url: str, step: Path) -> None:
    run_id = start(jobs, do="wait")
    process_of(step)
    post(f"{jobs_url}/_faults/runs/{run_id}", {"fault": "forget"})
    with pytest.raises(ResourceDoesNotExist):
        jobs.get_run(run_id)


@pytest.fixture
def server(tmp_path: Path, step: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], JobsAPI]]]:
    """Starts the server as a process of its own over the same state, as often as asked."""
    started: list[subprocess.Popen[str]] = []

    def run() -> tuple[subprocess.Popen[str], JobsAPI]:
        command = [sys.executable, "-m", "local.jobs_api", "--state", str(tmp_path / "jobs"), "--port", "0"]
        process = subprocess.Popen([*command, "--wheel-command", str(step)], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, client(process.stdout.readline().split()[-1])

    yield run
    for process in started:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_a_killed_server_finds_its_runs_again_and_a_stopped_one_ends_them(
    server: Callable[[], tuple[subprocess.Popen[str], JobsAPI]], step: Path
) -> None:
    process, jobs = server()
    finished, working = start(jobs, "a"), start(jobs, "b", do="flee")
    ended(jobs, finished)
    step_process = process_of(step)
    process.kill()
    process.wait()
    process, jobs = server()
    assert start(jobs, "b") == working
    assert jobs.get_run(working).state.life_cycle_state is RunLifeCycleState.RUNNING  # type: ignore[union-attr] # a run has one
    assert jobs.get_run(finished).state.result_state is RunResultState.SUCCESS  # type: ignore[union-attr] # a run has one
    process.kill()
    process.wait()
    os.killpg(os.getpgid(step_process), signal.SIGKILL)
    process, jobs = server()
    state = ended(jobs, working).state
    assert state is not None
    assert (state.life_cycle_state, state.result_state) == (RunLifeCycleState.INTERNAL_ERROR, RunResultState.FAILED)
    step.with_name("step.pid").unlink()
    start(jobs, "c", do="wait")
    step_process = process_of(step)
    process.terminate()
    assert process.wait() == 0
    assert not lives(step_process)
