"""Stacks beside each other, their state, and lakes that cannot be settled."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from local import processes
from local.sample.lake import make_sample
from local.stack import Stack
from tests.end_to_end.conftest import running
from tests.end_to_end.driver import Driver, until

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A second stack, whose lake lacks a table and has wrong types in another."""
    folder = tmp_path_factory.mktemp("broken-stack")
    make_sample(folder / "lake")
    shutil.rmtree(folder / "lake" / "input" / "grid_loss_metering_points")
    points = folder / "lake" / "input" / "metering_point_periods"
    table = pa.table(DeltaTable(points).to_pyarrow_dataset().to_table())
    shutil.rmtree(points)
    codes = pa.array([int(code) for code in table["grid_area_code"].to_pylist()], pa.int32())
    changed = table.set_column(table.schema.get_field_index("grid_area_code"), "grid_area_code", codes)
    write_deltalake(points, changed.drop_columns(["resolution"]))
    yield from running(folder, sample=False)


def test_job_over_a_broken_lake_fails_and_names_every_difference(broken: Driver) -> None:
    job_id = broken.start(1)
    job = broken.wait(job_id)
    assert job["status"] == "Failed"
    for difference in ("grid_loss_metering_points", "grid_area_code", "resolution"):
        assert difference in job["error"]
    assert not (broken.lake / "completed" / f"{job_id}.1.json").exists()
    assert broken.call("GET", f"/api/jobs/{job_id}").json["results"] == {}


def test_two_stacks_run_side_by_side_on_ports_of_their_own(driver: Driver, broken: Driver) -> None:
    def ports(one: Driver) -> set[str]:
        addresses = one.addresses
        return {addresses["functions"], addresses["lake"]["url"], addresses["jobs"], addresses["issuer"]}

    assert not ports(driver) & ports(broken)
    for one in (driver, broken):
        until(partial(_ready, one))


def _ready(one: Driver) -> bool:
    """Its first answer may take long: the app imports what it checks."""
    return one.call("GET", "/api/health/ready").status == 200


def test_state_and_ports_survive_down_and_up_and_nothing_is_left_after_a_crash(broken: Driver) -> None:
    job_id = broken.start(2, simulation=True)
    broken.wait(job_id)
    before = broken.addresses
    broken.stack.kill("jobs")
    broken.stack.down()
    assert processes._of_the_stack((), broken.stack.folder) == []
    broken.stack.up(faults=True, sample=False)
    assert broken.stack.addresses == before
    assert broken.call("GET", f"/api/jobs/{job_id}").json["status"] == "Failed"


def test_second_up_changes_nothing(driver: Driver) -> None:
    before = driver.stack._document()
    driver.stack.up()
    assert driver.stack._document() == before


def test_down_of_a_stack_that_never_was_is_no_error(tmp_path: Path) -> None:
    assert Stack(tmp_path / "none").down() == 0


def test_events_by_queue_bring_a_job_to_its_end_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_DELIVERY", "queue")
    for queued in running(tmp_path / "stack"):
        job = queued.completed(queued.start(5, gridAreas=["802"]))
        assert len({event.message_id for event in queued.events(job["jobId"])}) == job["messages"]["made"] > 0
        account = (queued.stack.folder / "functions" / "logs" / "invocations.log").read_text()
        assert "DispatchFromQueue Succeeded" in account
