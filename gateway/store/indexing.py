"""Gives records their indexes when there is time: mail waits until its record is durable, and for nothing more.

Nine indexes cost as much as all the rest of a record, and a third of that when many records get them together. Until
then a record is fresh, and a search looks at each of those (`trail.py`); so there are never many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from sqlalchemy import Connection, func, select, update

from gateway.errors import StoreUnavailable
from gateway.store.tables import HEAD, RECORDS

QUIET = 1.0
"""Seconds without a new record after which the fresh ones get their indexes."""

MANY = 5_000
"""Fresh records that do not wait for a quiet moment: a search looks through so many in some 10 ms."""

LEAST, MOST = 500, 5_000
"""Records that get their indexes in one transaction: 10 to 100 ms in which nobody else writes."""

log = structlog.get_logger()


class Indexing:
    """Hands this work on to `write` in pieces, which says how many records are still fresh. Used from one loop."""

    def __init__(self, write: Callable[[int], Awaitable[int]]) -> None:
        self._write = write
        self._fresh = 0
        self._any_of_ours = False
        self._many = asyncio.Event()
        self._last = 0.0
        self._work: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Look after what a former process may have left."""
        self._last = asyncio.get_running_loop().time()
        if self._work is None:
            self._work = asyncio.create_task(self._serve(), name="index the trail")

    def appended(self, count: int) -> None:
        """So many fresh records were written."""
        self._fresh += count
        self._any_of_ours = True
        if self._fresh >= MANY:
            self._many.set()
        self.begin()

    async def close(self) -> None:
        """Do what is left, if that can be: whoever opens the trail next finds the fresh records all the same."""
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work
        with suppress(StoreUnavailable):
            while self._any_of_ours and await self._write(MOST):
                pass

    async def _serve(self) -> None:
        left = True
        while left:
            await self._moment()
            try:
                left = await self._piece()
            except StoreUnavailable as error:
                log.warning("trail not indexed", reason=str(error))
                self._many.clear()
                self._last = asyncio.get_running_loop().time()
        self._work = None

    async def _moment(self) -> None:
        """Return when it is quiet, or when many wait."""
        loop = asyncio.get_running_loop()
        while not self._many.is_set() and (left := self._last + QUIET - loop.time()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._many.wait()

    async def _piece(self) -> bool:
        """Index the oldest; True if there is more."""
        self._fresh = await self._write(min(max(self._fresh // 4, LEAST), MOST))
        if self._fresh < MANY:
            self._many.clear()
        return self._fresh > 0


def index(connection: Connection, count: int) -> tuple[int, int]:
    """Give the oldest fresh records their indexes, so many at most: how many it were, and how many are left."""
    number, indexed = connection.execute(select(HEAD.c.number, HEAD.c.indexed)).one()
    oldest = select(RECORDS.c.number).where(RECORDS.c.number > indexed).order_by(RECORDS.c.number).limit(count)
    last = connection.scalar(select(func.max(oldest.subquery().c.number)))
    if last is None:
        return 0, 0
    piece = RECORDS.c.number.between(indexed + 1, last)
    done = connection.execute(update(RECORDS).where(piece).values(fresh=None)).rowcount
    connection.execute(update(HEAD).values(indexed=last))
    return done, number - last


def index_all(connection: Connection) -> None:
    """The same for all of them."""
    while index(connection, MOST)[1]:
        pass
