"""How many clients are let in: all while work does not wait, as many as are done with while it does."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.intake import ALWAYS, LATE, LEAST, LOOK_EVERY, Intake
from gateway.rush import AT_START, PATIENCE, RELIEF, Rush

IN_TIME, LATE_ONCE = LOOK_EVERY, LOOK_EVERY + 1.5 * LATE


def let_in(intake: Intake, seconds: float, since: float = 0.0) -> int:
    """How many of a thousand a second come in."""
    return sum(intake.admits(since + step / 1000) for step in range(int(seconds * 1000)))


def looked(intake: Intake, *elapsed: float, rate: float, under_way: int = 100) -> Intake:
    """After these looks, with so many a second done with."""
    for each in elapsed:
        intake.looked(each, round(rate * each), under_way)
    return intake


LOOKS: dict[str, tuple[tuple[float, ...], bool]] = {
    "in time": ((IN_TIME,) * 20, True),
    "late once, as when the machine pauses": ((*(IN_TIME,) * 20, 3.0, IN_TIME), True),
    "late in a row": ((*(IN_TIME,) * 20, LATE_ONCE, LATE_ONCE), False),
    "late in a row, and in time for long": ((LATE_ONCE, LATE_ONCE, *(IN_TIME,) * 100), True),
}


@pytest.mark.parametrize(("elapsed", "free"), LOOKS.values(), ids=LOOKS)
def test_all_may_come_until_it_is_late_for_long(elapsed: tuple[float, ...], free: bool) -> None:
    assert (looked(Intake(), *elapsed, rate=100).rate is None) is free


def test_while_it_is_late_fewer_come_than_are_done_with() -> None:
    intake = looked(Intake(), *(IN_TIME,) * 100, LATE_ONCE, LATE_ONCE, rate=200)
    assert 100 < let_in(intake, 1.0) < 200


def test_where_few_messages_are_under_way_others_are_why_it_is_late() -> None:
    assert let_in(looked(Intake(), *(LATE_ONCE,) * 10, rate=0, under_way=5), 0.05) == ALWAYS - 5


@given(
    st.lists(st.floats(LOOK_EVERY, 60.0), max_size=50),
    st.floats(0, 10_000),
)
def test_somebody_is_always_let_in(elapsed: list[float], rate: float) -> None:
    assert let_in(looked(Intake(), *elapsed, rate=rate), 2.0, since=1_000.0) >= LEAST


def queue(*waiting: bool, every: float, opened: float = -AT_START) -> list[bool]:
    """A queue that is looked at so often, in which somebody is left or not: who is turned away."""
    rush = Rush(opened)
    turned_away = []
    for moment, left in zip(itertools.count(0.0, every), waiting, strict=False):
        if left:
            turned_away.append(rush.stands(moment))
        else:
            rush.emptied(moment)
            turned_away.append(False)
    return turned_away


def test_a_burst_is_let_in_and_a_queue_that_stands_is_turned_away() -> None:
    burst = [True] * int(PATIENCE) + [False] + [True] * int(PATIENCE)
    assert not any(queue(*burst, every=1.0))
    assert queue(*[True] * 20, every=1.0).index(True) == int(PATIENCE) + 1


def test_who_came_while_nobody_was_there_waits() -> None:
    assert queue(*[True] * 20, every=1.0, opened=0.0).index(True) == int(AT_START) + 1


def test_it_is_over_after_a_while_without_too_many() -> None:
    step = RELIEF / 2
    standing = [True] * int(2 * PATIENCE / step)
    assert queue(*standing, False, True, every=step)[-1]
    assert not queue(*standing, *[False] * 4, True, every=step)[-1]
