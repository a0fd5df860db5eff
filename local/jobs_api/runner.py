"""Runs as processes: started in turn, watched, adopted after a restart, ended with all that they started."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from local.faults import Faults
from local.jobs_api.run import Phase, Run

RUN_FAULTS = frozenset({"kill", "forget", "end"})
GRACE_SECONDS = 3.0
LOOK_SECONDS = 0.05
# Notes the exit code beside the output, so that a server that was restarted meanwhile learns it too.
_NOTE_EXIT = '"$@"; code=$?; echo $code >"$0/exit.new" && mv "$0/exit.new" "$0/exit"; exit $code'


class Runner:
    """All runs of the job, by id."""

    def __init__(self, folder: Path, command: Sequence[str], at_once: int, faults: Faults) -> None:
        self._folder = folder / "runs"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._command = list(command)
        self._turn = asyncio.Semaphore(at_once)
        self._faults = faults
        self._tasks: set[asyncio.Task[None]] = set()
        self.runs: dict[int, Run] = {}
        self._by_token: dict[str, Run] = {}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    async def start(self) -> None:
        """Read what is kept; go on with the runs that had not ended."""
        for kept in sorted(self._folder.glob("*/run.json"), key=lambda path: int(path.parent.name)):
            self._know(Run.load(kept.parent))
        for run in self.runs.values():
            if run.active:
                self._spawn(self._adopt(run) if run.pid else self._drive(run))

    async def stop(self) -> None:
        """End every process that was started. A run that waited goes on after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        working = [run for run in self.runs.values() if run.active and run.pid]
        await asyncio.gather(*(self._end_processes(run) for run in working))
        for run in working:
            self._ended(run, "the jobs server was stopped while the run was working")

    def submit(self, parameters: Mapping[str, str], token: str) -> Run:
        """A new run, or the one that the token started.

        Raises:
            KeyError: the token's run is forgotten.
        """
        known = self._by_token.get(token) if token else None
        if known is not None:
            if known.forgotten:
                raise KeyError(token)
            return known
        run_id = max((run.run_id for run in self.runs.values()), default=0) + 2
        run = Run(run_id, self._folder / str(run_id), token, dict(parameters), submitted=_now())
        run.keep()
        self._know(run)
        self._spawn(self._drive(run))
        for rule in self._faults.strike({"run"}, parameters.get("job-id", ""), RUN_FAULTS):
            if rule.fault == "end":
                run.result = rule.code
                self._ended(run, "a fault that was asked for")
            else:
                self._spawn(self._strike(run, rule.fault, rule.seconds))
        return run

    def find(self, run_id: int) -> Run | None:
        """The run of an id, or of its task's id; None when it is not known any more."""
        run = self.runs.get(run_id) or self.runs.get(run_id - 1)
        return None if run is None or run.forgotten else run

    def cancel(self, run: Run) -> None:
        """Ask for the end of a run; one that has ended stays as it is."""
        if not run.active or run.cancelled:
            return
        run.cancelled = True
        run.phase = Phase.TERMINATING
        run.keep()
        self._spawn(self._cancel(run))

    def forget(self, run: Run) -> None:
        """Know a run no more. Its token stays taken."""
        run.forgotten = True
        self.cancel(run)
        run.keep()

    def kill(self, run: Run) -> None:
        """Kill the step's processes, as a lost driver would end."""
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(run.pid).children(recursive=True):
                process.kill()

    def _know(self, run: Run) -> None:
        self.runs[run.run_id] = run
        if run.token:
            self._by_token[run.token] = run

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drive(self, run: Run) -> None:
        async with self._turn:
            if not run.active or run.cancelled:
                self._ended(run)
                return
            run.phase = Phase.PENDING
            arguments = [f"--{name}={value}" for name, value in run.parameters.items() if value]
            run.folder.mkdir(parents=True, exist_ok=True)
            with (run.folder / "stdout").open("wb") as out, (run.folder / "stderr").open("wb") as err:
                process = subprocess.Popen(
                    ["/bin/sh", "-c", _NOTE_EXIT, str(run.folder), *self._command, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            self._processes[run.run_id] = process
            run.pid, run.pid_created = process.pid, _created(process.pid)
            run.started = _now()
            if not run.cancelled:
                run.phase = Phase.RUNNING
            run.keep()
            while process.poll() is None:
                await asyncio.sleep(LOOK_SECONDS)
            if not run.cancelled:
                self._ended(run)

    async def _adopt(self, run: Run) -> None:
        """Go on watching a process that outlived the server that started it."""
        if run.cancelled:
            await self._cancel(run)
            return
        async with self._turn:
            while _alive(run) and run.active:
                await asyncio.sleep(LOOK_SECONDS)
            if not run.cancelled:
                self._ended(run, "the run's process ended while nobody watched it")

    async def _cancel(self, run: Run) -> None:
        await self._end_processes(run)
        self._ended(run)

    async def _end_processes(self, run: Run) -> None:
        """End a run's process group: asked first, killed after a grace period."""
        if not run.pid:
            return
        waited = 0.0
        while _works(run.pid) and waited < 2 * GRACE_SECONDS:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL if waited > GRACE_SECONDS else signal.SIGTERM)
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS
        process = self._processes.pop(run.run_id, None)
        if process is not None:
            process.poll()

    async def _strike(self, run: Run, fault: str, seconds: float) -> None:
        while run.active and not run.pid:
            await asyncio.sleep(LOOK_SECONDS / 5)
        await asyncio.sleep(seconds)
        if fault == "forget":
            self.forget(run)
        else:
            self.kill(run)

    def _ended(self, run: Run, otherwise: str = "the run's process was killed") -> None:
        """Note a run's end; `otherwise` says why where the process left no exit code."""
        if not run.active:
            return
        code = run.exit_code()
        if run.cancelled:
            run.result, run.message = "CANCELED", "Run cancelled."
        elif run.result or code is None:
            run.result, run.message = run.result or "INTERNAL_ERROR", otherwise
        else:
            run.result = "SUCCESS" if code == 0 else "FAILED"
            run.message = "" if code == 0 else f"The settlement step ended with exit code {code}."
        run.phase = Phase.TERMINATED
        run.ended = _now()
        run.keep()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _created(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def _works(group: int) -> bool:
    """Whether a process of the group still does something; a zombie does not."""
    for process in psutil.process_iter(["status"]):
        with contextlib.suppress(ProcessLookupError, psutil.Error):
            if process.info["status"] != psutil.STATUS_ZOMBIE and os.getpgid(process.pid) == group:
                return True
    return False


def _alive(run: Run) -> bool:
    """Whether the very process that was started lives: its id may have been given to another one since."""
    try:
        process = psutil.Process(run.pid)
        return abs(process.create_time() - run.pid_created) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
