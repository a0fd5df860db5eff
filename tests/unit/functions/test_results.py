"""Results by pages, as JSON and CSV, and whose rows an actor sees (coordinator 3)."""

import csv
import io
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from functions.adapters.in_memory import FakeTokens
from shared.result_series import ResultSeries
from tests.support.app import World, fields, problem

SUPPLIER, OTHER_SUPPLIER, RESPONSIBLE = "5790000000101", "5790000000102", "5790000000201"
OWNER = "5790000000001"
STEP = 900 * 1_000_000


@dataclass
class SeriesTables:
    """Result tables as a list of series."""

    inputs: Any
    found: dict[str, list[ResultSeries]] = field(default_factory=dict)

    def series(self, table: str, job_id: str, attempt: int, grid_area: str, only: Any = None) -> Any:
        kept = [s for s in self.found.get(table, []) if s.key["grid_area_code"] == grid_area]
        return iter(sorted((s for s in kept if only is None or s.result_id in only), key=lambda s: s.result_id))

    def series_keys(self, table: str, job_id: str, attempt: int, grid_area: str) -> Any:
        return list(self.series(table, job_id, attempt, grid_area))

    def grid_areas(self, table: str, job_id: str, attempt: int) -> list[str]:
        return sorted({s.key["grid_area_code"] for s in self.found.get(table, [])})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inputs, name)


def per_es(number: int, area: str, supplier: str | None, points: int = 4) -> ResultSeries:
    key = {
        "grid_area_code": area,
        "energy_supplier_id": supplier,
        "balance_responsible_party_id": RESPONSIBLE,
        "time_series_type": "production",
        "resolution": "PT15M",
    }
    return ResultSeries(
        result_id=f"00000000-0000-5000-8000-{number:012d}",
        key=key,
        times=[1_675_206_000_000_000 + STEP * point for point in range(points)],
        quantities=[f"{number}.{point:03d}" for point in range(points)],
        qualities=bytes([4, 5, 8, 0][:points]),
    )


@pytest.fixture
def world() -> World:
    made = World()
    tables = SeriesTables(made.tables)
    tables.found["energy"] = []
    tables.found["energy_per_es"] = [
        per_es(1, "800", SUPPLIER),
        per_es(2, "800", OTHER_SUPPLIER),
        per_es(3, "801", SUPPLIER),
        per_es(4, "801", None),
    ]
    made.app.replace(tables=tables)
    return made


def completed(world: World, **parameters: Any) -> str:
    job_id = world.start(**parameters)
    manifest = {"energy_per_es": 16}
    world.finish_run(job_id)
    for _ in range(4):
        world.tick()
    world.app.records.change(job_id, lambda now: _with_results(now, manifest))
    return job_id


def _with_results(record: Any, rows: dict[str, int]) -> Any:
    from dataclasses import replace

    return replace(record, results=rows)


def all_rows(world: World, path: str, **headers: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while path:
        answered = world.call("GET", path, headers=headers)
        assert answered.status == 200, answered.body
        rows += json.loads(answered.body)["rows"]
        link = answered.headers.get("Link", "")
        parts = urlsplit(link.partition(">")[0].removeprefix("<"))
        path = f"{parts.path.removeprefix('/api/')}?{parts.query}" if link else ""
        assert not link or link.endswith('; rel="next"')
    return rows


@pytest.mark.parametrize("size", [1, 3, 4, 5, 100])
def test_pages_of_any_size_give_every_row_once(world: World, size: int) -> None:
    job_id = completed(world)
    rows = all_rows(world, f"jobs/{job_id}/results/energy_per_es?pageSize={size}")
    assert len(rows) == 16
    assert [row["quantity"] for row in rows[:4]] == [1.0, 1.001, 1.002, 1.003]
    assert rows[1]["quantity_qualities"] == ["measured", "missing"]
    assert rows[0]["time"] == "2023-01-31T23:00:00Z"
    assert len({(row["result_id"], row["time"]) for row in rows}) == 16


def test_rows_are_filtered_by_area_supplier_responsible_and_series(world: World) -> None:
    job_id = completed(world)
    path = f"jobs/{job_id}/results/energy_per_es"
    for query, number in (
        ("gridArea=800", 8),
        (f"energySupplierId={SUPPLIER}", 8),
        (f"energySupplierId={SUPPLIER}&gridArea=801", 4),
        (f"balanceResponsiblePartyId={RESPONSIBLE}", 16),
        ("series=production", 16),
        ("series=flex_consumption", 0),
        ("series=00000000-0000-5000-8000-000000000002", 4),
        ("gridArea=999", 0),
    ):
        assert len(all_rows(world, f"{path}?{query}")) == number, query
    wrong = world.call("GET", f"{path}?gridArea=8&energySupplierId=1&series=x&pageSize=50001&continuationToken=e30=")
    assert fields(wrong) == {"gridArea", "energySupplierId", "series", "pageSize", "continuationToken"}


def test_csv_holds_the_same_rows_digit_by_digit(world: World) -> None:
    job_id = completed(world)
    answered = world.call("GET", f"jobs/{job_id}/results/energy_per_es", headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answered.body.decode())))
    assert answered.media_type == "text/csv"
    assert (len(rows), rows[0]["quantity"], rows[1]["quantity_qualities"]) == (16, "1.000", "measured|missing")
    assert rows[-1]["energy_supplier_id"] == ""


