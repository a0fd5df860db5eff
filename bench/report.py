"""Writes what was measured into docs/performance.md, a section at a time, between marks; the prose around stays."""

import re
from collections.abc import Sequence
from pathlib import Path

from bench.energy import Figure

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure_row(figure: Figure, base: Figure | None = None) -> list[str]:
    """Name, size, minimum, median, maximum, ratio to another figure, peak memory."""
    numbers = [f"{value:.2f}" for value in (min(figure.seconds), figure.median, max(figure.seconds))]
    return [figure.name, f"{figure.metering_points:,}", *numbers, ratio(figure, base), f"{figure.peak_mb:,.0f}"]


def ratio(figure: Figure, base: Figure | None) -> str:
    """How many times as long the figure took; empty without a base."""
    return f"{figure.median / base.median:.2f}" if base else ""


def write_section(name: str, body: str) -> None:
    """Replace the section's body in docs/performance.md.

    Raises:
        ValueError: the page has no marks for this section.
    """
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- measured: {name} -->", "<!-- end -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{PAGE.name} has no section '{name}'")
    PAGE.write_text(pattern.sub(lambda _: f"{begin}\n{body}\n{end}", page), encoding="utf-8")
