"""The settlement job against DuckDB SQL, cold and warm, at several sizes, on both engines (issue goals: energy)."""

import os
import statistics
import tempfile
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.child import Outcome, run
from bench.compare import require_equal
from bench.warm_job import PERIOD

POINTS_PER_METERING_POINT = 31 * 96
SAIL, SPARK = "sail", "spark"


@dataclass(frozen=True)
class Figure:
    """Several measurements of one thing: seconds, and the largest peak of resident memory."""

    name: str
    metering_points: int
    seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    @property
    def median(self) -> float:
        """The middle one, which is quoted."""
        return statistics.median(self.seconds)


def environment(engine: str) -> dict[str, str]:
    """The settings of a measured process: its engine, two cores, 2 GB of heap for the JVM."""
    return {**os.environ, "SETTLEMENT_ENGINE": engine, "SPARK_DRIVER_MEMORY": "2g"}


def load(folder: Path, metering_points: int, hourly_share: int, engine: str = SAIL) -> tuple[Path, Outcome | None]:
    """The lake of a size, made once; the outcome is None when it was there."""
    lake = folder / f"load-{metering_points}-{hourly_share}{'' if engine == SAIL else f'-{engine}'}"
    if (lake / "ready").exists():
        return lake, None
    size = ["--metering-points", str(metering_points), "--hourly-share", str(hourly_share)]
    made = run(["-m", "sparkjobs.jobs.generate", "--lake", str(lake), *size], environment(engine))
    (lake / "ready").touch()
    return lake, made


def cold(lake: Path, engine: str, process_type: str, rounds: int, name: str, metering_points: int) -> Figure:
    """Process start to manifest, `rounds` times."""
    outcomes = [run(settlement(lake, process_type), environment(engine)) for _ in range(rounds)]
    return Figure(name, metering_points, [o.seconds for o in outcomes], max(o.peak_mb for o in outcomes))


def settlement(lake: Path, process_type: str) -> Sequence[str]:
    """The command of a job of its own over the lake's month, without the unique check."""
    job = ["--lake", str(lake), "--job-id", str(uuid.uuid4()), "--process-type", process_type]
    return ["-m", "sparkjobs.settlement", *job, *PERIOD, "--skip-unique-check"]


def warm(
    lake: Path,
    engine: str,
    process_type: str,
    rounds: int,
    name: str,
    metering_points: int,
    *,
    unique_check: bool = False,
) -> tuple[Figure, str]:
    """First read to manifest, the second run in one session, `rounds` sessions; and the id of the last job."""
    skipped = [] if unique_check else ["--skip-unique-check"]
    command = ["-m", "bench.warm_job", str(lake), process_type, *skipped]
    outcomes = [run(command, environment(engine)) for _ in range(rounds)]
    seconds = [outcome.told["warm"] for outcome in outcomes]
    return Figure(name, metering_points, seconds, max(o.peak_mb for o in outcomes)), str(outcomes[-1].told["job"])


def sql(lake: Path, form: str, rounds: int, results: Path, metering_points: int) -> Figure:
    """The second run in one DuckDB session, `rounds` sessions."""
    outcomes = [run(["-m", "bench.sql_job", str(lake), form, str(results)], environment(SAIL)) for _ in range(rounds)]
    seconds = [outcome.told["warm"] for outcome in outcomes]
    return Figure(f"SQL, {form}", metering_points, seconds, max(o.peak_mb for o in outcomes))


def warm_figures(folder: Path, metering_points: int, rounds: int, engines: Iterable[str]) -> list[Figure]:
    """Every engine and both SQL forms on the same files, all quarter-hourly; results must be equal.

    Raises:
        RuntimeError: the job's rows differ from the SQL's.
    """
    lake, _ = load(folder, metering_points, 0)
    figures = []
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        results = {form: Path(scratch) / form for form in ("analyst", "fastest")}
        figures += [sql(lake, form, rounds, results[form], metering_points) for form in results]
        for engine in engines:
            figure, job_id = warm(lake, engine, "D04", rounds, f"job, {engine}", metering_points)
            figures.append(figure)
            for form, rows in results.items():
                require_equal(lake, job_id, rows, f"{engine} and the {form} SQL at {metering_points}")
    return figures
