"""RSM-019 NotifyWholesaleServices: amounts per charge, monthly amounts and total monthly amounts (messages 5)."""

from collections.abc import Mapping

from functions.messages.documents import (
    Codes,
    Document,
    Element,
    Header,
    Key,
    Period,
    PointForm,
    Points,
    Values,
    actor,
    area,
    code,
    text,
)
from functions.messages.energy_document import SeriesHead
from functions.messages.errors import BadSeries
from functions.messages.recipients import DocumentName
from functions.messages.series import AMOUNT_QUALITIES, CALCULATED, MISSING, Stretch
from shared.codes import METERING_POINT_TYPE_BY_CODE, SETTLEMENT_METHOD_BY_CODE, ChargeType
from shared.result_series import UNKNOWN_QUALITY, ResultSeries

PRODUCT = "5790001330590"
LONGEST_PRICE = 17
"""Digits that a price may have (XSD totalDigits: zeros at either end do not count)."""
_CHARGE_TYPES: dict[str, str] = {ChargeType.SUBSCRIPTION: "D01", ChargeType.FEE: "D02", ChargeType.TARIFF: "D03"}
_UNITS = {"kWh": "KWH", "pcs": "H87"}
_METERING_POINT_TYPES: dict[str, str] = {kind: letter for letter, kind in METERING_POINT_TYPE_BY_CODE.items()}
_SETTLEMENT_METHODS: dict[str, str] = {method: letter for letter, method in SETTLEMENT_METHOD_BY_CODE.items()}
_WITHOUT_PRICE, _ALWAYS_CALCULATED = UNKNOWN_QUALITY, UNKNOWN_QUALITY + 1
_QUALITIES = (*AMOUNT_QUALITIES, MISSING, CALCULATED)


def amount_points(series: ResultSeries, stretch: Stretch) -> Points:
    """The points of one stretch. Monthly and total amounts have the sum alone; a null amount is written as 0.

    Raises:
        BadSeries: a price of more than 17 digits.
    """
    part = slice(stretch.first, stretch.last)
    amounts = [amount if amount is not None else "0" for amount in series.amounts[part]]
    sums = Values("energySum_Quantity.quantity", amounts)
    if not series.quantities:
        return Points(len(amounts), (sums,))
    prices = series.prices[part]
    for price in prices:
        if price is not None and len(price) > LONGEST_PRICE and _digits(price) > LONGEST_PRICE:
            raise BadSeries(f"the price {price} has more than {LONGEST_PRICE} digits")
    columns = (
        Values("energy_Quantity.quantity", series.quantities[part]),
        Values("price.amount", prices, PointForm.BOXED_NUMBER),
        sums,
        Codes("quality", _quality_indices(series, part), _QUALITIES),
    )
    return Points(len(amounts), columns)


def _digits(price: str) -> int:
    whole, _, fraction = price.lstrip("-").partition(".")
    return len(whole.lstrip("0")) + len(fraction.rstrip("0"))


def _quality_indices(series: ResultSeries, part: slice) -> bytes:
    """Price null → A05; subscription or fee → A06; else by the set of qualities."""
    tariff = series.key["charge_type"] == ChargeType.TARIFF
    qualities = series.qualities[part] if tariff else bytes([_ALWAYS_CALCULATED]) * len(series.qualities[part])
    prices = series.prices[part]
    if None not in prices:
        return qualities
    pairs = zip(prices, qualities, strict=True)
    return bytes(_WITHOUT_PRICE if price is None else quality for price, quality in pairs)


def charges_document(header: Header, head: SeriesHead, key: Key, period: Period) -> Document:
    """The document of one stretch of a series of amounts; which elements it has follows from the columns of its table.

    Raises:
        BadSeries: no energy supplier, an unknown charge type, unit, metering point type or settlement method, or an
            actor id that is neither GLN nor EIC.
    """
    if key["energy_supplier_id"] is None:
        raise BadSeries("the series has no energy supplier, and RSM-019 cannot do without")
    unit = _code(_UNITS, key.get("quantity_unit", "kWh"), "unit")
    per_charge, priced = "charge_code" in key, "metering_point_type" in key
    elements = (
        *text("mRID", head.mrid),
        *text("version", head.version),
        *code("settlement_Series.version", head.correction),
        *text("originalTransactionIDReference_Series.mRID", head.transaction_id),
        *_if_set("marketEvaluationPoint.type", _METERING_POINT_TYPES, key, "metering_point_type"),
        *_if_set("marketEvaluationPoint.settlementMethod", _SETTLEMENT_METHODS, key, "settlement_method"),
        *text("chargeType.mRID", str(key["charge_code"]) if per_charge else None),
        *(_element("chargeType.type", _CHARGE_TYPES, key, "charge_type") if per_charge else ()),
        *actor(
            "chargeType.chargeTypeOwner_MarketParticipant.mRID", str(key["charge_owner_id"]) if per_charge else None
        ),
        *area("meteringGridArea_Domain.mRID", str(key["grid_area_code"])),
        *actor("energySupplier_MarketParticipant.mRID", str(key["energy_supplier_id"])),
        *text("product", PRODUCT),
        *code("quantity_Measure_Unit.name", unit),
        *code("price_Measure_Unit.name", unit if priced else None),
        *code("currency_Unit.name", "DKK"),
    )
    return Document(DocumentName.CHARGES, header.elements(), elements, period)


def _if_set(name: str, codes: Mapping[str, str], key: Key, column: str) -> tuple[Element, ...]:
    return () if key.get(column) is None else _element(name, codes, key, column)


def _element(name: str, codes: Mapping[str, str], key: Key, column: str) -> tuple[Element, ...]:
    return code(name, _code(codes, key[column], column))


def _code(codes: Mapping[str, str], value: object, what: str) -> str:
    if not isinstance(value, str) or value not in codes:
        raise BadSeries(f"'{value}' is no {what.replace('_', ' ')}: {', '.join(codes)}")
    return codes[value]
