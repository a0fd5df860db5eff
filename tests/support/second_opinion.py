"""Compare the Spark job with the plain-Python settlement on random markets, many of them in one job.

Hypothesis draws the markets twice with the same seed: the first time they are only collected, settled side by side in
one job, and compared each by itself; the second time every market has its verdict, so that hypothesis finds the
first that differs and shrinks it, settling each simpler candidate alone.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.support.oracle import Arguments, Inputs, Row, settle
from tests.support.oracle.folders import plain
from tests.support.oracle.markets import areas_of, of_areas, placed, together

Run = Callable[[Inputs, Arguments], dict[str, list[Row]]]
MarketsOf = Callable[[Arguments], SearchStrategy[Inputs]]


def compare(run: Run, markets_of: MarketsOf, arguments: Arguments, *, markets: int, first: int) -> None:
    """Draw this many markets from the seed `first`, settle them in one job by `run`, fail on the first that differs.

    Raises:
        AssertionError: the simplest market found on which the job and the second opinion differ, and where.
    """
    drawn = _drawn(markets_of, arguments, markets, first)
    verdicts = dict(zip(map(repr, drawn), _differences(run, drawn, arguments), strict=True))

    def judge(market: Inputs) -> None:
        verdict = verdicts.get(repr(market))
        if verdict is None:
            [verdict] = _differences(run, [market], arguments)
            verdicts[repr(market)] = verdict
        assert not verdict, verdict

    if any(verdicts.values()):
        _each(markets_of(arguments), judge, markets, first, shrink=True)
        raise AssertionError("\n".join(verdict for verdict in verdicts.values() if verdict))


@cache
def _drawn(markets_of: MarketsOf, arguments: Arguments, markets: int, first: int) -> list[Inputs]:
    """The markets, which are the same for every engine."""
    drawn: list[Inputs] = []
    _each(markets_of(arguments), drawn.append, markets, first, shrink=False)
    return drawn


def _each(
    strategy: SearchStrategy[Inputs], use: Callable[[Inputs], Any], markets: int, first: int, *, shrink: bool
) -> None:
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]

    @seed(first)
    @settings(
        max_examples=markets, phases=phases, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def draw(market: Inputs) -> None:
        use(market)

    draw()


def _differences(run: Run, markets: list[Inputs], arguments: Arguments) -> list[str]:
    """For each market what the job gives and what it should, empty where they agree."""
    in_place = [placed(market, index) for index, market in enumerate(markets)]
    all_areas = [area for index in range(len(markets)) for area in areas_of(index)]
    settled = _by_area(run(together(in_place), arguments.for_areas(all_areas)))
    found = []
    for index, market in enumerate(in_place):
        areas = areas_of(index)
        expected = of_areas(settle(market, arguments.for_areas(areas)), areas)
        given_rows = {table: [row for area in areas for row in rows.get(area, [])] for table, rows in settled.items()}
        found.append(_difference(expected, given_rows))
    return found


def _by_area(tables: dict[str, list[Row]]) -> dict[str, dict[str, list[Row]]]:
    found: dict[str, dict[str, list[Row]]] = {}
    for table, rows in tables.items():
        areas = found.setdefault(table, {})
        for row in rows:
            areas.setdefault(row["grid_area_code"], []).append(row)
    return found


def _difference(expected: dict[str, list[Row]], actual: dict[str, list[Row]]) -> str:
    differences = []
    for table in sorted(expected.keys() | actual.keys()):
        left, right = (_counted(tables.get(table, [])) for tables in (expected, actual))
        missing, surplus = list((left - right).elements()), list((right - left).elements())
        if missing or surplus:
            shown = "\n".join(f"  missing {row}" for row in missing[:5]) + "\n"
            shown += "\n".join(f"  surplus {row}" for row in surplus[:5])
            differences.append(f"{table}: {len(missing)} rows missing, {len(surplus)} surplus\n{shown}")
    return "\n".join(differences)


def _counted(rows: list[Row]) -> Counter[tuple[Any, ...]]:
    """How often each row is there; the rows of a table have the same columns."""
    names = sorted(rows[0]) if rows else []
    columns = ([plain(row[name]) for row in rows] for name in names)
    return Counter((tuple(names), *values) for values in zip(*columns, strict=True))
