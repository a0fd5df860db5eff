"""Write the sample to a lake: every input table, as Delta, without Spark."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from local.sample import charges
from local.sample.energy import QUARTERS, Series, present, quarter_values
from local.sample.market import OWNERS, SINCE, START, MeteringPoint, metering_points
from shared import lake_layout

TIME = pa.timestamp("us", tz="UTC")
TEXT = pa.string()
PERIOD = {"from_date": TIME, "to_date": TIME}
CHARGE = {"charge_code": TEXT, "charge_type": TEXT, "charge_owner_id": TEXT}
_POINT_TEXTS = (
    *("metering_point_id", "type", "calculation_type", "settlement_method", "grid_area_code", "resolution"),
    *("from_grid_area_code", "to_grid_area_code", "parent_metering_point_id"),
    *("energy_supplier_id", "balance_responsible_party_id"),
)
_DELEGATION_TEXTS = (
    *("delegated_by_id", "delegated_by_role", "grid_area_code", "process"),
    *("delegated_to_id", "delegated_to_role"),
)
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    lake_layout.METERING_POINT_PERIODS: dict.fromkeys(_POINT_TEXTS, TEXT) | PERIOD,
    lake_layout.GRID_LOSS_METERING_POINTS: {"metering_point_id": TEXT},
    lake_layout.CHARGE_PRICE_INFORMATION_PERIODS: CHARGE | {"resolution": TEXT, "is_tax": pa.bool_()} | PERIOD,
    lake_layout.CHARGE_LINK_PERIODS: CHARGE | {"metering_point_id": TEXT, "quantity": pa.int32()} | PERIOD,
    lake_layout.CHARGE_PRICE_POINTS: CHARGE | {"charge_price": pa.decimal128(18, 6), "charge_time": TIME},
    lake_layout.GRID_AREA_OWNERS: {"grid_area_code": TEXT, "owner_id": TEXT} | PERIOD,
    lake_layout.DELEGATIONS: dict.fromkeys(_DELEGATION_TEXTS, TEXT) | PERIOD,
}


def has_input(lake: Path) -> bool:
    """Whether a lake holds input tables already."""
    return (lake / "input").is_dir() and any((lake / "input").iterdir())


def make_sample(lake: Path) -> dict[str, int]:
    """Write every input table of the sample into an empty lake; returns the rows per table.

    Raises:
        FileExistsError: the lake has input tables already.
    """
    if has_input(lake):
        raise FileExistsError(f"{lake / 'input'} holds tables already: the sample is for an empty lake")
    points = metering_points()
    tables = {name: _table(SCHEMAS[name], rows) for name, rows in _small_tables(points).items()}
    tables[lake_layout.TIME_SERIES_POINTS] = time_series_points(points)
    for name, table in tables.items():
        write_deltalake(lake / lake_layout.input_table(name), table)
    return {name: table.num_rows for name, table in tables.items()}


def _small_tables(points: list[MeteringPoint]) -> dict[str, list[dict[str, Any]]]:
    losses = [{"metering_point_id": point.id} for point in points if point.type in ("E17", "E18") and not point.profile]
    owners = [{"grid_area_code": area, "owner_id": owner, "from_date": SINCE} for area, owner in OWNERS.items()]
    return {
        lake_layout.METERING_POINT_PERIODS: [_metering_point_row(point) for point in points],
        lake_layout.GRID_LOSS_METERING_POINTS: losses,
        lake_layout.CHARGE_PRICE_INFORMATION_PERIODS: charges.charge_price_information_periods(),
        lake_layout.CHARGE_LINK_PERIODS: charges.charge_link_periods(points),
        lake_layout.CHARGE_PRICE_POINTS: charges.charge_price_points(),
        lake_layout.GRID_AREA_OWNERS: owners,
        lake_layout.DELEGATIONS: [],
    }


def _metering_point_row(point: MeteringPoint) -> dict[str, Any]:
    return {
        "metering_point_id": point.id,
        "type": point.type,
        "settlement_method": point.method,
        "grid_area_code": point.area,
        "resolution": point.resolution,
        "from_grid_area_code": point.sender,
        "to_grid_area_code": point.receiver,
        "parent_metering_point_id": point.parent,
        "energy_supplier_id": point.supplier,
        "balance_responsible_party_id": point.responsible,
        "from_date": point.since,
        "to_date": point.until,
    }


def time_series_points(points: list[MeteringPoint]) -> Any:
    """Every value of the month, by time and metering point; a few are missing or estimated."""
    values = quarter_values(points)
    rows = [row for point in points if point.id in values for row in _series(point, values[point.id])]
    rows.sort(key=lambda row: (row[3], row[0]))
    ids, quantities, qualities, times = zip(*rows, strict=True)
    columns = (TEXT, ids), (pa.decimal128(18, 3), quantities), (TEXT, qualities), (TIME, times)
    names = ("metering_point_id", "quantity", "quality", "observation_time")
    return pa.table({name: pa.array(column, kind) for name, (kind, column) in zip(names, columns, strict=True)})


def _series(point: MeteringPoint, values: Series) -> list[tuple[str, Decimal | None, str, datetime]]:
    """The rows of one period of a metering point.

    Of a few metering points half a day is estimated, an hour is there as missing, and an hour is not there at all.
    """
    step = 4 if point.resolution == "PT1H" else 1
    quarters = np.arange(QUARTERS)[present(point)][::step]
    troubled = point.profile is not None and int(point.id[-5:-1]) % 100 in (5, 11)
    rows: list[tuple[str, Decimal | None, str, datetime]] = []
    for quarter in quarters.tolist():
        time = START + timedelta(minutes=15 * quarter)
        hour = quarter // 4
        if troubled and hour == 400:
            continue
        if troubled and hour == 401:
            rows.append((point.id, None, "missing", time))
        else:
            quality = "estimated" if troubled and 300 <= hour < 312 else "measured"
            rows.append((point.id, Decimal(int(values[quarter])).scaleb(-3), quality, time))
    return rows


def _table(schema: Mapping[str, Any], rows: list[dict[str, Any]]) -> Any:
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in schema.items()})
