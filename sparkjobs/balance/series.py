"""The series that the groups make up, each with its key, number and place in the sorted results (energy 4, 5, 9, 11).

They are known from the metering point periods alone, so ids are computed once per series, before any sum.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from shared.codes import MeteringPointType, TimeSeriesType
from shared.lake_layout import ENERGY, ENERGY_PER_BRP, ENERGY_PER_ES, EXCHANGE_PER_NEIGHBOR, GRID_LOSS_TIME_SERIES
from sparkjobs.balance.settlement_groups import GridLossPeriod, Group, Market
from sparkjobs.contracts.columns import columns
from sparkjobs.contracts.result_ids import result_id

Key = tuple[str | None, ...]
# The series of an area, by the bit that says in a wide row whether it is there.
AREA_SERIES = tuple(TimeSeriesType)
GRID_LOSS_KIND = {
    MeteringPointType.CONSUMPTION: TimeSeriesType.FLEX_CONSUMPTION,
    MeteringPointType.PRODUCTION: TimeSeriesType.PRODUCTION,
}


@dataclass(frozen=True)
class Catalogue:
    """The series of one result table: `number` of a key is its place when sorted by area and result id.

    columns: the key's columns but the resolution, the area first; ids: result_id by key.
    """

    table: str
    columns: tuple[str, ...]
    numbers: dict[Key, int]
    ids: dict[Key, str]

    def frame(self, spark: SparkSession) -> DataFrame:
        """Series int, result_id and the key's columns, one row per series."""
        rows = [(number, self.ids[key], *key) for key, number in self.numbers.items()]
        names = ", ".join(f"{name} string" for name in self.columns)
        empty = [(-1, "", *[None] * len(self.columns))]
        return spark.createDataFrame(rows or empty, columns(f"series int, result_id string, {names}"))


@dataclass(frozen=True, kw_only=True)
class AllSeries:
    """The series of every energy table."""

    areas: tuple[str, ...]
    energy: Catalogue
    per_supplier: Catalogue
    per_responsible: Catalogue
    per_neighbour: Catalogue
    grid_loss: Catalogue


def find_series(market: Market, grid_areas: Iterable[str], job_id: str, resolution: str) -> AllSeries:
    """Every series that can have rows: those of groups, and of suppliers that only have a grid-loss metering point."""
    areas = tuple(sorted(grid_areas))
    suppliers = {supplier_key(group) for group in market.groups if group.series is not None}
    suppliers |= {grid_loss_supplier_key(period) for period in market.grid_loss}
    neighbours = {key for group in market.groups for key, _ in neighbour_keys(group, areas)}

    def catalogue(table: str, columns: tuple[str, ...], keys: Iterable[Key], place: int) -> Catalogue:
        """`place`: where the resolution stands in the table's key (`contracts.results.key_columns`)."""
        ids = {key: result_id(job_id, table, (*key[:place], resolution, *key[place:])) for key in keys}
        ordered = sorted(ids, key=lambda key: (key[0] or "", ids[key]))
        return Catalogue(table, columns, {key: number for number, key in enumerate(ordered)}, ids)

    area, supplier, responsible = "grid_area_code", "energy_supplier_id", "balance_responsible_party_id"
    kind = "time_series_type"
    return AllSeries(
        areas=areas,
        energy=catalogue(ENERGY, (area, kind), [(name, str(each)) for name in areas for each in AREA_SERIES], 2),
        per_supplier=catalogue(ENERGY_PER_ES, (area, supplier, responsible, kind), suppliers, 4),
        per_responsible=catalogue(
            ENERGY_PER_BRP, (area, responsible, kind), {without_supplier(key) for key in suppliers}, 3
        ),
        per_neighbour=catalogue(EXCHANGE_PER_NEIGHBOR, (area, "neighbor_grid_area_code"), neighbours, 2),
        grid_loss=catalogue(
            GRID_LOSS_TIME_SERIES,
            (area, supplier, responsible, "metering_point_type", "metering_point_id"),
            {grid_loss_key(period) for period in market.grid_loss},
            5,
        ),
    )


def supplier_key(group: Group) -> Key:
    """Area, supplier, balance responsible, kind (energy 5)."""
    return group.grid_area_code, group.energy_supplier_id, group.balance_responsible_party_id, str(group.series)


def grid_loss_supplier_key(period: GridLossPeriod) -> Key:
    """The series that a grid-loss metering point's loss adjusts (energy 8)."""
    kind = str(GRID_LOSS_KIND[MeteringPointType(period.type)])
    return period.grid_area_code, period.energy_supplier_id, period.balance_responsible_party_id, kind


def grid_loss_key(period: GridLossPeriod) -> Key:
    """The key of a series of grid_loss_time_series."""
    supplier, responsible = period.energy_supplier_id, period.balance_responsible_party_id
    return period.grid_area_code, supplier, responsible, period.type, period.metering_point_id


def without_supplier(key: Key) -> Key:
    """The balance responsible's series that a supplier's series is part of (energy 9)."""
    area, _, responsible, kind = key
    return area, responsible, kind


def neighbour_keys(group: Group, areas: Iterable[str]) -> list[tuple[Key, int]]:
    """The (area, neighbour) series of an exchange group with its sign: + where energy comes in, − where it goes out.

    A metering point with the same area on both sides counts both ways and leaves 0.000 (energy 4).
    """
    if group.type != MeteringPointType.EXCHANGE:
        return []
    to, sender = group.to_grid_area_code, group.from_grid_area_code
    ways = [((to, sender), 1), ((sender, to), -1)]
    known = set(areas)
    return [(key, sign) for key, sign in ways if key[0] in known]


def lookup(
    spark: SparkSession, rows: Iterable[tuple[object, ...]], schema: str, empty: tuple[object, ...]
) -> DataFrame:
    """A small table that is joined to sums; `empty` is a row that matches nothing, for when there are none."""
    return spark.createDataFrame(list(rows) or [empty], columns(schema))
