"""Local days and months as UTC instants."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.danish_time import (
    format_instant,
    is_local_midnight,
    is_local_month,
    local_midnight,
    local_midnights,
    next_local_month,
    parse_instant,
)

COPENHAGEN = ZoneInfo("Europe/Copenhagen")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2020-01-01T00:00:00+0100", datetime(2019, 12, 31, 23, tzinfo=UTC)),
        ("2020-01-01T00:00:00+01:00", datetime(2019, 12, 31, 23, tzinfo=UTC)),
        ("2019-12-31T23:00:00Z", datetime(2019, 12, 31, 23, tzinfo=UTC)),
        ("2019-12-31T23:00Z", datetime(2019, 12, 31, 23, tzinfo=UTC)),
        ("2019-12-31T23:00:00.250Z", datetime(2019, 12, 31, 23, 0, 0, 250000, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_with_its_offset(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2020-01-01",
        "2020-01-01T00:00:00",
        "2020-02-30T00:00:00Z",
        "2020-01-01T25:00:00Z",
        "0001-01-01T00:00:00+0100",
    ],
)
def test_what_is_no_instant_is_named_in_the_error(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}'".replace("+", r"\+")):
        parse_instant(text)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC)))
def test_an_instant_survives_writing_and_reading(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant


@pytest.mark.parametrize(("day", "hours"), [(date(2023, 3, 26), 23), (date(2023, 10, 29), 25), (date(2023, 7, 2), 24)])
def test_days_have_23_24_or_25_hours(day: date, hours: int) -> None:
    begin, end = local_midnight(day, COPENHAGEN), local_midnight(day + timedelta(days=1), COPENHAGEN)
    assert end - begin == timedelta(hours=hours)
    assert local_midnights(begin, end, COPENHAGEN) == [begin]


def test_a_part_day_has_no_midnight_before_the_first_one() -> None:
    start = datetime(2023, 1, 31, 12, tzinfo=UTC)
    assert local_midnights(start, start + timedelta(days=1), COPENHAGEN) == [datetime(2023, 1, 31, 23, tzinfo=UTC)]


def test_a_local_month_is_exactly_one_calendar_month() -> None:
    start, end = datetime(2023, 9, 30, 22, tzinfo=UTC), datetime(2023, 10, 31, 23, tzinfo=UTC)
    assert is_local_month(start, end, COPENHAGEN)
    assert not is_local_month(start, end - timedelta(hours=1), COPENHAGEN)
    assert not is_local_month(start, datetime(2024, 10, 31, 23, tzinfo=UTC), COPENHAGEN)
    assert next_local_month(datetime(2023, 12, 5, tzinfo=UTC), COPENHAGEN) == datetime(2023, 12, 31, 23, tzinfo=UTC)


def test_an_utc_midnight_is_no_local_midnight() -> None:
    assert not is_local_midnight(datetime(2023, 7, 2, tzinfo=UTC), COPENHAGEN)
    assert is_local_midnight(datetime(2023, 7, 1, 22, tzinfo=UTC), COPENHAGEN)
