"""Qualities leave the calculation as a bit mask and stand in the results as a sorted list (energy 11)."""

from shared.codes import QUALITY_BIT
from sparkjobs.contracts.columns import columns

QUALITY_SETS = columns("mask int, quantity_qualities array<string>")


def quality_sets() -> list[tuple[int, list[str]]]:
    """Every set of qualities, sorted, by its bit mask: rows of QUALITY_SETS."""
    return [(mask, sorted(str(quality) for quality, bit in QUALITY_BIT.items() if mask & bit)) for mask in range(1, 16)]
