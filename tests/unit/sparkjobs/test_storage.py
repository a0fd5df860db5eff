"""Where the tables of a lake are found."""

from pathlib import Path

import pytest

from sparkjobs.storage.delta import table_folder


@pytest.mark.parametrize("name", ["a b", "søren", "50%"])
def test_a_local_lake_is_addressed_by_a_name_that_no_uri_escapes(tmp_path: Path, name: str) -> None:
    """Sail escapes such a name twice, and would read and write another folder."""
    (tmp_path / name).mkdir()
    for lake in (str(tmp_path / name), f"file://{tmp_path / name}"):
        folder = table_folder(lake, "input/points")
        assert folder.isascii()
        assert not set(folder) & set(" %")
        assert Path(folder).resolve() == (tmp_path / name / "input/points").resolve()


def test_a_plain_name_and_a_remote_lake_are_addressed_as_they_are(tmp_path: Path) -> None:
    assert table_folder(str(tmp_path), "input/points") == f"{tmp_path}/input/points"
    remote = "abfss://aggregations@account.dfs.core.windows.net"
    assert table_folder(remote, "input/points") == f"{remote}/input/points"
