"""A host that dies before any of its writes, and what the next one makes of it (issue "The coordinator")."""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from functions.coordinator.record import JobState
from functions.ports import Unavailable
from tests.support.app import DAY, World


class Crash(BaseException):
    """The process is gone: no handler of the app may see it."""


def crash_before(world: World, number: int) -> Callable[[], int]:
    """Let the host die before its `number`-th write; returns how many writes there were."""
    writes = 0

    def before(verb: str, path: str) -> None:
        nonlocal writes
        if verb in ("create", "replace", "delete", "rename"):
            writes += 1
            if writes == number:
                raise Crash(f"{verb} {path}")

    world.lake.before = before
    return lambda: writes


def heal(world: World) -> None:
    world.lake.before = lambda _verb, _path: None
    world.new_host()


def to_the_end(world: World, job_id: str) -> None:
    for _ in range(4):
        world.tick()
    if f"completed/{job_id}.1.json" not in world.lake.files:
        world.finish_run(job_id)
    for _ in range(4):
        world.tick()


def start_with_key(world: World) -> str:
    answered = world.call("POST", "KickStartJob", body=DAY, headers={"idempotency-key": "monthly"})
    assert answered.status == 202, answered.body
    return str(json.loads(answered.body)["jobId"])


@pytest.mark.parametrize("number", range(1, 9))
def test_a_start_that_dies_anywhere_is_one_job_when_the_caller_repeats_it(number: int) -> None:
    world = World()
    crash_before(world, number)
    with suppress(Crash):
        start_with_key(world)
    heal(world)
    job_id = start_with_key(world)
    assert start_with_key(world) == job_id
    to_the_end(world, job_id)
    assert world.record(job_id).status is JobState.COMPLETED
    assert len(world.runner.runs) == 1
    assert len([path for path in world.lake.files if path.startswith("jobs/")]) == 1
    assert sorted(world.sent) == [f"outbox/{job_id}/800.jsonl.gz", f"outbox/{job_id}/801.jsonl.gz"]


@pytest.mark.parametrize("number", range(1, 9))
def test_a_start_that_dies_anywhere_never_keeps_an_equal_job_away_for_ever(number: int) -> None:
    world = World()
    crash_before(world, number)
    with suppress(Crash):
        world.start()
    heal(world)
    for job_id in [path[5:-5] for path in world.lake.files if path.startswith("jobs/")]:
        to_the_end(world, job_id)
        assert world.record(job_id).status is JobState.COMPLETED
    world.clock.advance(minutes=2)
    assert world.start()


@pytest.mark.parametrize("number", range(1, 16))
def test_whatever_dies_after_the_manifest_the_job_completes_and_every_batch_is_sent(number: int) -> None:
    world = World()
    job_id = world.start()
    world.tick()
    world.finish_run(job_id)
    crash_before(world, number)
    with suppress(Crash):
        world.app.manifest_appeared(f"aggregations/completed/{job_id}.1.json")
        for path in [path for path in world.lake.files if path.startswith("outbox/")]:
            world.app.batch_appeared(f"aggregations/{path}")
    heal(world)
    world.clock.advance(minutes=2)
    for _ in range(3):
        world.tick()
    assert world.record(job_id).status is JobState.COMPLETED
    assert sorted(set(world.sent)) == [f"outbox/{job_id}/800.jsonl.gz", f"outbox/{job_id}/801.jsonl.gz"]
    assert [path for path in world.lake.files if path.startswith(("outbox/", "state/open/", "state/active/"))] == []


@pytest.mark.parametrize("action", ["retry", "promote"])
@pytest.mark.parametrize("number", range(1, 7))
def test_a_retry_or_promotion_that_dies_anywhere_can_be_repeated(action: str, number: int) -> None:
    world = World()
    job_id = world.start(simulation=action == "promote")
    world.tick()
    if action == "promote":
        world.finish_run(job_id)
    else:
        world.runner.runs.clear()
    world.tick()
    assert world.record(job_id).status in (JobState.COMPLETED, JobState.FAILED)
    crash_before(world, number)
    with suppress(Crash):
        world.call("POST", f"jobs/{job_id}/{action}")
    heal(world)
    world.tick()
    again = world.call("POST", f"jobs/{job_id}/{action}")
    assert again.status == 202 or world.record(job_id).attempt == 2
    if action == "retry" and f"completed/{job_id}.2.json" not in world.lake.files:
        world.tick()
        world.finish_run(job_id)
    for _ in range(4):
        world.tick()
    assert world.record(job_id).status is JobState.COMPLETED
    assert len(set(world.sent)) == 2


def test_two_hosts_at_once_do_everything_once() -> None:
    world = World()
    job_id = world.start()
    first, second = world.new_host(), world.new_host()
    for host in (first, second, first, second):
        host.watch()
    world.finish_run(job_id)
    world.clock.advance(minutes=2)
    for host in (first, second, first, second):
        host.manifest_appeared(f"aggregations/completed/{job_id}.1.json")
        world.clock.advance(minutes=1)
        host.sweep()
    assert world.record(job_id).status is JobState.COMPLETED
    assert len(world.sent) == len(set(world.sent)) == 2
    assert len(world.runner.runs) == 1


def test_an_outage_of_the_lake_is_answered_with_503_and_when_to_come_back() -> None:
    world = World()

    def before(_verb: str, _path: str) -> None:
        raise Unavailable("lake")

    world.lake.before = before
    answered = world.call("POST", "KickStartJob", body=DAY)
    assert (answered.status, answered.headers["Retry-After"]) == (503, "5")
