"""Load of national shape as input tables, straight to Delta: for benchmarks and rehearsals.

`python -m sparkjobs.jobs.generate --lake <folder> --metering-points 10000 --days 31 --hourly-share 80`

Ten areas × twenty suppliers (or neighbours) × four kinds (production, flex, non-profiled, exchange) = 800 groups at
every size, and two grid-loss metering points per area. Everything depends on the arguments alone: the same lake
every time.
"""

import argparse
import os
from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from shared import lake_layout
from shared.danish_time import DEFAULT_TIME_ZONE, local_midnight
from sparkjobs.contracts.conform import conform
from sparkjobs.storage.delta import append, ensure_table, table_folder
from sparkjobs.storage.engine import ENGINE_SETTING, Engine, open_engine
from sparkjobs.storage.inputs import CONTRACTS

AREAS, SUPPLIERS = 10, 20
FIRST_ID, FIRST_GRID_LOSS_ID = 571313100000000000, 571313190000000000


def main(argv: Sequence[str] | None = None) -> int:
    """Generate the tables of the arguments; gives the exit code."""
    parser = argparse.ArgumentParser(prog="generate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lake", required=True)
    parser.add_argument("--metering-points", type=int, required=True)
    parser.add_argument("--start", type=date.fromisoformat, default=date(2025, 1, 1))
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--hourly-share", type=int, default=0, help="per cent of the metering points that are hourly")
    given = parser.parse_args(argv)
    engine = open_engine(os.environ.get(ENGINE_SETTING))
    try:
        zone = ZoneInfo(DEFAULT_TIME_ZONE)
        start = int(local_midnight(given.start, zone).timestamp())
        end = int(local_midnight(given.start + timedelta(days=given.days), zone).timestamp())
        generate(engine, given.lake, given.metering_points, start, end, given.hourly_share)
    finally:
        engine.close()
    return 0


def generate(engine: Engine, lake: str, metering_points: int, start: int, end: int, hourly_share: int) -> None:
    """Write the three tables of energy settlement, in one commit each.

    Args:
        engine: the session.
        lake: where.
        metering_points: how many, the twenty grid-loss ones apart.
        start: of the points, epoch seconds.
        end: of the points, exclusive.
        hourly_share: per cent that are hourly; the others are quarterly.
    """
    market = _metering_points(engine.spark, metering_points, hourly_share)
    grid_loss = engine.spark.range(2 * AREAS).select(
        (F.col("id") + FIRST_GRID_LOSS_ID).cast("string").alias("metering_point_id"),
        (F.col("id") % 2).alias("kind"),
        "id",
    )
    periods = market.transform(_periods).unionByName(grid_loss.transform(_grid_loss_periods))
    _write(engine, lake, lake_layout.METERING_POINT_PERIODS, periods)
    _write(engine, lake, lake_layout.GRID_LOSS_METERING_POINTS, grid_loss)
    _write(engine, lake, lake_layout.TIME_SERIES_POINTS, _points(market, start, end))


def _write(engine: Engine, lake: str, table: str, frame: DataFrame) -> None:
    path = table_folder(lake, lake_layout.input_table(table))
    nullable = T.StructType([T.StructField(f.name, f.dataType, True, f.metadata) for f in CONTRACTS[table].fields])
    ensure_table(engine, path, nullable)
    append(path, frame.transform(conform, nullable))


def _metering_points(spark: SparkSession, count: int, hourly_share: int) -> DataFrame:
    """Kinds: 0 production, 1 flex, 2 non-profiled, 3 exchange; area and partner are numbers."""
    return spark.range(count).selectExpr(
        "id",
        f"cast({FIRST_ID} + id as string) as metering_point_id",
        "cast(id % 4 as int) as kind",
        f"cast(id div 4 % {AREAS} as int) as area",
        f"cast(id div {4 * AREAS} % {SUPPLIERS} as int) as partner",
        # 61 is coprime to 100, so every kind and area has its share of hourly metering points.
        f"(id div 4 * 61) % 100 < {hourly_share} as is_hourly",
    )


def _periods(market: DataFrame) -> DataFrame:
    is_exchange = F.col("kind") == 3
    supplier = F.format_string("57900000%05d", F.col("partner"))
    responsible = F.format_string("57910000%05d", (F.col("partner") / 4).cast("int"))
    area = F.format_string("%03d", F.col("area") + 100)
    type_ = F.when(F.col("kind") == 0, "E18").when(is_exchange, "E20").otherwise("E17")
    return _as_periods(
        market,
        type=type_,
        settlement_method=F.when(F.col("kind") == 1, "D01").when(F.col("kind") == 2, "E02"),
        grid_area_code=area,
        resolution=F.when(F.col("is_hourly"), "PT1H").otherwise("PT15M"),
        to_grid_area_code=F.when(is_exchange, area),
        from_grid_area_code=F.when(is_exchange, F.format_string("%03d", F.col("partner") + 200)),
        energy_supplier_id=F.when(~is_exchange, supplier),
        balance_responsible_party_id=F.when(~is_exchange, responsible),
    )


def _grid_loss_periods(grid_loss: DataFrame) -> DataFrame:
    return _as_periods(
        grid_loss,
        type=F.when(F.col("kind") == 0, "E17").otherwise("E18"),
        settlement_method=F.when(F.col("kind") == 0, "D01"),
        grid_area_code=F.format_string("%03d", (F.col("id") / 2).cast("int") + 100),
        resolution=F.lit("PT15M"),
        energy_supplier_id=F.lit("5790000000000"),
        balance_responsible_party_id=F.lit("5791000000000"),
    )


def _as_periods(frame: DataFrame, **columns: object) -> DataFrame:
    contract = CONTRACTS[lake_layout.METERING_POINT_PERIODS]
    since = {"from_date": F.lit("2019-12-31T23:00:00Z").cast("timestamp")}
    known = {"metering_point_id": F.col("metering_point_id"), **since, **columns}
    return frame.select(*[known.get(f.name, F.lit(None).cast(f.dataType)).alias(f.name) for f in contract.fields])  # type: ignore[attr-defined] # every value is a Column


def _points(market: DataFrame, start: int, end: int) -> DataFrame:
    """Time by time, so that the table is clustered as the ingestion job keeps it; two in a thousand are estimated."""
    quarters = market.sparkSession.range((end - start) // 900).withColumnRenamed("id", "quarter")
    points = quarters.crossJoin(F.broadcast(market)).filter("not is_hourly or quarter % 4 = 0")
    # A day's shape: low at night, high in the evening; sizes differ a hundredfold between metering points.
    hour_of_day = "(quarter % 96) / 4.0"
    size = "(20 + (id * 7919) % 1980)"
    shape = f"(1.0 + 0.6 * sin(({hour_of_day} - 12.0) * 0.2617993878))"
    wobble = "(0.9 + ((id * 31 + quarter * 17) % 200) / 1000.0)"
    milli_kwh = f"cast({size} * {shape} * {wobble} * if(is_hourly, 4, 1) as bigint)"
    return points.selectExpr(
        "metering_point_id",
        f"cast({milli_kwh} * cast(0.001 as decimal(4,3)) as decimal(18,3)) as quantity",
        "if((id + quarter) % 500 = 0, 'estimated', 'measured') as quality",
        f"timestamp_seconds({start} + quarter * 900) as observation_time",
    )


if __name__ == "__main__":
    raise SystemExit(main())
