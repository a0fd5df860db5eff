"""What Databricks and the manifests say, and where it leaves the job (coordinator 4)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pytest

from functions.adapters.databricks import phase_of
from functions.adapters.in_memory import FakeJobRunner
from functions.coordinator.record import JobState
from functions.coordinator.states import CALCULATING
from functions.ports import NotFound, Run, RunPhase, RunRefused, Unavailable
from tests.support.app import World, problem


@pytest.mark.parametrize(
    ("life_cycle", "result", "phase"),
    [
        ("PENDING", None, RunPhase.WAITING),
        ("QUEUED", None, RunPhase.WAITING),
        ("WAITING", None, RunPhase.WAITING),
        ("WAITING_FOR_RETRY", None, RunPhase.WAITING),
        ("BLOCKED", None, RunPhase.WAITING),
        ("RUNNING", None, RunPhase.RUNNING),
        ("TERMINATING", None, RunPhase.RUNNING),
        (None, None, RunPhase.RUNNING),
        ("SOMETHING_NEW", None, RunPhase.RUNNING),
        ("TERMINATED", "SUCCESS", RunPhase.SUCCEEDED),
        ("TERMINATING", "SUCCESS", RunPhase.SUCCEEDED),
        ("TERMINATED", "CANCELED", RunPhase.CANCELLED),
        ("TERMINATED", "UPSTREAM_CANCELED", RunPhase.CANCELLED),
        ("SKIPPED", None, RunPhase.CANCELLED),
        ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", RunPhase.REFUSED),
        ("SKIPPED", "EXCLUDED", RunPhase.FAILED),
        ("TERMINATED", "FAILED", RunPhase.FAILED),
        ("TERMINATED", "TIMEDOUT", RunPhase.FAILED),
        ("TERMINATED", "UPSTREAM_FAILED", RunPhase.FAILED),
        ("TERMINATED", "EXCLUDED", RunPhase.FAILED),
        ("TERMINATED", "DISABLED", RunPhase.FAILED),
        ("TERMINATED", "SUCCESS_WITH_FAILURES", RunPhase.FAILED),
        ("INTERNAL_ERROR", None, RunPhase.FAILED),
        ("INTERNAL_ERROR", "FAILED", RunPhase.FAILED),
        ("TERMINATED", "SOMETHING_NEW", RunPhase.FAILED),
        ("TERMINATED", None, RunPhase.FAILED),
    ],
)
def test_the_result_decides_before_the_life_cycle(life_cycle: str | None, result: str | None, phase: RunPhase) -> None:
    assert phase_of(life_cycle, result) is phase


def test_a_job_follows_its_run_until_the_manifest_is_there() -> None:
    world = World()
    job_id = world.start()
    for phase, state in (
        (RunPhase.WAITING, JobState.SUBMITTED),
        (RunPhase.RUNNING, JobState.RUNNING),
        (RunPhase.WAITING, JobState.SUBMITTED),
        (RunPhase.RUNNING, JobState.RUNNING),
    ):
        world.runner.becomes(1, phase)
        world.app.watch()
        assert world.record(job_id).status is state
    world.finish_run(job_id)
    world.runner.becomes(1, RunPhase.FAILED)
    world.app.watch()
    assert world.record(job_id).status is JobState.CALCULATED
    assert [step.state for step in world.record(job_id).history][-2:] == [JobState.RUNNING, JobState.CALCULATED]


@pytest.mark.parametrize("simulation", [True, False])
@pytest.mark.parametrize("by_event", [True, False])
def test_a_job_that_is_done_before_it_was_watched_has_its_page(simulation: bool, by_event: bool) -> None:
    world = World()
    job_id = world.start(simulation=simulation)
    world.finish_run(job_id)
    if by_event:
        world.app.manifest_appeared(f"aggregations/completed/{job_id}.1.json")
    else:
        world.app.watch()
    assert world.record(job_id).status not in CALCULATING
    assert json.loads(world.call("GET", f"jobs/{job_id}").body)["runPage"] == "https://jobs.example/run/1"


@pytest.mark.parametrize("error", [Unavailable("databricks"), NotFound("run 1"), RuntimeError("no such field")])
def test_a_page_that_cannot_be_had_holds_no_job_up(error: Exception) -> None:
    world = World()
    job_id = world.start(simulation=True)
    world.finish_run(job_id)
    world.runner.failing = error
    world.app.manifest_appeared(f"aggregations/completed/{job_id}.1.json")
    assert (world.record(job_id).status, world.record(job_id).run_page) == (JobState.COMPLETED, None)


@dataclass
class LosesReplies(FakeJobRunner):
    """Starts the run, but its answer never arrives."""

    hidden: bool = False

    def start(self, parameters: Mapping[str, str], token: str) -> int:
        super().start(parameters, token)
        raise Unavailable("databricks", "no reply")

    def find(self, job_id: str, attempt: int, since: datetime) -> Run | None:
        if self.hidden:
            raise Unavailable("databricks", "no answer")
        return super().find(job_id, attempt, since)


@pytest.mark.parametrize("by_event", [True, False])
def test_a_run_whose_start_was_never_answered_is_found_when_its_manifest_is_there(by_event: bool) -> None:
    world = World(runner=LosesReplies())
    job_id = world.start(simulation=True)
    world.finish_run(job_id)
    assert world.record(job_id).run_id is None
    if by_event:
        world.app.manifest_appeared(f"aggregations/completed/{job_id}.1.json")
    else:
        world.app.watch()
    job = json.loads(world.call("GET", f"jobs/{job_id}").body)
    assert (job["runId"], job["runPage"]) == (1, "https://jobs.example/run/1")
    assert len(world.runner.runs) == 1


def test_a_run_that_could_not_be_found_at_once_is_found_while_its_job_goes_on() -> None:
    runner = LosesReplies(hidden=True)
    world = World(runner=runner)
    job_id = world.start()
    world.finish_run(job_id)
    world.app.manifest_appeared(f"aggregations/completed/{job_id}.1.json")
    assert (world.record(job_id).status, world.record(job_id).run_id) == (JobState.DISPATCHING, None)
    runner.hidden = False
    world.app.watch()
    assert (world.record(job_id).run_id, world.record(job_id).run_page) == (1, "https://jobs.example/run/1")


def test_a_cancelled_job_whose_start_is_refused_is_cancelled() -> None:
    world = World()
    world.runner.failing = Unavailable("databricks")
    job_id = world.start()
    world.call("DELETE", f"jobs/{job_id}")
    world.runner.failing = RunRefused("no such entry point")
    world.app.watch()
    assert world.record(job_id).status is JobState.CANCELLED


def test_a_run_that_is_done_before_its_id_is_known_is_noted_with_its_page() -> None:
    world = World()

    class AtOnce(FakeJobRunner):
        def start(self, parameters: Mapping[str, str], token: str) -> int:
            run_id = super().start(parameters, token)
            world.finish_run(parameters["job-id"])
            world.app.manifest_appeared(f"aggregations/completed/{parameters['job-id']}.1.json")
            return run_id

    world.runner = AtOnce()
    world.new_host()
    record = world.record(world.start(simulation=True))
    assert (record.status, record.run_id) == (JobState.COMPLETED, 1)
    assert record.run_page == "https://jobs.example/run/1"


def test_a_run_that_vanished_fails_the_job_with_that_reason() -> None:
    world = World()
    job_id = world.start()
    world.runner.runs.clear()
    world.app.watch()
    assert (world.record(job_id).status, world.record(job_id).error) == (
        JobState.FAILED,
        "Databricks no longer knows run 1",
    )
    assert [path for path in world.lake.files if path.startswith(("state/open", "state/active"))] == []


def test_the_reason_of_the_run_itself_goes_before_what_databricks_says() -> None:
    world = World()
    job_id = world.start()
    failure = {"code": "DUPLICATE_POINTS", "message": "points of 571313000000000001"}
    world.lake.create(f"failed/{job_id}.1.json", json.dumps(failure).encode())
    world.runner.becomes(1, RunPhase.FAILED, error="task failed")
    world.app.watch()
    assert world.record(job_id).error == "DUPLICATE_POINTS: points of 571313000000000001"


@dataclass
class Hangs(FakeJobRunner):
    """Every call takes as long as it may, and then fails."""

    world: World | None = None

    def check(self) -> None:
        if self.world is not None:
            self.world.clock.advance(seconds=10)
            raise Unavailable("databricks", "timeout")


def test_a_platform_that_hangs_keeps_no_manifest_waiting_and_no_round_goes_on_for_ever() -> None:
    runner = Hangs()
    world = World(runner=runner)
    jobs = [world.start(simulation=True) for _ in range(40)]
    for job_id in jobs:
        world.finish_run(job_id)
    unfinished = [world.start(simulation=True) for _ in range(40)]
    runner.world, began = world, world.clock.now()
    world.app.watch()
    assert (world.clock.now() - began).total_seconds() <= 70
    assert {world.record(job_id).status for job_id in jobs} == {JobState.CALCULATED}
    assert {world.record(job_id).status for job_id in unfinished} == {JobState.SUBMITTED}
    runner.world = None
    for number in range(1, 1 + len(runner.runs)):
        runner.becomes(number, RunPhase.RUNNING)
    world.tick(seconds=15)
    assert {world.record(job_id).status for job_id in unfinished} == {JobState.RUNNING}


def test_no_reason_tells_where_files_lie_on_a_machine() -> None:
    world = World()
    job_id = world.start()
    world.runner.becomes(1, RunPhase.FAILED, "FAILED", error="no file '/home/me/lake/results/energy/part-1.parquet'")
    world.app.watch()
    assert world.record(job_id).error == "no file '…/part-1.parquet'"
    world.split_error = RuntimeError("bad page in file:///srv/lake/results/energy/part-7.parquet of 2024/02")
    job_id = world.start(processType="D03")
    world.finish_run(job_id)
    for _ in range(5):
        world.tick()
    error = str(world.record(job_id).error)
    assert "bad page in …/part-7.parquet of 2024/02" in error
    assert "/srv" not in world.call("GET", f"jobs/{job_id}").body.decode()


def test_success_without_a_manifest_fails_after_ten_minutes() -> None:
    world = World()
    job_id = world.start()
    world.runner.becomes(1, RunPhase.SUCCEEDED, "SUCCESS")
    for _ in range(10):
        world.tick()
        assert world.record(job_id).status is JobState.SUBMITTED
    world.tick(minutes=2)
    assert world.record(job_id).status is JobState.FAILED


@pytest.mark.parametrize("content", [b"", b'{"format": 1, "job_id"', b"[]", b'{"format": 1, "complete": true}'])
def test_an_empty_or_cut_manifest_is_not_there_yet(content: bytes) -> None:
    world = World()
    job_id = world.start()
    world.lake.create(f"completed/{job_id}.1.json", content)
    world.app.manifest_appeared(f"aggregations/completed/{job_id}.1.json")
    assert world.record(job_id).status is JobState.SUBMITTED


def test_a_manifest_of_another_attempt_or_without_a_record_is_left_alone() -> None:
    world = World()
    job_id = world.start()
    world.finish_run(job_id, attempt=2)
    world.app.manifest_appeared(f"aggregations/completed/{job_id}.2.json")
    world.app.manifest_appeared("aggregations/completed/00000000-0000-0000-0000-000000000000.1.json")
    assert world.record(job_id).status is JobState.SUBMITTED


def test_no_room_at_databricks_makes_new_attempts_later_and_five_at_most() -> None:
    world = World()
    job_id = world.start()
    for attempt in range(1, 7):
        assert world.record(job_id).attempt == attempt
        run_id = world.record(job_id).run_id
        assert run_id == attempt
        world.runner.becomes(run_id, RunPhase.REFUSED, "MAXIMUM_CONCURRENT_RUNS_REACHED")
        world.app.watch()
        world.app.watch()
        assert world.record(job_id).run_id is None or attempt == 6
        world.tick(minutes=6)
    assert world.record(job_id).status is JobState.FAILED
    assert len(set(world.runner.tokens)) == 6


def test_a_platform_that_cannot_be_reached_is_asked_for_an_hour_with_the_same_token() -> None:
    world = World()
    world.runner.failing = Unavailable("databricks")
    job_id = world.start()
    world.tick(minutes=30)
    assert world.record(job_id).status is JobState.SUBMITTED
    world.runner.failing = None
    world.app.watch()
    assert list(world.runner.tokens) == [f"{job_id}-1"]
    other = World()
    other.runner.failing = Unavailable("databricks")
    lost = other.start()
    other.tick(minutes=61)
    assert other.record(lost).status is JobState.FAILED


def test_a_run_that_is_refused_for_good_fails_at_once() -> None:
    world = World()
    world.runner.failing = RunRefused("no such parameter")
    job_id = world.start()
    assert world.record(job_id).error == "the run was refused: no such parameter"


def test_the_run_gets_the_arguments_the_attempt_and_the_lake() -> None:
    world = World()
    job_id = world.start(gridAreas="801,800", processType="D03")
    assert dict(world.runner.parameters[1]) == {
        "job-id": job_id,
        "attempt": "1",
        "process-type": "D03",
        "process-variant": "",
        "period-start": "2023-01-31T23:00:00Z",
        "period-end": "2023-02-01T23:00:00Z",
        "grid-areas": "800,801",
        "simulation": "false",
        "quarterly-transition": "2023-04-30T22:00:00Z",
        "time-zone": "Europe/Copenhagen",
        "lake": "/lake",
    }


def test_a_cancelled_run_ends_cancelled_and_its_manifest_is_ignored() -> None:
    world = World()
    job_id = world.start()
    world.runner.becomes(1, RunPhase.RUNNING)
    world.app.watch()
    for _ in range(2):
        assert world.call("DELETE", f"jobs/{job_id}").status == 202
    assert world.record(job_id).cancel_requested
    world.finish_run(job_id)
    world.app.manifest_appeared(f"aggregations/completed/{job_id}.1.json")
    assert world.record(job_id).status is JobState.RUNNING
    world.runner.becomes(1, RunPhase.CANCELLED, "CANCELED")
    world.app.watch()
    assert world.record(job_id).status is JobState.CANCELLED
    assert world.call("DELETE", f"jobs/{job_id}").status == 202
    assert world.call("POST", f"jobs/{job_id}/retry").status == 202
    assert (world.record(job_id).attempt, world.record(job_id).cancel_requested) == (2, False)


def test_from_calculated_on_a_job_cannot_be_cancelled() -> None:
    world = World()
    job_id = world.start()
    world.finish_run(job_id)
    world.app.watch()
    refused = world.call("DELETE", f"jobs/{job_id}")
    assert (refused.status, problem(refused)["jobStatus"]) == (409, "Calculated")


def test_a_scheduled_job_starts_when_its_time_has_come_and_is_cancelled_at_once() -> None:
    world = World()
    job_id = world.start(scheduledAt="2023-03-01T13:00:00Z")
    world.tick(minutes=59)
    assert world.record(job_id).status is JobState.SCHEDULED
    assert world.call("POST", "KickStartJob", body={"beginTime": "2023-02-01T00:00:00+0100"}).status == 400
    world.tick(minutes=1)
    assert world.record(job_id).status is JobState.SUBMITTED
    assert len(world.runner.runs) == 1
    other = world.start(scheduledAt="2023-04-01T13:00:00Z", processType="D03")
    assert world.call("DELETE", f"jobs/{other}").status == 202
    assert world.record(other).status is JobState.CANCELLED
    assert world.record(world.start(scheduledAt="2020-01-01T00:00:00Z", processType="D03")).status is JobState.SUBMITTED


def test_five_failed_splits_fail_the_job_and_a_retry_splits_again_without_a_run() -> None:
    world = World()
    world.split_error = ValueError("a broken table")
    job_id = world.start()
    world.finish_run(job_id)
    for failures in range(1, 6):
        world.tick()
        assert world.record(job_id).split_failures == failures
    assert world.record(job_id).status is JobState.FAILED
    frozen = world.record(job_id).frozen
    world.split_error = None
    assert world.call("POST", f"jobs/{job_id}/retry").status == 202
    for _ in range(3):
        world.tick()
    assert world.record(job_id).status is JobState.COMPLETED
    assert world.record(job_id).frozen == frozen
    assert len(world.runner.runs) == 1


def test_a_later_job_knows_its_predecessor_in_each_area() -> None:
    world = World()
    both = world.start()
    for job_id, areas in ((both, None), ("", "800"), ("", None)):
        current = job_id or (world.start(gridAreas=areas) if areas else world.start())
        world.finish_run(current)
        for _ in range(3):
            world.tick()
        assert world.record(current).status is JobState.COMPLETED
        last = world.record(current)
    assert last.frozen is not None
    assert last.frozen.version == 3
    assert last.frozen.predecessors["801"] == {"job_id": both, "attempt": 1}
    assert last.frozen.predecessors["800"]["job_id"] not in (both, last.job_id)


def test_a_promoted_simulation_is_sent_once() -> None:
    world = World()
    job_id = world.start(simulation=True)
    world.finish_run(job_id)
    world.tick()
    world.tick()
    assert (world.record(job_id).status, world.sent) == (JobState.COMPLETED, [])
    for _ in range(2):
        assert world.call("POST", f"jobs/{job_id}/promote").status == 202
    for _ in range(3):
        world.tick()
    assert world.record(job_id).status is JobState.COMPLETED
    assert len(world.sent) == 2
    assert world.call("POST", f"jobs/{job_id}/promote").status == 202


def test_a_completed_job_leaves_no_folder_in_the_outbox_and_completes_even_if_it_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    removed: list[str] = []

    def refuse(folder: str) -> None:
        removed.append(folder)
        raise Unavailable("lake")

    monkeypatch.setattr(world.lake, "delete_folder", refuse)
    job_id = world.start()
    world.finish_run(job_id)
    world.tick()
    world.tick()
    assert world.record(job_id).status is JobState.COMPLETED
    assert removed == [f"outbox/{job_id}"]


def test_a_simulation_that_breaks_the_rules_of_actual_jobs_is_not_promoted() -> None:
    world = World()
    job_id = world.start(simulation=True, endTime="2023-02-01T05:00:00+0100")
    assert world.call("POST", f"jobs/{job_id}/promote").status == 409
    world.finish_run(job_id)
    world.tick()
    assert world.call("POST", f"jobs/{job_id}/promote").status == 422
    actual = world.start()
    assert world.call("POST", f"jobs/{actual}/promote").status == 409
