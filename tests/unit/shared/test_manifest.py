"""The manifest says that results are complete: whatever is not whole is not there."""

from dataclasses import replace

import pytest

from shared.manifest import Manifest, ResultTable, read_manifest

MANIFEST = Manifest(
    job_id="0b15a420-9fc8-409a-a169-fbd49479d718",
    attempt=2,
    arguments={"process-type": "D04"},
    grid_areas=["800"],
    input_versions={"time_series_points": 7},
    results={"energy": ResultTable(version=3, rows=96, series_count=1, series=[{"result_id": "a"}])},
)


def test_a_manifest_survives_writing_and_reading() -> None:
    assert read_manifest(MANIFEST.to_json()) == MANIFEST


def test_a_manifest_cut_anywhere_is_not_there_yet() -> None:
    content = MANIFEST.to_json()
    assert all(read_manifest(content[:length]) is None for length in range(len(content)))


@pytest.mark.parametrize("content", [b"[]", b"null", b"{}", b'{"format": 1, "complete": true}', b"\xff"])
def test_what_is_no_manifest_is_not_there_yet(content: bytes) -> None:
    assert read_manifest(content) is None


def test_a_manifest_without_its_job_is_none() -> None:
    broken = replace(MANIFEST, job_id=None)  # type: ignore[arg-type] # the point of the test
    assert read_manifest(broken.to_json()) is None
