"""The function app over HTTP on a stack of its own: starting jobs, many readers, many records, cold start."""

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import orjson
from databricks.sdk import WorkspaceClient

from bench.child import ROOT
from bench.report import table
from functions.coordinator.job_keys import new_job_id
from functions.coordinator.record import JobRecord, JobState
from local.services import Layout
from local.stack import Stack
from shared.codes import ProcessType
from shared.danish_time import format_instant
from shared.job_arguments import JobArguments

RECORDS, CLIENTS, STARTS = 10_000, 200, 30
SETTLED_WITHIN = 300.0
PERIOD_START = datetime(2025, 9, 30, 22, tzinfo=UTC)


def measure(folder: Path, rounds: int) -> str:
    """The section's table. But for one job to read of, the runs are none: the jobs API ends them at once."""
    with tempfile.TemporaryDirectory(dir=folder) as state:
        stack = Stack(Path(state))
        try:
            layout = stack.up(faults=True)
            functions = str(layout.addresses()["functions"])
            settled = _settled(functions)
            rows = [_cold_start(rounds + 2), *_starts(functions, str(layout.addresses()["jobs"]))]
            rows += [*_readers(functions, settled), *_many_records(layout, functions)]
        finally:
            stack.down()
    return table(["what", "wanted", "measured (median)", "worst"], rows)


def _settled(functions: str) -> str:
    """Settle a day of the sample, so that there are results and messages to read; the job's id."""
    body = {
        "beginTime": format_instant(PERIOD_START),
        "endTime": format_instant(PERIOD_START + timedelta(days=1)),
        "processType": "D04",
    }
    job_id = str(orjson.loads(_post(f"{functions}/api/KickStartJob", body))["jobId"])
    give_up = time.monotonic() + SETTLED_WITHIN
    while (job := orjson.loads(_get(f"{functions}/api/jobs/{job_id}")))["status"] != "Completed":
        if job["status"] in ("Failed", "Cancelled") or time.monotonic() > give_up:
            raise RuntimeError(f"the job to read of is {job['status']}: {job.get('error')}")
        time.sleep(0.5)
    return job_id


def _cold_start(rounds: int) -> list[str]:
    code = "import time; t = time.perf_counter(); import function_app; print(time.perf_counter() - t)"
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    return ["import of function_app, fresh process", "< 1.5 s", *_median_and_worst(seconds)]


def _starts(functions: str, jobs: str) -> list[list[str]]:
    _post(f"{jobs}/_faults", {"rules": [{"on": "run", "fault": "end", "code": "FAILED"}]})
    client = WorkspaceClient(host=jobs, token="none")
    job = next(iter(client.jobs.list(name="settlement")))
    run_now = [_timed(lambda: client.jobs.run_now(job_id=job.job_id or 0).run_id) for _ in range(STARTS)]
    rows = []
    for simulation in (False, True):
        whole = []
        for number in range(1, STARTS + 1):
            body = {
                "beginTime": format_instant(PERIOD_START - timedelta(days=number)),
                "endTime": format_instant(PERIOD_START - timedelta(days=number - 1)),
                "processType": "D04",
                "simulation": simulation,
            }
            whole.append(_timed(partial(_post, f"{functions}/api/KickStartJob", body)))
        own = [seconds - statistics.median(run_now) for seconds in whole[3:]]  # the first ones warm the instance
        kind = "a simulation" if simulation else "an actual job"
        rows.append([f"KickStartJob of {kind}, run-now's time subtracted", "≤ 50 ms", *_median_and_worst(own)])
    return rows


def _readers(functions: str, job_id: str) -> list[list[str]]:
    job = f"{functions}/api/jobs/{job_id}"
    message = orjson.loads(_get(f"{job}/messages?pageSize=1"))["messages"][0]["messageId"]
    urls = [
        *(f"{functions}/api/{path}" for path in ("jobs", f"messages/{message}", "health/live", "openapi.json")),
        *(f"{job}{path}" for path in ("", "/results", "/results/energy?pageSize=100", "/messages?pageSize=100")),
    ]

    def read(number: int) -> float | None:
        try:
            return _timed(lambda: _get(urls[number % len(urls)]))
        except OSError:  # HTTP errors are, too
            return None

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(read, range(CLIENTS * 5)))
    seconds = [answer for answer in answers if answer is not None]
    errors = len(answers) - len(seconds)
    what = f"{CLIENTS} clients at once, {len(answers)} calls of {len(urls)} read calls: {errors} errors"
    return [[what, "0 errors", *_median_and_worst(seconds)]]


def _many_records(layout: Layout, functions: str) -> list[list[str]]:
    folder = layout.lake_folder / "jobs"
    arguments = JobArguments(
        job_id=str(uuid.uuid4()),
        process_type=ProcessType.BALANCE_FIXING,
        period_start=PERIOD_START,
        period_end=PERIOD_START + timedelta(days=1),
        grid_areas=("801",),
    )
    for number in range(RECORDS):
        created = datetime.now(UTC) - timedelta(minutes=number)
        job_id = new_job_id(created)
        parameters = replace(arguments, job_id=job_id).to_parameters()
        record = JobRecord(job_id=job_id, arguments=parameters, status=JobState.FAILED, created=format_instant(created))
        (folder / f"{job_id}.json").write_bytes(record.to_json())
    first = _timed(lambda: _get(f"{functions}/api/jobs"))
    warm = [_timed(lambda: _get(f"{functions}/api/jobs")) for _ in range(10)]
    return [
        [f"first page of {RECORDS:,} jobs, first time", "", f"{first * 1000:.0f} ms", ""],
        [f"first page of {RECORDS:,} jobs, warm instance", "≤ 200 ms", *_median_and_worst(warm)],
    ]


def _median_and_worst(seconds: list[float]) -> list[str]:
    return [f"{statistics.median(seconds) * 1000:.0f} ms", f"{max(seconds) * 1000:.0f} ms"]


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def _post(url: str, body: object) -> bytes:
    request = urllib.request.Request(url, orjson.dumps(body), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())
