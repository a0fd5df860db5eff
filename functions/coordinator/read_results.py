"""A job's results by pages, in bounded memory (coordinator 3): filtered, and cut to what a market actor may see.

A page goes on where the last one ended: at a point of a series of a grid area, so no page reads what lies before it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from functions.coordinator.errors import NothingThere
from functions.coordinator.record import JobRecord, JobState
from functions.coordinator.retry_job import was_calculated
from functions.ports import ResultTables
from shared import lake_layout
from shared.codes import QUALITY_BIT, SYSTEM_OPERATOR_GLN, ActorRole
from shared.danish_time import format_instant
from shared.result_series import ResultSeries

LARGEST_PAGE = 50_000
_ENERGY = ("resolution", "time", "quantity", "quantity_qualities")
_CHARGE = ("is_tax", "charge_code", "charge_type", "charge_owner_id")
COLUMNS: dict[str, tuple[str, ...]] = {
    lake_layout.ENERGY: ("grid_area_code", "time_series_type", *_ENERGY),
    lake_layout.ENERGY_PER_BRP: ("grid_area_code", "balance_responsible_party_id", "time_series_type", *_ENERGY),
    lake_layout.ENERGY_PER_ES: (
        "grid_area_code",
        "energy_supplier_id",
        "balance_responsible_party_id",
        "time_series_type",
        *_ENERGY,
    ),
    lake_layout.EXCHANGE_PER_NEIGHBOR: ("grid_area_code", "neighbor_grid_area_code", *_ENERGY),
    lake_layout.GRID_LOSS_TIME_SERIES: (
        "grid_area_code",
        "energy_supplier_id",
        "balance_responsible_party_id",
        "metering_point_type",
        "metering_point_id",
        *_ENERGY,
    ),
    lake_layout.AMOUNTS_PER_CHARGE: (
        "grid_area_code",
        "energy_supplier_id",
        "quantity",
        "quantity_unit",
        "quantity_qualities",
        "time",
        "resolution",
        "metering_point_type",
        "settlement_method",
        "price",
        "amount",
        *_CHARGE,
    ),
    lake_layout.MONTHLY_AMOUNTS_PER_CHARGE: (
        "grid_area_code",
        "energy_supplier_id",
        "quantity_unit",
        "time",
        "amount",
        *_CHARGE,
    ),
    lake_layout.TOTAL_MONTHLY_AMOUNTS: ("grid_area_code", "energy_supplier_id", "time", "amount", "charge_owner_id"),
}
"""The columns of each result table after result_id (energy 11, wholesale 5 to 7)."""


@dataclass(frozen=True)
class Actor:
    """A market actor who sees its own rows alone: `owned` are the grid areas that it owns now."""

    id: str
    role: str
    owned: frozenset[str] = frozenset()

    def sees(self, table: str, key: Mapping[str, Any]) -> bool:
        """Whether a series is its own: by ES, BRP, owned grid area or charges (coordinator 3, requests 4)."""
        owner = key.get("charge_owner_id")
        match self.role:
            case ActorRole.ENERGY_SUPPLIER:
                return key.get("energy_supplier_id") == self.id and (
                    table != lake_layout.TOTAL_MONTHLY_AMOUNTS or owner is None
                )
            case ActorRole.BALANCE_RESPONSIBLE:
                return key.get("balance_responsible_party_id") == self.id
            case ActorRole.METERED_DATA_RESPONSIBLE | ActorRole.GRID_ACCESS_PROVIDER:
                if key["grid_area_code"] not in self.owned:
                    return False
                others = owner is not None and owner != SYSTEM_OPERATOR_GLN
                return table in lake_layout.ENERGY_RESULT_TABLES or others or bool(key.get("is_tax"))
            case ActorRole.SYSTEM_OPERATOR:
                return owner == self.id and not key.get("is_tax")
        return False


@dataclass(frozen=True, kw_only=True)
class ResultFilter:
    """Which rows; None lets everything through. `series`: a result id or a time series type."""

    grid_area: str | None = None
    energy_supplier: str | None = None
    balance_responsible: str | None = None
    series: str | None = None
    actor: Actor | None = None

    def lets_through(self, table: str, found: ResultSeries) -> bool:
        """Whether the rows of a series are among them."""
        key = found.key
        return (
            (self.energy_supplier is None or key.get("energy_supplier_id") == self.energy_supplier)
            and (
                self.balance_responsible is None or key.get("balance_responsible_party_id") == self.balance_responsible
            )
            and (self.series is None or self.series in (found.result_id, key.get("time_series_type")))
            and (self.actor is None or self.actor.sees(table, key))
        )


@dataclass(frozen=True)
class Position:
    """Where a page begins."""

    grid_area: str = ""
    result_id: str = ""
    point: int = 0


@dataclass
class Page:
    """Rows in the order of `columns`, and where the next page begins."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    following: Position | None = None


def tables_of(record: JobRecord, actor: Actor | None = None) -> Mapping[str, int]:
    """The result tables that there are and their rows. A market actor sees completed actual jobs only."""
    completed = record.status is JobState.COMPLETED and not record.simulation
    visible = was_calculated(record) and (actor is None or completed)
    return record.results if visible else {}


def read_page(
    record: JobRecord, table: str, wanted: ResultFilter, *, tables: ResultTables, start: Position, size: int
) -> Page:
    """At most `size` rows from `start` on. Raises NothingThere."""
    if table not in COLUMNS or table not in tables_of(record, wanted.actor):
        raise NothingThere(f"job {record.job_id} has no results in a table {table}")
    page = Page(("result_id", *COLUMNS[table]))
    for area in _areas(record, table, wanted, tables, start):
        for series in _series(record, table, area, wanted, tables, start):
            first = start.point if (area, series.result_id) == (start.grid_area, start.result_id) else 0
            room = size - len(page.rows)
            if first < len(series.times) and room == 0:
                page.following = Position(area, series.result_id, first)
                return page
            page.rows += _rows(series, page.columns, first, first + room)
            if len(series.times) - first > room:
                page.following = Position(area, series.result_id, first + room)
                return page
    return page


def _areas(record: JobRecord, table: str, wanted: ResultFilter, tables: ResultTables, start: Position) -> Sequence[str]:
    areas = sorted(tables.grid_areas(table, record.job_id, record.attempt))
    return [area for area in areas if area >= start.grid_area and wanted.grid_area in (None, area)]


def _series(
    record: JobRecord, table: str, area: str, wanted: ResultFilter, tables: ResultTables, start: Position
) -> Iterator[ResultSeries]:
    keys = tables.series_keys(table, record.job_id, record.attempt, area)
    first = start.result_id if area == start.grid_area else ""
    only = [key.result_id for key in keys if key.result_id >= first and wanted.lets_through(table, key)]
    return tables.series(table, record.job_id, record.attempt, area, only) if only else iter(())


def _rows(series: ResultSeries, columns: tuple[str, ...], first: int, end: int) -> Iterator[tuple[Any, ...]]:
    for point in range(first, min(end, len(series.times))):
        values = {
            "result_id": series.result_id,
            "time": format_instant(datetime.fromtimestamp(series.times[point] / 1_000_000, UTC)),
            "quantity": series.quantities[point] if series.quantities else None,
            "quantity_qualities": _qualities(series.qualities[point]) if series.qualities else None,
            "price": series.prices[point] if series.prices else None,
            "amount": series.amounts[point] if series.amounts else None,
        }
        yield tuple(values[column] if column in values else series.key.get(column) for column in columns)


def _qualities(bits: int) -> list[str]:
    return sorted(quality.value for quality, bit in QUALITY_BIT.items() if bits & bit)
