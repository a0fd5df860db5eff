"""The stack that the end-to-end tests share: its own folder, ended with all its processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes
from local.stack import Stack
from tests.end_to_end.driver import Driver


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    folder = tmp_path_factory.mktemp("stack")
    yield from running(folder)


def running(folder: Path, *, sample: bool = True) -> Iterator[Driver]:
    """A stack that can be broken, until the tests are done with it."""
    stack = Stack(folder)
    try:
        stack.up(faults=True, sample=sample)
        yield Driver(stack)
    finally:
        stack.down()
    assert processes._of_the_stack((), folder) == []
