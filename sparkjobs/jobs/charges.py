"""Wholesale settlement inside the job: read and judge charges, calculate, write, check what was written (wholesale)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql import types as T

from shared import lake_layout
from shared.errors import DataError
from shared.job_arguments import JobArguments
from shared.manifest import ResultTable
from sparkjobs.contracts.result_ids import result_id
from sparkjobs.contracts.results import key_columns
from sparkjobs.storage.results import ResultTables
from sparkjobs.wholesale import calculation, checks, judging
from sparkjobs.wholesale.charge_keys import Materialise
from sparkjobs.wholesale.children import with_supplier_of_parent
from sparkjobs.wholesale.monthly import total_monthly_amounts
from sparkjobs.wholesale.reading import Charges, keep_charges
from sparkjobs.wholesale.tariff_sets import with_tariff_sets


@dataclass(frozen=True, kw_only=True)
class SettledCharges:
    """What the manifest tells of the charges: tables, checks made, counts and examples of links and prices."""

    results: Mapping[str, ResultTable]
    checks: list[dict[str, Any]]
    data_quality: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ChargedMarket:
    """Who pays which charges.

    kept: metering point periods before the child rule, metering_points: after it, cuts: the same cut where tariff links
    begin or end, with tariff_set_id; tariff_sets: the tariffs of each set.
    """

    charges: Charges
    kept: DataFrame
    metering_points: DataFrame
    cuts: DataFrame
    tariff_sets: DataFrame


def read_charges(
    tables: Mapping[str, DataFrame], kept: DataFrame, job: JobArguments, materialise: Materialise
) -> ChargedMarket:
    """The charge rows that the reading rules keep, made once and found sound, and the metering points that pay.

    Args:
        tables: the input tables as read.
        kept: kept and sound metering point periods, children among them.
        job: whose period is settled.
        materialise: calculates a frame once, in the job's work folder.

    Raises:
        DataError: a kept row breaks a rule.
    """
    metering_points = materialise("metering_points", with_supplier_of_parent(kept))
    charges = keep_charges(
        links=tables[lake_layout.CHARGE_LINK_PERIODS],
        prices=tables[lake_layout.CHARGE_PRICE_INFORMATION_PERIODS],
        price_points=tables[lake_layout.CHARGE_PRICE_POINTS],
        metering_points=metering_points,
        period_start=job.period_start,
        period_end=job.period_end,
    ).materialised(materialise)
    broken = judging.broken_rules(
        charges, period_start=job.period_start, period_end=job.period_end, time_zone=job.time_zone
    )
    _raise(broken.collect())
    cuts, sets = with_tariff_sets(metering_points, charges.links)
    return ChargedMarket(
        charges=charges,
        kept=kept,
        metering_points=metering_points,
        # Made once, so that its size is known: an engine that guesses puts the points on the wrong side of their join.
        cuts=materialise("metering_point_cuts", cuts),
        tariff_sets=materialise("tariff_sets", sets),
    )


def settle_charges(
    market: ChargedMarket,
    *,
    tariff_hours: DataFrame,
    grid_loss_points: DataFrame,
    job: JobArguments,
    tables: ResultTables,
    materialise: Materialise,
) -> SettledCharges:
    """Settle the charges and write the three tables; each is read again for what follows, so nothing is made twice.

    Args:
        market: `read_charges`.
        tariff_hours: as `calculation.calculate` wants them; read several times, so materialised.
        grid_loss_points: materialised likewise.
        job: the job's arguments.
        tables: the result tables of this run.
        materialise: calculates a frame once, in the job's work folder.

    Raises:
        DataError: a quantity or amount is beyond its decimal, or an invariant does not hold.
    """
    charges = market.charges
    written = _Written(tables, {})
    settlement = calculation.calculate(
        tariff_hours=tariff_hours,
        tariff_sets=market.tariff_sets,
        grid_loss_points=grid_loss_points,
        metering_points=market.metering_points,
        charge_prices=charges.prices,
        charge_links=charges.links,
        charge_price_points=charges.price_points,
        period_start=job.period_start,
        period_end=job.period_end,
        time_zone=job.time_zone,
        identify=lambda series: _identified(series, lake_layout.AMOUNTS_PER_CHARGE, job.job_id),
        materialise=lambda name, frame: (
            written(name, frame, ("series", "time"))
            if name == lake_layout.AMOUNTS_PER_CHARGE
            else materialise(name, frame)
        ),
    )
    amounts = settlement.results.amounts_per_charge
    monthly = _with_ids(
        settlement.results.monthly_amounts_per_charge, lake_layout.MONTHLY_AMOUNTS_PER_CHARGE, job.job_id
    )
    written_monthly = written(lake_layout.MONTHLY_AMOUNTS_PER_CHARGE, monthly, ("series", "time"))
    totals = total_monthly_amounts(written_monthly, job.period_start)
    read_again = calculation.WholesaleResults(
        amounts_per_charge=amounts,
        monthly_amounts_per_charge=written_monthly,
        total_monthly_amounts=written(
            lake_layout.TOTAL_MONTHLY_AMOUNTS,
            _with_ids(totals, lake_layout.TOTAL_MONTHLY_AMOUNTS, job.job_id),
            ("series", "time"),
        ),
    )
    _raise(checks.failed_invariants(read_again, settlement.tariffs).collect())
    return SettledCharges(
        results=written.accounts,
        checks=[{"check": invariant, "passed": True} for invariant in checks.INVARIANTS],
        data_quality=_account(checks.data_quality(charges, amounts, market.kept).collect()),
    )


@dataclass(frozen=True)
class _Written:
    """Writes result tables, keeps the manifest's account of each, and gives back what was written."""

    tables: ResultTables
    accounts: dict[str, ResultTable]

    def __call__(self, table: str, frame: DataFrame, order: tuple[str, ...]) -> DataFrame:
        version = self.tables.write(table, frame, order)
        rows = self.tables.read(table)
        counts = [row["count"] for row in rows.groupBy("result_id").count().collect()]
        self.accounts[table] = ResultTable(version=version, rows=sum(counts), series_count=len(counts))
        return rows


