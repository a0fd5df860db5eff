"""The three charge tables of a run: written, read again, and held against what made them (wholesale 5 to 7)."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from shared import lake_layout
from shared.errors import DataError
from shared.job_arguments import JobArguments
from shared.manifest import ResultTable
from sparkjobs.contracts.charges import MONEY
from sparkjobs.contracts.columns import columns
from sparkjobs.storage.results import ResultTables
from sparkjobs.wholesale import checks
from sparkjobs.wholesale.amounts import amounts_per_charge
from sparkjobs.wholesale.calculation import PricedQuantities
from sparkjobs.wholesale.charge_keys import small
from sparkjobs.wholesale.findings import findings
from sparkjobs.wholesale.local_days import instant
from sparkjobs.wholesale.reading import Charges
from sparkjobs.wholesale.series import AmountKey, MonthlyKey, TotalKey, catalogue, key_columns
from sparkjobs.wholesale.tariffs import energy_of_charges

_ORDER = ("series", "time")
_AMOUNT = T.StructField("amount", MONEY)
_KEYS: Mapping[str, type[MonthlyKey | TotalKey]] = {
    lake_layout.MONTHLY_AMOUNTS_PER_CHARGE: MonthlyKey,
    lake_layout.TOTAL_MONTHLY_AMOUNTS: TotalKey,
}


@dataclass(frozen=True)
class ChargeResults:
    """Writes the result tables and keeps the manifest's account of each."""

    job: JobArguments
    tables: ResultTables
    accounts: dict[str, ResultTable]

    def amounts(
        self, priced: PricedQuantities, energy: DataFrame | None, charges: Charges
    ) -> dict[AmountKey, checks.SeriesAccount]:
        """Write the amounts, and look once at what was written and at the energy behind it."""
        table = lake_layout.AMOUNTS_PER_CHARGE
        version = self.tables.write(
            table, priced.quantities, _ORDER, lambda rows: amounts_per_charge(rows, priced.series)
        )
        rows = self.tables.read(table)
        looked_at = checks.account_rows(rows)
        if energy is not None and priced.tariffs:
            looked_at = looked_at.unionByName(
                energy_of_charges(energy, priced.tariffs, charges.numbers), allowMissingColumns=True
            )
        found = looked_at.collect()
        keys = {id_: key for key, id_ in priced.series.ids.items()}
        accounts = {keys[row.result_id]: checks.account_of(row) for row in found if row.result_id is not None}
        if any(account.lost for account in accounts.values()):
            lost = findings(checks.lost_rows(rows)).collect()
            raise_all({row.rule: ([each.row for each in lost], row.total) for row in lost})
        names = {number: charge for charge, number in charges.numbers.items()}
        behind = {names[row.charge]: row.milli_kwh for row in found if row.result_id is None}
        hold(checks.TARIFF_ENERGY, checks.differing_energy(accounts, behind))
        count = sum(account.rows for account in accounts.values())
        self.accounts[table] = ResultTable(version=version, rows=count, series_count=len(accounts))
        return accounts

    def sums(self, monthly: checks.Sums, totals: checks.Totals) -> tuple[checks.Sums, checks.Totals]:
        """Write the monthly amounts and the totals, and read both again."""
        tables = (lake_layout.MONTHLY_AMOUNTS_PER_CHARGE, lake_layout.TOTAL_MONTHLY_AMOUNTS)
        with ThreadPoolExecutor(max_workers=2) as writers:
            writing = (writers.submit(self._write, tables[0], monthly), writers.submit(self._write, tables[1], totals))
            versions = [each.result() for each in writing]
        rows = [self.tables.read(table) for table in tables]
        read = (
            rows[0]
            .select(*MonthlyKey._fields, "amount")
            .unionByName(rows[1].select(*TotalKey._fields, "amount"), allowMissingColumns=True)
        )
        sums: dict[MonthlyKey, Decimal | None] = {}
        supplied: dict[TotalKey, Decimal | None] = {}
        rows_written = [0, 0]
        for row in read.collect():
            rows_written[row.charge_code is None] += 1
            if row.charge_code is None:
                supplied[TotalKey(*[row[name] for name in TotalKey._fields])] = row.amount
            else:
                sums[MonthlyKey(*[row[name] for name in MonthlyKey._fields])] = row.amount
        counts = zip(tables, versions, rows_written, (len(sums), len(supplied)), strict=True)
        for table, version, rows_of_table, series in counts:
            self.accounts[table] = ResultTable(version=version, rows=rows_of_table, series_count=series)
        return sums, supplied

    def _write(self, table: str, amounts: Mapping[Any, Decimal | None]) -> int:
        """As many rows as series, named and sorted here."""
        series = catalogue(self.job.job_id, table, amounts)
        rows = [(number, series.ids[key], amounts[key], *key) for key, number in series.numbers.items()]
        names = columns(key_columns(_KEYS[table]))
        schema = T.StructType([*columns("series int, result_id string").fields, _AMOUNT, *names.fields])
        frame = small(self.tables.engine.spark, rows, schema).withColumn("time", instant(self.job.period_start))
        return self.tables.write(table, frame, _ORDER)


def hold(invariant: str, broken: list[str]) -> None:
    """Refuse rows that break an invariant.

    Raises:
        DataError: there is such a row.
    """
    raise_all({invariant: (sorted(broken), len(broken))} if broken else {})


def raise_all(found: Mapping[str, tuple[Iterable[str], int]]) -> None:
    """One error of all that was found: by rule up to ten rows as text, and how many there are.

    Raises:
        DataError: something was found.
    """
    messages = [str(DataError("", rule, list(rows), total)) for rule, (rows, total) in found.items()]
    if messages:
        raise DataError("INPUT_RULE", "; ".join(sorted(messages)))
