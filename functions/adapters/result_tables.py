"""The lake's Delta tables, read without Spark by delta-rs and its SQL engine (energy 11).

A grid area is read in portions of whole series, each turned into columns of Python, so that memory stays bounded
however large the result. The engine puts the points of a series together and sorts nothing: results are written in
order, and what another writer left unsorted is sorted here. The files of a job are found by its partition (job_id,
attempt) and the statistics of the grid area and result id. Timestamps leave the engine as whole microseconds and
decimals as the text that they are stored as: exact, and cheaper than objects.
"""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from functions.adapters.delta import DeltaLake, Snapshot, as_rows, literal
from functions.adapters.point_columns import TEXTS, PointColumns, columns_of_batch
from functions.ports import Row
from shared import lake_layout
from shared.codes import QUALITY_BIT
from shared.result_series import ResultSeries

PORTION = 200_000
"""Rows that are in memory at once, but at least one series."""
MOST_NAMED = 1000
"""Series that one query names one by one."""
KEPT = 3
"""Grid areas whose keys are remembered besides the newest: those of a job and its predecessor."""
_NOT_KEY = ("job_id", "attempt", "result_id", "time", "quantity", "quantity_qualities", "price", "amount")
_SETS = " + ".join(
    f"CASE WHEN array_has(quantity_qualities, '{name}') THEN {16 + bit} ELSE 0 END" for name, bit in QUALITY_BIT.items()
)
# Low byte: how many qualities of the list are in the set, times 16, and their bits.
_QUALITIES = f"CAST({_SETS} AS BIGINT)"
# And in the second byte how many qualities the set holds, known or not.
_DISTINCT = (
    f"CAST({_SETS} AS BIGINT) + 256 * coalesce(CAST(array_length(array_distinct(quantity_qualities)) AS BIGINT), 0)"
)
_TIME = "CAST(arrow_cast(time, 'Timestamp(Microsecond, Some(\"UTC\"))') AS BIGINT)"


class _Series(NamedTuple):
    """A series and how many rows it has."""

    result_id: str | None
    key: Mapping[str, Any]
    rows: int


