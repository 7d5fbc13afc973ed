"""Records in company: in order, each caller told of his own, and a limit to waiting."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import StoreUnavailable
from gateway.store.appender import TOGETHER, WAITING, Appender, Contents
from gateway.store.records import content_of
from tests.store.families import record


def contents(*numbers: int) -> Contents:
    """Records with these numbers."""
    made = [record(number=number) for number in numbers]
    return [(each, content_of(each)) for each in made]


class Pen:
    """Writes when it is let; notes what it was given at once."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.let, self.asked = asyncio.Event(), asyncio.Event()
        self.trouble: Exception | None = None

    async def __call__(self, given: Contents) -> None:
        self.groups.append([each.facts["number"] for each, _ in given])
        self.asked.set()
        await self.let.wait()
        if self.trouble:
            raise self.trouble


async def begun(pen: Pen) -> tuple[Appender, asyncio.Task[None]]:
    """An appender whose first record is being written."""
    appender = Appender(pen)
    first = asyncio.create_task(appender.append(contents(0)))
    await pen.asked.wait()
    return appender, first


async def test_what_comes_meanwhile_is_the_next_piece_of_work_in_order() -> None:
    pen = Pen()
    appender, first = await begun(pen)
    rest = [asyncio.create_task(appender.append(contents(n, n + 100))) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    assert not first.done()
    pen.let.set()
    await asyncio.gather(first, *rest)
    assert pen.groups == [[0], [1, 101, 2, 102, 3, 103]]


async def test_a_piece_of_work_has_a_limit_that_no_caller_is_too_long_for() -> None:
    pen = Pen()
    pen.let.set()
    appender, _ = await begun(pen)
    await asyncio.gather(*(appender.append(contents(*range(TOGETHER - 1))) for _ in range(2)))
    await appender.append(contents(*range(TOGETHER + 5)))
    assert [len(group) for group in pen.groups] == [1, TOGETHER - 1, TOGETHER - 1, TOGETHER + 5]


async def test_all_of_a_group_hear_of_its_trouble_and_the_next_group_does_not() -> None:
    pen = Pen()
    appender, first = await begun(pen)
    pen.trouble = StoreUnavailable("full")
    pen.let.set()
    with pytest.raises(StoreUnavailable, match="full"):
        await first
    pen.trouble = None
    await appender.append(contents(1))


async def test_a_caller_who_goes_away_does_not_take_the_others_with_him() -> None:
    pen = Pen()
    appender, first = await begun(pen)
    second = asyncio.create_task(appender.append(contents(1)))
    await asyncio.sleep(0)
    first.cancel()
    pen.let.set()
    await second
    assert pen.groups == [[0], [1]]
    await appender.close()


async def test_more_than_may_wait_hear_so_at_once() -> None:
    pen = Pen()
    appender, first = await begun(pen)
    one = contents(1)
    waiting = asyncio.create_task(appender.append(one * WAITING))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="too many"):
        await appender.append(one)
    pen.let.set()
    await asyncio.gather(first, waiting)


async def test_close_waits_for_what_waits() -> None:
    pen = Pen()
    appender, first = await begun(pen)
    second = asyncio.create_task(appender.append(contents(1)))
    await asyncio.sleep(0)
    closing = asyncio.create_task(appender.close())
    pen.let.set()
    await closing
    assert pen.groups == [[0], [1]]
    await asyncio.gather(first, second)


async def test_who_waits_too_long_hears_so_and_what_was_not_begun_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.store.appender.ANSWER_WITHIN", 0.02)
    pen = Pen()
    appender, first = await begun(pen)
    second = asyncio.create_task(appender.append(contents(1)))
    for late in (first, second):
        with pytest.raises(StoreUnavailable, match="in time"):
            await late
    pen.let.set()
    await appender.close()
    assert pen.groups == [[0]]
    await appender.append(contents(2))
    assert pen.groups == [[0], [2]]


async def test_where_callers_have_company_the_next_piece_of_work_waits_for_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.store.appender.PACE", 0.05)
    monkeypatch.setattr("gateway.store.appender.MOST", 0.1)
    pen = Pen()
    pen.let.set()
    appender = Appender(pen)
    await asyncio.gather(*(appender.append(contents(n)) for n in (0, 1)))
    rest = [asyncio.create_task(appender.append(contents(2)))]
    await asyncio.sleep(0.01)
    rest.append(asyncio.create_task(appender.append(contents(3))))
    await asyncio.gather(*rest)
    assert pen.groups == [[0, 1], [2, 3]]
