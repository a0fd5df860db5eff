"""Result tables in memory, from rows as dictionaries, and job records that are ready to be split."""

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.coordinator.record import Frozen, JobRecord, JobState
from shared import lake_layout as lake
from shared.codes import QUALITY_BIT
from shared.result_series import UNKNOWN_QUALITY, ResultSeries

JOB = "0b9d7c0e-9d0c-4d7c-8f70-2f2d3a1c5b01"
OLDER_JOB = "0b9d7c0e-9d0c-4d7c-8f70-2f2d3a1c5b00"
OWNER, SUPPLIER, OTHER_SUPPLIER = "5790000000010", "5790000000020", "5790000000021"
BRP, OTHER_BRP, ESETT = "5790000000030", "5790000000031", "44V000000000029A"
GRID_COMPANY, SYSTEM_OPERATOR = OWNER, "5790000432752"
START = datetime(2025, 1, 31, 23, tzinfo=UTC)
SPLIT_AT = "2025-03-05T10:11:12.345678Z"
_POINT_COLUMNS = ("time", "quantity", "quantity_qualities", "price", "amount")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def owner_rows(**owners: str) -> list[dict[str, Any]]:
    """Rows of grid_area_owners, valid for ever: owner_rows(ga800=…)."""
    return [
        {"grid_area_code": area.removeprefix("ga"), "owner_id": owner, "from_date": LONG_AGO, "to_date": None}
        for area, owner in owners.items()
    ]


def delegation_row(by: str, role: str, to: str, to_role: str, process: str, area: str | None = None) -> dict[str, Any]:
    return {
        "delegated_by_id": by,
        "delegated_by_role": role,
        "grid_area_code": area,
        "process": process,
        "delegated_to_id": to,
        "delegated_to_role": to_role,
        "from_date": LONG_AGO,
        "to_date": None,
    }


@dataclass
class InMemoryResults:
    """ResultTables over rows: `tables[table][job_id, attempt]` is a list of rows with their result_id."""

    tables: dict[str, dict[tuple[str, int], list[dict[str, Any]]]] = field(default_factory=dict)
    inputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, rows: Sequence[dict[str, Any]], job_id: str = JOB, attempt: int = 1) -> "InMemoryResults":
        self.tables.setdefault(table, {}).setdefault((job_id, attempt), []).extend(rows)
        return self

    def series(
        self, table: str, job_id: str, attempt: int, grid_area: str, only: Collection[str] | None = None
    ) -> Iterator[ResultSeries]:
        rows = [r for r in self.tables.get(table, {}).get((job_id, attempt), []) if r["grid_area_code"] == grid_area]
        for result_id in sorted({row["result_id"] for row in rows}):
            if only is None or result_id in only:
                yield series_of(sorted((r for r in rows if r["result_id"] == result_id), key=lambda row: row["time"]))

    def series_keys(self, table: str, job_id: str, attempt: int, grid_area: str) -> Sequence[ResultSeries]:
        return [
            ResultSeries(result_id=series.result_id, key=series.key, times=())
            for series in self.series(table, job_id, attempt, grid_area)
        ]

    def grid_areas(self, table: str, job_id: str, attempt: int) -> Sequence[str]:
        return sorted({row["grid_area_code"] for row in self.tables.get(table, {}).get((job_id, attempt), [])})

    def rows(self, table: str, job_id: str, attempt: int, grid_area: str | None = None) -> Iterator[Any]:
        raise NotImplementedError

    def input_rows(self, table: str, version: int | None = None) -> Sequence[Mapping[str, Any]]:
        return self.inputs.get(table, [])

    def version(self, table: str) -> int | None:
        return 0 if table in self.inputs else None


