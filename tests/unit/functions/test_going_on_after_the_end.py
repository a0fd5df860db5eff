"""A job that has ended goes on, by retry or promotion, while a sweep is about to put its markers away."""

from contextlib import suppress

import pytest

from functions.coordinator.dispatch import Dispatched, DispatchOutcome
from functions.coordinator.dispatching import Dispatching
from functions.coordinator.record import JobState
from functions.ports import Unavailable
from tests.support.app import World


class Crash(BaseException):
    """The host dies."""


def ended(world: World, action: str) -> str:
    """A job that can be retried or promoted; its markers are still there, as when its host died just then."""
    job_id = world.start(simulation=action == "promote")
    world.tick()
    if action == "promote":
        world.finish_run(job_id)
    else:
        world.runner.runs.clear()
    world.tick()
    return job_id


@pytest.mark.parametrize("action", ["retry", "promote"])
def test_a_sweep_in_between_and_a_crash_behind_leave_the_job_in_sight(action: str) -> None:
    world = World()
    job_id = ended(world, action)
    other, app = world.new_host(), world.new_host()
    swept = False

    def sweep_then_crash(verb: str, path: str) -> None:
        nonlocal swept
        if swept and verb in ("create", "replace", "delete"):
            raise Crash
        if path == f"jobs/{job_id}.json" and verb == "replace":
            world.lake.before = lambda _verb, _path: None
            other.sweep()
            world.lake.before = sweep_then_crash
            swept = True

    world.app = app
    world.lake.before = sweep_then_crash
    with suppress(Crash):
        world.call("POST", f"jobs/{job_id}/{action}")
    world.lake.before = lambda _verb, _path: None
    assert world.record(job_id).status in (JobState.SUBMITTED, JobState.CALCULATED)
    assert f"state/open/{job_id}" in world.lake.files
    assert [path for path in world.lake.files if path.startswith("state/active/")] != []


def test_an_equal_job_waits_for_one_that_is_about_to_go_on() -> None:
    world = World()
    job_id = ended(world, "retry")
    statuses = []

    def start_equal(verb: str, path: str) -> None:
        if path == f"jobs/{job_id}.json" and verb == "replace":
            world.lake.before = lambda _verb, _path: None
            statuses.append(world.call("POST", "KickStartJob", body=DAY).status)

    world.lake.before = start_equal
    assert world.call("POST", f"jobs/{job_id}/retry").status == 202
    assert statuses == [409]


def test_a_start_that_was_held_up_gives_way_to_an_equal_job_that_overtook_it() -> None:
    world = World()
    statuses = []

    def held_up(verb: str, path: str) -> None:
        if path.startswith("jobs/") and verb == "create":
            world.lake.before = lambda _verb, _path: None
            world.clock.advance(minutes=2)
            statuses.append(world.call("POST", "KickStartJob", body=DAY).status)

    world.lake.before = held_up
    statuses.append(world.call("POST", "KickStartJob", body=DAY).status)
    assert statuses == [202, 409]
    assert len(world.runner.runs) == 1
    records = [world.record(path[5:-5]) for path in world.lake.files if path.startswith("jobs/")]
    assert sorted(record.cancel_requested for record in records) == [False, True]


def test_a_start_that_died_after_it_was_overtaken_gives_way_at_the_next_watch() -> None:
    world = World()

    def held_up(verb: str, path: str) -> None:
        if path.startswith("jobs/") and verb == "create":
            world.clock.advance(minutes=2)
            world.lake.before = lambda _verb, _path: None
            assert world.call("POST", "KickStartJob", body=DAY).status == 202
            world.lake.before = dies_soon

    def dies_soon(verb: str, path: str) -> None:
        if verb == "create" and path.startswith("state/"):
            raise Crash

    world.lake.before = held_up
    with suppress(Crash):
        world.call("POST", "KickStartJob", body=DAY)
    world.lake.before = lambda _verb, _path: None
    world.tick()
    records = [world.record(path[5:-5]) for path in world.lake.files if path.startswith("jobs/")]
    assert sorted(record.cancel_requested for record in records) == [False, True]


def test_what_a_failed_splitting_left_unfinished_goes_from_the_outbox() -> None:
    world = World()
    job_id = world.start()
    world.tick()
    world.finish_run(job_id)
    world.split_error = RuntimeError("the table is damaged")
    world.lake.create(f"outbox/{job_id}/800-00001-x.jsonl.gz", b"")
    unfinished = DispatchOutcome(job_id=job_id, batch="800-00001-x", state=Dispatched.INCOMPLETE)
    world.app.replace(dispatching=Dispatching(lambda _path, _until: unfinished))
    for _ in range(5):
        world.tick()
    assert world.record(job_id).status is JobState.FAILED
    for _ in range(12):
        world.tick()
    assert [path for path in world.lake.files if path.startswith("outbox/")] == []


