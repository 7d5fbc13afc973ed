"""Promise 2: the power goes at any instant, and takes with it whatever was not synced. What was acknowledged stays."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import StoreUnavailable
from gateway.keeping import KeptMail, State
from gateway.store.open import Stores, open_store
from tests.store.disk import Choice, Event, Recorder, Remains
from tests.store.families import content, kept, record, step

CHOICES: dict[str, tuple[Choice, ...]] = {
    "nothing that was not synced is there": ("lost",),
    "names are there before what they name": ("there", "lost"),
    "some of it is there": ("lost", "there", "torn"),
}
ORDER = (State.WAITING, State.RELEASING, State.RELEASED)


class Life:
    """What is done to some messages one after the other; before and after each step the index is put aside."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.indexes = folder / "indexes"
        self.bytes = {"A": content(3000), "B": content(2_500_000, "b")}
        self.mails = {name: kept(raw) for name, raw in self.bytes.items()}
        self.steps = 0

    async def lived(self) -> list[Event]:
        """Live it; what the disk was asked to do."""
        stores = await open_store(self.state)
        with Recorder(self.state / "mail") as disk:
            self._put_index_aside()
            for name in ("A", "B"):
                await self._step(disk, name, "owned", lambda name=name: self._own(stores, name))
            await self._step(disk, "A", "noted", lambda: stores.mail.note(self.mails["A"].id, step("view")))
            for before, after in ((ORDER[0], ORDER[1]), (ORDER[1], ORDER[2])):
                await self._step(disk, "A", after, lambda b=before, a=after: self._move(stores, b, a))
            await self._step(disk, "A", "wiped", lambda: stores.mail.discard_content(self.mails["A"].id))
            await self._step(disk, "B", "noted", lambda: stores.mail.note(self.mails["B"].id, step("view")))
            await self._step(disk, "A", "forgotten", lambda: stores.mail.forget(self.mails["A"].id))
        await stores.close()
        return disk.events

    async def _step(self, disk: Recorder, name: str, what: str, work: Callable[[], Awaitable[Any]]) -> None:
        disk.mark("begun", name, what, self.steps)
        await work()
        self._put_index_aside()
        disk.mark("acknowledged", name, what, self.steps)

    async def _own(self, stores: Stores, name: str) -> None:
        await stores.mail.own(self.mails[name], self.bytes[name])

    async def _move(self, stores: Stores, before: State, after: State) -> None:
        assert await stores.mail.move(self.mails["A"].id, before=before, after=after, step=step())

    def _put_index_aside(self) -> None:
        """A copy of the index as it is between two steps, when nobody writes."""
        self.steps += 1
        place = self.indexes / str(self.steps)
        place.mkdir(parents=True)
        path = max(self.state.glob("index-*.db"))
        with sqlite3.connect(path) as source, sqlite3.connect(place / path.name) as copy:
            source.backup(copy)
        source.close()
        copy.close()

    def index_at(self, events: list[Event], choose: random.Random) -> Path | None:
        """An index that may be there at that instant: files get their names after the commit, never before."""
        at = next(
            position for position in range(len(events), -1, -1) if not position or events[position - 1][0] == "mark"
        )
        number = events[at - 1][4] if at else 1
        under_way = bool(at) and events[at - 1][1] == "begun"
        renamed = any(event[0] == "rename" for event in events[at:])
        number += under_way and (renamed or choose.random() < 0.5)
        return None if choose.random() < 0.3 else self.indexes / str(number)


async def check(life: Life, events: list[Event], stores: Stores) -> None:
    """What was acknowledged before the cut is so, and what is there is whole."""
    marks = [event[1:4] for event in events if event[0] == "mark"]
    for name, mine in life.mails.items():
        done = {what for kind, whose, what in marks if (kind, whose) == ("acknowledged", name)}
        begun = {what for kind, whose, what in marks if (kind, whose) == ("begun", name)}
        there = await stores.mail.get(mine.id)
        if "owned" not in begun or "forgotten" in done:
            assert there is None
        elif there is None:
            assert "owned" not in done or "forgotten" in begun
        else:
            await whole(life, name, there, done, begun, stores)


async def whole(life: Life, name: str, there: KeptMail, done: set[str], begun: set[str], stores: Stores) -> None:
    """The message is as far as was acknowledged or as far as was asked, and has its bytes while they are needed."""
    least, most = (
        max(place for place, each in enumerate(ORDER) if not place or each in words) for words in (done, begun)
    )
    assert least <= ORDER.index(there.state) <= most
    acts = {"noted", *ORDER[1:]}
    assert len(done & acts) <= len(await stores.mail.steps(there.id)) <= len(begun & acts)
    if "wiped" not in begun:
        assert (await stores.mail.raw(there.id))[:] == life.bytes[name]
    elif "wiped" in done:
        with pytest.raises(StoreUnavailable):
            await stores.mail.raw(there.id)


@pytest.mark.parametrize("choices", CHOICES.values(), ids=CHOICES)
async def test_kept_mail_survives_a_power_cut_at_any_instant(choices: tuple[Choice, ...], tmp_path: Path) -> None:
    life = Life(tmp_path)
    events = await life.lived()
    chance = random.Random(11)
    assert len(events) > 60
    for cut in (each + 1 for each, event in enumerate(events) if event[0] != "open"):
        after = tmp_path / f"after-{cut}"
        Remains(events[:cut], life.state / "mail").write(after / "mail", lambda: chance.choice(choices))
        for path in life.state.glob("trail.*"):
            shutil.copy(path, after)
        if index := life.index_at(events[:cut], chance):
            shutil.copytree(index, after, dirs_exist_ok=True)
        stores = await open_store(after)
        await check(life, events[:cut], stores)
        await stores.close()
        shutil.rmtree(after)


TAIL = {"nothing": 0, "a byte": 1, "part of a page": 1000, "all of it": 10_000_000}


@pytest.mark.parametrize("tail", TAIL.values(), ids=TAIL)
async def test_the_trail_survives_a_power_cut_between_two_records(tail: int, tmp_path: Path) -> None:
    """SQLite answers for its log being synced at each commit (`test_writer.py` sees that it is told to). Of what was
    written behind the last acknowledged commit any part may be there, and after it anything."""
    state = tmp_path / "state"
    stores = await open_store(state)
    records = [record(number=number, filler="x" * 3000 * number) for number in range(6)]
    seen = [logged(state)]
    for each in records:
        await stores.trail.append([each])
        seen.append(logged(state))
    base = (state / "trail.db").read_bytes()
    await stores.close()
    for count, (log, head) in enumerate(seen):
        after = tmp_path / f"after-{count}"
        after.mkdir()
        (after / "trail.db").write_bytes(base)
        (after / "trail.db-wal").write_bytes(seen[-1][0][: len(log) + tail] + bytes(tail and 100))
        (after / "trail.head").write_bytes(seen[max(0, count - 1)][1] if tail else head)
        stores = await open_store(after)
        found = [each.facts["number"] async for each in stores.trail.search()]
        assert found == list(range(len(found)))
        assert len(found) >= count
        assert await stores.trail.verify() == []
        await stores.trail.append([record()])
        assert await stores.trail.verify() == []
        await stores.close()


def logged(state: Path) -> tuple[bytes, bytes]:
    """The trail's log and its second head, as they are now."""
    return (state / "trail.db-wal").read_bytes(), (state / "trail.head").read_bytes()