def test_what_is_not_there_is_404(world: World) -> None:
    job_id = world.start()
    assert json.loads(world.call("GET", f"jobs/{job_id}/results").body)["tables"] == []
    for table in ("energy_per_es", "nothing", "..", "time_series_points"):
        assert problem(world.call("GET", f"jobs/{job_id}/results/{table}"))["status"] == 404


@pytest.mark.parametrize(
    ("actor", "role", "numbers"),
    [
        (SUPPLIER, "DDQ", {1, 3}),
        (OTHER_SUPPLIER, "DDQ", {2}),
        (SUPPLIER, "DDK", set()),
        (RESPONSIBLE, "DDK", {1, 2, 3, 4}),
        (OWNER, "MDR", {1, 2}),
        (OWNER, "DDM", {1, 2}),
        (OWNER, "DDQ", set()),
        ("5790000432752", "EZ", set()),
        (SUPPLIER, "XXX", set()),
    ],
)
def test_an_actor_sees_its_own_rows_alone(world: World, actor: str, role: str, numbers: set[int]) -> None:
    job_id = completed(world)
    claims = {"roles": ["market.request"], "actor_id": actor, "actor_role": role, "sub": "x"}
    world.app.replace(tokens=FakeTokens({"t": claims}))
    rows = all_rows(world, f"jobs/{job_id}/results/energy_per_es", authorization="Bearer t")
    assert {int(row["result_id"][-3:]) for row in rows} == numbers
    assert world.call("GET", f"jobs/{job_id}", headers={"authorization": "Bearer t"}).status == 403


def test_an_actor_sees_no_simulation_and_needs_a_name(world: World) -> None:
    job_id = completed(world, simulation=True)
    world.app.replace(
        tokens=FakeTokens(
            {
                "t": {"roles": ["market.request"], "actor_id": SUPPLIER, "actor_role": "DDQ"},
                "nobody": {"roles": ["market.request"]},
            }
        )
    )
    path = f"jobs/{job_id}/results/energy_per_es"
    assert world.call("GET", path).status == 200
    assert world.call("GET", path, headers={"authorization": "Bearer t"}).status == 404
    assert world.call("GET", path, headers={"authorization": "Bearer nobody"}).status == 403


@pytest.mark.parametrize(
    ("table", "key", "sees"),
    [
        ("amounts_per_charge", {"charge_owner_id": OWNER, "is_tax": False}, {"DDM"}),
        ("amounts_per_charge", {"charge_owner_id": "5790000432752", "is_tax": True}, {"DDM"}),
        ("amounts_per_charge", {"charge_owner_id": "5790000432752", "is_tax": False}, {"EZ"}),
        ("total_monthly_amounts", {"charge_owner_id": None}, {"DDQ"}),
        ("total_monthly_amounts", {"charge_owner_id": OWNER}, {"DDM"}),
    ],
)
def test_charges_are_seen_by_whom_they_are_sent_to(table: str, key: dict[str, Any], sees: set[str]) -> None:
    from functions.coordinator.read_results import Actor

    row = {"grid_area_code": "800", "energy_supplier_id": SUPPLIER} | key
    actors = {
        "DDM": Actor(OWNER, "DDM", frozenset({"800"})),
        "EZ": Actor("5790000432752", "EZ"),
        "DDQ": Actor(SUPPLIER, "DDQ"),
    }
    expected = sees | ({"DDQ"} if table == "amounts_per_charge" else set())
    assert {role for role, actor in actors.items() if actor.sees(table, row)} == expected