def _identified(series: DataFrame, table: str, job_id: str) -> DataFrame:
    """The series with result_id and their place when sorted by area and id; few, so numbered here."""
    unit = F.when(F.col("charge_type") == "tariff", F.lit("kWh")).otherwise(F.lit("pcs"))
    return _with_ids(series.withColumn("quantity_unit", unit), table, job_id).drop("quantity_unit")


def _with_ids(series: DataFrame, table: str, job_id: str) -> DataFrame:
    keys = key_columns(table)
    rows = [(row, result_id(job_id, table, [row[name] for name in keys])) for row in series.collect()]
    ordered = sorted(rows, key=lambda found: (found[0].grid_area_code, found[1]))
    values = [(*row, identity, place) for place, (row, identity) in enumerate(ordered)]
    columns = [T.StructField(field.name, field.dataType) for field in series.schema.fields]
    added = [T.StructField("result_id", T.StringType()), T.StructField("series", T.IntegerType())]
    return series.sparkSession.createDataFrame(values, T.StructType([*columns, *added]))


def _raise(found: Iterable[Row]) -> None:
    """One error of the first rule that is broken; the message names the other rules."""
    by_rule: dict[str, list[Row]] = {}
    for row in found:
        by_rule.setdefault(row.rule, []).append(row)
    messages = [str(DataError("", rule, [row.row for row in rows], rows[0].total)) for rule, rows in by_rule.items()]
    if messages:
        raise DataError("INPUT_RULE", "; ".join(sorted(messages)))


def _account(found: Iterable[Row]) -> dict[str, Any]:
    account: dict[str, Any] = {kind: {"count": 0, "examples": []} for kind in checks.KINDS}
    for row in found:
        account[row.rule]["count"] = row.total
        account[row.rule]["examples"].append(row.row)
    return account
