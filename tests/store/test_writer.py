"""The writer's thread: one transaction for many, the trouble of one is his own, and there is an end to waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.store.database import Database, create_file
from gateway.store.locks import FileLock
from gateway.store.writer import WAITING, Turn, Writer


class Keeper:
    """Notes what is settled and dropped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settled: list[list[str]] = []
        self.dropped: list[str] = []
        self.refuses = False
        self.mended = 0

    def mend(self) -> None:
        self.mended += 1
        create_file(self.path)

    def settle(self, later: Sequence[str]) -> None:
        if self.refuses:
            raise OSError(5, "Input/output error")
        self.settled.append([*later])

    def drop(self, later: Sequence[str]) -> None:
        self.dropped += later


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(tmp_path / "x.db")


@pytest.fixture
async def writer(tmp_path: Path, keeper: Keeper) -> AsyncIterator[Writer[str]]:
    lock = FileLock(tmp_path / "x.lock", 0.2)
    made = Writer[str](Database(lambda: keeper.path, 0.2), lock, keeper, "test")
    await made.run(lambda turn: turn.connection.exec_driver_sql("CREATE TABLE t (x UNIQUE)"))
    keeper.settled.clear()
    yield made
    await made.close()
    lock.close()


def put(value: str):
    """Work that writes a value and settles it."""

    def work(turn: Turn[str]) -> str:
        turn.later.append(value)
        turn.connection.exec_driver_sql("INSERT INTO t VALUES (?)", (value,))
        return value

    return work


def values(turn: Turn[str]) -> list[str]:
    """What is in the table."""
    return [*turn.connection.exec_driver_sql("SELECT x FROM t ORDER BY x").scalars()]


def broken(turn: Turn[str]) -> None:
    """Work that fails in the middle."""
    put("half")(turn)
    raise KeyError("mine")


class Gate:
    """Work that keeps the thread busy until it is opened."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    def __call__(self, turn: Turn[str]) -> None:
        self.entered.set()
        self.opened.wait()


async def held(writer: Writer[str]) -> tuple[Gate, asyncio.Task[None]]:
    """The writer, busy."""
    gate = Gate()
    busy = asyncio.create_task(writer.run(gate))
    await asyncio.to_thread(gate.entered.wait)
    return gate, busy


async def test_what_waits_is_one_transaction_and_one_failure_is_its_own(writer: Writer[str], keeper: Keeper) -> None:
    gate, busy = await held(writer)
    jobs = [asyncio.create_task(writer.run(work)) for work in (put("a"), broken, put("b"))]
    await asyncio.sleep(0)
    gate.opened.set()
    await busy
    first, second, third = await asyncio.gather(*jobs, return_exceptions=True)
    assert (first, third) == ("a", "b")
    assert isinstance(second, KeyError)
    assert keeper.settled == [[], ["a", "b"]]
    assert keeper.dropped == ["half"]
    assert await writer.run(values) == ["a", "b"]


async def test_work_whose_caller_has_gone_is_not_done(writer: Writer[str]) -> None:
    gate, busy = await held(writer)
    gone = asyncio.create_task(writer.run(put("gone")))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    gate.opened.set()
    await busy
    assert await writer.run(values) == []


async def test_more_than_may_wait_hear_so_at_once(writer: Writer[str]) -> None:
    gate, busy = await held(writer)
    waiting = [asyncio.create_task(writer.run(lambda turn: None)) for _ in range(WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="too many"):
        await writer.run(lambda turn: None)
    gate.opened.set()
    await asyncio.gather(busy, *waiting)


async def test_a_database_that_refuses_loses_the_batch_and_is_opened_anew(writer: Writer[str], keeper: Keeper) -> None:
    await writer.run(put("a"))
    with pytest.raises(StoreUnavailable, match="UNIQUE"):
        await writer.run(put("a"))
    assert keeper.mended == 1
    assert await writer.run(values) == ["a"]
    assert keeper.mended == 2
    assert keeper.dropped == ["a"]


async def test_what_cannot_be_settled_is_not_told(writer: Writer[str], keeper: Keeper) -> None:
    keeper.refuses = True
    with pytest.raises(StoreUnavailable, match="Input/output"):
        await writer.run(put("a"))
    assert keeper.dropped == ["a"]
    keeper.refuses = False
    await writer.run(put("b"))


async def test_a_lock_held_by_another_is_waited_for_and_not_for_ever(writer: Writer[str], tmp_path: Path) -> None:
    other = FileLock(tmp_path / "x.lock", 0.2)
    with other.alone(), pytest.raises(StoreUnavailable, match="another process"):
        await writer.run(put("a"))
    await writer.run(put("a"))
    other.close()


async def test_close_writes_what_waits(writer: Writer[str], keeper: Keeper) -> None:
    gate, busy = await held(writer)
    waiting = asyncio.create_task(writer.run(put("late")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(writer.close())
    gate.opened.set()
    await asyncio.gather(busy, closing)
    assert await waiting == "late"


async def test_the_log_is_synced_at_each_commit(writer: Writer[str]) -> None:
    def pragmas(turn: Turn[str]) -> tuple[object, ...]:
        names = ("journal_mode", "synchronous", "secure_delete")
        return tuple(turn.connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names)

    assert await writer.run(pragmas) == ("wal", 2, 1)
