"""Every scenario folder (scenarios.md) through the settlement job: those of the specification and the project's own.

A folder is a calculation: when/calculation_arguments.yml and when/*.csv, and then/energy_results/*.csv or
then/error.yml
({exit_code: 3, message_contains: [...]}). A new folder needs no Python.
"""

from pathlib import Path

import pytest

from sparkjobs.storage.engine import Engine
from tests.support.scenarios import compare, folders
from tests.support.side_by_side import settle_among

HERE = Path(__file__).parent
SHARED = HERE.parents[1].parent / "shared" / "scenarios"
WHOLESALE = SHARED / "wholesale_calculation"  # test_wholesale compares their energy too
WORKED = [folder for folder in folders(SHARED) if WHOLESALE not in folder.parents]
FOLDERS = [*WORKED, *folders(HERE / "balance")]


def test_the_worked_scenarios_are_there() -> None:
    if not SHARED.exists():
        pytest.skip(f"the worked scenarios are not beside the project: {SHARED}")
    assert folders(SHARED)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_energy_results(engine: Engine, folder: Path, tmp_path: Path) -> None:
    outcome = settle_among(engine, folder, FOLDERS, tmp_path)
    assert compare(folder, outcome, "energy_results") == ""
