"""The series of the charge tables: keys, ids, and places in the sorted results (energy 11; architecture 3.6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sparkjobs.contracts.result_ids import result_id
from sparkjobs.wholesale.charge_keys import Charge, Supply


class AmountKey(NamedTuple):
    """The key of a series of amounts_per_charge, as the table has it."""

    grid_area_code: str
    energy_supplier_id: str | None
    quantity_unit: str
    resolution: str
    metering_point_type: str
    settlement_method: str | None
    is_tax: bool
    charge_code: str
    charge_type: str
    charge_owner_id: str

    @property
    def charge(self) -> Charge:
        """The charge that is paid."""
        return Charge(self.charge_code, self.charge_type, self.charge_owner_id)


class MonthlyKey(NamedTuple):
    """The key of a series of monthly_amounts_per_charge."""

    grid_area_code: str
    energy_supplier_id: str | None
    quantity_unit: str
    is_tax: bool
    charge_code: str
    charge_type: str
    charge_owner_id: str

    @property
    def charge(self) -> Charge:
        """The charge that is paid."""
        return Charge(self.charge_code, self.charge_type, self.charge_owner_id)


class TotalKey(NamedTuple):
    """The key of a series of total_monthly_amounts; no owner: the supplier's total."""

    grid_area_code: str
    energy_supplier_id: str | None
    charge_owner_id: str | None


def key_columns(key: type[AmountKey | MonthlyKey | TotalKey]) -> str:
    """The fields of a key as columns of a small frame."""
    return ", ".join(f"{name} {'boolean' if name == 'is_tax' else 'string'}" for name in key._fields)


@dataclass(frozen=True)
class Catalogue[K: (AmountKey, MonthlyKey, TotalKey)]:
    """The series of one table, in the order of its rows: by area and id. A series' number is its place."""

    ids: Mapping[K, str]
    numbers: Mapping[K, int]


def catalogue[K: (AmountKey, MonthlyKey, TotalKey)](job_id: str, table: str, keys: Iterable[K]) -> Catalogue[K]:
    """Name and number the series; the fields of a key are the key columns of the table, in its order."""
    ids = {key: result_id(job_id, table, key) for key in keys}
    ordered = sorted(ids, key=lambda key: (key.grid_area_code, ids[key]))
    return Catalogue({key: ids[key] for key in ordered}, {key: number for number, key in enumerate(ordered)})


def amount_key(charge: Charge, supply: Supply, *, is_tax: bool, resolution: str) -> AmountKey:
    """The series of a charge and a supply."""
    return AmountKey(
        grid_area_code=supply.grid_area_code,
        energy_supplier_id=supply.energy_supplier_id,
        quantity_unit="kWh" if charge.is_tariff else "pcs",
        resolution=resolution,
        metering_point_type=supply.metering_point_type,
        settlement_method=supply.settlement_method,
        is_tax=is_tax,
        charge_code=charge.charge_code,
        charge_type=charge.charge_type,
        charge_owner_id=charge.charge_owner_id,
    )
