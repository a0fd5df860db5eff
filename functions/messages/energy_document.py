"""RSM-014 NotifyAggregatedMeasureData: an energy series as a document (messages 5)."""

from dataclasses import dataclass

from functions.messages.documents import Codes, Document, Header, Key, Period, Points, Values, actor, area, code, text
from functions.messages.errors import BadSeries
from functions.messages.recipients import DocumentName, Rule
from functions.messages.series import ENERGY_QUALITIES, Stretch
from shared.codes import TimeSeriesType
from shared.result_series import ResultSeries

PRODUCT = "8716867000030"
_FLEX = "flex"
_KINDS: dict[str, tuple[str, str | None]] = {
    TimeSeriesType.PRODUCTION: ("E18", None),
    TimeSeriesType.FLEX_CONSUMPTION: ("E17", _FLEX),
    TimeSeriesType.NON_PROFILED_CONSUMPTION: ("E17", "E02"),
    TimeSeriesType.TOTAL_CONSUMPTION: ("E17", None),
    TimeSeriesType.NET_EXCHANGE_PER_GA: ("E20", None),
}
"""Metering point type and settlement method of each series that is sent; the code of flex depends on the receiver."""


@dataclass(frozen=True, kw_only=True)
class SeriesHead:
    """What a series says of itself besides its key. `correction`: D01 to D03 for D32; `transaction_id` for answers."""

    mrid: str
    version: str
    correction: str | None = None
    transaction_id: str | None = None


def energy_points(series: ResultSeries, stretch: Stretch) -> Points:
    """The points of one stretch: quantity as stored, none where it is null; quality by the table of messages 2."""
    quantities = series.quantities[stretch.first : stretch.last]
    qualities = series.qualities[stretch.first : stretch.last]
    return Points(len(quantities), (Values("quantity", quantities), Codes("quality", qualities, ENERGY_QUALITIES)))


def energy_document(header: Header, head: SeriesHead, rule: Rule, key: Key, period: Period) -> Document:
    """The document of one stretch of a series, as one row of the receiver table wants it.

    Raises:
        BadSeries: an actor id that is neither GLN nor EIC, or a series type that has no code.
    """
    kind, method = _kind(key)
    elements = (
        *text("mRID", head.mrid),
        *text("version", head.version),
        *code("settlement_Series.version", head.correction),
        *text("originalTransactionIDReference_Series.mRID", head.transaction_id),
        *code("marketEvaluationPoint.type", kind),
        *code("marketEvaluationPoint.settlementMethod", rule.flex_code if method == _FLEX else method),
        *area("meteringGridArea_Domain.mRID", _str(key["grid_area_code"])),
        *area("in_Domain.mRID", _str(key["grid_area_code"]) if "neighbor_grid_area_code" in key else None),
        *area("out_Domain.mRID", _str(key.get("neighbor_grid_area_code"))),
        *actor("energySupplier_MarketParticipant.mRID", _named(key, "energy_supplier_id", rule.names_supplier)),
        *actor(
            "balanceResponsibleParty_MarketParticipant.mRID",
            _named(key, "balance_responsible_party_id", rule.names_balance_responsible),
        ),
        *text("product", PRODUCT),
        *code("quantity_Measure_Unit.name", "KWH"),
    )
    return Document(DocumentName.ENERGY, header.elements(), elements, period)


def _kind(key: Key) -> tuple[str, str | None]:
    if "neighbor_grid_area_code" in key:
        return _KINDS[TimeSeriesType.NET_EXCHANGE_PER_GA]
    kind = _str(key["time_series_type"])
    if kind not in _KINDS:
        raise BadSeries(f"'{kind}' is no series that a message can carry")
    return _KINDS[kind]


def _named(key: Key, column: str, named: bool) -> str | None:
    return _str(key[column]) if named else None


def _str(value: str | bool | None) -> str | None:
    return None if value is None else str(value)
