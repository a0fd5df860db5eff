"""Who a series goes to: owners, suppliers, responsibles, eSett and delegations (messages 1), without the app's code."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.faults.market import SYSTEM_OPERATOR, Row, Tables


def valid_owner(inputs: Tables, area: str, now: datetime) -> str | None:
    for row in inputs["grid_area_owners"]:
        if row["grid_area_code"] == area and row["from_date"] <= now and not _over(row, now):
            return str(row["owner_id"])
    return None


def _over(row: Row, now: datetime) -> bool:
    return row["to_date"] is not None and row["to_date"] <= now


def receiver_of(esett: str | None, row: str, key: Mapping[str, Any], owner: str | None) -> tuple[str, str] | None:
    if row.endswith("-owner"):
        tax = bool(key.get("is_tax"))
        if key["charge_owner_id"] == SYSTEM_OPERATOR and not tax:
            return SYSTEM_OPERATOR, "EZ"
        return (owner, "DDM") if owner else None
    wanted: dict[str, tuple[str | None, str]] = {
        "owner": (owner, "MDR"),
        "brp": (key.get("balance_responsible_party_id"), "DDK"),
        "es-brp": (key.get("balance_responsible_party_id"), "DDK"),
        "esett-sum": (esett, "DDX"),
        "esett-exchange": (esett, "DDX"),
    }
    actor, role = wanted.get(row, (key.get("energy_supplier_id"), "DDQ"))
    return (actor, role) if actor else None


def delegate(inputs: Tables, receiver: tuple[str, str], process: str, area: str, now: datetime) -> tuple[str, str]:
    actor, role = receiver
    for wanted in (area, None):
        for row in inputs["delegations"]:
            by = (row["delegated_by_id"], row["delegated_by_role"], row["process"], row["grid_area_code"])
            if by == (actor, "DDM" if role == "MDR" else role, process, wanted) and not _over(row, now):
                return str(row["delegated_to_id"]), str(row["delegated_to_role"])
    return receiver
