"""Ids, settlement groups and the command line, without an engine."""

import uuid

import pytest

from shared.errors import InvalidArguments
from sparkjobs.balance.settlement_groups import _steps
from sparkjobs.contracts.result_ids import NAMESPACE, result_id
from sparkjobs.contracts.results import key_columns
from sparkjobs.jobs.command_line import parse_command
from sparkjobs.jobs.settlement import main

JOB = "0b15a420-9fc8-409a-a169-fbd49479d718"
GOOD = [
    *("--lake", "/lake", "--job-id", JOB, "--process-type=D04"),
    *("--period-start=2023-06-01T00:00:00+0200", "--period-end", "2023-06-30T22:00:00Z"),
]


def test_a_result_id_is_the_uuid5_of_its_documented_key() -> None:
    name = f"36:{JOB}6:energy3:80010:production5:PT15M"
    assert result_id(JOB, "energy", ("800", "production", "PT15M")) == str(uuid.uuid5(NAMESPACE, name))


def test_null_and_the_empty_string_are_different_series() -> None:
    keys = [("800", None), ("800", ""), (None, "800"), ("80", "0")]
    assert len({result_id(JOB, "energy", key) for key in keys}) == len(keys)


def test_the_key_of_a_series_is_every_column_but_time_and_values() -> None:
    assert key_columns("energy_per_brp") == [
        "grid_area_code",
        "balance_responsible_party_id",
        "time_series_type",
        "resolution",
    ]


def test_expected_points_are_a_step_function_of_periods() -> None:
    assert list(_steps([(0, 8, 1), (4, 12, 2), (20, 24, 1)])) == [(0, 4, 1), (4, 8, 3), (8, 12, 2), (20, 24, 1)]


def test_arguments_come_with_equals_or_apart_and_empty_means_absent() -> None:
    command = parse_command([*GOOD, "--process-variant=", "--grid-areas=801,800", "--simulation"])
    assert command.arguments.grid_areas == ("800", "801")
    assert command.arguments.simulation
    assert command.arguments.process_variant is None
    assert not parse_command([*GOOD, "--simulation", "false"]).arguments.simulation


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        (["--colour=red"], "--colour"),
        (["--attempt=0"], "--attempt"),
        (["--grid-areas=80"], "--grid-areas"),
        (["--process-variant=D01"], "--process-variant"),
        (["--time-zone=Mars/Base"], "--time-zone"),
        (["--lake=/other"], "--lake"),
        (["--simulation=maybe"], "--simulation"),
    ],
)
def test_a_wrong_argument_is_named(extra: list[str], named: str) -> None:
    with pytest.raises(InvalidArguments, match=named):
        parse_command([*GOOD, *extra])


def test_wrong_arguments_end_the_job_with_2_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--process-type=D99"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "--lake: is missing" in told
    assert "'D99' is none of D03" in told
