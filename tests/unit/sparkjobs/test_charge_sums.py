"""The series of the charge tables, and what holds the written sums against the amounts (wholesale 5 to 7)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from shared import lake_layout
from sparkjobs.contracts.results import key_columns
from sparkjobs.wholesale import checks
from sparkjobs.wholesale.charge_keys import Charge, Supply
from sparkjobs.wholesale.monthly import monthly_amounts_per_charge, total_monthly_amounts
from sparkjobs.wholesale.series import AmountKey, MonthlyKey, TotalKey, amount_key

SUPPLY = Supply("800", "A", "consumption", "flex")
NET, TAX = Charge("net", "tariff", "grid"), Charge("tax", "tariff", "state")
WRITTEN = checks.SeriesAccount(
    rows=24, amount=Decimal("1.000001"), quantity=Decimal("2.500"), lost=0, unpriced=0, first_unpriced=None
)
ACCOUNTS = {
    amount_key(NET, SUPPLY, is_tax=False, resolution="PT1H"): WRITTEN,
    amount_key(TAX, SUPPLY, is_tax=True, resolution="P1D"): replace(WRITTEN, amount=Decimal("10"), rows=31),
}
MONTHLY = monthly_amounts_per_charge({key: account.amount for key, account in ACCOUNTS.items()})
TOTALS = total_monthly_amounts(MONTHLY)


@pytest.mark.parametrize(
    ("key", "table"),
    [
        (AmountKey, lake_layout.AMOUNTS_PER_CHARGE),
        (MonthlyKey, lake_layout.MONTHLY_AMOUNTS_PER_CHARGE),
        (TotalKey, lake_layout.TOTAL_MONTHLY_AMOUNTS),
    ],
)
def test_a_key_has_the_key_columns_of_its_table(key: type[AmountKey], table: str) -> None:
    assert list(key._fields) == key_columns(table)


def test_sums_as_they_should_be_break_nothing() -> None:
    assert checks.differing_sums(ACCOUNTS, MONTHLY) == []
    assert checks.differing_totals(ACCOUNTS, TOTALS) == []
    assert checks.differing_energy(ACCOUNTS, {NET: Decimal(2500)}) == []
    assert checks.beyond_decimal(MONTHLY, TOTALS) == []
    assert checks.unpriced_charges(ACCOUNTS) == (0, [])


def test_a_monthly_amount_that_is_no_sum_is_named() -> None:
    changed = {key: Decimal(3) if key.charge == NET else amount for key, amount in MONTHLY.items()}
    (text,) = checks.differing_sums(ACCOUNTS, changed)
    assert "net" in text
    assert "parts=1.000001 sums=3" in text
    assert len(checks.differing_sums(ACCOUNTS, {})) == 2


def test_a_total_that_is_no_sum_is_named() -> None:
    owner = TotalKey("800", "A", "grid")
    assert {owner: Decimal("11.000001"), TotalKey("800", "A", None): Decimal("11.000001")} == TOTALS
    (text,) = checks.differing_totals(ACCOUNTS, {**TOTALS, owner: Decimal(1)})
    assert text == "grid_area_code=800 energy_supplier_id=A charge_owner_id=grid parts=11.000001 sums=1"


def test_energy_that_is_charged_to_nobody_is_named() -> None:
    assert checks.differing_energy(ACCOUNTS, {NET: Decimal(2501)}) == ["tariff net of grid parts=2501 sums=2500.000"]


def test_a_sum_beyond_its_decimal_is_named() -> None:
    (key,) = (key for key in MONTHLY if key.charge == NET)
    assert "1000000000000" in checks.beyond_decimal({key: Decimal(10**12)}, {})[0]


def test_rows_without_price_are_counted_and_shown_by_charge() -> None:
    unpriced = replace(WRITTEN, unpriced=3, first_unpriced=1675206000000000)
    accounts = {key: unpriced for key in ACCOUNTS if key.charge == NET}
    assert checks.unpriced_charges(accounts) == (3, ["tariff net of grid rows=3 first=2023-01-31T23:00:00Z"])
