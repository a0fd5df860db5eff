"""Runs a command as a process of its own and says how long it took and how much memory its whole tree held."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Outcome:
    """What a run cost. `told`: the JSON object of its last line of output, if it prints one."""

    seconds: float
    peak_mb: float
    told: Mapping[str, Any]


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> Outcome:
    """Run `python <arguments>` from the repository's root.

    Raises:
        RuntimeError: it ended with an error; the message holds the end of what it said.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watch = _Memory(process.pid)
    watch.start()
    output, errors = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments[:3])} ended with {process.returncode}: {errors[-2000:]}")
    lines = output.strip().splitlines()
    told = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return Outcome(seconds, watch.peak_mb, told)


class _Memory(threading.Thread):
    """Watches the resident memory of a process and its children until they end."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self.peak_mb = 0.0

    def run(self) -> None:
        try:
            root = psutil.Process(self._pid)
            while root.is_running():
                held = sum(_resident(process) for process in (root, *root.children(recursive=True)))
                self.peak_mb = max(self.peak_mb, held / 1e6)
                time.sleep(POLL_SECONDS)
        except psutil.NoSuchProcess:
            return


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
