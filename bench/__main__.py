"""`make bench`: measures and writes docs/performance.md.

`python -m bench [--only energy,cold,...] [--rounds 3] [--sizes 1000,10000] [--engines sail,spark]`
Each part runs for itself; ratios compare only what one run measured. Loads are kept in BENCH_DIR (default .bench).
"""

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import app, energy, messages, shuffle, wholesale
from bench.report import figure_row, table, write_section

HEAD = ["what", "metering points", "min s", "median s", "max s", "ratio", "peak MB"]


def main() -> None:
    """Measure the parts asked for."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", default="1000,10000")
    parser.add_argument("--engines", default="sail,spark")
    given = parser.parse_args()
    folder = Path(os.environ.get("BENCH_DIR", ".bench")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for part in given.only.split(","):
        print(f"measuring {part} …", flush=True)
        PARTS[part](folder, given)


def _generator(folder: Path, given: argparse.Namespace) -> None:
    rows = []
    for size in _sizes(given):
        lake, made = energy.load(folder, size, 0)
        if made is not None:
            points = size * energy.POINTS_PER_METERING_POINT
            rows.append(
                [f"{size:,}", f"{points / 1e6:.1f}", f"{made.seconds:.1f}", f"{points / made.seconds / 1e6:.1f}"]
            )
        else:
            print(f"{lake} was there already: remove it to measure the generator")
    if rows:
        write_section("generator", table(["metering points", "million points", "seconds", "million points/s"], rows))


def _energy(folder: Path, given: argparse.Namespace) -> None:
    rows = []
    for size in _sizes(given):
        figures = energy.warm_figures(folder, size, given.rounds, given.engines.split(","))
        rows += [figure_row(figure, figures[0]) for figure in figures]
    write_section("energy", table([*HEAD[:5], "ratio to the analyst's", HEAD[6]], rows))


def _cold(folder: Path, given: argparse.Namespace) -> None:
    rows = []
    for size in _sizes(given):
        lake, _ = energy.load(folder, size, 80)
        rows.append(figure_row(energy.cold(lake, energy.SAIL, "D04", given.rounds, "cold D04, sail", size)))
    write_section("cold", table(HEAD, rows))


def _large(folder: Path, given: argparse.Namespace) -> None:
    """Sixteen times the points of the last size, and that size beside it; equal results are held at the others."""
    small, rows = _sizes(given)[-1], []
    for engine in given.engines.split(","):
        figures = []
        for size in (small, 16 * small):
            lake, _ = energy.load(folder, size, 0)
            figures.append(energy.warm(lake, engine, "D04", given.rounds, f"job, {engine}", size)[0])
        rows += [figure_row(figure, figures[0]) for figure in figures]
    write_section("large", table([*HEAD[:5], "time ×", HEAD[6]], rows))


def _unique(folder: Path, given: argparse.Namespace) -> None:
    """The job without and with the check that no point occurs twice."""
    rows = []
    for engine in given.engines.split(","):
        for size in _sizes(given):
            lake, _ = energy.load(folder, size, 0)
            without, _ = energy.warm(lake, engine, "D04", given.rounds, f"job, {engine}, without", size)
            checked, _ = energy.warm(lake, engine, "D04", given.rounds, f"job, {engine}, with", size, unique_check=True)
            rows += [figure_row(without, without), figure_row(checked, without)]
    write_section("unique", table([*HEAD[:5], "ratio", HEAD[6]], rows))


def _shuffle(folder: Path, given: argparse.Namespace) -> None:
    write_section("shuffle", shuffle.section(folder, _sizes(given)))


def _wholesale(folder: Path, given: argparse.Namespace) -> None:
    write_section("wholesale", wholesale.section(folder, _sizes(given), given.rounds, given.engines.split(",")))


def _messages(_folder: Path, given: argparse.Namespace) -> None:
    write_section("messages", messages.section(1_000_000, given.rounds))


def _app(folder: Path, given: argparse.Namespace) -> None:
    write_section("app", app.measure(folder, given.rounds))


def _sizes(given: argparse.Namespace) -> list[int]:
    return [int(size) for size in given.sizes.split(",")]


PARTS: Mapping[str, Callable[[Path, argparse.Namespace], None]] = {
    "generator": _generator,
    "energy": _energy,
    "cold": _cold,
    "unique": _unique,
    "large": _large,
    "shuffle": _shuffle,
    "wholesale": _wholesale,
    "messages": _messages,
    "app": _app,
}

if __name__ == "__main__":
    main()
