"""What the manifest tells of a run: checks of the results, the series, and how good the data was (coordinator 5)."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shared.codes import TimeSeriesType
from shared.errors import DataError
from shared.lake_layout import ENERGY, ENERGY_PER_BRP, ENERGY_PER_ES, EXCHANGE_PER_NEIGHBOR
from shared.manifest import ResultTable
from sparkjobs.balance.clock import Clock, instant
from sparkjobs.balance.group_sums import Account
from sparkjobs.balance.series import Catalogue
from sparkjobs.balance.settlement_groups import IGNORED, RAW_GRID_LOSS, Market

LISTED_SERIES = 1000
BALANCE = "total consumption is flex plus non-profiled consumption, for every area and time"
LEVELS = "the energy of a kind is the same per supplier, per balance responsible and per area"
TIMES = "the times of a series are distinct, on the grid and within the period"
UNIQUE = "no two points of one metering point at one time"
MIRRORED = "exchange from a to b and from b to a adds up to 0.000 where both are settled"


def account_of_table(catalogue: Catalogue, rows: DataFrame, version: int, clock: Clock) -> ResultTable:
    """Count what was written, series by series, and check its times.

    Raises:
        DataError: a series has a time twice, off the grid or outside the period.
    """
    seconds = F.unix_seconds("time")
    off_grid = (seconds % (900 * clock.step) != 0) | (F.col("time") < instant(clock.start))
    outside = off_grid | (F.col("time") >= instant(clock.end))
    counted = rows.groupBy("result_id").agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_distinct("time").alias("times"),
        F.sum(F.when(outside, 1).otherwise(0)).alias("outside"),
    )
    found = counted.collect()
    broken = [row.result_id for row in found if row.rows != row.times or row.outside]
    if broken:
        raise DataError("INVARIANT", f"{catalogue.table}: {TIMES}; not so for", broken)
    written = {row.result_id: row.rows for row in found}
    series = [
        {
            "result_id": catalogue.ids[key],
            **dict(zip(catalogue.columns, key, strict=True)),
            "resolution": str(clock.resolution),
        }
        for key in catalogue.numbers
        if catalogue.ids[key] in written
    ]
    return ResultTable(
        version=version,
        rows=sum(written.values()),
        series_count=len(series),
        series=series if len(series) <= LISTED_SERIES else None,
    )


def check_results(read: Callable[[str], DataFrame], tables: Mapping[str, ResultTable]) -> list[dict[str, Any]]:
    """The invariants that hold between series, on the written rows; gives the manifest's list of checks.

    Raises:
        DataError: names the check and up to ten of the rows that break it.
    """
    checks = [(BALANCE, _unbalanced(read(ENERGY))), (LEVELS, _uneven(read, tables))]
    if EXCHANGE_PER_NEIGHBOR in tables:
        checks.append((MIRRORED, _not_mirrored(read(EXCHANGE_PER_NEIGHBOR))))
    for check, broken in checks:
        rows = [str(row.asDict()) for row in broken.limit(10).collect()]
        if rows:
            raise DataError("INVARIANT", f"the results break an invariant: {check}", rows)
    return [{"check": check, "passed": True} for check in (TIMES, *[check for check, _ in checks])]


def _unbalanced(energy: DataFrame) -> DataFrame:
    """Areas and times where the identity of energy 9 does not hold; rows without exchange have no total."""
    kind, quantity = F.col("time_series_type"), F.col("quantity").cast("decimal(28,3)")
    consumption = [TimeSeriesType.FLEX_CONSUMPTION.value, TimeSeriesType.NON_PROFILED_CONSUMPTION.value]
    sums = energy.groupBy("grid_area_code", "time").agg(
        F.sum(F.when(kind == TimeSeriesType.TOTAL_CONSUMPTION.value, quantity)).alias("total_consumption"),
        F.sum(F.when(kind.isin(consumption), quantity)).alias("consumption"),
    )
    return sums.filter("total_consumption <> consumption")


def _uneven(read: Callable[[str], DataFrame], tables: Mapping[str, ResultTable]) -> DataFrame:
    """Areas and kinds whose energy differs between the levels of energy 9."""
    levels = [table for table in (ENERGY, ENERGY_PER_ES, ENERGY_PER_BRP) if table in tables]
    kinds = [
        TimeSeriesType.PRODUCTION.value,
        TimeSeriesType.FLEX_CONSUMPTION.value,
        TimeSeriesType.NON_PROFILED_CONSUMPTION.value,
    ]
    sums = [
        read(table)
        .filter(F.col("time_series_type").isin(kinds))
        .groupBy("grid_area_code", "time_series_type")
        .agg(F.sum(F.col("quantity").cast("decimal(28,3)")).alias("quantity"))
        for table in levels
    ]
    all_levels = sums[0]
    for level in sums[1:]:
        all_levels = all_levels.unionByName(level)
    compared = all_levels.groupBy("grid_area_code", "time_series_type").agg(
        F.min("quantity").alias("least"), F.max("quantity").alias("most"), F.count(F.lit(1)).alias("levels")
    )
    return compared.filter((F.col("least") != F.col("most")) | (F.col("levels") != len(levels)))


def _not_mirrored(exchange: DataFrame) -> DataFrame:
    area, neighbour = F.col("grid_area_code"), F.col("neighbor_grid_area_code")
    both_ways = exchange.filter(area != neighbour).groupBy(
        F.least(area, neighbour).alias("one"), F.greatest(area, neighbour).alias("other"), "time"
    )
    sums = both_ways.agg(F.count(F.lit(1)).alias("ways"), F.sum("quantity").alias("quantity"))
    return sums.filter("ways = 2 and quantity <> 0")


def data_quality(market: Market, received: Mapping[int, Account], ignored: list[str]) -> dict[str, Any]:
    """Per area and metering point type how many points were expected, observed, missing and estimated.

    observed: points with a row; missing: expected points whose quality is `missing`, with a row or without one.
    ignored_points: at times that are not expected; raw_grid_loss_points never count (energy 2).
    """
    rows: dict[tuple[str, str], dict[str, int]] = defaultdict(
        lambda: {"expected": 0, "observed": 0, "missing": 0, "estimated": 0}
    )
    for group in market.groups:
        row = rows[group.grid_area_code, group.type]
        expected = group.expected_points()
        account = received.get(group.number)
        row["expected"] += expected
        row["missing"] += expected - account.points + account.missing if account else expected
        row["observed"] += account.points if account else 0
        row["estimated"] += account.estimated if account else 0
    return {
        "points": [
            {"grid_area_code": area, "metering_point_type": kind, **row} for (area, kind), row in sorted(rows.items())
        ],
        "ignored_points": {"count": _points(received, IGNORED), "examples": ignored},
        "raw_grid_loss_points": {"count": _points(received, RAW_GRID_LOSS), "examples": []},
    }


def _points(received: Mapping[int, Account], number: int) -> int:
    return received[number].points if number in received else 0