DAY = {"beginTime": "2023-02-01T00:00:00+0100", "endTime": "2023-02-02T00:00:00+0100", "processType": "D04"}


def test_a_start_that_is_repeated_long_after_it_died_keeps_equal_jobs_away() -> None:
    world = World()
    key = {"idempotency-key": "one"}
    statuses = []

    def dies(verb: str, path: str) -> None:
        if path.startswith("jobs/") and verb == "create":
            raise Crash

    def start_equal(verb: str, path: str) -> None:
        if path.startswith("jobs/") and verb == "create":
            world.lake.before = lambda _verb, _path: None
            statuses.append(world.call("POST", "KickStartJob", body=DAY).status)

    world.lake.before = dies
    with suppress(Crash):
        world.call("POST", "KickStartJob", body=DAY, headers=key)
    world.clock.advance(minutes=9)
    world.lake.before = start_equal
    statuses.append(world.call("POST", "KickStartJob", body=DAY, headers=key).status)
    assert statuses == [409, 202]
    assert len(world.runner.runs) == 1


def dies_at_its_end(world: World) -> None:
    """Let the job end and its host die before the markers are put away."""

    def dies(verb: str, path: str) -> None:
        if verb == "delete" and path.startswith("state/active/"):
            raise Crash

    world.lake.before = dies
    with suppress(Crash):
        world.tick(seconds=15)
    world.lake.before = lambda _verb, _path: None
    assert [path for path in world.lake.files if path.startswith("state/active/")] != []


def test_a_job_that_started_late_and_has_ended_keeps_no_equal_job_away() -> None:
    world = World()
    world.runner.failing = Unavailable("jobs API", "no answer")
    job_id = world.start()
    world.runner.failing = None
    world.tick(seconds=15)  # the watch sets the marker anew before it starts the run
    world.runner.runs.clear()
    dies_at_its_end(world)
    assert world.record(job_id).status is JobState.FAILED
    assert world.call("POST", "KickStartJob", body=DAY).status == 202


def test_a_job_that_was_retried_and_has_ended_again_keeps_no_equal_job_away() -> None:
    world = World()
    job_id = ended(world, "retry")
    assert world.call("POST", f"jobs/{job_id}/retry").status == 202
    world.runner.runs.clear()
    dies_at_its_end(world)
    assert world.record(job_id).status is JobState.FAILED
    assert world.call("POST", "KickStartJob", body=DAY).status == 202


def test_a_retry_that_another_one_overtook_keeps_equal_jobs_away_while_it_goes_on() -> None:
    world = World()
    job_id = ended(world, "retry")
    statuses = []

    def overtake(verb: str, path: str) -> None:
        if path == f"state/open/{job_id}" and verb == "create":
            world.lake.before = lambda _verb, _path: None
            assert world.call("POST", f"jobs/{job_id}/retry").status == 202
            world.runner.runs.clear()
            world.tick(seconds=15)
            assert world.record(job_id).status is JobState.FAILED
            world.lake.before = start_equal

    def start_equal(verb: str, path: str) -> None:
        if path == f"jobs/{job_id}.json" and verb == "replace":
            world.lake.before = lambda _verb, _path: None
            statuses.append(world.call("POST", "KickStartJob", body=DAY).status)

    world.lake.before = overtake
    statuses.append(world.call("POST", f"jobs/{job_id}/retry").status)
    assert statuses == [409, 202]


@pytest.mark.parametrize("simulation", [False, True])
def test_a_start_that_is_repeated_long_after_it_died_stays_in_sight_of_the_timers(simulation: bool) -> None:
    world = World()
    key, body = {"idempotency-key": "one"}, DAY | {"simulation": simulation}
    app, other = world.app, world.new_host()
    world.app = app

    def dies(verb: str, path: str) -> None:
        if path.startswith("jobs/") and verb == "create":
            raise Crash

    def sweep(verb: str, path: str) -> None:
        if path.startswith("jobs/") and verb == "create":
            world.lake.before = lambda _verb, _path: None
            other.sweep()

    world.lake.before = dies
    with suppress(Crash):
        world.call("POST", "KickStartJob", body=body, headers=key)
    world.clock.advance(minutes=11)
    world.lake.before = sweep
    assert world.call("POST", "KickStartJob", body=body, headers=key).status == 202
    (record,) = (path[5:-5] for path in world.lake.files if path.startswith("jobs/"))
    assert f"state/open/{record}" in world.lake.files
