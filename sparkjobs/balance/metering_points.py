"""Which metering point periods a settlement uses: kept, clamped and judged (inputs, reading rules)."""

from collections.abc import Collection, Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shared.codes import METERING_POINT_TYPE_BY_CODE, SETTLEMENT_METHOD_BY_CODE, MeteringPointType, Resolution
from sparkjobs.balance.clock import Clock, instant

_NEVER_NULL = ("metering_point_id", "type", "grid_area_code", "resolution", "from_date")
_SHOWN = ("metering_point_id", "type", "settlement_method", "grid_area_code", "resolution", "from_date", "to_date")

NULL = "metering_point_periods: a null where none is allowed"
TYPE = "metering_point_periods: unknown metering point type"
METHOD = "metering_point_periods: unknown settlement method"
NO_METHOD = "metering_point_periods: a consumption metering point (E17) needs a settlement method"
RESOLUTION = "metering_point_periods: the resolution is neither PT15M nor PT1H"
NO_NEIGHBOURS = "metering_point_periods: an exchange metering point (E20) needs a from and a to grid area"
BACKWARDS = "metering_point_periods: to_date is before from_date"
NO_MIDNIGHT = "metering_point_periods: a period begins or ends inside the settled period at no local midnight"
OVERLAP = "metering_point_periods: periods of one metering point overlap"
NO_NUMBER = "metering_point_periods: an id is not digits that fit a bigint"
SAME_NUMBER = "metering_point_periods: two ids have the same number"
NO_GRID_LOSS_KIND = "a grid-loss metering point is neither flex consumption (E17, D01) nor production (E18)"


def settled_areas(periods: DataFrame, clock: Clock) -> DataFrame:
    """Where no areas are asked for: every grid_area_code of a consumption or production period (coordinator 5)."""
    of_area = periods.filter(F.col("type").isin("E17", "E18")).filter(_overlaps(clock))
    return of_area.select("grid_area_code").filter("grid_area_code is not null").distinct()


def keep(periods: DataFrame, grid_loss_list: DataFrame, grid_areas: Collection[str], clock: Clock) -> DataFrame:
    """Rows of the asked areas that overlap the period, clamped to it, still with the input's codes.

    The areas on both sides select exchange only. Adds number (the id as bigint, null where it is none) and
    is_grid_loss.
    """
    areas = list(grid_areas)
    exchanges = F.col("from_grid_area_code").isin(areas) | F.col("to_grid_area_code").isin(areas)
    asked = F.col("grid_area_code").isin(areas) | ((F.col("type") == "E20") & exchanges)
    carries_grid_loss = grid_loss_list.select("metering_point_id", F.lit(True).alias("is_grid_loss")).distinct()
    return (
        periods.filter(asked & _overlaps(clock))
        .withColumns(
            {
                "number": _number("metering_point_id"),
                "from_date": F.when(F.col("from_date").isNotNull(), F.greatest("from_date", instant(clock.start))),
                "to_date": F.least(F.coalesce("to_date", instant(clock.end)), instant(clock.end)),
            }
        )
        .join(F.broadcast(carries_grid_loss), on="metering_point_id", how="left")
        .withColumn("is_grid_loss", F.coalesce("is_grid_loss", F.lit(False)))
    )


def broken_rules(kept: DataFrame, clock: Clock) -> DataFrame:
    """What kept rows break: rule, row (as text), once for every rule that a row breaks; empty when all is well."""
    rules = F.array(*[F.when(broken, F.lit(rule)) for rule, broken in _rules(clock).items()])
    row = F.concat_ws(" ", *[_shown(column) for column in _SHOWN])
    # The rules with windows become columns first: an explode over a window does not plan on every engine.
    judged = kept.select(F.filter(rules, lambda rule: rule.isNotNull()).alias("broken"), row.alias("row"))
    return judged.filter(F.size("broken") > 0).select(F.explode("broken").alias("rule"), "row")


