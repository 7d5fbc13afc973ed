"""Working time: what counts of a week, a holiday, a night."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.custody.hours import CLOSES, FRIDAY, OPENS, after_working_time, working_time
from gateway.policy.logic import HOME_ZONE

HOUR, DAY = 3_600.0, 86_400.0


def at(text: str) -> datetime:
    """A moment on the clock of the offices."""
    return datetime.fromisoformat(text).replace(tzinfo=HOME_ZONE)


# 2026-11-24 is a Tuesday.
CASES = {
    "within a morning": ("2026-11-24T09:00", 2 * HOUR, "2026-11-24T11:00"),
    "over a night": ("2026-11-24T16:00", 2 * HOUR, "2026-11-25T09:00"),
    "over a weekend": ("2026-11-27T16:30", HOUR, "2026-11-30T08:30"),
    "before the office opens": ("2026-11-24T05:00", HOUR, "2026-11-24T09:00"),
    "after it has closed": ("2026-11-24T22:00", HOUR, "2026-11-25T09:00"),
    "on a Sunday": ("2026-11-29T10:00", 4 * HOUR, "2026-11-30T12:00"),
    "to the minute of closing": ("2026-11-24T15:00", 2 * HOUR, "2026-11-24T17:00"),
    "a day is a working day": ("2026-11-24T09:00", DAY, "2026-11-25T09:00"),
    "three working days": ("2026-11-26T10:00", 3 * DAY, "2026-12-01T10:00"),
    "a day and a half": ("2026-11-24T09:00", DAY + 4.5 * HOUR, "2026-11-25T13:30"),
    "more hours than a day has": ("2026-11-24T08:00", 10 * HOUR, "2026-11-25T09:00"),
    "over a holiday": ("2026-12-31T16:00", 2 * HOUR, "2027-01-04T09:00"),
}
HOLIDAYS = frozenset({date(2027, 1, 1)})  # a Friday


@pytest.mark.parametrize(("start", "seconds", "end"), CASES.values(), ids=CASES)
def test_after_working_time(start: str, seconds: float, end: str) -> None:
    assert after_working_time(at(start), working_time(seconds), HOLIDAYS) == at(end)


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    start = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # 16:00 at home
    assert after_working_time(start, timedelta(hours=2)) == at("2026-11-25T09:00")


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
TIMES = st.timedeltas(timedelta(seconds=1), timedelta(hours=200))


@given(MOMENTS, TIMES, TIMES)
def test_the_end_is_in_working_hours_and_time_adds_up(start: datetime, first: timedelta, second: timedelta) -> None:
    end = after_working_time(start, first, HOLIDAYS)
    assert end > start
    assert end.weekday() <= FRIDAY
    assert OPENS <= end.time() <= CLOSES
    assert after_working_time(end, second, HOLIDAYS) == after_working_time(start, first + second, HOLIDAYS)
