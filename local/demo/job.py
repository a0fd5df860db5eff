"""Start the settlement as an external system would, and follow it."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.demo.failure import DemoFailed
from local.sample.market import AREAS, END, START
from local.stack import Stack
from shared.danish_time import format_instant

LONGEST_SECONDS = 900
STATES = ("Submitted", "Running", "Calculated", "Splitting", "Dispatching", "Completed")


def call(url: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """A GET, or a POST of JSON; returns status and JSON of the answer, whatever the status."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _json_or_text(error.read())


def _json_or_text(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def kick_start(functions: str, stack: Stack, console: Console) -> str:
    """Ask for the balance fixing of the whole month and all areas; returns the job's id."""
    body = {
        "beginTime": format_instant(START),
        "endTime": format_instant(END),
        "processType": "D04",
        "gridAreas": list(AREAS),
    }
    console.print(f"POST {functions}/api/KickStartJob {json.dumps(body)}")
    status, answer = call(f"{functions}/api/KickStartJob", body)
    if status != 202:
        raise DemoFailed("starting the job", f"{status}: {answer}", str(stack.folder / "functions" / "logs"))
    console.print(f"202 {json.dumps(answer)}\n")
    return str(answer["jobId"])


def follow(functions: str, job_id: str, stack: Stack, console: Console) -> dict[str, Any]:
    """Show the job's states as they come until it has ended; returns it.

    Raises:
        DemoFailed: it failed, was cancelled, or takes longer than a quarter of an hour.
    """
    ends = time.monotonic() + LONGEST_SECONDS
    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Submitted", total=len(STATES) - 1)
        while time.monotonic() < ends:
            status, job = call(f"{functions}/api/jobs/{job_id}")
            if status == 200:
                state = job["status"]
                progress.update(task, description=state, completed=STATES.index(state) if state in STATES else 0)
                if state == "Completed":
                    return dict(job)
                if state in ("Failed", "Cancelled"):
                    raise DemoFailed("the settlement", f"{state}: {job.get('error')}", str(stack.folder / "jobs"))
            time.sleep(0.25)
    log = str(stack.folder / "functions" / "logs")
    raise DemoFailed("the settlement", f"the job is {state} after {LONGEST_SECONDS} s", log)
