"""The whole D05 job, energy and charges, against D03 on the same points and D05 in SQL (issue goals: wholesale)."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench import energy
from bench.charges_load import add_charges
from bench.compare import require_equal
from bench.energy import SAIL, Figure
from bench.report import figure_row, ratio, table

HOURLY_SHARE = 80
GOAL_TO_D03 = "≤ 1.5 × D03"
COLD_GOALS = {1_000: "≤ 5 s", 10_000: "≤ 8 s"}  # on Sail
HEAD = ["what", "metering points", "min s", "median s", "max s", "ratio to D03", "peak MB", "ratio to SQL", "goal"]
GROWTH_HEAD = ["what", "metering points", "points ×", "time ×", "peak MB"]


@dataclass(frozen=True)
class Compared:
    """A figure, what it is compared with in the same run, and what is wanted of it."""

    figure: Figure
    base: Figure | None = None
    sql: Figure | None = None
    goal: str = ""

    def row(self) -> list[str]:
        """A row under HEAD."""
        return [*figure_row(self.figure, self.base), ratio(self.figure, self.sql), self.goal]


def section(folder: Path, sizes: Sequence[int], rounds: int, engines: Sequence[str]) -> str:
    """The section's tables: every size, and, of more than one, how time and memory grow from each to the next."""
    measured = [compared for size in sorted(sizes) for compared in _measured(folder, size, rounds, engines)]
    body = table(HEAD, [compared.row() for compared in measured])
    growth = _growth([compared.figure for compared in measured])
    return f"{body}\n\n{table(GROWTH_HEAD, growth)}" if growth else body


def _measured(folder: Path, size: int, rounds: int, engines: Sequence[str]) -> list[Compared]:
    """SQL, then D03 and D05 of every engine, warm, and cold on Sail: all on mixed points of one lake with charges.

    Raises:
        RuntimeError: the job's rows differ from the SQL's.
    """
    lake = _load(folder, size)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        results = Path(scratch)
        sql = energy.sql(lake, "wholesale", rounds, results, size)
        measured = [Compared(sql)]
        for engine in engines:
            base, _ = energy.warm(lake, engine, "D03", rounds, f"warm D03, {engine}", size)
            charged, job_id = energy.warm(lake, engine, "D05", rounds, f"warm D05, {engine}", size)
            require_equal(lake, job_id, results, f"D05 on {engine} and the SQL at {size}")
            measured += [Compared(base), Compared(charged, base, sql, GOAL_TO_D03)]
    if SAIL in engines:
        base = energy.cold(lake, SAIL, "D03", rounds, "cold D03, sail", size)
        charged = energy.cold(lake, SAIL, "D05", rounds, "cold D05, sail", size)
        measured += [Compared(base), Compared(charged, base, goal=COLD_GOALS.get(size, ""))]
    return measured


def _load(folder: Path, size: int) -> Path:
    lake, _ = energy.load(folder, size, HOURLY_SHARE)
    charged = lake / "charged"
    if not charged.exists():
        add_charges(lake)
        charged.touch()
    return lake


def _growth(figures: Sequence[Figure]) -> list[list[str]]:
    return [
        [
            smaller.name,
            f"{smaller.metering_points:,} → {larger.metering_points:,}",
            f"{larger.metering_points / smaller.metering_points:g}",
            ratio(larger, smaller),
            f"{smaller.peak_mb:,.0f} → {larger.peak_mb:,.0f}",
        ]
        for smaller, larger in _neighbours(figures)
    ]


def _neighbours(figures: Sequence[Figure]) -> Iterator[tuple[Figure, Figure]]:
    """Each thing measured at one size and at the next."""
    for name in dict.fromkeys(figure.name for figure in figures):
        yield from pairwise(figure for figure in figures if figure.name == name)
