"""What the results call for, from result rows and the receiver table (messages 1 and 2), without the app's code."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.faults.market import ENERGY_KINDS, NOT_KEY, Row, Tables
from tests.faults.receivers import delegate, receiver_of, valid_owner

ZONE = ZoneInfo("Europe/Copenhagen")
DATAHUB = ("5790001330552", "DGL")
Points = tuple[tuple[Any, ...], ...]
Key = tuple[tuple[str, Any], ...]


class Identity(NamedTuple):
    """Who gets what from whom."""

    document: str
    process: str
    sender: tuple[str, str]
    recipient: tuple[str, str]
    original_role: str
    area: str
    kind: tuple[str | None, ...]
    supplier: str | None
    responsible: str | None
    resolution: str
    start: str


class Message(NamedTuple):
    """One message: what it is, when its period ends, and its points."""

    identity: Identity
    end: str
    points: Points


@dataclass(frozen=True)
class Job:
    """What a job was, and what its results and those of its predecessors by grid area are."""

    process: str
    tables: Tables
    now: datetime
    inputs: Tables
    esett: str | None
    period_end: datetime
    predecessors: Mapping[str, Tables] = field(default_factory=dict)


class _Series(NamedTuple):
    """One series as a row of the receiver table sees it; its key decides whether a later job has it too."""

    row: str
    key: Key


_OWNER_KINDS = (*ENERGY_KINDS, "net_exchange_per_ga", "total_consumption")
_CODES = {
    "production": ("E18", None),
    "flex_consumption": ("E17", "D01"),
    "non_profiled_consumption": ("E17", "E02"),
    "total_consumption": ("E17", None),
    "net_exchange_per_ga": ("E20", None),
}


def expected(job: Job) -> Counter[Message]:
    """Every message that the job must send: who gets which series, its end and its points.

    A supplier with several balance responsibles gets a series of each, which its documents do not tell apart.
    """
    messages: Counter[Message] = Counter()
    new = _series(job.tables, job.process)
    for (row, key), rows in new.items():
        messages.update(_messages(job, row, dict(key), rows))
    for area, tables in job.predecessors.items():
        for (row, key), rows in _series(tables, job.process).items():
            if dict(key)["grid_area_code"] == area and _Series(row, key) not in new:
                messages.update(_messages(job, row, dict(key), [_zero(point) for point in rows]))
    return messages


def _zero(row: Row) -> Row:
    changes = {"quantity": "0.000", "amount": "0.000000", "quantity_qualities": ["calculated"]}
    return {name: changes.get(name, value) for name, value in row.items()}


def _series(tables: Tables, process: str) -> dict[_Series, list[Row]]:
    found: dict[_Series, list[Row]] = {}
    for table, rows in tables.items():
        for row in rows:
            key = {name: value for name, value in row.items() if name not in NOT_KEY}
            for name in _receiver_rows(table, key, balance=process in ("D03", "D04")):
                if name == "esett-sum":
                    key = {column: value for column, value in key.items() if column != "balance_responsible_party_id"}
                found.setdefault(_Series(name, tuple(sorted(key.items()))), []).append(row)
    return {series: sorted(_summed(rows), key=lambda row: row["time"]) for series, rows in found.items()}


def _summed(rows: list[Row]) -> list[Row]:
    """Rows of the same time as one: only a sum over balance responsibles has them."""
    by_time: dict[datetime, Row] = {}
    for row in rows:
        there = by_time.get(row["time"])
        if there is None:
            by_time[row["time"]] = dict(row)
            continue
        values = [int(r["quantity"].replace(".", "")) for r in (there, row) if r["quantity"] is not None]
        total = sum(values)
        sign = "-" if total < 0 else ""
        there["quantity"] = f"{sign}{abs(total) // 1000}.{abs(total) % 1000:03}" if values else None
        there["quantity_qualities"] = sorted({*there["quantity_qualities"], *row["quantity_qualities"]})
    return list(by_time.values())


def _receiver_rows(table: str, key: Mapping[str, Any], *, balance: bool) -> Iterator[str]:
    if table == "energy" and key["time_series_type"] in _OWNER_KINDS:
        yield "owner"
    if table == "energy_per_brp" and balance:
        yield "brp"
    if table == "energy_per_es":
        yield "es"
        if balance:
            yield "es-brp"
            yield "esett-sum"
    if table == "exchange_per_neighbor" and balance:
        yield "esett-exchange"
    if not balance and table in ("amounts_per_charge", "monthly_amounts_per_charge"):
        yield f"{table}-es"
        yield f"{table}-owner"
    if not balance and table == "total_monthly_amounts":
        yield "total-es" if key["charge_owner_id"] is None else "total-owner"


def _messages(job: Job, row: str, key: dict[str, Any], rows: list[Row]) -> Iterator[Message]:
    area = key["grid_area_code"]
    owner = valid_owner(job.inputs, area, job.now)
    charges = row.startswith(("amounts", "monthly", "total"))
    if charges and key["energy_supplier_id"] is None:
        return  # rejected
    receiver = receiver_of(job.esett, row, key, owner)
    sender = (owner, "MDR") if row.startswith("esett") else DATAHUB
    if receiver is None or sender[0] is None:
        return
    process = "wholesale_results" if charges else "energy_results"
    effective = delegate(job.inputs, receiver, process, area, job.now)
    resolution = key.get("resolution", "P1M")
    for stretch in _stretches(rows, resolution):
        identity = Identity(
            document="NotifyWholesaleServices" if charges else "NotifyAggregatedMeasureData",
            process=job.process,
            sender=(str(sender[0]), sender[1]),
            recipient=effective,
            original_role=receiver[1],
            area=area,
            kind=_charge_kind(row, key) if charges else _energy_kind(row, key),
            supplier=key["energy_supplier_id"] if charges or row in ("es", "es-brp", "esett-sum") else None,
            responsible=key["balance_responsible_party_id"] if row in ("brp", "es-brp") else None,
            resolution=resolution,
            start=_minute(stretch[0]["time"]),
        )
        end = job.period_end if resolution == "P1M" else _next(stretch[-1]["time"], resolution)
        points = tuple(_point(row, at, point) for at, point in enumerate(stretch, start=1))
        yield Message(identity, _minute(end), points)


def _stretches(rows: list[Row], resolution: str) -> Iterator[list[Row]]:
    stretch = [rows[0]]
    for row in rows[1:]:
        if row["time"] != _next(stretch[-1]["time"], resolution):
            yield stretch
            stretch = []
        stretch.append(row)
    yield stretch


def _next(time: datetime, resolution: str) -> datetime:
    if resolution == "P1D":
        return datetime.combine((time.astimezone(ZONE) + timedelta(days=1)).date(), datetime.min.time(), ZONE)
    return time + (timedelta(minutes=15) if resolution == "PT15M" else timedelta(hours=1))


def _minute(time: datetime) -> str:
    return time.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%MZ")


def _energy_kind(row: str, key: Mapping[str, Any]) -> tuple[str | None, ...]:
    if "neighbor_grid_area_code" in key:
        return "E20", None, key["grid_area_code"], key["neighbor_grid_area_code"]
    kind, method = _CODES[key["time_series_type"]]
    return kind, "E15" if row == "esett-sum" and method == "D01" else method, None, None


def _charge_kind(row: str, key: Mapping[str, Any]) -> tuple[str | None, ...]:
    if row.startswith("total"):
        return None, None, None, None, None
    charge = {"subscription": "D01", "fee": "D02", "tariff": "D03"}[key["charge_type"]]
    each = row.startswith("amounts")
    return ("E17" if each else None, "D01" if each else None, key["charge_code"], charge, key["charge_owner_id"])


def _point(row: str, position: int, point: Row) -> tuple[Any, ...]:
    if row.startswith(("monthly", "total")):
        return position, None, None, point["amount"] or "0", None
    qualities = set(point["quantity_qualities"] or ())
    if row.startswith("amounts"):
        return position, point["quantity"], point["price"], point["amount"] or "0", "A06"
    return position, point["quantity"], None, None, _energy_quality(qualities)


def _energy_quality(qualities: set[str]) -> str | None:
    if not qualities:
        return "A02"
    if "missing" in qualities:
        return "A05"
    if "estimated" in qualities:
        return "A03"
    return None if "measured" in qualities else "A06"
