"""Several engines asked as one: failures, silence, nonsense, and who is asked next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.engines.breaker import OPENS_AFTER
from gateway.engines.spread import Engine, EngineFailure, every_answer, one_answer
from gateway.errors import Unavailable


def engines(*addresses: str) -> list[Engine[str]]:
    return [Engine(address, address) for address in addresses]


def question(asked: list[str]) -> Callable[[str], Awaitable[str]]:
    """Each engine does what its address says."""

    async def ask(address: str) -> str:
        asked.append(address)
        match address.partition("-")[0]:
            case "dead":
                raise ConnectionRefusedError("refused")
            case "odd":
                raise EngineFailure("nonsense")
            case "hanging":
                await asyncio.Event().wait()
            case "cut":
                raise EOFError
            case "bug":
                raise ZeroDivisionError
        return f"{address} answered"

    return ask


@pytest.mark.parametrize("first", ["dead", "odd", "cut"])
async def test_another_stands_in_for_one_that_fails(first: str) -> None:
    asked: list[str] = []
    assert await one_answer(engines(first, "well"), question(asked), 5) == "well answered"
    assert asked == [first, "well"]


async def test_second_is_asked_when_the_first_hangs() -> None:
    assert await one_answer(engines("hanging", "well"), question([]), 1) == "well answered"


async def test_idlest_is_asked() -> None:
    asked: list[str] = []
    some = engines("well-1", "well-2")
    some[0].asked = 3
    await one_answer(some, question(asked), 5)
    assert asked == ["well-2"]


async def test_nobody_answers_is_could_not_look() -> None:
    with pytest.raises(Unavailable, match="dead: refused; odd: nonsense"):
        await one_answer(engines("dead", "odd"), question([]), 5)


async def test_silence_is_could_not_look() -> None:
    with pytest.raises(Unavailable, match=r"hanging: no answer in 0\.0 s"):
        await one_answer(engines("hanging"), question([]), 0.02)


async def test_one_that_keeps_failing_is_not_asked() -> None:
    asked: list[str] = []
    some = engines("dead")
    for _ in range(OPENS_AFTER):
        with pytest.raises(Unavailable):
            await one_answer(some, question(asked), 5)
    with pytest.raises(Unavailable, match="left alone after 5 failures"):
        await one_answer(some, question(asked), 5)
    assert len(asked) == OPENS_AFTER
    assert not some[0].up


async def test_mistake_of_ours_is_no_failure_of_the_engine() -> None:
    some = engines("bug")
    with pytest.raises(ZeroDivisionError):
        await one_answer(some, question([]), 5)
    assert some[0].breaker.failures == 0


async def test_given_up_request_leaves_the_count_right() -> None:
    some = engines("hanging")
    task = asyncio.create_task(one_answer(some, question([]), 60))
    while not some[0].asked:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert some[0].asked == 0


async def test_every_engine_is_heard() -> None:
    answers, reasons = await every_answer(engines("well-1", "dead", "well-2"), question([]), 5)
    assert answers == [("well-1", "well-1 answered"), ("well-2", "well-2 answered")]
    assert reasons == ["dead: refused"]
