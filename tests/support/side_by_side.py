"""Scenario folders side by side in one job, each with areas, metering points and charges of its own.

A job of a handful of points costs the JVM seconds however few they are, so folders that ask for the same calculation
share one there; on Sail every folder has its own. Areas never touch each other's results (test_reruns proves it).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.job_arguments import JobArguments
from shared.lake_layout import CHARGE_INPUT_TABLES, ENERGY_INPUT_TABLES
from sparkjobs.storage.engine import Engine
from tests.support.scenarios import Outcome, arguments_of, settle, settle_lake, with_empty_results
from tests.support.tables import read_csv, write_table

TABLES = ENERGY_INPUT_TABLES + CHARGE_INPUT_TABLES
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


def _asked(folder: Path) -> JobArguments:
    """The calculation but for its id and areas; one that names no areas is like no other."""
    asked = arguments_of(folder)
    return replace(asked, job_id="", grid_areas=()) if asked.grid_areas else asked


@dataclass
class _Place:
    """New names for what a folder names, which sort as the old ones do."""

    rows: dict[str, list[dict[str, str]]]
    new: dict[str, dict[str, str]] = field(default_factory=dict)

    def name(self, number: int, areas: Iterable[int], asked: Sequence[str]) -> None:
        """Choose the names: `number` is the folder's, `areas` gives codes that no folder has yet."""
        told = {
            name: sorted({*self._told(columns)}) for name, columns in (("areas", AREAS), ("points", METERING_POINTS))
        }
        codes = dict(zip(sorted({*told["areas"], *asked}), (f"{code:03d}" for code in areas), strict=False))
        points = {id_: f"{number:03d}{place:015d}" for place, id_ in enumerate(told["points"])}
        charges = {code: f"{number:03d}-{code}" for code in self._told(("charge_code",))}
        self.new = dict.fromkeys(AREAS, codes) | dict.fromkeys(METERING_POINTS, points) | {"charge_code": charges}

    def _told(self, columns: Iterable[str]) -> list[str]:
        rows = [row for of_table in self.rows.values() for row in of_table]
        return [row[column] for row in rows for column in columns if row.get(column)]

    def placed(self, table: str) -> list[dict[str, str]]:
        """The rows of an input table under the new names."""
        return [{**row, **{n: self.new[n].get(row[n], "") for n in NAMES if n in row}} for row in self.rows[table]]

    def own(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The folder's rows of a result, under the old names."""
        old = {name: {new: told for told, new in names.items()} for name, names in self.new.items()}
        mine = [row for row in rows if row["grid_area_code"] in old["grid_area_code"]]
        return [{**row, **{n: old[n].get(row[n]) for n in NAMES if n in row}} for row in mine]


@cache
def _settle_all(engine: Engine, folders: tuple[Path, ...]) -> dict[Path, Outcome]:
    """One job for all folders, and each one's part of its results; nothing where the job ends with an error."""
    places, codes, areas = {}, count(1), []
    for number, folder in enumerate(folders):
        asked = arguments_of(folder).grid_areas
        places[folder] = _Place({table: read_csv(folder / "when" / f"{table}.csv") for table in TABLES})
        places[folder].name(number, codes, asked)
        areas += [places[folder].new["grid_area_code"][area] for area in asked]
    with TemporaryDirectory() as lake:
        for table in TABLES:
            write_table(Path(lake), table, [row for place in places.values() for row in place.placed(table)])
        with_empty_results(engine, Path(lake))
        outcome = settle_lake(engine, replace(arguments_of(folders[0]), grid_areas=tuple(sorted(areas))), Path(lake))
    if outcome.error:
        return {}
    return {
        folder: Outcome({table: place.own(rows) for table, rows in outcome.tables.items()}, outcome.manifest, None)
        for folder, place in places.items()
    }
