"""Stands in for the Spark job in the fault tests: links prepared files into the result tables, then leaves a manifest.

`python step.py <plan folder> --name=value …`: plain Python of the standard library, so that a run costs milliseconds.
A plan says, per run of the same arguments, which rows it leaves and how it ends.
"""

import json
import os
import signal
import sys
import time
import uuid
from pathlib import Path


def plan_name(parameters: dict[str, str]) -> str:
    """What runs of the same arguments share; a job and its retries and successors count on in it."""
    names = ("process-type", "process-variant", "period-start")
    return "_".join(parameters.get(name, "").replace(":", "") for name in names)


def claim(folder: Path, name: str, run: str) -> int:
    """The number of this run among those of its plan."""
    staged = folder / str(uuid.uuid4())  # a run that is killed here leaves no claim without its name
    staged.write_text(run)
    number = 0
    while True:
        try:
            os.link(staged, folder / f"{name}.{number}")
        except FileExistsError:
            number += 1
            continue
        staged.unlink()
        return number


def commit(table: Path, file: Path, partition: dict[str, str]) -> None:
    """Add a file to a Delta table; a commit that another one was faster with is tried again."""
    name = f"part-{uuid.uuid4()}.parquet"
    os.link(file, table / name)
    add = {"path": name, "partitionValues": partition, "size": file.stat().st_size, "dataChange": True}
    staged = table.parent / f"{uuid.uuid4()}.commit"
    staged.write_text(json.dumps({"add": {**add, "modificationTime": int(time.time() * 1000)}}) + "\n")
    version = 0
    while True:
        try:
            os.link(staged, table / "_delta_log" / f"{version:020}.json")
        except FileExistsError:
            version += 1
            continue
        staged.unlink()
        return


def put(lake: Path, path: str, content: str) -> None:
    """A file in its place at once, written outside the watched folders."""
    staged = lake / "state" / f"{uuid.uuid4()}.tmp"
    staged.parent.mkdir(parents=True, exist_ok=True)
    staged.write_text(content)
    (lake / path).parent.mkdir(parents=True, exist_ok=True)
    staged.replace(lake / path)


def main(plans: Path, arguments: list[str]) -> int:
    """One run."""
    parameters = dict(argument.removeprefix("--").split("=", 1) for argument in arguments if "=" in argument)
    lake, job_id, attempt = Path(parameters["lake"]), parameters["job-id"], int(parameters["attempt"])
    plan = json.loads((plans / f"{plan_name(parameters)}.json").read_text())
    number = claim(plans, plan_name(parameters), f"{job_id}.{attempt}")
    turn = plan["runs"][number % len(plan["runs"])]
    time.sleep(turn["seconds"])
    end, name = turn["end"], f"completed/{job_id}.{attempt}.json"
    if end == "fails with its reason":
        put(lake, f"failed/{job_id}.{attempt}.json", json.dumps({"code": "gap", "message": "row 7"}))
        return 3
    results = {}
    for table, (file, rows) in turn["tables"].items():
        commit(lake / "results" / table, Path(file), {"job_id": job_id, "attempt": str(attempt)})
        results[table] = {"version": 1, "rows": rows, "series_count": 1, "series": None}
    if end == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    manifest = {
        "format": 1,
        "job_id": job_id,
        "attempt": attempt + 7 if end == "leaves another attempt's manifest" else attempt,
        "arguments": {},
        "grid_areas": [],
        "input_versions": {},
        "results": results,
        "checks": [],
        "data_quality": {},
        "engine": {},
        "started": "",
        "ended": "",
        "complete": True,
    }
    text = json.dumps(manifest)
    if end == "writes its manifest in pieces":
        for part in ("", text[: len(text) // 2]):
            put(lake, name, part)
            time.sleep(0.3)
    if end == "leaves an empty manifest":
        text = ""
    if end == "leaves a manifest cut short":
        text = text[:60]
    put(lake, name, text)
    return 1 if end.startswith("leaves") and end != "leaves no manifest" else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
