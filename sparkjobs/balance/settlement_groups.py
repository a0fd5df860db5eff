"""Settlement groups: metering points of which no result can tell one from another (architecture 3.1).

Everything that a result depends on (kind of series, area, neighbour, supplier, ...) is found once, in the metering
point
periods, where it is thousands of times less than in the points. A point then only carries a small integer.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from shared.codes import MeteringPointType, Resolution, SettlementMethod, TimeSeriesType
from sparkjobs.balance.clock import Clock
from sparkjobs.contracts.columns import columns

# What the numbers of no group stand for; groups are numbered from FIRST_GROUP.
NOT_KEPT, RAW_GRID_LOSS, IGNORED, FIRST_GROUP = 0, 1, 2, 3

_ATTRIBUTES = (
    "type",
    "settlement_method",
    "grid_area_code",
    "resolution",
    "from_grid_area_code",
    "to_grid_area_code",
    "energy_supplier_id",
    "balance_responsible_party_id",
    "tariff_set_id",
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """One settlement group. `steps`: how many points are expected, as (from slot, to slot, metering points)."""

    number: int
    type: str
    settlement_method: str | None
    grid_area_code: str
    resolution: str
    from_grid_area_code: str | None
    to_grid_area_code: str | None
    energy_supplier_id: str | None
    balance_responsible_party_id: str | None
    tariff_set_id: str | None
    steps: tuple[tuple[int, int, int], ...]

    @property
    def is_hourly(self) -> bool:
        """Whether its points are hours."""
        return self.resolution == Resolution.HOUR

    @property
    def series(self) -> TimeSeriesType | None:
        """The temporary series of energy 5 that it adds to; None for exchange and children."""
        if self.type == MeteringPointType.PRODUCTION:
            return TimeSeriesType.PRODUCTION
        if self.type != MeteringPointType.CONSUMPTION:
            return None
        is_flex = self.settlement_method == SettlementMethod.FLEX
        return TimeSeriesType.FLEX_CONSUMPTION if is_flex else TimeSeriesType.NON_PROFILED_CONSUMPTION

    def expected_slots(self, step: int) -> int:
        """In how many result intervals of `step` slots it expects a point."""
        return sum((end - begin) // step for begin, end, _ in self.steps)

    def expected_points(self) -> int:
        """How many points it expects in the period, at its own resolution."""
        own_step = 4 if self.is_hourly else 1
        return sum((end - begin) // own_step * count for begin, end, count in self.steps)


@dataclass(frozen=True, kw_only=True)
class GridLossPeriod:
    """One period of a grid-loss metering point, in slots."""

    metering_point_id: str
    type: str
    grid_area_code: str
    energy_supplier_id: str | None
    balance_responsible_party_id: str | None
    from_slot: int
    to_slot: int
    tariff_set_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Market:
    """What the metering point periods say: the groups, the grid-loss periods, and every area that occurs.

    memberships: metering_point_id bigint, id_length int, from_slot, to_slot, is_hourly, number int: whose points
    count for
    which group, one row for every slot of a kept metering point (IGNORED where it expects no point).
    """

    groups: tuple[Group, ...]
    grid_loss: tuple[GridLossPeriod, ...]
    areas: frozenset[str]
    memberships: DataFrame


def find_groups(metering_points: DataFrame, clock: Clock) -> Market:
    """Number the distinct combinations of everything that a result depends on.

    Args:
        metering_points: kept periods in English, with tariff_set_id (null = no tariffs).
        clock: the settled period.
    """
    periods = metering_points.withColumns(
        {
            "group_key": F.when(~F.col("is_grid_loss"), F.to_json(F.struct(*_ATTRIBUTES))),
            "from_slot": clock.slot_of("from_date"),
            "to_slot": clock.slot_of("to_date"),
        }
    )
    # Grid-loss metering points are kept apart, one row per period: energy 7 needs each by its id.
    id_of_grid_loss = F.when(F.col("is_grid_loss"), F.col("metering_point")).alias("metering_point")
    key = [F.col(name) for name in ("group_key", *_ATTRIBUTES, "from_slot", "to_slot")]
    counted = periods.groupBy(id_of_grid_loss, *key).count()
    rows = counted.collect()
    by_key: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.group_key is not None:
            by_key[row.group_key].append(row)
    numbers = {key: FIRST_GROUP + place for place, key in enumerate(sorted(by_key))}
    return Market(
        groups=tuple(_group(numbers[key], by_key[key]) for key in sorted(by_key)),
        grid_loss=tuple(_grid_loss_period(row) for row in rows if row.group_key is None),
        areas=frozenset(
            area
            for row in rows
            for area in (row.grid_area_code, row.from_grid_area_code, row.to_grid_area_code)
            if area is not None
        ),
        memberships=_memberships(periods, numbers, clock),
    )


def _group(number: int, rows: list[Row]) -> Group:
    attributes = {name: rows[0][name] for name in _ATTRIBUTES}
    return Group(
        number=number, steps=tuple(_steps((row.from_slot, row.to_slot, row["count"]) for row in rows)), **attributes
    )


def _steps(periods: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """How many of the periods cover each stretch of slots, leaving out where none does.

    >>> list(_steps([(0, 8, 1), (4, 12, 2)]))
    [(0, 4, 1), (4, 8, 3), (8, 12, 2)]
    """
    change: dict[int, int] = defaultdict(int)
    for begin, end, count in periods:
        change[begin] += count
        change[end] -= count
    covering = 0
    for begin, end in pairwise(sorted(change)):
        covering += change[begin]
        if covering:
            yield begin, end, covering


def _grid_loss_period(row: Row) -> GridLossPeriod:
    return GridLossPeriod(
        metering_point_id=row.metering_point,
        type=row.type,
        grid_area_code=row.grid_area_code,
        energy_supplier_id=row.energy_supplier_id,
        balance_responsible_party_id=row.balance_responsible_party_id,
        from_slot=row.from_slot,
        to_slot=row.to_slot,
        tariff_set_id=row.tariff_set_id,
    )


def _memberships(periods: DataFrame, numbers: dict[str, int], clock: Clock) -> DataFrame:
    spark = periods.sparkSession
    keys = spark.createDataFrame(list(numbers.items()) or [("", IGNORED)], columns("group_key string, number int"))
    numbered = periods.join(F.broadcast(keys), on="group_key", how="left").select(
        "metering_point_id",
        F.length("metering_point").alias("id_length"),
        "from_slot",
        "to_slot",
        (F.col("resolution") == Resolution.HOUR.value).alias("is_hourly"),
        F.coalesce("number", F.lit(RAW_GRID_LOSS)).alias("number"),
    )
    return numbered.unionByName(_outside_periods(numbered, clock))


def _outside_periods(numbered: DataFrame, clock: Clock) -> DataFrame:
    """Where in the settled period a kept metering point has no period: its points there are ignored."""
    by_time = Window.partitionBy("metering_point_id").orderBy("from_slot")
    neighbours = numbered.withColumns(
        {
            "earlier_end": F.lag("to_slot").over(by_time),
            "later_begin": F.coalesce(F.lead("from_slot").over(by_time), F.lit(clock.slots)),
        }
    )
    after = neighbours.select("*", F.col("to_slot").alias("begin"), F.col("later_begin").alias("end"))
    before = neighbours.filter("earlier_end is null").select(
        "*", F.lit(0).alias("begin"), F.col("from_slot").alias("end")
    )
    return (
        after.unionByName(before)
        .filter("begin < end")
        .select(
            "metering_point_id",
            "id_length",
            F.col("begin").alias("from_slot"),
            F.col("end").alias("to_slot"),
            "is_hourly",
            F.lit(IGNORED).alias("number"),
        )
    )
