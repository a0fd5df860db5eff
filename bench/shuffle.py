"""What the JVM's event log tells of the pass over the points: scans, shuffled records and bytes (architecture 3).

Spark makes this load itself: each of its files is a stretch of time, as a table clustered by time has them. Sail's hold
every time in every file, so that each task meets every (group, slot). `python -m bench.shuffle <lake> <folder of the
log>` is the job that is watched.
"""

import json
import re
import sys
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import energy
from bench.child import run
from bench.report import table
from bench.warm_job import settle
from sparkjobs.storage.engine import SPARK, Engine, connect_jvm, free_port, start_jvm

GROUPS = 800
SLOTS = energy.POINTS_PER_METERING_POINT
HEAD = ["metering points", "scans", "shuffle records per (group, slot)", "goal", "shuffle bytes each", "goal"]
_STARTS = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"
_SCAN_OF_POINTS = re.compile(r"^Location: (?!.*_delta_log)[^\n]*time_series_points", re.MULTILINE)


@dataclass
class Stage:
    """What the tasks of one stage read and gave on."""

    read: int = 0
    records: int = 0
    written: int = 0


def section(folder: Path, sizes: Iterable[int]) -> str:
    """The table, and the plan of the statement that scans the points."""
    rows, plan = [], ""
    for size in sizes:
        lake, _ = energy.load(folder, size, 0, SPARK)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            events = list(_events(_run_logged(lake, Path(scratch))))
        plans = [event["physicalPlanDescription"] for event in events if event["Event"] == _STARTS]
        scanning = [each for each in plans if _SCAN_OF_POINTS.search(each)]
        pass_over_points = max(_stages(events).values(), key=lambda stage: stage.read)
        rows.append(_row(size, len(scanning), pass_over_points))
        plan = _tree(scanning[0])
    told = "The one statement that scans the points, as the event log has it:"
    return f"{table(HEAD, rows)}\n\n{told}\n\n```text\n{plan}\n```"


def _run_logged(lake: Path, log: Path) -> Path:
    run(["-m", "bench.shuffle", str(lake), log.as_uri()], energy.environment(SPARK))
    return log


def main() -> None:
    """Settle the lake on a JVM that logs its events, with the whole plan of every statement."""
    lake, log = sys.argv[1:]
    logged = {"enabled": "true", "dir": log, "compress": "false"}
    plans = {"spark.sql.ui.explainMode": "formatted", "spark.sql.maxPlanStringLength": str(10**7)}
    port = free_port()
    start_jvm(port, {f"spark.eventLog.{name}": value for name, value in logged.items()} | plans)
    spark = connect_jvm(port)
    settle(Engine(spark, SPARK, spark.stop), lake, str(uuid.uuid4()), "D04", ["--skip-unique-check"])
    spark.stop()


def _events(log: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(log.rglob("*")):
        if path.is_file() and not path.name.startswith((".", "appstatus")):
            yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def _stages(events: Iterable[dict[str, Any]]) -> dict[int, Stage]:
    stages: dict[int, Stage] = {}
    for event in events:
        metrics = event.get("Task Metrics") if event["Event"] == "SparkListenerTaskEnd" else None
        if metrics:
            stage = stages.setdefault(event["Stage ID"], Stage())
            stage.read += metrics["Input Metrics"]["Records Read"]
            stage.records += metrics["Shuffle Write Metrics"]["Shuffle Records Written"]
            stage.written += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
    return stages


def _row(size: int, scans: int, stage: Stage) -> list[str]:
    keys = GROUPS * SLOTS
    return [f"{size:,}", str(scans), f"{stage.records / keys:.2f}", "≤ 1.2", f"{stage.written / keys:.1f}", "≤ 24"]


def _tree(plan: str) -> str:
    """The operators alone, without the numbers of their details."""
    lines = plan.split("\n\n")[0].splitlines()
    return "\n".join(line.rstrip() for line in lines if not line.startswith("==") and "AdaptiveSparkPlan" not in line)


if __name__ == "__main__":
    main()
