"""Exactly once: processes and tasks that release the same message at once, and processes that are killed while they do.

Each process is a real one with its own stores on the same folder, in front of the same next hop.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.custody.steps import Act
from gateway.keeping import State
from gateway.mail import Raw, Span, Transaction
from gateway.reply import Reply
from tests.custody.conftest import HOLD, Clock, Hop, House, inside, open_house, over_smtp
from tests.faults import FakeHop
from tests.store.families import start

Address = tuple[str, int]

ALONE = HOLD.replace("quorum: 2", "quorum: 1")


def approve(folder: str, address: Address, id: str, actor: str, pipe: object) -> None:
    """A process that approves the message when it is told to, and says what came of it."""

    async def run() -> None:
        async with open_house(Path(folder), over_smtp(address), text=ALONE) as house:
            pipe.send("ready")
            await asyncio.to_thread(pipe.recv)
            answer = await house.custody.approve(id, actor)
            pipe.send(answer.act.value if answer.act else answer.reason)

    asyncio.run(run())


def die(folder: str, address: Address, id: str, moment: str, pipe: object) -> None:
    """A process that is killed while it releases the message: before it sends, or after the hop has taken it."""

    async def run() -> None:
        over = over_smtp(address)

        async def dying(transaction: Transaction, raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
            if moment == "after":
                assert (await over(transaction, raw, pieces)).accepted
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError

        async with open_house(Path(folder), dying, text=ALONE) as house:
            await house.custody.approve(id, inside("a"))

    asyncio.run(run())


async def test_of_several_processes_one_sends_it(tmp_path: Path) -> None:
    async with FakeHop() as hop, open_house(tmp_path, over_smtp(hop.address), text=ALONE) as house:
        id = await house.keep()
        started = [start(approve, str(tmp_path), hop.address, id, inside(name)) for name in "abc"]
        for _, pipe in started:
            assert await asyncio.to_thread(pipe.recv) == "ready"
        for _, pipe in started:
            pipe.send("go")
        answers = [await asyncio.to_thread(pipe.recv) for _, pipe in started]
        for process, _ in started:
            await asyncio.to_thread(process.join, 10)
        assert answers.count("released") == 1
        assert set(answers) <= {"released", "being-released", "already-decided", "already-approved"}
        assert len(hop.taken) == 1
        assert await house.state(id) is State.RELEASED


@pytest.mark.parametrize(("moment", "taken"), [("before", 0), ("after", 1)])
async def test_a_process_that_dies_on_the_way_leaves_the_claim_and_nobody_sends_again(
    moment: str, taken: int, tmp_path: Path
) -> None:
    clock = Clock()
    async with FakeHop() as hop:
        async with open_house(tmp_path, over_smtp(hop.address), text=ALONE, clock=clock) as house:
            id = await house.keep()
            process, _ = start(die, str(tmp_path), hop.address, id, moment)
            await asyncio.to_thread(process.join, 20)
            assert process.exitcode == -signal.SIGKILL
        async with open_house(tmp_path, over_smtp(hop.address), text=ALONE, clock=clock) as house:
            for hours in (0, 1, 24, 24 * 30):
                clock.forward(hours=hours)
                await house.custody.sweep()
                await house.custody.release(id, inside("officer"))
                await house.custody.approve(id, inside("b"))
            assert await house.state(id) is State.RELEASING
            assert len(hop.taken) == taken
            assert ("officer-alert", "officer") in house.kinds()


async def test_of_many_tasks_one_sends_it(tmp_path: Path) -> None:
    hop = Hop()
    async with (
        open_house(tmp_path, hop, text=ALONE) as one,
        open_house(tmp_path, hop, text=ALONE) as other,
    ):
        ids = [await one.keep() for _ in range(5)]
        house: list[House] = [one, other]
        answers = await asyncio.gather(
            *(each.custody.approve(id, inside(name)) for id in ids for each in house for name in "abc")
        )
        assert sum(answer.act is Act.RELEASED for answer in answers) == 5
        assert sorted(transaction.id for transaction, _ in hop.taken) == sorted(ids)


async def test_votes_that_come_together_are_enough_once(tmp_path: Path) -> None:
    hop = Hop()
    async with open_house(tmp_path, hop) as one, open_house(tmp_path, hop) as other:
        id = await one.keep()
        await asyncio.gather(one.custody.approve(id, inside("a")), other.custody.approve(id, inside("b")))
        await one.custody.sweep()
        assert await one.state(id) is State.RELEASED
        assert len(hop.taken) == 1


async def test_a_vote_and_a_rejection_that_come_together_have_one_end(tmp_path: Path) -> None:
    hop = Hop()
    async with open_house(tmp_path, hop, text=ALONE) as one, open_house(tmp_path, hop, text=ALONE) as other:
        ids = [await one.keep() for _ in range(8)]
        await asyncio.gather(
            *(one.custody.approve(id, inside("a")) for id in ids),
            *(other.custody.reject(id, inside("b"), "no") for id in ids),
        )
        sent = {transaction.id for transaction, _ in hop.taken}
        assert len(sent) == len(hop.taken)
        for id in ids:
            assert await one.state(id) is (State.RELEASED if id in sent else State.REJECTED)


async def test_who_asked_for_a_release_may_go_away(tmp_path: Path) -> None:
    hop, going = Hop(), asyncio.Event()
    gate = asyncio.Event()

    async def slow(transaction: Transaction, raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
        going.set()
        await gate.wait()
        return await hop(transaction, raw, pieces)

    async with open_house(tmp_path, slow, text=ALONE) as house:
        id = await house.keep()
        asking = asyncio.create_task(house.custody.approve(id, inside("a")))
        await going.wait()
        asking.cancel()
        gate.set()
        await house.custody.close()
        assert await house.state(id) is State.RELEASED
        assert len(hop.taken) == 1
