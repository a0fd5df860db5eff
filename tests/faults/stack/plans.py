"""What each seed of a batch asks for, and what the runs of its jobs leave: files in the form of the result tables."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

from tests.faults import market
from tests.faults.stack.step import plan_name

ZONE = ZoneInfo("Europe/Copenhagen")
ENDS = (
    *("manifest",) * 9,
    "writes its manifest in pieces",
    "killed",
    "fails with its reason",
    "leaves an empty manifest",
    "leaves a manifest cut short",
    "leaves another attempt's manifest",
)
WITH_MANIFEST = ("manifest", "writes its manifest in pieces")
RUNS = 4
TIME, TEXT = pa.timestamp("us", tz="UTC"), pa.string()
TYPES = {
    "time": TIME,
    "from_date": TIME,
    "to_date": TIME,
    "quantity": pa.decimal128(18, 3),
    "price": pa.decimal128(18, 6),
    "amount": pa.decimal128(18, 6),
    "quantity_qualities": pa.list_(TEXT),
    "is_tax": pa.bool_(),
    "attempt": pa.int32(),
}
ENERGY = ("resolution", "time", "quantity", "quantity_qualities")
CHARGE = ("is_tax", "charge_code", "charge_type", "charge_owner_id")
COLUMNS = {
    "energy": ("grid_area_code", "time_series_type", *ENERGY),
    "energy_per_brp": ("grid_area_code", "balance_responsible_party_id", "time_series_type", *ENERGY),
    "energy_per_es": (
        *("grid_area_code", "energy_supplier_id", "balance_responsible_party_id", "time_series_type"),
        *ENERGY,
    ),
    "exchange_per_neighbor": ("grid_area_code", "neighbor_grid_area_code", *ENERGY),
    "amounts_per_charge": (
        *("grid_area_code", "energy_supplier_id", "quantity", "quantity_unit", "quantity_qualities", "time"),
        *("resolution", "metering_point_type", "settlement_method", "price", "amount"),
        *CHARGE,
    ),
    "monthly_amounts_per_charge": ("grid_area_code", "energy_supplier_id", "quantity_unit", "time", "amount", *CHARGE),
    "total_monthly_amounts": ("grid_area_code", "energy_supplier_id", "time", "amount", "charge_owner_id"),
}


@dataclass
class SeedPlan:
    """One seed of a batch: what its caller asks for and does, and what its runs leave."""

    seed: int
    body: dict[str, Any]
    acts: frozenset[str]
    period_end: datetime
    name: str = ""
    ends: list[str] = field(default_factory=list)
    tables: list[market.Tables] = field(default_factory=list)


def make_lake(lake: Path) -> None:
    """Input and result tables of the market."""
    for table, rows in market.input_rows().items():
        write_deltalake(lake / "input" / table, _arrow(rows, tuple(rows[0])))
    for table, columns in COLUMNS.items():
        empty = _arrow([], ("job_id", "attempt", "result_id", *columns))
        write_deltalake(lake / "results" / table, empty, partition_by=["job_id", "attempt"])


def plan(seed: int, place: int, folder: Path) -> SeedPlan:
    """Decide a seed that has the place `place` in its batch: no two of a batch have the same period."""
    random = Random(seed)
    process = random.choice(("D03", "D04", "D04", "D05", "D32"))
    if process in market.BALANCE:
        begin = date(2024, 1, 1) + timedelta(days=place)
        end = begin + timedelta(days=1)
    else:
        begin, end = (date(2023 + (6 + place + more) // 12, (6 + place + more) % 12 + 1, 1) for more in (0, 1))
    areas = random.choice((["800"], ["800", "801"], ["800", "801", "802"]))
    start, stop = (datetime(day.year, day.month, day.day, tzinfo=ZONE) for day in (begin, end))
    body: dict[str, Any] = {"beginTime": start.isoformat(), "endTime": stop.isoformat(), "processType": process}
    body |= {"gridAreas": areas} | ({"processVariant": "D01"} if process == "D32" else {})
    body |= {"simulation": True} if random.random() < 0.25 else {}
    chances = {"twice": 0.3, "cancel": 0.15, "successor": 0.4, "later": 0.15, "retry": 0.6, "promote": 0.6}
    acts = frozenset(name for name, chance in chances.items() if random.random() < chance)
    begins = start.astimezone(UTC)
    variant = body.get("processVariant", "")
    text = begins.isoformat().replace("+00:00", "Z")
    name = plan_name({"process-type": process, "process-variant": variant, "period-start": text})
    made = SeedPlan(seed, body, acts, stop.astimezone(UTC), name)
    runs = []
    for number in range(RUNS):
        tables = market.results(random, process, begins, areas, f"{seed}.{number}")
        made.tables.append(tables)
        made.ends.append(random.choice(ENDS))
        files = {table: _file(folder, f"{name}.{number}.{table}", table, rows) for table, rows in tables.items()}
        runs.append({"end": made.ends[-1], "seconds": random.uniform(0, 1), "tables": files})
    (folder / f"{name}.json").write_text(json.dumps({"runs": runs}))
    return made


def _file(folder: Path, name: str, table: str, rows: list[market.Row]) -> tuple[str, int]:
    path = folder / f"{name}.parquet"
    pq.write_table(_arrow(rows, ("result_id", *COLUMNS[table])), path)
    return str(path), len(rows)


def _arrow(rows: list[market.Row], columns: tuple[str, ...]) -> Any:
    kinds = {name: TYPES.get(name, TEXT) for name in columns}
    return pa.table({name: pa.array([_value(row[name], kind) for row in rows], kind) for name, kind in kinds.items()})


def _value(value: Any, kind: Any) -> Any:
    return Decimal(value) if isinstance(value, str) and pa.types.is_decimal(kind) else value
