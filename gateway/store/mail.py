"""Kept mail of the embedded family: `files.py` holds it, `index.py` finds it, `writer.py` writes.

The order that makes it safe: the bytes and the entry are synced under passing names, the row is committed, the files
get their names, the folder is synced, and only then is anybody told. At any instant before, nothing is kept.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import JSON, ColumnElement, Connection, Select, func, insert, select, type_coerce, update

from gateway.errors import StoreUnavailable
from gateway.keeping import KeptMail, Kind, Query, State, Step, Tally
from gateway.mail import Raw
from gateway.store.database import Damaged
from gateway.store.entry import file_bytes, kept_of, step_of
from gateway.store.files import Draft, MailFiles, valid_id
from gateway.store.index import MailIndex, forget, remember, step_row
from gateway.store.tables import KEPT, KEPT_RECIPIENTS, KEPT_RULES, KEPT_STEPS
from gateway.store.text import clipped, folded, microseconds, moment_of
from gateway.store.threads import Threads
from gateway.store.writer import Turn, Writer

Result = TypeVar("Result")

OWN_WITHIN = 30.0
"""Seconds to keep a message, of the 60 in which it is decided and answered."""


class EmbeddedMail:
    """The MailStore of files and SQLite."""

    def __init__(self, files: MailFiles, index: MailIndex, writer: Writer[Draft], threads: Threads) -> None:
        self._files = files
        self._index = index
        self._writer = writer
        self._threads = threads
        self._unfinished: set[asyncio.Task[None]] = set()

    async def own(self, kept: KeptMail, raw: Raw) -> None:
        """Put a message on stable storage: bytes and entry. Raises StoreUnavailable, and then owns nothing.

        Raises ValueError for an id that cannot name a file. If the caller is cancelled, what was kept is given up.
        """
        if not valid_id(kept.id):
            raise ValueError(f"{kept.id!r} is not an id")
        owning = asyncio.create_task(self._own(kept, raw))
        try:
            async with asyncio.timeout(OWN_WITHIN):
                await asyncio.shield(owning)
        except (TimeoutError, asyncio.CancelledError) as error:
            # Nobody was told that we own it, so the client sends it again: it must not be here too.
            self._finish(self._give_up(owning, kept.id))
            if isinstance(error, TimeoutError):
                raise StoreUnavailable("the message cannot be kept in time") from error
            raise

    async def get(self, id: str) -> KeptMail | None:
        """The entry of that id."""
        row = await self._read(lambda connection: connection.execute(_entry(id)).one_or_none())
        return kept_of(row.entry, row.state) if row else None

    async def find(self, query: Query) -> Sequence[KeptMail]:
        """Entries that match, newest first."""
        return await self._read(
            lambda connection: [kept_of(entry, state) for entry, state in connection.execute(_found(query)).all()]
        )

    async def raw(self, id: str) -> Raw:
        """The bytes as they were owned. Raises StoreUnavailable where they are gone or are not what they were."""
        kept = await self.get(id)
        if kept is None:
            raise StoreUnavailable("there is no such message")
        return await self._threads.run(self._files.read, id, kept.digest)

    async def move(self, id: str, *, before: State, after: State, step: Step) -> bool:
        """From one state to the next, once: False if another process was faster, or the state is not `before`."""

        def work(turn: Turn[Draft]) -> bool:
            moving = update(KEPT).where(KEPT.c.id == id, KEPT.c.state == before).values(state=after)
            if not turn.connection.execute(moving).rowcount:
                return False
            self._record(turn, id, step)
            return True

        return await self._writer.run(work)

    async def note(self, id: str, step: Step) -> None:
        """Record a step that leaves the state as it is. Raises KeyError for an id that is not here."""
        await self._writer.run(lambda turn: self._record(turn, id, step))

    async def steps(self, id: str) -> Sequence[Step]:
        """What happened to it, oldest first."""
        return await self._read(lambda connection: _steps(connection, id))

    async def tally(self) -> Tally:
        """What there is, counted. A hundred thousand entries take half a second of a thread."""
        return await self._read(_tally)

    async def discard_content(self, id: str) -> None:
        """Destroy the bytes of a message whose way is over; its entry and steps stay. Twice does no harm.

        Raises ValueError while its way is not over, StoreUnavailable.
        """
        if await self._is_over(id):
            await self._on_disk(self._files.wipe, id)

    async def forget(self, id: str) -> None:
        """Remove all there is of a message whose way is over, also its entry and steps. Twice does no harm.

        Raises ValueError while its way is not over, StoreUnavailable.
        """
        if await self._is_over(id):
            await self._on_disk(self._files.wipe, id)
            # A row without files is forgotten by whoever opens the store alone; files without a row come back.
            await self._on_disk(self._files.remove, id)
            await self._writer.run(lambda turn: forget(turn.connection, id))

    async def rebuild(self) -> Sequence[str]:
        """Take files into the index that it does not have; what could not be read, in words with the id.

        A lost or broken index is made anew without asking: this is for files brought back by hand.
        """
        return await self._writer.run(lambda turn: self._index.adopt(turn.connection))

    async def close(self) -> None:
        """End the store's work: what was begun is finished."""
        while self._unfinished:
            await asyncio.wait(self._unfinished)
        await self._writer.close()

    async def _is_over(self, id: str) -> bool:
        """False if there is no such message. Raises ValueError while its way is not over."""
        kept = await self.get(id)
        if kept is not None and not kept.state.final:
            raise ValueError(f"{id} is {kept.state}: it is still needed")
        return kept is not None

    async def _on_disk(self, work: Callable[[str], None], id: str) -> None:
        try:
            await self._threads.run(work, id)
        except OSError as error:
            raise StoreUnavailable(f"the disk: {error.strerror}") from error

    async def _own(self, kept: KeptMail, raw: Raw) -> None:
        drafts = await self._threads.run(self._files.draft, kept, raw)

        def work(turn: Turn[Draft]) -> None:
            turn.later.extend(drafts)
            forget(turn.connection, kept.id)  # what an attempt to keep it may have left
            remember(turn.connection, [(kept, ())])

        try:
            await self._writer.run(work)
        except BaseException:
            with suppress(OSError, StoreUnavailable):
                await self._threads.run(self._files.withdraw, drafts)
                await self._threads.run(self._files.remove, kept.id)
            self._finish(self._forget(kept.id))
            raise

    async def _give_up(self, owning: asyncio.Task[None], id: str) -> None:
        with suppress(StoreUnavailable, OSError):
            await owning
            await self._threads.run(self._files.remove, id)
            await self._forget(id)

    async def _forget(self, id: str) -> None:
        with suppress(StoreUnavailable):  # a row without files is forgotten by the next one who opens the store alone
            await self._writer.run(lambda turn: forget(turn.connection, id))

    def _finish(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)

    def _record(self, turn: Turn[Draft], id: str, step: Step) -> None:
        row = turn.connection.execute(_entry(id)).one_or_none()
        if row is None:
            raise KeyError(id)
        steps = [*_steps(turn.connection, id), step]
        turn.connection.execute(insert(KEPT_STEPS), step_row(id, len(steps), step))
        content = file_bytes(kept_of(row.entry, row.state), steps)
        turn.later.append(self._files.draft_entry(id, content))

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        try:
            return await self._threads.run(self._index.database.read, work)
        except Damaged:
            await self._writer.mend()
            return await self._threads.run(self._index.database.read, work)


