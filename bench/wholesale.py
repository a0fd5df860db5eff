"""The D05 job, energy and charges, against the D03 job on the same points (issue goals: wholesale)."""

from pathlib import Path

from bench import energy
from bench.charges_load import add_charges
from bench.energy import Figure


def figures(folder: Path, metering_points: int, rounds: int, engine: str) -> tuple[Figure, Figure]:
    """Cold D03 and cold D05 on mixed points of one lake with charges."""
    lake, _ = energy.load(folder, metering_points, 80)
    if not (lake / "input" / "charge_link_periods").exists():
        add_charges(lake)
    base = energy.cold(lake, engine, "D03", rounds, f"cold D03, {engine}", metering_points)
    return base, energy.cold(lake, engine, "D05", rounds, f"cold D05, {engine}", metering_points)
