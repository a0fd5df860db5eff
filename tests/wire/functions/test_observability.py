"""What the log, the traces and the metrics say, and what they never do (issue "The coordinator")."""

import io
import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from functions import observability
from functions.adapters.in_memory import FakeTokens
from functions.coordinator import holding
from functions.ports import Changed, Unavailable
from tests.support.app import DAY, World

ROOT = Path(__file__).parents[3]
SECRET = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl"

RUN = """
import json, sys
from tests.support.app import World
from functions import observability
world = World()
world.new_host(TELEMETRY_FILE=sys.argv[1])
observability.configure(sys.argv[1])
job_id = world.start()
world.finish_run(job_id)
for _ in range(4):
    world.tick()
from opentelemetry import metrics
metrics.get_meter_provider().force_flush()
record = world.record(job_id)
print(json.dumps([job_id, record.trace_id, record.status]))
"""


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], str, str]:
    """One job from start to end in a process of its own: providers of telemetry are set once in a process."""
    path = tmp_path_factory.mktemp("telemetry") / "telemetry.jsonl"
    done = subprocess.run([sys.executable, "-c", RUN, str(path)], cwd=ROOT, capture_output=True, text=True, check=True)
    job_id, trace_id, status = json.loads(done.stdout.splitlines()[-1])
    assert status == "Completed"
    return lines_of(path), job_id, trace_id


def test_every_line_of_a_job_carries_its_id(telemetry: tuple[list[dict[str, Any]], str, str]) -> None:
    lines, job_id, _ = telemetry
    logged = [line for line in lines if "logger" in line]
    assert len(logged) >= 5
    assert {line["job_id"] for line in logged if line["logger"].startswith("functions.coordinator")} == {job_id}


def test_a_line_of_a_part_that_knows_no_job_carries_the_id_of_the_job_that_it_works_for() -> None:
    lease, shown = BrokenLease(), logging.StreamHandler(io.StringIO())
    shown.setFormatter(observability.JsonLines())
    logger = logging.getLogger("functions.coordinator.holding")
    logger.addHandler(shown)
    try:
        with (
            patch.object(holding, "RENEW_EVERY", 0.01),
            observability.job_span("Dispatch", None, job_id="j-1"),
            holding.renewing(lease, "outbox/j-1/a"),
        ):
            lease.asked.wait(5)
    finally:
        logger.removeHandler(shown)
    lines = [json.loads(line) for line in shown.stream.getvalue().splitlines()]
    assert lines
    assert {line["job_id"] for line in lines} == {"j-1"}


class BrokenLease:
    """Cannot be renewed."""

    def __init__(self) -> None:
        self.asked, self.times = threading.Event(), 0

    def renew(self) -> None:
        self.times += 1
        if self.times > 1:
            self.asked.set()
        raise Changed("outbox/j-1/a")

    def release(self) -> None:
        return


def test_one_trace_goes_from_the_call_to_the_dispatch(telemetry: tuple[list[dict[str, Any]], str, str]) -> None:
    lines, _, trace_id = telemetry
    spans = {line["name"]: line["context"]["trace_id"] for line in lines if "context" in line}
    assert {"KickStartJob", "Run", "Split", "Dispatch"} <= spans.keys()
    assert set(spans.values()) == {f"0x{trace_id}"}


def test_the_metrics_are_there(telemetry: tuple[list[dict[str, Any]], str, str]) -> None:
    lines, _, _ = telemetry
    names = {
        metric["name"]
        for line in lines
        for resource in line.get("resource_metrics", [])
        for scope in resource["scope_metrics"]
        for metric in scope["metrics"]
    }
    assert names >= {
        "aggregations.jobs.steps",
        "aggregations.jobs.state.seconds",
        "aggregations.jobs.open",
        "aggregations.messages.sent",
        "aggregations.messages.rejected",
        "aggregations.outbox.age",
    }


def test_a_callers_trace_is_continued_and_a_broken_one_replaced() -> None:
    world = World()
    own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for sent, kept in ((own, True), ("00-0-0-00", False), ("x" * 5000, False)):
        body = DAY | {"simulation": True}
        answered = world.call("POST", "KickStartJob", body=body, headers={"traceparent": sent})
        record = world.record(json.loads(answered.body)["jobId"])
        assert (record.trace_id == own[3:35]) == kept
        assert observability.TRACEPARENT.fullmatch(record.traceparent or "")


def test_no_token_or_secret_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = World()
    world.new_host(DATABRICKS_TOKEN=SECRET, POST_OFFICE=f"Endpoint=sb://x;SharedAccessKey={SECRET}")
    world.app.replace(tokens=FakeTokens({SECRET: {"roles": ["settlement.run"], "sub": "caller"}}))
    bearer = {"authorization": f"Bearer {SECRET}"}
    answers = [
        world.call("POST", "KickStartJob", body=DAY, headers=bearer),
        world.call("GET", "jobs", headers={"authorization": f"Bearer {SECRET}x"}),
        world.call("GET", "jobs", headers={"authorization": SECRET}),
        world.call("GET", "health/ready", headers=bearer),
    ]
    world.runner.failing = Unavailable("databricks", "timeout")
    world.split_error = ValueError("broken")
    for _ in range(6):
        world.tick()
    told = "".join(record.getMessage() + str(record.__dict__) for record in caplog.records)
    assert SECRET not in told + "".join(str(answered) for answered in answers)


def test_an_unforeseen_error_shows_nothing_of_itself() -> None:
    world = World()
    world_error = "/a/secret/place"

    def before(_verb: str, _path: str) -> None:
        raise RuntimeError(world_error)

    world.lake.before = before
    answered = world.call("POST", "KickStartJob", body=DAY)
    assert answered.status == 500
    assert world_error not in answered.body.decode()
    assert "Traceback" not in answered.body.decode()
