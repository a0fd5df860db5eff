"""The processes of a stack: known again after a crash, and ended to the last one."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from local import processes
from local.processes import NotStarted, Started

FOREVER = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {FOREVER!r}], start_new_session=True)"


def start(folder: Path, code: str) -> Started:
    command = [sys.executable, "-c", code]
    environment = dict(os.environ)
    return processes.start(command, log=folder / "log.txt", stack=folder, environment=environment, cwd=folder)


def carrying_the_mark(folder: Path) -> list[psutil.Process]:
    return processes._of_the_stack((), folder)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    processes.end((), tmp_path)


def until(condition: partial[bool]) -> None:
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_process_is_known_again_by_pid_and_birth(stack: Path) -> None:
    started = start(stack, FOREVER)
    assert started.alive()
    assert not replace(started, born=started.born - 100).alive()


def test_ended_process_is_not_alive(stack: Path) -> None:
    started = start(stack, FOREVER)
    assert processes.end([started], stack) == 1
    assert not started.alive()


def test_what_a_process_left_behind_when_it_died_is_ended_too(stack: Path) -> None:
    started = start(stack, PARENT)
    until(partial(lambda: not started.alive() and len(carrying_the_mark(stack)) == 1))
    assert processes.end([started], stack) == 1
    assert carrying_the_mark(stack) == []


def test_process_that_does_not_listen_is_killed(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.3)
    started = start(stack, DEAF)
    until(partial(lambda: "deaf" in (stack / "log.txt").read_text()))
    processes.end([started], stack)
    assert not started.alive()


def test_processes_of_another_stack_are_left_alone(stack: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    started = start(other, FOREVER)
    assert processes.end((), stack) == 0
    assert started.alive()
    processes.end((), other)


def test_process_that_ends_before_it_answers_is_named_with_the_end_of_its_log(stack: Path) -> None:
    started = start(stack, "raise SystemExit('the port is taken')")
    with pytest.raises(NotStarted, match=r"(?s)lake ended.*the port is taken"):
        processes.wait_until(lambda: False, started, "lake", stack / "log.txt")