def _tally(connection: Connection) -> Tally:
    retention = type_coerce(KEPT.c.entry, JSON)["retention"].as_string()
    columns = (KEPT.c.kind, KEPT.c.state, retention)
    counted = select(*columns, func.count(), func.min(KEPT.c.received)).group_by(*columns)
    live = KEPT.c.state.in_((State.WAITING, State.RELEASING))
    held: Counter[State] = Counter()
    quarantined: Counter[str] = Counter()
    oldest: list[int] = []
    for kind, state, name, count, first in connection.execute(counted.where(live)):
        if kind == Kind.HELD:
            held[State(state)] += count
            oldest += [first] if state == State.WAITING else []
        elif state == State.WAITING:
            quarantined[name] += count
    return Tally(held=held, quarantined=quarantined, oldest=moment_of(min(oldest)) if oldest else None)


def _entry(id: str) -> Select[str, str]:
    return select(KEPT.c.entry, KEPT.c.state).where(KEPT.c.id == clipped(id))


def _steps(connection: Connection, id: str) -> list[Step]:
    rows = select(KEPT_STEPS.c.step).where(KEPT_STEPS.c.id == clipped(id)).order_by(KEPT_STEPS.c.number)
    return [step_of(text) for text in connection.scalars(rows)]


def _found(query: Query) -> Select[str, str]:
    conditions: list[ColumnElement[bool]] = []
    if query.kind is not None:
        conditions.append(KEPT.c.kind == query.kind)
    if query.states:
        conditions.append(KEPT.c.state.in_(query.states))
    if query.sender:
        conditions.append(KEPT.c.sender == folded(query.sender))
    if query.recipient:
        having = select(KEPT_RECIPIENTS.c.id).where(KEPT_RECIPIENTS.c.address == folded(query.recipient))
        conditions.append(KEPT.c.id.in_(having))
    if query.rule:
        conditions.append(KEPT.c.id.in_(select(KEPT_RULES.c.id).where(KEPT_RULES.c.rule == clipped(query.rule))))
    if query.text:
        conditions.append(KEPT.c.words.contains(folded(query.text), autoescape=True))
    if query.since is not None:
        conditions.append(KEPT.c.received >= microseconds(query.since))
    if query.until is not None:
        conditions.append(KEPT.c.received < microseconds(query.until))
    newest_first = (KEPT.c.received.desc(), KEPT.c.id.desc())
    found = select(KEPT.c.entry, KEPT.c.state).where(*conditions).order_by(*newest_first)
    return found.limit(max(0, query.limit)).offset(max(0, query.offset))
