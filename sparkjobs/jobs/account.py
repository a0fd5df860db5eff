"""What the manifest tells of a run: checks of the results, the series, and how good the data was (coordinator 5)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, Row
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
COMPLETE = "every group has its row at every time at which it expects points"
UNIQUE = "no two points of one metering point at one time"
MIRRORED = "exchange from a to b and from b to a adds up to 0.000 where both are settled"

_CONSUMPTION = (TimeSeriesType.FLEX_CONSUMPTION.value, TimeSeriesType.NON_PROFILED_CONSUMPTION.value)
_KINDS = (TimeSeriesType.PRODUCTION.value, *_CONSUMPTION)
# Half a day of quarters: their slots fit one long as bits.
_BUCKET = 48
_SERIES = "series"


def account_of_results(
    written: Mapping[str, tuple[Catalogue, int]],
    read: Callable[[str], DataFrame],
    expected: Mapping[str, Mapping[str, int]],
    clock: Clock,
) -> tuple[dict[str, ResultTable], list[dict[str, Any]]]:
    """Count what was written, series by series, and check it: one query over all tables.

    Args:
        written: by table its series and the version written.
        read: gives the written rows of a table.
        expected: by table and result id the number of rows (`expected_rows`).
        clock: the settled period.

    Returns:
        The manifest's account of each table, and its list of checks.

    Raises:
        DataError: a value is out of range, or an invariant does not hold; names up to ten rows.
    """
    parts = [_series(read, written, clock), _unbalanced(read(ENERGY))]
    if EXCHANGE_PER_NEIGHBOR in written:
        parts.append(_not_mirrored(read(EXCHANGE_PER_NEIGHBOR)))
    found = reduce(DataFrame.unionByName, parts).collect()
    series = {row.row: row for row in found if row.check == _SERIES}
    names = {catalogue.ids[key]: f"{table} {key}" for table, (catalogue, _) in written.items() for key in catalogue.ids}
    lost = (id_ for id_, row in series.items() if row.lost)
    _refuse("SUM_TOO_LARGE", "a sum does not fit decimal(18,3)", (names[id_] for id_ in lost))
    ill_timed = (id_ for id_, row in series.items() if row.rows != row.times or row.outside)
    _refuse("INVARIANT", f"the results break an invariant: {TIMES}", (names[id_] for id_ in ill_timed))
    counts = {id_: rows for table in written for id_, rows in expected.get(table, {}).items()}
    uneven = (id_ for id_, rows in counts.items() if rows != (series[id_].rows if id_ in series else 0))
    _refuse("INVARIANT", f"the results break an invariant: {COMPLETE}", (names[id_] for id_ in uneven))
    _refuse("INVARIANT", f"the results break an invariant: {LEVELS}", _uneven(written, series))
    between = [BALANCE, *([MIRRORED] if EXCHANGE_PER_NEIGHBOR in written else [])]
    for check in between:
        _refuse("INVARIANT", f"the results break an invariant: {check}", (r.row for r in found if r.check == check))
    accounts = {table: _account(*told, series, clock) for table, told in written.items()}
    return accounts, [{"check": check, "passed": True} for check in (TIMES, COMPLETE, LEVELS, *between)]


def _refuse(code: str, rule: str, broken: Iterable[str]) -> None:
    rows = list(broken)
    if rows:
        raise DataError(code, rule, rows)


def _series(read: Callable[[str], DataFrame], tables: Iterable[str], clock: Clock) -> DataFrame:
    """Per series: rows, distinct times, rows outside the period or off the grid, lost values, energy.

    Distinct times are counted as bits of half days, which costs a tenth of comparing them.
    """
    columns = ("result_id", "time", "quantity")
    rows = reduce(DataFrame.unionByName, [read(table).select(*columns) for table in tables])
    on_grid = F.unix_seconds("time") % (900 * clock.step) == 0
    inside = on_grid & (F.col("time") >= instant(clock.start)) & (F.col("time") < instant(clock.end))
    placed = rows.select(
        "result_id",
        "quantity",
        F.when(inside, clock.slot_of("time")).otherwise(0).alias("slot"),
        (~inside).alias("out"),
    )
    half_days = placed.groupBy(F.col("result_id"), F.expr(f"slot div {_BUCKET}").alias("half_day")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.bit_or(F.expr(f"shiftleft(cast(1 as bigint), slot % {_BUCKET})")).alias("bits"),
        F.sum(F.when(F.col("out"), 1).otherwise(0)).alias("outside"),
        F.sum(F.when(F.col("quantity").isNull(), 1).otherwise(0)).alias("lost"),
        F.sum("quantity").cast("decimal(28,3)").alias("energy"),
    )
    of_series = half_days.groupBy(F.col("result_id")).agg(
        F.sum("rows").alias("rows"),
        F.sum(F.bit_count("bits")).alias("times"),
        F.sum("outside").alias("outside"),
        F.sum("lost").alias("lost"),
        F.sum("energy").cast("decimal(38,3)").alias("energy"),
    )
    return of_series.select(
        F.lit(_SERIES).alias("check"), F.col("result_id").alias("row"), "rows", "times", "outside", "lost", "energy"
    )


def _broken(check: str, rows: DataFrame, *shown: str) -> DataFrame:
    """Rows that break a check, in the columns of `_series`."""
    texts = [F.coalesce(F.col(name).cast("string"), F.lit("null")) for name in shown]
    none = [F.lit(None).cast("bigint").alias(name) for name in ("rows", "times", "outside", "lost")]
    row = F.concat_ws(" ", *texts).alias("row")
    return rows.select(F.lit(check).alias("check"), row, *none, F.lit(None).cast("decimal(38,3)").alias("energy"))


def _unbalanced(energy: DataFrame) -> DataFrame:
    """Areas and times where the identity of energy 9 does not hold; rows without exchange have no total."""
    kind = F.col("time_series_type")
    total = kind == TimeSeriesType.TOTAL_CONSUMPTION.value
    sums = (
        energy.filter(kind.isin(TimeSeriesType.TOTAL_CONSUMPTION.value, *_CONSUMPTION))
        .groupBy(F.col("grid_area_code"), F.col("time"))
        .agg(
            F.sum(F.when(total, F.col("quantity"))).alias("total_consumption"),
            F.sum(F.when(~total, F.col("quantity"))).alias("consumption"),
        )
    )
    unequal = sums.filter("total_consumption <> coalesce(consumption, 0)").limit(10)
    return _broken(BALANCE, unequal, "grid_area_code", "time", "total_consumption", "consumption")


def _not_mirrored(exchange: DataFrame) -> DataFrame:
    area, neighbour = F.col("grid_area_code"), F.col("neighbor_grid_area_code")
    both_ways = exchange.filter(area != neighbour).groupBy(
        F.least(area, neighbour).alias("one"), F.greatest(area, neighbour).alias("other"), F.col("time")
    )
    sums = both_ways.agg(F.count(F.lit(1)).alias("ways"), F.sum("quantity").alias("quantity"))
    return _broken(MIRRORED, sums.filter("ways = 2 and quantity <> 0").limit(10), "one", "other", "time", "quantity")


def _uneven(written: Mapping[str, tuple[Catalogue, int]], series: Mapping[str, Row]) -> list[str]:
    """Areas and kinds whose energy differs between the levels of energy 9."""
    levels = [table for table in (ENERGY, ENERGY_PER_ES, ENERGY_PER_BRP) if table in written]
    energy: dict[tuple[str | None, str | None], dict[str, Any]] = defaultdict(lambda: dict.fromkeys(levels, 0))
    for table in levels:
        catalogue, _ = written[table]
        kind = catalogue.columns.index("time_series_type")
        for key, id_ in catalogue.ids.items():
            if id_ in series and key[kind] in _KINDS:
                energy[key[0], key[kind]][table] += series[id_].energy
    return [
        f"{area} {kind} {of_levels}" for (area, kind), of_levels in energy.items() if len(set(of_levels.values())) > 1
    ]


def _account(catalogue: Catalogue, version: int, series: Mapping[str, Row], clock: Clock) -> ResultTable:
    listed: list[dict[str, Any]] = [
        {
            "result_id": catalogue.ids[key],
            **dict(zip(catalogue.columns, key, strict=True)),
            "resolution": str(clock.resolution),
        }
        for key in catalogue.numbers
        if catalogue.ids[key] in series
    ]
    return ResultTable(
        version=version,
        rows=sum(series[each["result_id"]].rows for each in listed),
        series_count=len(listed),
        series=listed if len(listed) <= LISTED_SERIES else None,
    )


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
