"""Every wholesale scenario folder (scenarios.md) through the settlement job: charges, and the energy beside them."""

from pathlib import Path

import pytest

from sparkjobs.storage.engine import Engine
from tests.support.scenarios import compare, folders
from tests.support.side_by_side import settle_among

HERE = Path(__file__).parent
SHARED = HERE.parents[1].parent / "shared" / "scenarios" / "wholesale_calculation"
FOLDERS = [*folders(SHARED), *folders(HERE / "wholesale")]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_wholesale_results(engine: Engine, folder: Path, tmp_path: Path) -> None:
    outcome = settle_among(engine, folder, FOLDERS, tmp_path)
    assert compare(folder, outcome, "wholesale_results") == ""
    assert compare(folder, outcome, "energy_results") == ""
