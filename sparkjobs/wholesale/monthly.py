"""Monthly amount per charge, and totals per charge owner and per supplier (wholesale 6 and 7)."""

from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sparkjobs.contracts.charges import MONTHLY_AMOUNTS_PER_CHARGE, TOTAL_MONTHLY_AMOUNTS
from sparkjobs.wholesale.charge_keys import CHARGE
from sparkjobs.wholesale.local_days import instant
from sparkjobs.wholesale.rounding import money

_SUPPLY = ("grid_area_code", "energy_supplier_id")


def monthly_amounts_per_charge(amounts: DataFrame, period_start: datetime) -> DataFrame:
    """Per supplier, grid area and charge: the sum of the amounts, nulls ignored, null where all are null."""
    return (
        amounts.groupBy(*_SUPPLY, *CHARGE, "is_tax", "quantity_unit")
        .agg(money(_exact_sum(F.col("amount"))).alias("amount"))
        .withColumn("time", instant(period_start))
        .select(*MONTHLY_AMOUNTS_PER_CHARGE.fieldNames())
    )


def total_monthly_amounts(monthly: DataFrame, period_start: datetime) -> DataFrame:
    """Totals per charge owner and, with charge_owner_id null, per supplier.

    An owner's total is N(co) + Σ T(o) over all tax owners o ≠ co: 100 of the grid company, tax 10 and tariff 5 of the
    system operator → grid company 110, system operator 5, supplier 115. Tax alone makes no row of its own.
    """
    totals = exact_totals(monthly).withColumns({"amount": money(F.col("amount")), "time": instant(period_start)})
    return totals.select(*TOTAL_MONTHLY_AMOUNTS.fieldNames())


def exact_totals(monthly: DataFrame) -> DataFrame:
    """The totals before they are held to decimal(18,6): grid area, supplier, charge_owner_id null, amount."""
    return _totals_per_owner(monthly).unionByName(_totals_per_supplier(monthly))


def _totals_per_owner(monthly: DataFrame) -> DataFrame:
    is_tax = F.col("is_tax")
    supply = Window.partitionBy(*_SUPPLY)
    owners = monthly.groupBy(*_SUPPLY, "charge_owner_id").agg(
        F.count(F.when(~is_tax, 1)).alias("charges"),
        _exact_sum(F.when(~is_tax, F.col("amount"))).alias("own"),
        _exact_sum(F.when(is_tax, F.col("amount"))).alias("tax"),
        F.count(F.when(is_tax, F.col("amount"))).alias("known_taxes"),
    )
    others = owners.withColumns(
        {
            "all_tax": F.sum("tax").over(supply).cast("decimal(38,6)"),
            "known_taxes_of_others": F.sum("known_taxes").over(supply) - F.col("known_taxes"),
        }
    )
    tax_of_others = (F.col("all_tax") - F.coalesce("tax", F.lit(0))).cast("decimal(38,6)")
    owed_with_tax = (F.coalesce("own", F.lit(0)) + tax_of_others).cast("decimal(38,6)")
    total = F.when(F.col("known_taxes_of_others") > 0, owed_with_tax).otherwise(F.col("own"))
    return others.filter("charges > 0").select(*_SUPPLY, "charge_owner_id", total.alias("amount"))


def _totals_per_supplier(monthly: DataFrame) -> DataFrame:
    return (
        monthly.groupBy(*_SUPPLY)
        .agg(_exact_sum(F.col("amount")).alias("amount"))
        .withColumn("charge_owner_id", F.lit(None).cast("string"))
    )


def _exact_sum(amount: Column) -> Column:
    return F.sum(amount.cast("decimal(28,6)")).cast("decimal(38,6)")
