"""One run: what is kept of it, and how the Jobs API tells of it."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

TASK = "settlement"
ERROR_LINES, ERROR_SIZE, LOG_SIZE = 20, 4000, 5 << 20


class Phase(StrEnum):
    """Where a run stands, by the names of both forms (`state.life_cycle_state` and `status.state`)."""

    QUEUED = "QUEUED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    TERMINATING = "TERMINATING"
    TERMINATED = "TERMINATED"


# result_state of the old form -> (code, type) of the new form's termination details.
TERMINATION = {
    "SUCCESS": ("SUCCESS", "SUCCESS"),
    "FAILED": ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
    "CANCELED": ("USER_CANCELED", "CLIENT_ERROR"),
    "TIMEDOUT": ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
    "INTERNAL_ERROR": ("INTERNAL_ERROR", "INTERNAL_ERROR"),
    "MAXIMUM_CONCURRENT_RUNS_REACHED": ("MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"),
}
_SKIPPED = ("MAXIMUM_CONCURRENT_RUNS_REACHED", "SKIPPED")


@dataclass
class Run:
    """A run as it is kept in its folder. Times are milliseconds since 1970, 0 for not yet."""

    run_id: int
    folder: Path
    token: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    phase: Phase = Phase.QUEUED
    result: str = ""
    message: str = ""
    submitted: int = 0
    started: int = 0
    ended: int = 0
    pid: int = 0
    pid_created: float = 0.0
    cancelled: bool = False
    forgotten: bool = False

    @property
    def task_run_id(self) -> int:
        """The id of its only task's run."""
        return self.run_id + 1

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.phase is not Phase.TERMINATED

    def keep(self) -> None:
        """Write it to its folder, in one step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = asdict(self) | {"folder": ""}
        staged = self.folder / "run.json.new"
        staged.write_text(json.dumps(content))
        staged.replace(self.folder / "run.json")

    @classmethod
    def load(cls, folder: Path) -> "Run":
        """Read it back."""
        content = json.loads((folder / "run.json").read_bytes())
        return cls(**content | {"folder": folder, "phase": Phase(content["phase"])})

    def exit_code(self) -> int | None:
        """What its process ended with; None when it was killed before it could tell."""
        try:
            return int((self.folder / "exit").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def log(self, name: str, size: int = LOG_SIZE) -> str:
        """The end of `stdout` or `stderr`."""
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - size))
                return file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def error(self) -> str:
        """The last lines that it wrote to stderr, or what is known of its end."""
        lines = self.log("stderr", ERROR_SIZE).strip().splitlines()[-ERROR_LINES:]
        return "\n".join(lines) or self.message


def shown(run: Run, base_url: str, job_id: int, job_name: str) -> dict[str, Any]:
    """A run as `runs/get` tells of it."""
    return {
        "job_id": job_id,
        "run_id": run.run_id,
        "number_in_job": run.run_id,
        "original_attempt_run_id": run.run_id,
        "run_name": job_name,
        "run_type": "JOB_RUN",
        "run_page_url": f"{base_url}/runs/{run.run_id}",
        "trigger": "ONE_TIME",
        "creator_user_name": "local",
        "format": "MULTI_TASK",
        "job_parameters": [{"name": name, "value": value} for name, value in run.parameters.items()],
        **_times_and_state(run),
        "tasks": [
            {
                "run_id": run.task_run_id,
                "task_key": TASK,
                "attempt_number": 0,
                "python_wheel_task": {"package_name": "aggregations", "entry_point": TASK},
                "run_page_url": f"{base_url}/runs/{run.run_id}",
                **_times_and_state(run),
            }
        ],
    }


def _times_and_state(run: Run) -> dict[str, Any]:
    end = run.ended or 0
    return {
        "start_time": run.submitted,
        "end_time": end,
        "setup_duration": 0,
        "execution_duration": end - run.started if end and run.started else 0,
        "run_duration": end - run.submitted if end else 0,
        "state": _state(run),
        "status": _status(run),
    }


def _state(run: Run) -> dict[str, Any]:
    state: dict[str, Any] = {"life_cycle_state": run.phase.value, "state_message": run.message}
    if not run.active:
        internal = run.result == "INTERNAL_ERROR"
        ended = "INTERNAL_ERROR" if internal else dict([_SKIPPED]).get(run.result, "TERMINATED")
        state |= {"life_cycle_state": ended, "result_state": "FAILED" if internal else run.result}
    return state | {"user_cancelled_or_timedout": run.result in ("CANCELED", "TIMEDOUT")}


def _status(run: Run) -> dict[str, Any]:
    if run.phase is Phase.QUEUED:
        message = "The run waits for another one to end."
        return {"state": "QUEUED", "queue_details": {"code": "MAX_CONCURRENT_RUNS_REACHED", "message": message}}
    if run.active:
        return {"state": run.phase.value}
    code, kind = TERMINATION.get(run.result, (run.result, "INTERNAL_ERROR"))
    return {"state": "TERMINATED", "termination_details": {"code": code, "type": kind, "message": run.message}}
