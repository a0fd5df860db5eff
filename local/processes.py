"""Processes of a stack: started in sessions of their own, known again by pid and birth, ended with all they started.

Every process of a stack carries the stack's folder in its environment, and so does whatever it starts: nothing is left
behind, even when the process that started it died first.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "AGGREGATIONS_STACK"
_GRACE_SECONDS = 8.0
_LOG_LINES_SHOWN = 15


class NotStarted(Exception):
    """A process of the stack ended or did not answer in time; the message has the end of its log."""


@dataclass(frozen=True)
class Started:
    """A process as it is written down: pids come round again, births do not."""

    pid: int
    born: float

    def alive(self) -> bool:
        """Whether this very process still runs."""
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.born) < 0.5 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def start(command: Sequence[str], *, log: Path, stack: Path, environment: Mapping[str, str], cwd: Path) -> Started:
    """Start a process in a session of its own; what it says goes to `log`, after what is there."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**environment, MARK: str(stack)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    process.returncode = 0  # it outlives this object, which would warn that it still runs
    return Started(process.pid, psutil.Process(process.pid).create_time())


def end(known: Iterable[Started], stack: Path) -> int:
    """End these processes, what they started and all else that carries the stack's mark; returns how many there were.

    First by SIGTERM, and by SIGKILL what is there after some seconds.
    """
    ended = _of_the_stack(known, stack)
    for process in ended:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(ended, _GRACE_SECONDS)
    late = _of_the_stack((), stack)
    for process in {*stubborn, *late}:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs([*stubborn, *late], _GRACE_SECONDS)
    return len(ended)


def _of_the_stack(known: Iterable[Started], stack: Path) -> list[psutil.Process]:
    found: set[psutil.Process] = set()
    for started in known:
        if started.alive():
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(started.pid)
                found |= {process, *process.children(recursive=True)}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
            if process.environ().get(MARK) == str(stack):
                found.add(process)
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [process for process in found if process.pid not in own]


def wait_until(answers: Callable[[], bool], started: Started, name: str, log: Path, seconds: float = 60) -> None:
    """Wait until a process answers.

    Raises:
        NotStarted: it ended first, or did not answer in time.
    """
    ends = time.monotonic() + seconds
    while not answers():
        if not started.alive() or time.monotonic() > ends:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
            what = "does not answer" if started.alive() else "ended"
            raise NotStarted("\n  ".join([f"{name} {what}; the end of its log, {log}:", *lines]))
        time.sleep(0.05)