def series_of(rows: Sequence[Mapping[str, Any]]) -> ResultSeries:
    """The rows of one result id as a series."""
    first = rows[0]
    return ResultSeries(
        result_id=first["result_id"],
        key={name: value for name, value in first.items() if name not in (*_POINT_COLUMNS, "result_id")},
        times=array("q", ((row["time"] - _EPOCH) // timedelta(microseconds=1) for row in rows)),
        quantities=[row["quantity"] for row in rows] if "quantity" in first else [],
        qualities=bytes(_bits(row["quantity_qualities"]) for row in rows) if "quantity" in first else b"",
        prices=[row["price"] for row in rows] if "price" in first else [],
        amounts=[row["amount"] for row in rows] if "amount" in first else [],
    )


def _bits(qualities: Sequence[str] | None) -> int:
    return sum(QUALITY_BIT.get(quality, UNKNOWN_QUALITY) for quality in qualities or ())


def energy_rows(
    result_id: str, quantities: Sequence[str | None], *, kind: str = "production", start: datetime = START, **key: Any
) -> list[dict[str, Any]]:
    """Quarter-hourly rows of an energy table from `start` on."""
    return [
        {
            "result_id": result_id,
            "grid_area_code": "800",
            "time_series_type": kind,
            "resolution": "PT15M",
            "time": start + index * timedelta(minutes=15),
            "quantity": quantity,
            "quantity_qualities": ["measured"],
            **key,
        }
        for index, quantity in enumerate(quantities)
    ]


def per_supplier_rows(result_id: str, quantities: Sequence[str | None], **key: Any) -> list[dict[str, Any]]:
    actors = {"energy_supplier_id": SUPPLIER, "balance_responsible_party_id": BRP}
    return energy_rows(result_id, quantities, **{**actors, **key})


def charge_rows(
    result_id: str, amounts: Sequence[tuple[str, str | None, str | None]], **key: Any
) -> list[dict[str, Any]]:
    """Hourly tariff rows from START on: (quantity, price, amount) each."""
    return [
        {
            "result_id": result_id,
            "grid_area_code": "800",
            "energy_supplier_id": SUPPLIER,
            "quantity": quantity,
            "quantity_unit": "kWh",
            "quantity_qualities": ["measured"],
            "time": START + index * timedelta(hours=1),
            "resolution": "PT1H",
            "metering_point_type": "consumption",
            "settlement_method": "flex",
            "price": price,
            "amount": amount,
            "is_tax": False,
            "charge_code": "40000",
            "charge_type": "tariff",
            "charge_owner_id": SYSTEM_OPERATOR,
            **key,
        }
        for index, (quantity, price, amount) in enumerate(amounts)
    ]


def monthly_rows(result_id: str, amount: str | None, **key: Any) -> list[dict[str, Any]]:
    return [
        {
            "result_id": result_id,
            "grid_area_code": "800",
            "energy_supplier_id": SUPPLIER,
            "quantity_unit": "kWh",
            "time": START,
            "amount": amount,
            "is_tax": False,
            "charge_code": "40000",
            "charge_type": "tariff",
            "charge_owner_id": SYSTEM_OPERATOR,
            **key,
        }
    ]


def total_rows(result_id: str, amount: str | None, owner: str | None, **key: Any) -> list[dict[str, Any]]:
    row = {"result_id": result_id, "grid_area_code": "800", "energy_supplier_id": SUPPLIER, "time": START}
    return [{**row, "amount": amount, "charge_owner_id": owner, **key}]


def splitting(process_type: str = "D04", variant: str = "", areas: str = "800", **frozen: Any) -> JobRecord:
    """The record of a job in Splitting: February 2025."""
    decided = {"version": 7, "split_at": SPLIT_AT, "owners_version": 0, "delegations_version": 0, "esett_id": ESETT}
    return JobRecord(
        job_id=JOB,
        arguments={
            "process-type": process_type,
            "process-variant": variant,
            "period-start": "2025-01-31T23:00:00Z",
            "period-end": "2025-02-28T23:00:00Z",
            "grid-areas": areas,
            "simulation": "false",
            "time-zone": "Europe/Copenhagen",
        },
        status=JobState.SPLITTING,
        created="2025-03-05T09:00:00Z",
        frozen=Frozen(**{**decided, **frozen}),
    )


def simulated(record: JobRecord) -> JobRecord:
    return replace(record, arguments={**record.arguments, "simulation": "true"})


def market(**inputs: Any) -> InMemoryResults:
    """An empty market: the owner of 800 is known, nothing is delegated."""
    return InMemoryResults(inputs={lake.GRID_AREA_OWNERS: owner_rows(ga800=OWNER), lake.DELEGATIONS: [], **inputs})
