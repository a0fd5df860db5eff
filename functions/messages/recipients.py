"""Who receives what (messages 1): the rows of RULES are the rules; nothing else in the product decides it.

docs/receivers.md is generated from it (`python -m functions.messages.recipients`).
"""

from dataclasses import dataclass
from enum import StrEnum

from functions.messages.errors import UnknownResult
from shared import lake_layout as lake
from shared.codes import ActorRole, ProcessType, TimeSeriesType


class Receiver(StrEnum):
    """How the receiver of a series is found."""

    GRID_AREA_OWNER = "the grid area's owner"
    BALANCE_RESPONSIBLE = "the balance responsible of the series"
    ENERGY_SUPPLIER = "the energy supplier of the series"
    ESETT = "eSett"
    CHARGE_OWNERS_RECEIVER = (
        "a tax, or an owner other than the system operator: the grid area's owner (DDM); else the system operator (EZ)"
    )
    OWNERS_RECEIVER = "the system operator (EZ) for its own sum, else the grid area's owner (DDM)"


class DocumentName(StrEnum):
    """The documents of the market; the value is their name in envelopes, namespaces and roots."""

    ENERGY = "NotifyAggregatedMeasureData"
    CHARGES = "NotifyWholesaleServices"
    ENERGY_REJECT = "RejectRequestAggregatedMeasureData"
    CHARGES_REJECT = "RejectRequestWholesaleSettlement"

    @property
    def delegation_process(self) -> str:
        """By which name delegations speak of what this document carries."""
        energy = self in (DocumentName.ENERGY, DocumentName.ENERGY_REJECT)
        return "energy_results" if energy else "wholesale_results"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row: which series of which table goes to whom, for which process types, and what the series then names.

    `name` is part of every message id: never change it. `role` is the receiver's, None where `receiver` decides it.
    `owner_set`: only series with (True) or without (False) a charge owner. `over_suppliers_brps`: one series per
    energy supplier, summed over its balance responsibles.
    """

    name: str
    table: str
    document: DocumentName
    receiver: Receiver
    role: ActorRole | None
    process_types: frozenset[ProcessType]
    series: frozenset[TimeSeriesType] | None = None
    owner_set: bool | None = None
    names_supplier: bool = False
    names_balance_responsible: bool = False
    over_suppliers_brps: bool = False
    sent_by_owner: bool = False
    flex_code: str = "D01"


_T, _P, _R, _D = TimeSeriesType, ProcessType, ActorRole, DocumentName
_CONSUMPTION_AND_PRODUCTION = frozenset({_T.PRODUCTION, _T.FLEX_CONSUMPTION, _T.NON_PROFILED_CONSUMPTION})
_ALL = frozenset(ProcessType)
_BALANCE = frozenset({_P.AGGREGATION, _P.BALANCE_FIXING})
_WHOLESALE = frozenset({_P.WHOLESALE_FIXING, _P.CORRECTION})

RULES = (
    Rule(
        name="energy-grid-area-owner",
        table=lake.ENERGY,
        series=_CONSUMPTION_AND_PRODUCTION | {_T.NET_EXCHANGE_PER_GA, _T.TOTAL_CONSUMPTION},
        document=_D.ENERGY,
        receiver=Receiver.GRID_AREA_OWNER,
        role=_R.METERED_DATA_RESPONSIBLE,
        process_types=_ALL,
    ),
    Rule(
        name="energy-per-brp-balance-responsible",
        table=lake.ENERGY_PER_BRP,
        series=_CONSUMPTION_AND_PRODUCTION,
        document=_D.ENERGY,
        receiver=Receiver.BALANCE_RESPONSIBLE,
        role=_R.BALANCE_RESPONSIBLE,
        process_types=_BALANCE,
        names_balance_responsible=True,
    ),
    Rule(
        name="energy-per-es-energy-supplier",
        table=lake.ENERGY_PER_ES,
        series=_CONSUMPTION_AND_PRODUCTION,
        document=_D.ENERGY,
        receiver=Receiver.ENERGY_SUPPLIER,
        role=_R.ENERGY_SUPPLIER,
        process_types=_ALL,
        names_supplier=True,
    ),
    Rule(
        name="energy-per-es-balance-responsible",
        table=lake.ENERGY_PER_ES,
        series=_CONSUMPTION_AND_PRODUCTION,
        document=_D.ENERGY,
        receiver=Receiver.BALANCE_RESPONSIBLE,
        role=_R.BALANCE_RESPONSIBLE,
        process_types=_BALANCE,
        names_supplier=True,
        names_balance_responsible=True,
    ),
    Rule(
        name="energy-per-es-esett",
        table=lake.ENERGY_PER_ES,
        series=_CONSUMPTION_AND_PRODUCTION,
        document=_D.ENERGY,
        receiver=Receiver.ESETT,
        role=_R.IMBALANCE_SETTLEMENT_RESPONSIBLE,
        process_types=_BALANCE,
        names_supplier=True,
        over_suppliers_brps=True,
        sent_by_owner=True,
        flex_code="E15",
    ),
    Rule(
        name="exchange-per-neighbor-esett",
        table=lake.EXCHANGE_PER_NEIGHBOR,
        document=_D.ENERGY,
        receiver=Receiver.ESETT,
        role=_R.IMBALANCE_SETTLEMENT_RESPONSIBLE,
        process_types=_BALANCE,
        sent_by_owner=True,
    ),
    *(
        Rule(
            name=f"{name}-{receiver_name}",
            table=table,
            document=_D.CHARGES,
            receiver=receiver,
            role=role,
            process_types=_WHOLESALE,
            names_supplier=True,
        )
        for name, table in (
            ("amounts-per-charge", lake.AMOUNTS_PER_CHARGE),
            ("monthly-amounts-per-charge", lake.MONTHLY_AMOUNTS_PER_CHARGE),
        )
        for receiver_name, receiver, role in (
            ("energy-supplier", Receiver.ENERGY_SUPPLIER, _R.ENERGY_SUPPLIER),
            ("charge-owner", Receiver.CHARGE_OWNERS_RECEIVER, None),
        )
    ),
    Rule(
        name="total-monthly-amounts-energy-supplier",
        table=lake.TOTAL_MONTHLY_AMOUNTS,
        owner_set=False,
        document=_D.CHARGES,
        receiver=Receiver.ENERGY_SUPPLIER,
        role=_R.ENERGY_SUPPLIER,
        process_types=_WHOLESALE,
        names_supplier=True,
    ),
    Rule(
        name="total-monthly-amounts-charge-owner",
        table=lake.TOTAL_MONTHLY_AMOUNTS,
        owner_set=True,
        document=_D.CHARGES,
        receiver=Receiver.OWNERS_RECEIVER,
        role=None,
        process_types=_WHOLESALE,
        names_supplier=True,
    ),
)

NEVER_SENT_TABLES = frozenset({lake.GRID_LOSS_TIME_SERIES})
NEVER_SENT_SERIES = frozenset({_T.GRID_LOSS, _T.TEMP_PRODUCTION, _T.TEMP_FLEX_CONSUMPTION})


def rules_for(table: str, process_type: ProcessType) -> tuple[Rule, ...]:
    """The rows that speak of a result table in a job of this type; none for what is never sent.

    Raises:
        UnknownResult: the receiver table does not know this result.
    """
    if table not in {rule.table for rule in RULES} | NEVER_SENT_TABLES:
        raise UnknownResult(f"the receiver table has no row for the result '{table}'")
    return tuple(rule for rule in RULES if rule.table == table and process_type in rule.process_types)


def tables_sent(process_type: ProcessType) -> tuple[str, ...]:
    """The result tables that a job of this type sends messages from, in the order of the rows."""
    return tuple(dict.fromkeys(rule.table for rule in RULES if process_type in rule.process_types))


def receivers_page() -> str:
    """docs/receivers.md: the table as a market expert reads it."""
    head = [
        "# Who receives what",
        "",
        "Generated from functions/messages/recipients.py by",
        "`python -m functions.messages.recipients > docs/receivers.md`. Jobs of a type with a dash send nothing of",
        "the row. Never sent: the grid area's grid loss, temporary production and temporary flex consumption, and the",
        "table grid_loss_time_series.",
        "",
        "| row | result | series | receiver | role | document | the series names | D03 | D04 | D05 | D32 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *map(_line, RULES), ""])


def _line(rule: Rule) -> str:
    owner = {None: "each", True: "with an owner", False: "without an owner"}[rule.owner_set]
    series = ", ".join(sorted(rule.series)) if rule.series else owner
    names = [
        *(["its energy supplier"] if rule.names_supplier else []),
        *(["its balance responsible"] if rule.names_balance_responsible else []),
        *(["the sum over its balance responsibles"] if rule.over_suppliers_brps else []),
        *([f"flex as {rule.flex_code}"] if rule.flex_code != "D01" else []),
        *(["the grid area's owner as sender"] if rule.sent_by_owner else []),
    ]
    cells = [
        rule.name,
        rule.table,
        series,
        rule.receiver.value,
        rule.role or "as said",
        rule.document.value,
        ", ".join(names) or "–",
        *("✓" if process_type in rule.process_types else "–" for process_type in ProcessType),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(receivers_page(), end="")  # noqa: T201 - this is the command that writes the page
