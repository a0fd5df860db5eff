"""Scenario folders side by side in one job, each with areas, metering points and charges of its own.

A job of a handful of points costs the JVM seconds however few they are, so folders that ask for the same calculation
share one there; on Sail every folder has its own. Areas never touch each other's results (test_reruns proves it).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.job_arguments import JobArguments
from sparkjobs.storage.engine import Engine
from tests.support.scenarios import INPUT_TABLES, Outcome, arguments_of, settle, settle_lake, with_empty_results
from tests.support.tables import read_csv, write_table

AREAS = ("grid_area_code", "from_grid_area_code", "to_grid_area_code", "neighbor_grid_area_code")
METERING_POINTS = ("metering_point_id", "parent_metering_point_id")
NAMES = (*AREAS, *METERING_POINTS, "charge_code")


def settle_among(engine: Engine, folder: Path, folders: Sequence[Path], lake: Path) -> Outcome:
    """What a folder's calculation gives: by a job of its own, or on a JVM by one with those of `folders` like it."""
    if engine.is_sail or _ends_with_an_error(folder):
        return settle(engine, folder, lake)
    alike = [other for other in folders if not _ends_with_an_error(other) and _asked(other) == _asked(folder)]
    outcomes = _settle_all(engine, tuple(alike)) if len(alike) > 1 else {}
    # A job that ends with an error does not say whose it is: then each folder answers for itself.
    return outcomes[folder] if outcomes else settle(engine, folder, lake)


def _ends_with_an_error(folder: Path) -> bool:
    return (folder / "then" / "error.yml").exists()


@cache
def _asked(folder: Path) -> JobArguments:
    """The calculation but for its id and areas; one that names no areas is like no other."""
    asked = arguments_of(folder)
    return replace(asked, job_id="", grid_areas=()) if asked.grid_areas else asked


@dataclass(frozen=True)
class _Place:
    """The input rows of a folder, and new names for what they name, which sort as the old ones do."""

    rows: dict[str, list[dict[str, str]]]
    new: dict[str, dict[str, str]]

    def placed(self, table: str) -> list[dict[str, str]]:
        """The rows of an input table under the new names."""
        return [{**row, **{n: self.new[n].get(row[n], "") for n in NAMES if n in row}} for row in self.rows[table]]

    def own(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The folder's rows of a result, under the old names."""
        old = {name: {new: told for told, new in names.items()} for name, names in self.new.items()}
        mine = [row for row in rows if row["grid_area_code"] in old["grid_area_code"]]
        return [{**row, **{n: old[n].get(row[n]) for n in NAMES if n in row}} for row in mine]


def _place(number: int, folder: Path, codes: Iterator[int]) -> _Place:
    """Give a folder, one of so many, names of its own; `codes` are areas that no other folder has."""
    rows = {table: read_csv(folder / "when" / f"{table}.csv") for table in INPUT_TABLES}

    def told(*columns: str) -> set[str]:
        return {row[name] for of_table in rows.values() for row in of_table for name in columns if row.get(name)}

    areas = {area: f"{next(codes):03d}" for area in sorted(told(*AREAS) | {*arguments_of(folder).grid_areas})}
    points = {id_: f"{number:03d}{place:015d}" for place, id_ in enumerate(sorted(told(*METERING_POINTS)))}
    charges = {code: f"{number:03d}-{code}" for code in told("charge_code")}
    new = dict.fromkeys(AREAS, areas) | dict.fromkeys(METERING_POINTS, points) | {"charge_code": charges}
    return _Place(rows, new)


@cache
def _settle_all(engine: Engine, folders: tuple[Path, ...]) -> dict[Path, Outcome]:
    """One job for all folders, and each one's part of its results; nothing where the job ends with an error."""
    codes = count(1)
    places = {folder: _place(number, folder, codes) for number, folder in enumerate(folders)}
    areas = [
        place.new["grid_area_code"][area]
        for folder, place in places.items()
        for area in arguments_of(folder).grid_areas
    ]
    with TemporaryDirectory() as lake:
        for table in INPUT_TABLES:
            write_table(Path(lake), table, [row for place in places.values() for row in place.placed(table)])
        with_empty_results(engine, Path(lake))
        outcome = settle_lake(engine, replace(arguments_of(folders[0]), grid_areas=tuple(sorted(areas))), Path(lake))
    if outcome.error:
        return {}
    return {
        folder: Outcome({table: place.own(rows) for table, rows in outcome.tables.items()}, outcome.manifest, None)
        for folder, place in places.items()
    }
