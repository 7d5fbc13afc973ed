"""Working time: Monday to Friday, 08:00 to 17:00 in Vietnam, without holidays."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime, time, timedelta

from gateway.policy.logic import HOME_ZONE

OPENS, CLOSES = time(8), time(17)
"""The hours of public offices."""

WORKING_DAY = timedelta(hours=9)
"""From opening to closing."""

FRIDAY = 4

DAY = timedelta(days=1)


def working_time(seconds: float) -> timedelta:
    """The working time that a duration of a policy stands for: each whole day is a working day, the rest is hours."""
    days, rest = divmod(timedelta(seconds=seconds), DAY)
    return days * WORKING_DAY + rest


def after_working_time(moment: datetime, wanted: timedelta, holidays: Container[date] = ()) -> datetime:
    """When so much working time has passed since an aware moment; in the zone of the offices.

    What comes outside working hours counts from the next opening. What ends at a closing ends there, not at the next
    opening. Raises OverflowError where that is beyond the calendar.
    """
    local = moment.astimezone(HOME_ZONE)
    day, left = local.date(), wanted
    while True:
        if day.weekday() <= FRIDAY and day not in holidays:
            opens = datetime.combine(day, OPENS, HOME_ZONE)
            closes = datetime.combine(day, CLOSES, HOME_ZONE)
            begins = max(opens, local)
            if begins < closes:
                if left <= closes - begins:
                    return begins + left
                left -= closes - begins
        day += DAY
