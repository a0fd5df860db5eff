"""The rules that a job's arguments keep."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.codes import ProcessType, ProcessVariant, Resolution
from shared.errors import InvalidArguments
from shared.job_arguments import JobArguments, check_arguments

OCTOBER = JobArguments(
    job_id="0b15a420-9fc8-409a-a169-fbd49479d718",
    process_type=ProcessType.BALANCE_FIXING,
    period_start=datetime(2023, 9, 30, 22, tzinfo=UTC),
    period_end=datetime(2023, 10, 31, 23, tzinfo=UTC),
    grid_areas=("003",),
)
HOUR = timedelta(hours=1)


def wrong_fields(arguments: JobArguments) -> set[str]:
    try:
        check_arguments(arguments)
    except InvalidArguments as error:
        return set(error.fields)
    return set()


def test_a_whole_local_month_is_right_for_every_process_type() -> None:
    for process_type in ProcessType:
        variant = ProcessVariant.FIRST_CORRECTION if process_type is ProcessType.CORRECTION else None
        assert wrong_fields(replace(OCTOBER, process_type=process_type, process_variant=variant)) == set()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"period_end": OCTOBER.period_start}, {"period_end"}),
        ({"period_start": OCTOBER.period_start + HOUR}, {"period_start"}),
        ({"period_end": OCTOBER.period_end + HOUR, "simulation": True}, set()),
        ({"period_end": OCTOBER.period_end + HOUR / 4, "simulation": True}, {"period_end"}),
        ({"process_type": ProcessType.CORRECTION}, {"process_variant"}),
        ({"process_variant": ProcessVariant.FIRST_CORRECTION}, {"process_variant"}),
        (
            {"process_type": ProcessType.WHOLESALE_FIXING, "period_end": datetime(2023, 10, 30, 23, tzinfo=UTC)},
            {"period_end"},
        ),
        (
            {"process_type": ProcessType.WHOLESALE_FIXING, "period_end": datetime(2024, 10, 31, 23, tzinfo=UTC)},
            {"period_end"},
        ),
        (
            {"process_type": ProcessType.WHOLESALE_FIXING, "period_start": datetime(2023, 10, 1, 22, tzinfo=UTC)},
            {"period_start", "period_end"},
        ),
        ({"period_end": datetime(2024, 11, 10, 23, tzinfo=UTC)}, {"period_end"}),
        # 400 local days from summer to winter time are an hour more than 400 times 24.
        ({"period_end": datetime(2024, 11, 3, 23, tzinfo=UTC)}, set()),
        ({"period_end": datetime(2024, 11, 4, 23, tzinfo=UTC)}, {"period_end"}),
        ({"quarterly_transition": datetime(2023, 10, 15, 22, tzinfo=UTC)}, {"period_end"}),
        ({"quarterly_transition": OCTOBER.period_start}, set()),
        ({"quarterly_transition": OCTOBER.period_end}, set()),
        ({"quarterly_transition": datetime(2023, 1, 1, tzinfo=UTC)}, {"quarterly_transition"}),
        ({"grid_areas": ("3",), "job_id": "x", "attempt": 0}, {"grid_areas", "job_id", "attempt"}),
    ],
)
def test_each_rule_names_its_field(changes: dict[str, object], fields: set[str]) -> None:
    assert wrong_fields(replace(OCTOBER, **changes)) == fields


def test_every_wrong_field_is_named_at_once_by_the_callers_names() -> None:
    wrong = replace(OCTOBER, process_type=ProcessType.CORRECTION, period_start=OCTOBER.period_start + HOUR)
    with pytest.raises(InvalidArguments) as caught:
        check_arguments(wrong, {"period_start": "beginTime", "process_variant": "processVariant"})
    assert set(caught.value.fields) == {"beginTime", "processVariant"}


def test_results_are_hourly_up_to_the_transition_and_quarterly_after_it() -> None:
    assert replace(OCTOBER, quarterly_transition=OCTOBER.period_end).result_resolution is Resolution.HOUR
    assert replace(OCTOBER, quarterly_transition=OCTOBER.period_start).result_resolution is Resolution.QUARTER
