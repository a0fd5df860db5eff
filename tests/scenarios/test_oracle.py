"""The plain-Python second opinion agrees with every scenario folder: no Spark needed."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.support.oracle import Inputs, Row, RuleBroken, settle
from tests.support.oracle.folders import (
    difference,
    expected_files,
    read_arguments,
    read_expected,
    read_inputs,
    rows_of_file,
)

HERE = Path(__file__).parent
WORKED = HERE.parents[2] / "shared" / "scenarios"
FOLDERS = sorted([*HERE.glob("balance/given_*"), *HERE.glob("wholesale/given_*"), *WORKED.glob("*/given_*")])
FILES = [(folder, path) for folder in FOLDERS for path in expected_files(folder)]
REFUSED = [folder for folder in FOLDERS if (folder / "then" / "error.yml").exists()]


@cache
def settled(folder: Path) -> tuple[Inputs, dict[str, list[Row]]]:
    inputs = read_inputs(folder)
    return inputs, settle(inputs, read_arguments(folder))


@pytest.mark.parametrize(("folder", "path"), FILES, ids=[f"{folder.name}/{path.stem}" for folder, path in FILES])
def test_oracle_gives_the_expected_rows(folder: Path, path: Path) -> None:
    inputs, tables = settled(folder)
    assert not difference(read_expected(path), rows_of_file(path.stem, tables, inputs))


@pytest.mark.parametrize("folder", REFUSED, ids=[folder.name for folder in REFUSED])
def test_oracle_refuses_the_data(folder: Path) -> None:
    error = yaml.safe_load((folder / "then" / "error.yml").read_text())
    with pytest.raises(RuleBroken) as broken:
        settle(read_inputs(folder), read_arguments(folder))
    assert error["exit_code"] == 3
    for part in error["message_contains"]:
        assert part in str(broken.value)


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_every_folder_expects_something_and_says_why(folder: Path) -> None:
    assert expected_files(folder) or (folder / "then" / "error.yml").exists()
    if HERE in folder.parents:
        purpose = yaml.safe_load((folder / "scenario.yml").read_text())["purpose"]
        assert purpose.strip()
        assert "\n" not in purpose
