"""A small market whose results hold every row of the receiver table: owners, delegations, and result rows by seed."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]

SYSTEM_OPERATOR = "5790000432752"
ESETT = "4260024590017"
OWNERS = {"800": "5790000000105", "801": "5790000000112", "802": "5790000000129"}
WITHOUT_OWNER = "802"
"""Its owner left before the jobs are split: its series that need an owner are rejected."""
SUPPLIERS = ("5790000000204", "5790000000211", "5790000000228")
RESPONSIBLES = ("5790000000303", "5790000000310")
DELEGATES = ("5790000000402", "5790000000419")
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
OWNER_LEFT = datetime(2025, 3, 1, tzinfo=UTC)
"""Before the simulated jobs begin (simulation/world.py), and long past on a real clock."""
BALANCE, WHOLESALE = ("D03", "D04"), ("D05", "D32")
ENERGY_KINDS = ("production", "flex_consumption", "non_profiled_consumption")
AREA_KINDS = (*ENERGY_KINDS, "net_exchange_per_ga", "total_consumption", "grid_loss", "temp_production")
NOT_KEY = ("job_id", "attempt", "result_id", "time", "quantity", "quantity_qualities", "price", "amount")
CHARGES = (
    {"charge_code": "40000", "charge_type": "tariff", "charge_owner_id": SYSTEM_OPERATOR, "is_tax": False},
    {"charge_code": "EA-001", "charge_type": "tariff", "charge_owner_id": SYSTEM_OPERATOR, "is_tax": True},
    {"charge_code": "S-1", "charge_type": "subscription", "charge_owner_id": OWNERS["800"], "is_tax": False},
)


def input_rows() -> Tables:
    """grid_area_owners and delegations."""
    owners = [
        {
            "grid_area_code": area,
            "owner_id": owner,
            "from_date": SINCE,
            "to_date": OWNER_LEFT if area == WITHOUT_OWNER else None,
        }
        for area, owner in OWNERS.items()
    ]
    delegations = [
        _delegation(SUPPLIERS[0], "DDQ", None, "energy_results", DELEGATES[0], "DDQ"),
        _delegation(OWNERS["801"], "DDM", "801", "energy_results", DELEGATES[1], "DDM"),
        _delegation(SUPPLIERS[1], "DDQ", "800", "wholesale_results", DELEGATES[0], "DDQ"),
    ]
    return {"grid_area_owners": owners, "delegations": delegations}


def _delegation(by: str, role: str, area: str | None, process: str, to: str, to_role: str) -> Row:
    return {
        "delegated_by_id": by,
        "delegated_by_role": role,
        "grid_area_code": area,
        "process": process,
        "delegated_to_id": to,
        "delegated_to_role": to_role,
        "from_date": SINCE,
        "to_date": None,
    }


def results(random: Random, process_type: str, start: datetime, areas: Sequence[str], salt: str) -> Tables:
    """What a run of the settlement job might leave; `salt` tells its result ids from those of other runs."""
    made = _Maker(random, start, salt)
    for area in areas:
        made.energy(area, balance=process_type in BALANCE)
        if process_type in WHOLESALE:
            made.charges(area)
    return made.tables


class _Maker:
    """Draws series; some are left out, so that a later job lacks what its predecessor had."""

    def __init__(self, random: Random, start: datetime, salt: str) -> None:
        self.random, self.start, self.salt = random, start, salt
        self.tables: Tables = {}

    def energy(self, area: str, *, balance: bool) -> None:
        for kind in AREA_KINDS:
            self._quarters("energy", 0.7, grid_area_code=area, time_series_type=kind)
        for kind in ENERGY_KINDS:
            key = {"grid_area_code": area, "time_series_type": kind}
            if balance:
                for responsible in (*RESPONSIBLES, None):
                    self._quarters("energy_per_brp", 0.4, **key, balance_responsible_party_id=responsible)
            for supplier in (*SUPPLIERS[:2], None):
                for responsible in RESPONSIBLES:
                    actors = {"energy_supplier_id": supplier, "balance_responsible_party_id": responsible}
                    self._quarters("energy_per_es", 0.35, **key, **actors)
        if balance:
            for neighbour in ("804", "805"):
                key = {"grid_area_code": area, "neighbor_grid_area_code": neighbour}
                self._quarters("exchange_per_neighbor", 0.5, **key)

    def charges(self, area: str) -> None:
        for supplier in (*SUPPLIERS, None):
            for charge in CHARGES:
                key = {"grid_area_code": area, "energy_supplier_id": supplier, **charge}
                unit = "kWh" if charge["charge_type"] == "tariff" else "pcs"
                amounts = {"metering_point_type": "consumption", "settlement_method": "flex", "quantity_unit": unit}
                self._amounts(0.5, **key, **amounts)
                self._one("monthly_amounts_per_charge", 0.5, **key, quantity_unit=unit)
            for owner in (None, SYSTEM_OPERATOR, OWNERS["800"]):
                key = {"grid_area_code": area, "energy_supplier_id": supplier, "charge_owner_id": owner}
                self._one("total_monthly_amounts", 0.5, **key)

    def _quarters(self, table: str, share: float, **key: Any) -> None:
        if self.random.random() > share:
            return
        steps = list(range(self.random.randint(1, 6)))
        if len(steps) > 3 and self.random.random() < 0.3:
            del steps[2]  # a gap: two messages
        for step in steps:
            quality = self.random.choice(([], ["missing"], ["estimated", "measured"], ["measured"], ["calculated"]))
            point = {"quantity": self._number(3, null=0.05), "quantity_qualities": quality}
            self._add(table, self.start + step * timedelta(minutes=15), {**key, "resolution": "PT15M"}, point)

    def _amounts(self, share: float, **key: Any) -> None:
        if self.random.random() > share:
            return
        hourly = key["charge_type"] == "tariff"
        for step in range(self.random.randint(1, 3) if hourly else 1):
            qualities = ["measured"] if hourly else None
            point = {"quantity": self._number(3), "quantity_qualities": qualities, "price": self._number(6)}
            point["amount"] = self._number(6)
            at = self.start + step * timedelta(hours=1)
            self._add("amounts_per_charge", at, {**key, "resolution": "PT1H" if hourly else "P1D"}, point)

    def _one(self, table: str, share: float, **key: Any) -> None:
        if self.random.random() <= share:
            self._add(table, self.start, key, {"amount": self._number(6, null=0.1)})

    def _number(self, decimals: int, null: float = 0.0) -> str | None:
        if self.random.random() < null:
            return None
        return f"{self.random.randint(-50, 5000)}.{self.random.randint(0, 10**decimals - 1):0{decimals}}"

    def _add(self, table: str, time: datetime, key: Mapping[str, Any], point: Mapping[str, Any]) -> None:
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.salt}{table}{sorted(key.items())}"))
        self.tables.setdefault(table, []).append({"result_id": name, "time": time, **key, **point})
