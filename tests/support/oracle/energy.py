"""The energy results (energy 1 to 11) as rows of the result tables, without ids."""

from dataclasses import dataclass

from tests.support.oracle import balance
from tests.support.oracle.model import Arguments, Row
from tests.support.oracle.points import Point, at_result_resolution, expected_points
from tests.support.oracle.rounding import round3
from tests.support.oracle.series import Series

PARENTS = ("E17", "E18", "E20")


@dataclass(frozen=True)
class Energy:
    """Result tables by name, and the calculated points that carry tariffs (energy 10)."""

    tables: dict[str, list[Row]]
    grid_loss_points: list[Point]


def settle_energy(periods: list[Row], points: list[Row], grid_loss_ids: set[str], arguments: Arguments) -> Energy:
    grid_loss_periods = [row for row in periods if row["metering_point_id"] in grid_loss_ids]
    balance.judge_completeness(grid_loss_periods, arguments)
    parents = [row for row in periods if row["type"] in PARENTS and row["metering_point_id"] not in grid_loss_ids]
    counted = at_result_resolution(expected_points(parents, points), arguments)

    neighbors = balance.exchange_per_neighbor(counted, arguments.grid_areas)
    exchange = balance.per_area(neighbors)
    temporary_production = balance.per_supplier(counted, "E18")
    temporary_flex = balance.per_supplier(counted, "E17", "D01")
    non_profiled = balance.per_supplier(counted, "E17", "E02")

    loss = balance.grid_loss(
        exchange, *(balance.per_area(series) for series in (temporary_production, non_profiled, temporary_flex))
    )
    positive = balance.grid_loss_points(loss, grid_loss_periods, "E17")
    negative = balance.grid_loss_points(loss, grid_loss_periods, "E18")
    production = balance.adjusted(temporary_production, negative)
    flex = balance.adjusted(temporary_flex, positive)
    consumption = balance.total_consumption(balance.per_area(production), exchange)
    balance.judge_identity(consumption, balance.per_area(flex), balance.per_area(non_profiled))

    supplied = {"production": production, "flex_consumption": flex, "non_profiled_consumption": non_profiled}
    per_area = {name: balance.per_area(series) for name, series in supplied.items()} | {
        "net_exchange_per_ga": exchange,
        "total_consumption": consumption,
        "grid_loss": loss,
        "temp_production": balance.per_area(temporary_production),
        "temp_flex_consumption": balance.per_area(temporary_flex),
    }
    tables = {
        "energy": _rows(per_area, ("grid_area_code",), arguments),
        "energy_per_es": _rows(
            supplied, ("grid_area_code", "balance_responsible_party_id", "energy_supplier_id"), arguments
        ),
        "grid_loss_time_series": _grid_loss_rows([*positive.points, *negative.points], arguments),
    }
    if not arguments.settles_charges:
        brp = {name: balance.per_balance_responsible(series) for name, series in supplied.items()}
        tables["energy_per_brp"] = _rows(brp, ("grid_area_code", "balance_responsible_party_id"), arguments)
        rows = _rows({"": neighbors}, ("grid_area_code", "neighbor_grid_area_code"), arguments)
        tables["exchange_per_neighbor"] = [_without(row, "time_series_type") for row in rows]
    return Energy(tables, [*positive.points, *negative.points])


def _without(row: Row, column: str) -> Row:
    return {name: value for name, value in row.items() if name != column}


def _rows(series_by_type: dict[str, Series], columns: tuple[str, ...], arguments: Arguments) -> list[Row]:
    found = []
    for series_type, series in series_by_type.items():
        for key, (quantity, qualities) in series.items():
            row = dict(zip((*columns, "time"), key, strict=True))
            row |= {"time_series_type": series_type, "resolution": arguments.resolution}
            found.append(row | {"quantity": round3(quantity), "quantity_qualities": sorted(qualities)})
    return found


def _grid_loss_rows(points: list[Point], arguments: Arguments) -> list[Row]:
    copied = ("grid_area_code", "energy_supplier_id", "balance_responsible_party_id", "metering_point_id")
    return [
        {name: point.period[name] for name in copied}
        | {"metering_point_type": "consumption" if point.period["type"] == "E17" else "production"}
        | {"resolution": arguments.resolution, "time": point.time}
        | {"quantity": round3(point.quantity), "quantity_qualities": sorted(point.qualities)}
        for point in points
    ]
