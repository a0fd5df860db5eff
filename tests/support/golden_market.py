"""A small worked market: every row of the receiver table at least once, for the golden documents."""

from datetime import UTC, datetime, timedelta

from functions.messages.actors import Party
from functions.messages.documents import Document, reject, reject_header
from functions.messages.recipients import DocumentName
from shared import lake_layout as lake
from tests.support.results import (
    BRP,
    OTHER_BRP,
    START,
    SUPPLIER,
    InMemoryResults,
    charge_rows,
    energy_rows,
    market,
    monthly_rows,
    per_supplier_rows,
    total_rows,
)

QUALITIES = [["measured"], ["measured", "missing"], ["estimated"], ["calculated"], ["missing"], []]


def balance_market() -> InMemoryResults:
    """The results of a balance fixing of area 800: all series, a gap, every quality, a null quantity."""
    results = market()
    for number, kind in enumerate(
        ("production", "flex_consumption", "non_profiled_consumption", "net_exchange_per_ga", "total_consumption")
    ):
        results.add(lake.ENERGY, energy_rows(f"energy-{number}", ["10.043", "1.501"], kind=kind))
    rows = energy_rows("brp", ["1.000", "2.500", "0.000", "-0.279", "7.000", None])
    for row, qualities in zip(rows, QUALITIES, strict=True):
        row |= {"balance_responsible_party_id": BRP, "quantity_qualities": qualities}
    rows[4]["time"] += timedelta(hours=2)
    rows[5]["time"] += timedelta(hours=2)
    results.add(lake.ENERGY_PER_BRP, rows)
    results.add(lake.ENERGY_PER_ES, per_supplier_rows("es-1", ["1.000", "2.000"], kind="flex_consumption"))
    other = {"balance_responsible_party_id": OTHER_BRP, "kind": "flex_consumption"}
    results.add(lake.ENERGY_PER_ES, per_supplier_rows("es-2", ["0.001", "0.002"], **other))
    neighbour = [{**row, "neighbor_grid_area_code": "801"} for row in energy_rows("neighbour", ["-5.001", "5.001"])]
    for row in neighbour:
        del row["time_series_type"]
    return results.add(lake.EXCHANGE_PER_NEIGHBOR, neighbour)


def wholesale_market() -> InMemoryResults:
    """The results of a second correction of area 800: tariff, tax, subscription, fee, monthly and total amounts."""
    results = market()
    tariff = [("12.345", "0.123456", "1.524064"), ("1.000", None, None)]
    results.add(lake.AMOUNTS_PER_CHARGE, charge_rows("charge-1-tariff", tariff))
    tax = charge_rows("charge-2-tax", [("3.000", "0.900000", "2.700000")], is_tax=True, charge_code="EA-001")
    subscription = charge_rows(
        "charge-3-subscription",
        [("2.000", "3.229032", "6.458064")],
        **{"charge_type": "subscription", "quantity_unit": "pcs", "charge_code": "5 <&> 5", "resolution": "P1D"},
        **{"quantity_qualities": None, "charge_owner_id": "5790000000010"},
    )
    fee = charge_rows(
        "charge-4-fee",
        [("1.000", "100.000000", "100.000000")],
        **{"charge_type": "fee", "quantity_unit": "pcs", "charge_code": "GEBYR", "resolution": "P1D"},
        **{"metering_point_type": "production", "settlement_method": None, "quantity_qualities": None},
    )
    for rows in (tax, subscription, fee):
        results.add(lake.AMOUNTS_PER_CHARGE, rows)
    results.add(lake.MONTHLY_AMOUNTS_PER_CHARGE, monthly_rows("month-1", "1.524064"))
    results.add(lake.MONTHLY_AMOUNTS_PER_CHARGE, monthly_rows("month-2", None, is_tax=True, charge_code="EA-001"))
    results.add(lake.TOTAL_MONTHLY_AMOUNTS, total_rows("total-1", "110.682128", None))
    results.add(lake.TOTAL_MONTHLY_AMOUNTS, total_rows("total-2", "101.524064", "5790000432752"))
    return results.add(lake.TOTAL_MONTHLY_AMOUNTS, total_rows("total-3", "9.158064", "5790000000010"))


def rejects() -> dict[str, Document]:
    """One reject of each kind, by name."""
    reasons = (
        ("E16", "EnergySupplier must be submitted with a valid GLN/EIC number"),
        ("D66", "Forkert dato format for Start date, skal være YYYY-MM-DDT22:00:00Z eller YYYY-MM-DDT23:00:00Z"),
    )
    made = {}
    for name, process_type in ((DocumentName.ENERGY_REJECT, "D04"), (DocumentName.CHARGES_REJECT, "D05")):
        header = reject_header(
            mrid="0123456789abcdef0123456789abcdef",
            process_type=process_type,
            receiver=Party(SUPPLIER, "DDQ"),
            created=datetime(2025, 3, 5, 10, 11, 12, tzinfo=UTC),
        )
        series = "fedcba9876543210fedcba9876543210"
        made[name.value] = reject(name, header, series_mrid=series, transaction_id="transaction-1", reasons=reasons)
    return made


__all__ = ["START", "balance_market", "rejects", "wholesale_market"]