class DeltaTables:
    """The tables below `root`: `abfss://…` with the app's identity, or a folder of this machine."""

    def __init__(self, root: str, client_id: str = "") -> None:
        self._lake = DeltaLake(root, client_id)
        self._kept: dict[tuple[str, str, int, str], tuple[Snapshot, list[_Series]]] = {}
        self._lock = threading.Lock()

    def series(
        self, table: str, job_id: str, attempt: int, grid_area: str, only: Collection[str] | None = None
    ) -> Iterator[ResultSeries]:
        """The series of a finished attempt in a grid area, sorted by result_id. Raises Unavailable."""
        opened, keys = self._known(table, job_id, attempt, grid_area)
        wanted = keys if only is None else [series for series in keys if series.result_id in only]
        for portion in _portions(wanted, MOST_NAMED if only is not None else PORTION):
            chosen = _between(portion) if only is None else _among(portion)
            yield from self._read(opened, f"{_where(job_id, attempt, grid_area)} AND {chosen}", portion)

    def series_keys(self, table: str, job_id: str, attempt: int, grid_area: str) -> Sequence[ResultSeries]:
        """The same series without their points."""
        keys = self._known(table, job_id, attempt, grid_area)[1]
        return [ResultSeries(result_id=series.result_id or "", key=series.key, times=()) for series in keys]

    def _known(self, table: str, job_id: str, attempt: int, grid_area: str) -> tuple[Snapshot, list[_Series]]:
        """Which series there are, and the snapshot that says so; kept, since a finished attempt does not change."""
        at = (table, job_id, attempt, grid_area)
        found = self._kept.get(at)
        if found is None:
            opened = self._lake.open(lake_layout.result_table(table))
            if opened is None:
                return Snapshot(None, ()), []
            found = (opened, self._ask_keys(opened, _where(job_id, attempt, grid_area)))
            if found[1]:
                with self._lock:
                    self._kept = {**dict(list(self._kept.items())[-KEPT:]), at: found}
        return found

    def _ask_keys(self, opened: Snapshot, where: str) -> list[_Series]:
        names = _key_columns(opened)
        columns = ", ".join(("result_id", *names))
        rows = self._ask(
            opened, "SELECT", columns, ", count(*) AS rows FROM t", where, "GROUP BY", columns, "ORDER BY", columns
        )
        return [_Series(row["result_id"], {name: row[name] for name in names}, row["rows"]) for row in as_rows(rows)]

    def _ask(self, opened: Snapshot, *query: str) -> Iterator[Any]:
        try:
            yield from self._lake.query(opened, *query)
        except Exception:
            self._kept = {}  # a snapshot whose files are gone must not be asked again
            raise

    def _read(self, opened: Snapshot, where: str, portion: Sequence[_Series]) -> Iterator[ResultSeries]:
        # One result id with two keys breaks the contract of the table: then the keys decide which row is whose.
        unique = len({series.result_id for series in portion}) == len(portion)
        names = ("result_id", *(() if unique else _key_columns(opened)))
        found = self._columns(opened, where, names, exact=False)
        if not all(columns.certain for columns in found.values()):
            found = self._columns(opened, where, names, exact=True)
        for series in portion:
            key = {**series.key, "result_id": series.result_id}
            yield found.pop(tuple(key[name] for name in names)).series(series)

    def _columns(
        self, opened: Snapshot, where: str, names: Sequence[str], *, exact: bool
    ) -> "dict[tuple[Any, ...], PointColumns]":
        """The points of each series as columns, in the order of the files; the engine puts a column in one piece."""
        texts = [name for name in TEXTS if name in opened.columns]
        chosen = [*names, "count(*) AS n_points", f"array_agg({_TIME}) AS n_times"]
        for name in texts:
            text = f"CAST({name} AS VARCHAR)"
            text = f"coalesce({text}, '')" if exact else text
            chosen.append(f"string_agg({text}, ',') AS n_{name}")
        if "quantity_qualities" in opened.columns:
            chosen.append(f"array_agg({_DISTINCT if exact else _QUALITIES}) AS n_sets")
            chosen.append("coalesce(array_length(flatten(array_agg(quantity_qualities))), 0) AS n_qualities")
        query = ("SELECT", ", ".join(chosen), "FROM t", where, "GROUP BY", ", ".join(names))
        found: dict[tuple[Any, ...], PointColumns] = {}
        for batch in self._ask(opened, *query):
            keys = zip(*(batch.column(name).to_pylist() for name in names), strict=True)
            found.update(zip(keys, columns_of_batch(batch, texts, exact=exact), strict=True))
        return found

    def grid_areas(self, table: str, job_id: str, attempt: int) -> Sequence[str]:
        """The grid areas that an attempt has rows for."""
        opened = self._lake.open(lake_layout.result_table(table))
        if opened is None:
            return []
        where = _where(job_id, attempt)
        rows = self._lake.query(opened, "SELECT DISTINCT grid_area_code AS area FROM t", where, "ORDER BY area")
        return [row["area"] for row in as_rows(rows)]

    def rows(self, table: str, job_id: str, attempt: int, grid_area: str | None = None) -> Iterator[Any]:
        """An attempt's rows as Arrow record batches, sorted by result_id and time."""
        opened = self._lake.open(lake_layout.result_table(table))
        if opened is not None:
            where = _where(job_id, attempt, grid_area)
            yield from self._lake.query(opened, "SELECT * FROM t", where, "ORDER BY result_id, time")

    def input_rows(self, table: str, version: int | None = None) -> Sequence[Row]:
        """A small input table whole; empty where there is none."""
        opened = self._lake.open(lake_layout.input_table(table), version)
        return [] if opened is None else list(as_rows(self._lake.query(opened, "SELECT * FROM t")))

    def version(self, table: str) -> int | None:
        """The newest version of an input table, None when there is none."""
        opened = self._lake.open(lake_layout.input_table(table))
        return None if opened is None else int(opened.table.version())


def _portions(keys: Sequence[_Series], most: int) -> Iterator[list[_Series]]:
    """Series in portions of PORTION rows and `most` series; equal ids stay together, rows without an id apart."""
    portion: list[_Series] = []
    rows = 0
    for series in keys:
        full = rows + series.rows > PORTION or len(portion) >= most
        if portion and (series.result_id is None or full) and series.result_id != portion[-1].result_id:
            yield portion
            portion, rows = [], 0
        portion.append(series)
        rows += series.rows
    if portion:
        yield portion


def _between(portion: Sequence[_Series]) -> str:
    first, last = portion[0].result_id, portion[-1].result_id
    if first is None or last is None:
        return "result_id IS NULL"
    return f"result_id BETWEEN {literal(first)} AND {literal(last)}"


def _among(portion: Sequence[_Series]) -> str:
    return f"result_id IN ({', '.join(literal(series.result_id or '') for series in portion)})"


def _where(job_id: str, attempt: int, grid_area: str | None = None) -> str:
    where = f"WHERE job_id = {literal(job_id)} AND attempt = {attempt}"
    return where if grid_area is None else f"{where} AND grid_area_code = {literal(grid_area)}"


def _key_columns(opened: Snapshot) -> tuple[str, ...]:
    return tuple(name for name in opened.columns if name not in _NOT_KEY)
