"""Wholesale settlement inside the job: read and judge charges, calculate, write, check what was written (wholesale)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from shared import lake_layout
from shared.errors import ROWS_NAMED
from shared.job_arguments import JobArguments
from shared.manifest import ResultTable
from sparkjobs.jobs.charge_results import ChargeResults, hold, raise_all
from sparkjobs.jobs.tariff_energy import Parts
from sparkjobs.storage.results import ResultTables
from sparkjobs.wholesale import calculation, checks, judging, quality
from sparkjobs.wholesale.charge_keys import Materialise
from sparkjobs.wholesale.children import with_supplier_of_parent
from sparkjobs.wholesale.findings import findings
from sparkjobs.wholesale.monthly import monthly_amounts_per_charge, total_monthly_amounts
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

    metering_points: periods after the child rule, cuts: the same cut where tariff links begin or end, with
    tariff_set_id; quality: what the manifest tells of links and children.
    """

    charges: Charges
    metering_points: DataFrame
    cuts: DataFrame
    quality: Mapping[str, Any]


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
        materialise=materialise,
    )
    return ChargedMarket(
        charges=charges,
        metering_points=metering_points,
        quality=_judged(charges, kept, job),
        # Made once, so that its size is known: an engine that guesses puts the points on the wrong side of their join.
        cuts=materialise("metering_point_cuts", with_tariff_sets(metering_points, charges.links)),
    )


def _judged(charges: Charges, kept: DataFrame, job: JobArguments) -> dict[str, Any]:
    """Look once at all that was kept: what is wrong ends the job, what is odd is told."""
    period = (job.period_start, job.period_end, job.time_zone)
    wrong = judging.broken_prices(charges.prices, *period)
    found: dict[str, tuple[list[str], int]] = {rule: (sorted(rows), len(rows)) for rule, rows in wrong.items()}
    looked_at = judging.broken_links_and_points(charges, *period).unionByName(
        quality.unmatched_and_orphaned(charges, kept)
    )
    for row in findings(looked_at).collect():
        rows, _ = found.get(row.rule, ([], 0))
        found[row.rule] = ([*rows, row.row], row.total)
    raise_all({rule: told for rule, told in found.items() if rule not in quality.KINDS})
    return {
        kind: {"count": total, "examples": rows} for kind in quality.KINDS for rows, total in [found.get(kind, ([], 0))]
    }


def settle_charges(
    market: ChargedMarket,
    *,
    energy: DataFrame | None,
    parts: Parts,
    job: JobArguments,
    tables: ResultTables,
    materialise: Materialise,
) -> SettledCharges:
    """Settle the charges and write the three tables; what was written is read again and checked.

    Args:
        market: `read_charges`.
        energy: `tariff_energy`, materialised; None where no part of the market carries tariffs.
        parts: `find_parts`.
        job: the job's arguments.
        tables: the result tables of this run.
        materialise: calculates a frame once, in the job's work folder.

    Raises:
        DataError: a quantity or amount is beyond its decimal, or an invariant does not hold.
    """
    priced = calculation.calculate(
        energy=energy,
        parts=parts.parts,
        metering_points=market.metering_points,
        charges=market.charges,
        job_id=job.job_id,
        period_start=job.period_start,
        period_end=job.period_end,
        time_zone=job.time_zone,
        materialise=materialise,
    )
    written = ChargeResults(job, tables, {})
    accounts = written.amounts(priced, energy, market.charges)
    monthly = monthly_amounts_per_charge({key: account.amount for key, account in accounts.items()})
    totals = total_monthly_amounts(monthly)
    hold(checks.BEYOND_DECIMAL, checks.beyond_decimal(monthly, totals))
    sums, supplied = written.sums(monthly, totals)
    hold(checks.MONTHLY_SUMS, checks.differing_sums(accounts, sums))
    hold(checks.TOTALS, checks.differing_totals(accounts, supplied))
    unpriced, charges = checks.unpriced_charges(accounts)
    return SettledCharges(
        results=written.accounts,
        checks=[{"check": invariant, "passed": True} for invariant in checks.INVARIANTS],
        data_quality={
            **market.quality,
            quality.NULL_PRICES: {"count": unpriced, "examples": charges[:ROWS_NAMED]},
        },
    )
