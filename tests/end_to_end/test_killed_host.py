"""The functions host killed at its worst moments, and started again: the job completes, once, with equal ids."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from tests.end_to_end.driver import Driver, period, until

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]
MOMENTS = ("after the answer", "before run-now", "before its note", "while splitting", "before the rename")


@pytest.fixture(scope="module")
def jobs(driver: Driver) -> dict[str, str]:
    """One job killed at each moment; they heal side by side."""
    first = driver.start(11)
    driver.kill_and_restart()
    hanging = {"on": "run-now", "fault": "hang", "seconds": 20, "times": 1}
    second = _killed_in_run_now(driver, 12, hanging, lambda job_id: not driver.runs_of(job_id))
    unheard = {"on": "run-now", "fault": "lost_reply", "seconds": 20, "times": 1}
    third = _killed_in_run_now(driver, 13, unheard, driver.runs_of)
    slow_outbox = {"on": "write", "path": "outbox/", "fault": "delay", "seconds": 0.5}
    with driver.broken("lake", slow_outbox):
        fourth = driver.start(14)
        until(lambda: list((driver.lake / "outbox" / fourth).glob("*.gz")), 120)
        driver.kill_and_restart()
    with driver.broken("lake", {"on": "rename", "path": "sent/", "fault": "hang", "seconds": 30}):
        fifth = driver.start(15)
        until(lambda: driver.events(fifth), 120)
        driver.kill_and_restart()
    return dict(zip(MOMENTS, (first, second, third, fourth, fifth), strict=True))


def _killed_in_run_now(driver: Driver, day: int, rule: dict[str, Any], reached: Callable[[str], Any]) -> str:
    """Kill the host while it waits for the answer of run-now; returns the job's id, found in the lake."""
    known = _whole_records(driver)
    with driver.broken("jobs", rule):
        body = period(day) | {"processType": "D04"}
        caller = threading.Thread(target=_call_quietly, args=(driver, body))
        caller.start()
        job_id: str = until(lambda: _whole_records(driver) - known).pop()
        until(lambda: reached(job_id))
        driver.kill_and_restart()
        caller.join()
    return job_id


def _whole_records(driver: Driver) -> set[str]:
    """The jobs whose record was written to its end: a start that dies before promised nobody anything."""
    return {path.stem for path in (driver.lake / "jobs").glob("*.json") if path.stat().st_size}


def _call_quietly(driver: Driver, body: dict[str, str]) -> None:
    """The caller loses its connection: that is what a kill looks like from outside."""
    try:
        driver.call("POST", "/api/KickStartJob", body)
    except OSError:
        return


@pytest.mark.parametrize("moment", MOMENTS)
def test_job_completes_with_one_run_and_each_message_with_one_content(
    driver: Driver, jobs: dict[str, str], moment: str
) -> None:
    job = driver.completed(jobs[moment])
    assert len(driver.runs_of(job["jobId"])) == 1
    contents: dict[str, Counter[bytes]] = defaultdict(Counter)
    for event in driver.events(job["jobId"]):
        contents[str(event.message_id)][b"".join(event.body)] += 1
    assert len(contents) == job["messages"]["made"] > 0
    assert all(len(bodies) == 1 for bodies in contents.values())
