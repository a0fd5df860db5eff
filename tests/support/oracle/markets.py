"""Random small markets for hypothesis, and many of them placed side by side in one job.

A drawn market names its areas "0", "1", "2" (asked for) and "out" (not asked for), its metering points by kind and
number; `placed` turns these into codes and ids of its own, so that the markets of one job never touch each other.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from tests.support.oracle.folders import INPUT_TABLES
from tests.support.oracle.model import HOUR, QUARTER, Arguments, Inputs, Row, steps

LONG_AGO = datetime(2019, 12, 31, 23, tzinfo=UTC)
AREAS = ("0", "1", "2")
OUTSIDE = "out"
MOST_MARKETS = 330  # three areas each, and 999 for what lies outside
SUPPLIERS = st.sampled_from(["1000000000000", "2000000000000", "3000000000000", None])
BALANCE_RESPONSIBLES = st.sampled_from(["1100000000000", "2200000000000", None])
QUALITIES = st.sampled_from(["measured", "estimated", "calculated", "missing"])
RESOLUTIONS = st.sampled_from(["PT1H", "PT15M"])
SMALL = st.integers(-4_000, 20_000)
LARGE = st.sampled_from([999_999_999_999, -999_999_999_999, 1, 0])

ANY_QUANTITY = st.one_of(SMALL, SMALL, LARGE)

Span = tuple[datetime, datetime | None]


def spans(draw: Any, arguments: Arguments, *, gaps: bool) -> list[Span]:
    """Consecutive periods cut at some of the local midnights inside [S,E); with gaps one may be left out."""
    midnights = [instant for instant in arguments.midnights() if instant > arguments.period_start]
    cuts = draw(st.lists(st.sampled_from(midnights), unique=True, max_size=2)) if midnights else []
    borders: list[datetime | None] = [LONG_AGO, *sorted(cuts), None]
    found = [(begins, ends) for begins, ends in pairwise(borders) if begins]
    if gaps and len(found) > 1 and draw(st.booleans()):
        found.pop(draw(st.integers(0, len(found) - 1)))
    return found


def metering_point(kind: str, number: int, span: Span, **columns: Any) -> Row:
    """A row of metering_point_periods; what is not given is null."""
    empty = ("calculation_type", "settlement_method", "from_grid_area_code", "to_grid_area_code")
    empty += ("parent_metering_point_id", "energy_supplier_id", "balance_responsible_party_id")
    row: Row = dict.fromkeys(empty) | {"metering_point_id": f"{kind}{number:06d}", "resolution": "PT1H"}
    return row | {"from_date": span[0], "to_date": span[1]} | columns


def _grid_loss(draw: Any, area: str, number: int, arguments: Arguments) -> list[Row]:
    """A consumption and a production point without gaps; the owner, or the point itself, may change at midnight."""
    rows = []
    for kind, columns in (("17", {"type": "E17", "settlement_method": "D01"}), ("18", {"type": "E18"})):
        another_point = draw(st.booleans())
        for turn, span in enumerate(spans(draw, arguments, gaps=False)):
            owner = {"energy_supplier_id": draw(SUPPLIERS), "balance_responsible_party_id": draw(BALANCE_RESPONSIBLES)}
            columns |= {"grid_area_code": area, "resolution": draw(RESOLUTIONS)}
            rows.append(metering_point(kind, number + turn * another_point, span, **columns, **owner))
    return rows


def _supplied(draw: Any, number: int, arguments: Arguments) -> list[Row]:
    """Consumption or production; supplier, resolution and area may change at midnight, and it may be away a while."""
    kind, columns = draw(
        st.sampled_from(
            [
                ("17", {"type": "E17", "settlement_method": "D01"}),
                ("17", {"type": "E17", "settlement_method": "E02"}),
                ("18", {"type": "E18"}),
            ]
        )
    )
    home = draw(st.sampled_from([*AREAS, OUTSIDE]))
    rows = []
    for span in spans(draw, arguments, gaps=True):
        area = draw(st.sampled_from([home, home, home, *AREAS]))
        owner = {"energy_supplier_id": draw(SUPPLIERS), "balance_responsible_party_id": draw(BALANCE_RESPONSIBLES)}
        place = {"grid_area_code": area, "resolution": draw(RESOLUTIONS)}
        rows.append(metering_point(kind, number, span, **columns, **owner, **place))
    return rows


def _exchange(draw: Any, number: int, arguments: Arguments) -> list[Row]:
    anywhere = st.sampled_from([*AREAS, OUTSIDE])
    sides = {"from_grid_area_code": draw(anywhere), "to_grid_area_code": draw(anywhere)}
    place = {"type": "E20", "grid_area_code": draw(anywhere), "resolution": draw(RESOLUTIONS)}
    return [metering_point("20", number, span, **sides, **place) for span in spans(draw, arguments, gaps=True)]


def points_of(draw: Any, metering_point_id: str, arguments: Arguments, quantities: Any) -> list[Row]:
    """Hours or quarters of the whole period (whatever the metering point expects), with holes, nulls and odd ones."""
    step = draw(st.sampled_from([HOUR, QUARTER, QUARTER]))
    times = steps(arguments.period_start, arguments.period_end, step)
    base, slope, quality = draw(quantities), draw(st.integers(-3, 3)), draw(QUALITIES)
    odd = draw(
        st.dictionaries(
            st.integers(0, len(times) - 1), st.tuples(st.sampled_from(["absent", "null", "odd"]), QUALITIES), max_size=4
        )
    )
    until = draw(st.integers(0, len(times)))
    rows = []
    for index, time in enumerate(times[:until]):
        what, other_quality = odd.get(index, ("", quality))
        milli = None if what == "null" else base + slope * index + (7 if what == "odd" else 0)
        quantity = None if milli is None else Decimal(max(min(milli, 999_999_999_999), -999_999_999_999)).scaleb(-3)
        row = {"metering_point_id": metering_point_id, "quantity": quantity, "quality": other_quality}
        rows += [] if what == "absent" else [row | {"observation_time": time}]
    return rows


@st.composite
def energy_markets(draw: Any, arguments: Arguments, quantities: Any = ANY_QUANTITY) -> Inputs:
    """Three areas with their grid-loss points, up to six metering points, up to four exchange points, and points."""
    periods = []
    for index, area in enumerate(AREAS):
        periods += _grid_loss(draw, area, 900 + 10 * index, arguments)
    grid_loss = sorted({row["metering_point_id"] for row in periods})
    for number in range(draw(st.integers(0, 6))):
        periods += _supplied(draw, number, arguments)
    for number in range(draw(st.integers(0, 4))):
        periods += _exchange(draw, number, arguments)
    metered = sorted({row["metering_point_id"] for row in periods} - set(grid_loss))
    with_points = [*metered, *draw(st.lists(st.sampled_from(grid_loss), max_size=1)), "17555555"]
    points = [row for name in with_points for row in points_of(draw, name, arguments, quantities)]
    tables: Inputs = {table: [] for table in INPUT_TABLES}
    listed = [{"metering_point_id": name} for name in grid_loss]
    return tables | {
        "metering_point_periods": periods,
        "time_series_points": points,
        "grid_loss_metering_points": listed,
    }


def placed(market: Inputs, index: int) -> Inputs:
    """The market with area codes, metering point ids and charge codes of its own (index below MOST_MARKETS)."""

    def area(code: str | None) -> str | None:
        return None if code is None else "999" if code == OUTSIDE else f"{3 * index + int(code):03d}"

    def identity(name: str | None) -> str | None:
        return None if name is None else f"{name[:2]}{index:04d}{name[2:]:0>12}"

    change = dict.fromkeys(("grid_area_code", "from_grid_area_code", "to_grid_area_code"), area)
    change |= dict.fromkeys(("metering_point_id", "parent_metering_point_id"), identity)
    change |= {"charge_code": lambda code: f"{code}-{index}"}
    return {
        table: [{name: change[name](value) if name in change else value for name, value in row.items()} for row in rows]
        for table, rows in market.items()
    }


def areas_of(index: int) -> tuple[str, ...]:
    return tuple(f"{3 * index + int(area):03d}" for area in AREAS)


def together(markets: list[Inputs]) -> Inputs:
    """The placed markets as the input of one job."""
    return {table: [row for market in markets for row in market[table]] for table in INPUT_TABLES}


def of_areas(tables: dict[str, list[Row]], areas: tuple[str, ...]) -> dict[str, list[Row]]:
    return {name: [row for row in rows if row["grid_area_code"] in areas] for name, rows in tables.items()}


def arguments_for(process_type: str, *, resolution: str, hours: int) -> Arguments:
    """A simulation that begins an hour before the day of a clock change and, with 27 hours, ends after it.

    Quarters: the autumn day of 25 hours; hours (the transition being later): the spring day of 23.
    """
    in_hours = resolution == "PT1H"
    start = datetime(2023, 3, 25, 22, tzinfo=UTC) if in_hours else datetime(2023, 10, 28, 21, tzinfo=UTC)
    given = Arguments(process_type=process_type, period_start=start, period_end=start + timedelta(hours=hours))
    return replace(given, transition=datetime(2023 if in_hours else 2022, 12, 31, 23, tzinfo=UTC))
