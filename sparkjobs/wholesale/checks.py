"""Invariants of the written charge tables, and what the manifest tells about links and prices (coordinator 5)."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shared.codes import ChargeType, Resolution
from sparkjobs.wholesale.calculation import WholesaleResults
from sparkjobs.wholesale.charge_keys import CHARGE
from sparkjobs.wholesale.children import orphaned_children
from sparkjobs.wholesale.findings import charge_named, finding, findings, text_of
from sparkjobs.wholesale.monthly import exact_totals
from sparkjobs.wholesale.reading import Charges
from sparkjobs.wholesale.tariffs import NumberedTariffs

BEYOND_DECIMAL = "a quantity or amount is beyond decimal(18,3) or decimal(18,6)"
MONTHLY_SUMS = "monthly amounts are the sums of the amounts per charge"
TOTALS = "the total of a supplier is the sum over all charges, that of an owner its own and the taxes of others"
TARIFF_ENERGY = "the quantities of an hourly tariff over all suppliers are the energy behind its links"
INVARIANTS = (BEYOND_DECIMAL, MONTHLY_SUMS, TOTALS, TARIFF_ENERGY)

UNMATCHED_LINKS = "unmatched_links"
NULL_PRICES = "null_prices"
ORPHANED_CHILDREN = "orphaned_children"
KINDS = (UNMATCHED_LINKS, NULL_PRICES, ORPHANED_CHILDREN)

_WIDE = "decimal(38,6)"


def failed_invariants(results: WholesaleResults, tariffs: NumberedTariffs) -> DataFrame:
    """Rows that break an invariant: rule, row (up to ten per rule), total; empty when all hold.

    Args:
        results: as written and read again, so that nothing is calculated twice.
        tariffs: the tariffs and the energy behind them (`calculation.WholesaleSettlement`).
    """
    amounts, monthly = results.amounts_per_charge, results.monthly_amounts_per_charge
    broken = (
        _beyond_decimal(amounts)
        .unionByName(_monthly_sums_differ(amounts, monthly))
        .unionByName(_totals_differ(monthly, results.total_monthly_amounts))
        .unionByName(_tariff_energy_differs(amounts, tariffs))
    )
    return findings(broken)


def data_quality(charges: Charges, amounts: DataFrame, metering_points: DataFrame) -> DataFrame:
    """What the manifest counts and shows: rule (its kind), row, total.

    Links not wholly inside known charge periods, charges without a price at some time, children without a parent.

    Args:
        charges: kept rows.
        amounts: as written.
        metering_points: kept periods before the child rule.
    """
    shown = [text_of(name) for name in ("metering_point", "from_date", "to_date")]
    links = unmatched_links(charges).select(*finding(F.lit(UNMATCHED_LINKS), charge_named(), *shown))
    orphans = orphaned_children(metering_points).select(
        *finding(F.lit(ORPHANED_CHILDREN), *[text_of(name) for name in ("metering_point", "from_date", "to_date")])
    )
    return findings(links.unionByName(_null_prices(amounts)).unionByName(orphans))


def unmatched_links(charges: Charges) -> DataFrame:
    """Kept links whose period is not wholly inside price information of their charge; the rest of it goes on."""
    periods = charges.links.select(*CHARGE, "from_date", "to_date").distinct()
    prices = charges.prices.select(*CHARGE, F.col("from_date").alias("price_from"), F.col("to_date").alias("price_to"))
    inside = F.least("to_date", "price_to").cast("bigint") - F.greatest("from_date", "price_from").cast("bigint")
    covered = (
        periods.join(prices, on=list(CHARGE), how="inner")
        .groupBy(*CHARGE, "from_date", "to_date")
        .agg(F.sum(F.greatest(inside, F.lit(0))).alias("covered"))
        .filter(F.col("covered") == F.col("to_date").cast("bigint") - F.col("from_date").cast("bigint"))
    )
    return charges.links.join(covered, on=[*CHARGE, "from_date", "to_date"], how="left_anti")


def _null_prices(amounts: DataFrame) -> DataFrame:
    """Counted in rows, shown by charge."""
    charges = (
        amounts.filter("price is null")
        .groupBy(*CHARGE)
        .agg(F.count(F.lit(1)).alias("rows"), F.min("time").alias("first"))
    )
    found = finding(F.lit(NULL_PRICES), charge_named(), text_of("rows"), text_of("first"))
    return charges.select(*found[:2], F.col("rows").alias("count"))


def _beyond_decimal(amounts: DataFrame) -> DataFrame:
    lost = F.col("quantity").isNull() | (F.col("price").isNotNull() & F.col("amount").isNull())
    shown = ("grid_area_code", "energy_supplier_id", "time", "quantity", "price")
    texts = [text_of(name) for name in shown]
    return amounts.filter(lost).select(*finding(F.lit(BEYOND_DECIMAL), charge_named(), *texts))


def _monthly_sums_differ(amounts: DataFrame, monthly: DataFrame) -> DataFrame:
    key = ("grid_area_code", "energy_supplier_id", *CHARGE)
    differing = _differences(amounts, monthly, key)
    supply = [text_of(name) for name in ("grid_area_code", "energy_supplier_id")]
    return differing.select(*finding(_beyond_or(MONTHLY_SUMS), charge_named(), *supply, *_sums()))


def _totals_differ(monthly: DataFrame, totals: DataFrame) -> DataFrame:
    key = ("grid_area_code", "energy_supplier_id", "charge_owner_id")
    differing = _differences(exact_totals(monthly), totals, key)
    shown = [text_of(name) for name in key]
    return differing.select(*finding(_beyond_or(TOTALS), *shown, *_sums()))


def _differences(parts: DataFrame, sums: DataFrame, key: tuple[str, ...]) -> DataFrame:
    """Keys whose parts do not add up to their sum, null where every part is null: key, parts, sums."""
    as_parts = parts.select(*key, F.col("amount").cast(_WIDE).alias("parts"), F.lit(None).cast(_WIDE).alias("sums"))
    as_sums = sums.select(*key, F.lit(None).cast(_WIDE).alias("parts"), F.col("amount").cast(_WIDE).alias("sums"))
    both = as_parts.unionByName(as_sums).groupBy(*key)
    return both.agg(F.sum("parts").cast(_WIDE).alias("parts"), F.sum("sums").cast(_WIDE).alias("sums")).filter(
        ~F.col("parts").eqNullSafe(F.col("sums"))
    )


def _beyond_or(rule: str) -> Column:
    """A sum that is null though its parts are not was too large for its decimal (`rounding.money`)."""
    return F.when(F.col("sums").isNull(), F.lit(BEYOND_DECIMAL)).otherwise(F.lit(rule))


def _sums() -> list[Column]:
    return [text_of(name) for name in ("parts", "sums")]


def _tariff_energy_differs(amounts: DataFrame, tariffs: NumberedTariffs) -> DataFrame:
    key = ("charge_code", "charge_owner_id")
    hourly = tariffs.counting.filter(F.col("resolution") == Resolution.HOUR.value)
    behind = (
        tariffs.hours.groupBy("tariff_set_id", "time")
        .agg(F.sum(F.col("milli_kwh").cast("decimal(28,0)")).cast(_WIDE).alias("milli_kwh"))
        .join(F.broadcast(hourly), on="tariff_set_id", how="inner")  # one row per set, tariff and price period
        .filter("from_date <= time and time < to_date")
        .join(F.broadcast(tariffs.charges.select("charge", *key)), on="charge", how="inner")
    )
    settled = amounts.filter(
        (F.col("charge_type") == ChargeType.TARIFF.value) & (F.col("resolution") == Resolution.HOUR.value)
    )
    differing = _differences(
        behind.select(*key, (F.col("milli_kwh") / 1000).alias("amount")),
        settled.select(*key, F.col("quantity").alias("amount")),
        key,
    )
    shown = [text_of(name) for name in key]
    return differing.select(*finding(F.lit(TARIFF_ENERGY), *shown, *_sums()))
