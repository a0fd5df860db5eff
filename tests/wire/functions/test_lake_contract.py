"""What every lake promises (functions/ports.py): the fake and the DataLake adapter over the local lake alike."""

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from functions.adapters.in_memory import FakeClock, InMemoryLake
from functions.adapters.lake import DataLake
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.records import RecordStore
from functions.ports import AlreadyExists, Changed, Lake, LeaseHeld, NotFound, Unavailable
from local.lake.server import lake_app
from local.serving import serving


@pytest.fixture(params=["in memory", "over the wire"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lake]:
    if request.param == "in memory":
        yield InMemoryLake(FakeClock())
        return
    with serving(lambda: lake_app(tmp_path / "aggregations")) as url:
        adapter = DataLake(url)
        yield adapter
        adapter.close()


def test_a_file_is_created_once_and_read_with_its_etag(lake: Lake) -> None:
    etag = lake.create("jobs/a.json", b"{}")
    assert lake.read("jobs/a.json") == (b"{}", etag)
    with pytest.raises(AlreadyExists):
        lake.create("jobs/a.json", b"{1}")
    with pytest.raises(NotFound):
        lake.read("jobs/b.json")
    assert (lake.exists("jobs/a.json"), lake.exists("jobs/b.json")) == (True, False)


def test_an_empty_file_can_be_created(lake: Lake) -> None:
    lake.create("state/open/a", b"")
    assert lake.read("state/open/a")[0] == b""
    with pytest.raises(AlreadyExists):
        lake.create("state/open/a", b"")


def test_only_who_read_the_newest_version_may_replace_it(lake: Lake) -> None:
    first = lake.create("jobs/a.json", b"1")
    second = lake.replace("jobs/a.json", b"22", first) or lake.read("jobs/a.json")[1]
    assert lake.read("jobs/a.json") == (b"22", second)
    with pytest.raises(Changed):
        lake.replace("jobs/a.json", b"3", first)
    lake.replace("jobs/a.json", b"3", second)
    with pytest.raises((Changed, NotFound)):
        lake.replace("jobs/none.json", b"3", second)
    assert lake.read("jobs/a.json")[0] == b"3"
    assert [file.path for file in lake.list("state")] == []


def test_a_delete_looks_at_the_etag_and_a_missing_file_is_success(lake: Lake) -> None:
    old = lake.create("state/keys/a", b"1")
    new = lake.replace("state/keys/a", b"2", old) or lake.read("state/keys/a")[1]
    with pytest.raises(Changed):
        lake.delete("state/keys/a", etag=old)
    lake.delete("state/keys/a", etag=new)
    lake.delete("state/keys/a")
    assert not lake.exists("state/keys/a")


def test_a_rename_moves_with_the_lease_and_never_over_another_file(lake: Lake) -> None:
    lake.create("outbox/job/a", b"1")
    lake.create("outbox/job/b", b"2")
    lease = lake.lease("outbox/job/a")
    with pytest.raises(LeaseHeld):
        lake.lease("outbox/job/a")
    with pytest.raises((Changed, LeaseHeld)):
        lake.rename("outbox/job/a", "sent/job/a")
    lake.rename("outbox/job/a", "sent/job/a", lease=lease)
    lease.release()
    with pytest.raises(AlreadyExists):
        lake.rename("outbox/job/b", "sent/job/a")
    with pytest.raises(NotFound):
        lake.rename("outbox/job/a", "sent/job/c")
    assert lake.read("sent/job/a")[0] == b"1"


def test_a_lease_can_be_renewed_and_given_back(lake: Lake) -> None:
    lake.create("state/open/a", b"")
    lease = lake.lease("state/open/a")
    lease.renew()
    with pytest.raises((Changed, LeaseHeld)):
        lake.delete("state/open/a")
    lease.release()
    lease.release()
    with pytest.raises(Changed):
        lease.renew()
    lake.lease("state/open/a").release()
    lake.delete("state/open/a")
    with pytest.raises(NotFound):
        lake.lease("state/open/a")


def test_a_listing_shows_every_file_below_a_folder_and_nothing_of_a_missing_one(lake: Lake) -> None:
    for path in ("work/a.1/x/1", "work/a.1/2", "work/b.1/1", "worker/1"):
        lake.create(path, b"12")
    found = list(lake.list("work"))
    assert sorted(file.path for file in found) == ["work/a.1/2", "work/a.1/x/1", "work/b.1/1"]
    assert {file.size for file in found} == {2}
    assert all(file.etag == lake.read(file.path)[1] for file in found)
    assert all(isinstance(file.modified, datetime) and file.modified.tzinfo for file in found)
    assert list(lake.list("nothing")) == []
    lake.delete_folder("work/a.1")
    lake.delete_folder("work/none")
    assert [file.path for file in lake.list("work")] == ["work/b.1/1"]
    lake.check()


def test_writers_that_race_lose_no_change_and_readers_see_whole_records(lake: Lake) -> None:
    records = RecordStore(lake, FakeClock())
    record = JobRecord(job_id="a", arguments={"simulation": "true"}, status=JobState.SUBMITTED, created="")
    records.create(record)
    seen: list[int] = []

    def count() -> None:
        from dataclasses import replace

        for _ in range(5):
            seen.append(records.change("a", lambda now: replace(now, messages=now.messages + 1)).messages)

    writers = [threading.Thread(target=count) for _ in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert records.find("a") is not None
    for writer in writers:
        writer.join()
    assert (records.get("a").messages, sorted(seen)) == (20, list(range(1, 21)))


def test_of_many_creators_one_wins(lake: Lake) -> None:
    records = RecordStore(lake, FakeClock())
    holders: list[str] = []
    threads = [
        threading.Thread(
            target=lambda name=str(number): holders.append(
                records.claim("state/active/x", {"jobId": name}).content["jobId"]
            )
        )
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(holders) == 6
    assert len(set(holders)) == 1


def test_a_lake_that_cannot_be_reached_is_named() -> None:
    unreachable = DataLake("http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="lake"):
        unreachable.check()
    unreachable.close()
