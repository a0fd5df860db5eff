"""Who the receiver of a series is now: owners, delegations and eSett as the job froze them (messages 1)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from functions.messages.errors import BadSeries
from functions.messages.recipients import Receiver, Rule
from shared.codes import SYSTEM_OPERATOR_GLN, ActorRole

_GLN = re.compile(r"[0-9]{13}")
_EIC = re.compile(r"[!-~]{16}")


@dataclass(frozen=True)
class Party:
    """A market actor in one of its roles."""

    actor_id: str
    role: str


@dataclass(frozen=True)
class Actors:
    """Owners and delegations that are valid now, "now" being the job's splitAt."""

    owners: Mapping[str, str]
    delegations: Mapping[tuple[str, str, str, str | None], Party] = field(default_factory=dict)
    """(receiver, role, process, grid area or None for all) → who receives instead."""
    esett_id: str | None = None

    def owner(self, grid_area: str) -> str:
        """The owner of a grid area. Raises BadSeries where there is none."""
        if grid_area not in self.owners:
            raise BadSeries(f"grid area {grid_area} has no owner in grid_area_owners now")
        return self.owners[grid_area]

    def delegate(self, party: Party, process: str, grid_area: str) -> Party:
        """Who receives instead of `party`: the delegation of this area, else that of all areas, else itself.

        A metered data responsible delegates as grid access provider (MDR looks up as DDM).
        """
        role = party.role
        if role == ActorRole.METERED_DATA_RESPONSIBLE:
            role = ActorRole.GRID_ACCESS_PROVIDER
        for area in (grid_area, None):
            found = self.delegations.get((party.actor_id, role, process, area))
            if found:
                return found
        return party


def actors_now(
    owners: Iterable[Mapping[str, Any]], delegations: Iterable[Mapping[str, Any]], now: datetime, esett_id: str | None
) -> Actors:
    """The rows of grid_area_owners and delegations (inputs) that are valid at `now`.

    Of several rows valid at once, the one that began last holds; equal ones are ordered by who they name.
    """
    current = _valid(owners, now, "owner_id")
    return Actors(
        owners={row["grid_area_code"]: row["owner_id"] for row in current},
        delegations={
            (row["delegated_by_id"], row["delegated_by_role"], row["process"], row["grid_area_code"]): Party(
                row["delegated_to_id"], row["delegated_to_role"]
            )
            for row in _valid(delegations, now, "delegated_to_id")
        },
        esett_id=esett_id,
    )


def _valid(rows: Iterable[Mapping[str, Any]], now: datetime, name: str) -> list[Mapping[str, Any]]:
    valid = [row for row in rows if row["from_date"] <= now and (row["to_date"] is None or now < row["to_date"])]
    return sorted(valid, key=lambda row: (row["from_date"], str(row[name])))


def receiver_of(rule: Rule, key: Mapping[str, Any], actors: Actors) -> Party | None:
    """Who a series goes to by one row of the receiver table, before delegation.

    None: the series has no such actor (a null energy supplier or balance responsible).

    Raises:
        BadSeries: the grid area has no owner now.
    """
    match rule.receiver:
        case Receiver.ENERGY_SUPPLIER:
            actor = key["energy_supplier_id"]
        case Receiver.BALANCE_RESPONSIBLE:
            actor = key["balance_responsible_party_id"]
        case Receiver.ESETT:
            actor = actors.esett_id
        case Receiver.GRID_AREA_OWNER:
            actor = actors.owner(key["grid_area_code"])
        case Receiver.CHARGE_OWNERS_RECEIVER | Receiver.OWNERS_RECEIVER:
            if key["charge_owner_id"] == SYSTEM_OPERATOR_GLN and not key.get("is_tax"):
                return Party(SYSTEM_OPERATOR_GLN, ActorRole.SYSTEM_OPERATOR)
            return Party(actors.owner(key["grid_area_code"]), ActorRole.GRID_ACCESS_PROVIDER)
    return Party(actor, rule.role or "") if actor else None


@lru_cache(maxsize=4096)
def coding_scheme(actor_id: str) -> str:
    """A10 for a GLN, A01 for an EIC (messages 5). Raises BadSeries for what is neither."""
    if _GLN.fullmatch(actor_id):
        return "A10"
    if _EIC.fullmatch(actor_id):
        return "A01"
    raise BadSeries(f"'{actor_id}' is neither a GLN (13 digits) nor an EIC (16 characters)")
