"""The age of a file is the lake's to tell: a host's clock may be wrong."""

from datetime import timedelta

import pytest

from functions.adapters.in_memory_lake import FakeClock, InMemoryLake
from functions.coordinator.lake_age import older_than

LIMIT = timedelta(minutes=1)


@pytest.mark.parametrize("wrong_by", [-90, 0, 90])
@pytest.mark.parametrize(("age", "old"), [(0, False), (30, False), (60, True), (3600, True)])
def test_a_file_is_as_old_as_the_lake_says(wrong_by: int, age: int, old: bool) -> None:
    clock = FakeClock()
    lake = InMemoryLake(clock)
    lake.create("state/active/a", b"{}")
    (file,) = lake.list("state/active")
    clock.advance(seconds=age)
    own = FakeClock(clock.now() + timedelta(seconds=wrong_by))
    judged = older_than(LIMIT, file.modified, lake=lake, clock=own)
    young_by_its_own_clock = 0 <= age + wrong_by < 60
    assert judged is (old and not young_by_its_own_clock)
    assert [left.path for left in lake.list("state")] == ["state/active/a"]
