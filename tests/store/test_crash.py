"""SIGKILL at any instant: what was acknowledged is there and whole, the rest is not there, the chain verifies."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from gateway.keeping import Query, State
from tests.store.families import content, kept, open_family, record, start, step

KILLS = 30
FAMILY = "embedded"
ORDER = (State.WAITING, State.RELEASING, State.RELEASED)

Told = list[tuple[Any, ...]]


def heard(pipe: Connection) -> Told:
    """All that it told before it died."""
    told: Told = []
    with suppress(EOFError):
        while True:
            told.append(pipe.recv())
    return told


def keep_busy(place: Path, seed: int, pipe: Connection) -> None:
    """Owns, moves and remembers as fast as it can, and tells of each that was acknowledged."""

    async def own_and_move(stores: Any, letters: random.Random) -> None:
        while True:
            raw = content(letters.choice((10, 3000, 200_000)), str(letters.random()))
            mine = kept(raw)
            await stores.mail.own(mine, raw)
            pipe.send(("owned", mine.id))
            for before, after in pairwise(ORDER):
                if letters.random() < 0.5:
                    break
                assert await stores.mail.move(mine.id, before=before, after=after, step=step())
                pipe.send(("moved", mine.id, after))

    async def remember(stores: Any) -> None:
        while True:
            mine = [record() for _ in range(3)]
            await stores.trail.append(mine)
            pipe.send(("appended", *(each.id for each in mine)))

    async def work() -> None:
        stores = await open_family(FAMILY, place)
        pipe.send(("ready",))
        busy = [own_and_move(stores, random.Random(seed + n)) for n in range(3)]
        await asyncio.gather(*busy, remember(stores), remember(stores))

    asyncio.run(work())


async def check(place: Path, told: Told) -> None:
    """Everything that was told is so, and what is there is whole."""
    owned = {each[1] for each in told if each[0] == "owned"}
    moved = {each[1]: each[2] for each in told if each[0] == "moved"}
    appended = [id for each in told if each[0] == "appended" for id in each[1:]]
    stores = await open_family(FAMILY, place)
    there = {each.id: each for each in await stores.mail.find(Query(limit=1_000_000))}
    assert owned <= there.keys()
    for id, mine in there.items():
        assert len(await stores.mail.raw(id)) == mine.size
        assert ORDER.index(mine.state) >= ORDER.index(moved.get(id, State.WAITING))
        assert len(await stores.mail.steps(id)) == ORDER.index(mine.state)
    remembered = [each.id async for each in stores.trail.search(since=None, until=None)]
    assert set(appended) <= set(remembered)
    assert len(set(remembered)) == len(remembered)
    assert await stores.trail.verify() == []
    await stores.close()
    names = sorted(path.name for path in (place / "state" / "mail").glob("*/*"))
    assert names == sorted(f"{id}.{kind}" for id in there for kind in ("eml", "json"))


async def test_killed_at_random_moments(tmp_path: Path) -> None:
    moments = random.Random(7)
    told: Told = []
    for run in range(KILLS):
        process, pipe = start(keep_busy, tmp_path, run)
        assert await asyncio.to_thread(pipe.recv) == ("ready",)
        listening = asyncio.create_task(asyncio.to_thread(heard, pipe))
        await asyncio.sleep(moments.uniform(0, 0.3))  # the one wait that is meant: death comes at any instant
        process.kill()
        told += await listening
        process.join()
        if run % 5 == 4:
            await check(tmp_path, told)
    assert {each[0] for each in told} == {"owned", "moved", "appended"}


def die_at(place: Path, deaths: int, done: bool, pipe: Connection) -> None:
    """Owns, moves, remembers, and dies at that step to the disk: before it is done, or when it is."""
    steps = 0

    def deadly(name: str) -> None:
        real = getattr(os, name)

        def dying(*args: Any, **kwargs: Any) -> Any:
            nonlocal steps
            steps += 1
            result = real(*args, **kwargs) if done or steps != deaths else None
            if steps == deaths:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(os, name, dying)

    async def work() -> None:
        stores = await open_family(FAMILY, place)
        for name in ("fsync", "rename", "pwrite", "open", "mkdir"):
            deadly(name)
        mine = kept(b"x")
        await stores.mail.own(mine, b"x")
        pipe.send(("owned", mine.id))
        for before, after in pairwise(ORDER):
            await stores.mail.move(mine.id, before=before, after=after, step=step())
            pipe.send(("moved", mine.id, after))
        remembered = record()
        await stores.trail.append([remembered])
        pipe.send(("appended", remembered.id))
        pipe.send(("lived",))

    asyncio.run(work())


@pytest.mark.parametrize("done", [False, True], ids=["before the step", "after the step"])
async def test_killed_at_each_step_to_the_disk(tmp_path: Path, done: bool) -> None:
    deaths, told = 0, []
    while ("lived",) not in told:
        deaths += 1
        place = tmp_path / str(deaths)
        process, pipe = start(die_at, place, deaths, done)
        told = await asyncio.to_thread(heard, pipe)
        process.join()
        await check(place, told)
    assert deaths > 15


def own_one(place: Path, pipe: Connection) -> None:
    """Owns one message and dies when it is durable, before it can say so."""

    async def work() -> None:
        stores = await open_family(FAMILY, place)
        mine = kept(b"x")
        pipe.send(mine.id)
        await stores.mail.own(mine, b"x")
        os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(work())


async def test_what_a_crash_left_is_taken_up_again_when_the_index_is_lost_too(tmp_path: Path) -> None:
    process, pipe = start(own_one, tmp_path)
    id = await asyncio.to_thread(pipe.recv)
    process.join()
    for path in (tmp_path / "state").glob("index-*"):
        path.unlink()
    stores = await open_family(FAMILY, tmp_path)
    assert [each.id for each in await stores.mail.find(Query())] == [id]
    assert (await stores.mail.raw(id))[:] == b"x"
    await stores.close()