def named_in_english(kept: DataFrame) -> DataFrame:
    """Kept and sound rows with the result names of the codes and ids as numbers.

    Columns: metering_point_id bigint, metering_point (the id as written), type, settlement_method, grid_area_code,
    resolution, from_grid_area_code, to_grid_area_code, parent_metering_point_id bigint, energy_supplier_id,
    balance_responsible_party_id, from_date, to_date, is_grid_loss.
    """
    is_consumption = F.col("type") == "E17"
    return kept.select(
        F.col("number").alias("metering_point_id"),
        F.col("metering_point_id").alias("metering_point"),
        _translated("type", METERING_POINT_TYPE_BY_CODE).alias("type"),
        F.when(is_consumption, _translated("settlement_method", SETTLEMENT_METHOD_BY_CODE)).alias("settlement_method"),
        "grid_area_code",
        "resolution",
        "from_grid_area_code",
        "to_grid_area_code",
        _number("parent_metering_point_id").alias("parent_metering_point_id"),
        "energy_supplier_id",
        "balance_responsible_party_id",
        "from_date",
        "to_date",
        "is_grid_loss",
    )


def parents(metering_points: DataFrame) -> DataFrame:
    """Consumption, production and exchange: all that D03 and D04 settle (energy, first paragraph)."""
    types = [MeteringPointType.CONSUMPTION.value, MeteringPointType.PRODUCTION.value, MeteringPointType.EXCHANGE.value]
    return metering_points.filter(F.col("type").isin(types))


def _overlaps(clock: Clock) -> Column:
    """A row without from_date is kept, so that the null is judged; an empty period overlaps nothing."""
    begins, ends = F.col("from_date"), F.col("to_date")
    begins_in_time = begins.isNull() | (begins < instant(clock.end))
    ends_in_time = ends.isNull() | (ends > instant(clock.start))
    return begins_in_time & ends_in_time & ~begins.eqNullSafe(ends)


def _number(column: str) -> Column:
    return F.when(F.col(column).rlike("^[0-9]+$"), F.col(column).try_cast("bigint"))


def _rules(clock: Clock) -> dict[str, Column]:
    number = Window.partitionBy("number")
    earlier = number.orderBy("from_date", "to_date").rowsBetween(Window.unboundedPreceding, -1)
    is_e17, is_e18, is_e20 = (F.col("type") == code for code in ("E17", "E18", "E20"))
    is_flex = is_e17 & (F.col("settlement_method") == "D01")
    has_number = F.col("number").isNotNull()
    return {
        NULL: F.concat(*[F.col(name).cast("string") for name in _NEVER_NULL]).isNull(),
        TYPE: ~F.col("type").isin(list(METERING_POINT_TYPE_BY_CODE)),
        METHOD: ~F.col("settlement_method").isin(list(SETTLEMENT_METHOD_BY_CODE)),
        NO_METHOD: is_e17 & F.col("settlement_method").isNull(),
        RESOLUTION: ~F.col("resolution").isin([Resolution.QUARTER.value, Resolution.HOUR.value]),
        NO_NEIGHBOURS: is_e20 & (F.col("from_grid_area_code").isNull() | F.col("to_grid_area_code").isNull()),
        BACKWARDS: F.col("to_date") < F.col("from_date"),
        NO_MIDNIGHT: _is_no_midnight("from_date", clock) | _is_no_midnight("to_date", clock),
        OVERLAP: has_number & (F.col("from_date") < F.max("to_date").over(earlier)),
        NO_NUMBER: F.col("metering_point_id").isNotNull() & F.col("number").isNull(),
        SAME_NUMBER: has_number & (F.min("metering_point_id").over(number) != F.max("metering_point_id").over(number)),
        NO_GRID_LOSS_KIND: F.col("is_grid_loss") & ~F.coalesce(is_flex | is_e18, F.lit(False)),
    }


def _is_no_midnight(border: str, clock: Clock) -> Column:
    local_day = F.date_trunc("DAY", F.from_utc_timestamp(border, clock.time_zone))
    inside = (F.col(border) > instant(clock.start)) & (F.col(border) < instant(clock.end))
    return inside & (F.to_utc_timestamp(local_day, clock.time_zone) != F.col(border))


def _shown(column: str) -> Column:
    value = F.col(column)
    text = F.date_format(value, "yyyy-MM-dd'T'HH:mm:ss'Z'") if column.endswith("_date") else value
    return F.concat(F.lit(f"{column}="), F.coalesce(text, F.lit("null")))


def _translated(column: str, names: Mapping[str, str]) -> Column:
    """The result name of a code; one flat case, since nested ones take an engine's planner seconds."""
    code = F.col(column)
    (first, *others) = names.items()
    name = F.when(code == first[0], F.lit(str(first[1])))
    for other, meaning in others:
        name = name.when(code == other, F.lit(str(meaning)))
    return name
