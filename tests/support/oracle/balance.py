"""Exchange, suppliers, grid loss, adjustment and levels (energy 4, 5, 7, 8, 9), each as it is written."""

from dataclasses import dataclass
from decimal import Decimal

from tests.support.oracle.model import Arguments, Row, RuleBroken
from tests.support.oracle.points import Point
from tests.support.oracle.rounding import sum_keeping
from tests.support.oracle.series import Series, add, negated, regroup, rounded, total

NOTHING = (Decimal(0), frozenset[str]())
CALCULATED = frozenset({"calculated"})


def exchange_per_neighbor(points: list[Point], areas: tuple[str, ...]) -> Series:
    """(a, n, t): E(a, n, t) − E(n, a, t), a missing side 0, then rounded (energy 4)."""
    exchanged = [point for point in points if point.period["type"] == "E20"]
    border = total(
        ((p.period["to_grid_area_code"], p.period["from_grid_area_code"], p.time), (p.quantity, p.qualities))
        for p in exchanged
    )
    found: Series = {}
    for to, sender, time in border:
        for area, neighbor in ((to, sender), (sender, to)):
            if area in areas:
                into = border.get((area, neighbor, time), NOTHING)
                out = border.get((neighbor, area, time), NOTHING)
                found[area, neighbor, time] = add(into, negated(out))
    return rounded(found, sum_keeping)


def per_supplier(points: list[Point], type_code: str, method: str | None = None) -> Series:
    """(GA, BRP, ES, t) of one type and method, summed, then rounded (energy 5)."""
    chosen = [p for p in points if p.period["type"] == type_code]
    if method:
        chosen = [p for p in chosen if p.period["settlement_method"] == method]
    summed = total(((*_supplier(p.period), p.time), (p.quantity, p.qualities)) for p in chosen)
    return rounded(summed, sum_keeping)


def _supplier(period: Row) -> tuple[str, str | None, str | None]:
    return period["grid_area_code"], period["balance_responsible_party_id"], period["energy_supplier_id"]


def per_area(series: Series) -> Series:
    return regroup(series, lambda key: (key[0], key[-1]))


def per_balance_responsible(series: Series) -> Series:
    return regroup(series, lambda key: (key[0], key[1], key[-1]))


def grid_loss(exchange: Series, production: Series, non_profiled: Series, flex: Series) -> Series:
    """(GA, t) of any of the four, each per GA: exchange + production − (non_profiled + flex) (energy 7)."""
    found: Series = {}
    for key in exchange.keys() | production.keys() | non_profiled.keys() | flex.keys():
        x, p, n, f = (series.get(key, NOTHING)[0] for series in (exchange, production, non_profiled, flex))
        found[key] = x + p - (n + f), CALCULATED
    return found


@dataclass(frozen=True)
class GridLossPoints:
    """Positive (consumption) or negative (production) grid loss by the periods of the grid-loss metering points."""

    points: list[Point]

    def per_supplier(self) -> Series:
        return total(((*_supplier(p.period), p.time), (p.quantity, p.qualities)) for p in self.points)


def grid_loss_points(loss: Series, periods: list[Row], type_code: str) -> GridLossPoints:
    """max(loss, 0) for each E17 period that contains t, max(−loss, 0) for each E18 one (energy 7)."""
    sign = 1 if type_code == "E17" else -1
    found = []
    for period in periods:
        for (area, time), (quantity, _) in loss.items():
            here = area == period["grid_area_code"] and period["from_date"] <= time < period["to_date"]
            if here and period["type"] == type_code:
                found.append(Point(period, time, max(sign * quantity, Decimal(0)), CALCULATED))
    return GridLossPoints(found)


def judge_completeness(periods: list[Row], arguments: Arguments) -> None:
    """Each GA needs one of each type over the whole of [S,E), never two at once (energy 7)."""
    wrong = []
    for area in arguments.grid_areas:
        for type_code in ("E17", "E18"):
            mine = [row for row in periods if (row["grid_area_code"], row["type"]) == (area, type_code)]
            mine.sort(key=lambda row: row["from_date"])
            reached = arguments.period_start
            for row in mine:
                if row["from_date"] < reached:
                    raise RuleBroken("two grid-loss metering points of one kind at once", [area, mine])
                if row["from_date"] > reached:
                    break
                reached = row["to_date"]
            if reached != arguments.period_end:
                wrong.append(f"{area} {'consumption' if type_code == 'E17' else 'production'}")
    if wrong:
        raise RuleBroken("no grid-loss metering point", wrong)


def adjusted(temporary: Series, loss_points: GridLossPoints) -> Series:
    """Full outer join of what was measured and the grid loss, missing = 0 (energy 8)."""
    return total([*temporary.items(), *loss_points.per_supplier().items()])


def total_consumption(production: Series, exchange: Series) -> Series:
    """Production per GA + exchange per GA where both exist (energy 9)."""
    return {key: add(production[key], exchange[key]) for key in production.keys() & exchange.keys()}


def judge_identity(consumption: Series, flex: Series, non_profiled: Series) -> None:
    """Total consumption equals flex + non_profiled after adjustment (energy 9)."""
    for key, (quantity, _) in consumption.items():
        if quantity != flex.get(key, NOTHING)[0] + non_profiled.get(key, NOTHING)[0]:
            raise RuleBroken("energy does not balance", [key])
