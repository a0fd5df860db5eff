"""Invariants of the written charge tables (coordinator 5), and what one look at the amounts tells."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from shared.codes import Resolution
from sparkjobs.wholesale.charge_keys import Charge
from sparkjobs.wholesale.findings import charge_named, finding, text_of
from sparkjobs.wholesale.local_days import written
from sparkjobs.wholesale.monthly import exact_sum
from sparkjobs.wholesale.rounding import fits_money
from sparkjobs.wholesale.series import AmountKey, MonthlyKey, TotalKey

BEYOND_DECIMAL = "a quantity or amount is beyond decimal(18,3) or decimal(18,6)"
MONTHLY_SUMS = "monthly amounts are the sums of the amounts per charge"
TOTALS = "the total of a supplier is the sum over all charges, that of an owner its own and the taxes of others"
TARIFF_ENERGY = "the quantities of an hourly tariff over all suppliers are the energy behind its links"
INVARIANTS = (BEYOND_DECIMAL, MONTHLY_SUMS, TOTALS, TARIFF_ENERGY)

Sums = Mapping[MonthlyKey, Decimal | None]
Totals = Mapping[TotalKey, Decimal | None]


@dataclass(frozen=True, kw_only=True)
class SeriesAccount:
    """What was written of one series of amounts. first_unpriced: microseconds since the epoch."""

    rows: int
    amount: Decimal | None
    quantity: Decimal | None
    lost: int
    unpriced: int
    first_unpriced: int | None


def account_rows(amounts: DataFrame) -> DataFrame:
    """Per series of the written amounts what `SeriesAccount` holds, beside result_id."""
    unpriced = F.col("price").isNull()
    return amounts.groupBy(F.col("result_id")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.sum(F.col("amount").cast("decimal(28,6)")).cast("decimal(38,6)").alias("amount"),
        F.sum(F.col("quantity").cast("decimal(28,3)")).cast("decimal(38,3)").alias("quantity"),
        F.sum(F.when(_is_lost(), 1).otherwise(0)).cast("bigint").alias("lost"),
        F.sum(F.when(unpriced, 1).otherwise(0)).cast("bigint").alias("unpriced"),
        F.min(F.when(unpriced, F.unix_micros("time"))).alias("first_unpriced"),
    )


def account_of(row: Row) -> SeriesAccount:
    """A row of `account_rows`."""
    return SeriesAccount(
        rows=row.rows,
        amount=row.amount,
        quantity=row.quantity,
        lost=row.lost,
        unpriced=row.unpriced,
        first_unpriced=row.first_unpriced,
    )


def lost_rows(amounts: DataFrame) -> DataFrame:
    """Rows whose quantity or amount is beyond its decimal: rule, row, count."""
    shown = ("grid_area_code", "energy_supplier_id", "time", "quantity", "price")
    texts = [text_of(name) for name in shown]
    return amounts.filter(_is_lost()).select(*finding(F.lit(BEYOND_DECIMAL), charge_named(), *texts))


def _is_lost() -> Column:
    return F.col("quantity").isNull() | (F.col("price").isNotNull() & F.col("amount").isNull())


def beyond_decimal(sums: Sums, totals: Totals) -> list[str]:
    """Monthly amounts and totals that no decimal(18,6) holds, as text."""
    both = [*((_named(key), amount) for key, amount in sums.items()), *((_told(k), a) for k, a in totals.items())]
    return [f"{name} {amount}" for name, amount in both if amount is not None and not fits_money(amount)]


def differing_sums(accounts: Mapping[AmountKey, SeriesAccount], monthly: Sums) -> list[str]:
    """Monthly amounts, as written, that are not the sums of the written amounts."""
    parts: dict[tuple[str, str | None, Charge], list[Decimal | None]] = defaultdict(list)
    for key, account in accounts.items():
        parts[key.grid_area_code, key.energy_supplier_id, key.charge].append(account.amount)
    sums = {(key.grid_area_code, key.energy_supplier_id, key.charge): amount for key, amount in monthly.items()}
    wanted = {key: exact_sum(of_key) for key, of_key in parts.items()}
    return _differing(wanted, sums, str)


def differing_totals(accounts: Mapping[AmountKey, SeriesAccount], totals: Totals) -> list[str]:
    """Totals, as written, that are not what the written amounts add up to: own charges and the taxes of others."""
    wanted: dict[TotalKey, Decimal | None] = {}
    supplies: dict[tuple[str, str | None], list[tuple[AmountKey, Decimal | None]]] = defaultdict(list)
    for key, account in accounts.items():
        supplies[key.grid_area_code, key.energy_supplier_id].append((key, account.amount))
    for (area, supplier), amounts in supplies.items():
        wanted[TotalKey(area, supplier, None)] = exact_sum(amount for _, amount in amounts)
        taxes = [(key.charge_owner_id, amount) for key, amount in amounts if key.is_tax]
        own: dict[str, list[Decimal | None]] = defaultdict(list)
        for key, amount in amounts:
            if not key.is_tax:
                own[key.charge_owner_id].append(amount)
        for owner, parts in own.items():
            others = [amount for taxing, amount in taxes if taxing != owner]
            wanted[TotalKey(area, supplier, owner)] = exact_sum([*parts, *others])
    return _differing(wanted, totals, _told)


def _differing[K](wanted: Mapping[K, object], sums: Mapping[K, object], text: Callable[[K], str]) -> list[str]:
    return [
        f"{text(key)} parts={wanted.get(key)} sums={sums.get(key)}"
        for key in {*wanted, *sums}
        if key not in wanted or key not in sums or wanted[key] != sums[key]
    ]


def differing_energy(accounts: Mapping[AmountKey, SeriesAccount], behind: Mapping[Charge, Decimal]) -> list[str]:
    """Hourly tariffs whose quantities over all suppliers are not the energy behind their links (milli-kWh)."""
    settled: dict[Charge, Decimal] = defaultdict(Decimal)
    for key, account in accounts.items():
        if key.charge.is_tariff and key.resolution == Resolution.HOUR:
            settled[key.charge] += account.quantity or 0
    return [
        f"{charge} parts={behind.get(charge, 0)} sums={settled[charge] * 1000}"
        for charge in {*settled, *behind}
        if behind.get(charge, Decimal(0)) != settled[charge] * 1000
    ]


def unpriced_charges(accounts: Mapping[AmountKey, SeriesAccount]) -> tuple[int, list[str]]:
    """Rows without a price: how many, and their charges as text."""
    rows: dict[Charge, int] = defaultdict(int)
    first: dict[Charge, int] = {}
    for key, account in accounts.items():
        if account.unpriced and account.first_unpriced is not None:
            rows[key.charge] += account.unpriced
            first[key.charge] = min(account.first_unpriced, first.get(key.charge, account.first_unpriced))
    texts = [f"{charge} rows={count} first={written(first[charge])}" for charge, count in sorted(rows.items())]
    return sum(rows.values()), texts


def _named(key: MonthlyKey) -> str:
    supplier = key.energy_supplier_id or "null"
    return f"{key.charge} grid_area_code={key.grid_area_code} energy_supplier_id={supplier}"


def _told(key: TotalKey) -> str:
    return " ".join(f"{name}={value or 'null'}" for name, value in key._asdict().items())
