"""Many callers' records as one piece of the writer's work: what comes while one is being written is the next.

A piece of work costs some 0.3 ms however small it is, and a record in it a tenth of that; a gateway under load always
has company. So where several callers waited for the last piece, the next one is given a moment to fill.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gateway.errors import StoreUnavailable
from gateway.keeping import AuditRecord
from gateway.store.threads import ANSWER_WITHIN

Contents = list[tuple[AuditRecord, str]]

TOGETHER = 1_000
"""Records in one piece of work: some 50 ms of writing."""

WAITING = 20_000
"""Records that may wait, a few tens of megabytes: more callers than that hear "not now" at once."""

PACE, MOST = 0.001, 0.01
"""Seconds from the beginning of a piece of work to the next: so many for each caller of it, and so many at most. So
many callers keep a core busy for so long anyway, and who is alone waits for nobody."""


@dataclass(slots=True, eq=False)
class _Piece:
    """Records that are written together, and who waits for them."""

    contents: Contents = field(default_factory=list)
    callers: list[asyncio.Future[None]] = field(default_factory=list)
    late: asyncio.TimerHandle = field(init=False)


class Appender:
    """Hands records on to `write`, in the order in which they came. Used from one event loop."""

    def __init__(self, write: Callable[[Contents], Awaitable[None]]) -> None:
        self._write = write
        self._pieces: deque[_Piece] = deque()
        self._count = 0
        self._work: asyncio.Task[None] | None = None

    async def append(self, contents: Contents) -> None:
        """Return when they are durable. Raises StoreUnavailable: they are not, or (after a time-out) nobody knows."""
        if self._count + len(contents) > WAITING:
            raise StoreUnavailable("too many records are waiting")
        written = asyncio.get_running_loop().create_future()
        piece = self._piece_with_room(len(contents))
        piece.contents += contents
        piece.callers.append(written)
        self._count += len(contents)
        if self._work is None:
            self._work = asyncio.create_task(self._serve())
        await written

    async def close(self) -> None:
        """Wait until nothing waits."""
        while self._work is not None:
            await asyncio.wait([self._work])

    def _piece_with_room(self, size: int) -> _Piece:
        """The last piece or a new one; one caller's records stay together, however many."""
        if self._pieces and len(self._pieces[-1].contents) + size <= TOGETHER:
            return self._pieces[-1]
        piece = _Piece()
        # One timer for all of them: a time-out of each caller's own would cost more than his record.
        piece.late = asyncio.get_running_loop().call_later(ANSWER_WITHIN, self._too_late, piece)
        self._pieces.append(piece)
        return piece

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pieces:
            piece, began = self._pieces.popleft(), loop.time()
            self._count -= len(piece.contents)
            error: Exception | None = None
            try:
                await self._write(piece.contents)
            except Exception as caught:
                error = caught
            piece.late.cancel()
            callers = len(piece.callers)
            _answer(piece.callers, error)
            if callers > 1 and (early := began + min(callers * PACE, MOST) - loop.time()) > 0:
                await asyncio.sleep(early)
        self._work = None

    def _too_late(self, piece: _Piece) -> None:
        if piece in self._pieces:
            self._pieces.remove(piece)
            self._count -= len(piece.contents)
        _answer(piece.callers, StoreUnavailable("the trail does not answer in time"))


def _answer(callers: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for written in callers:
        if written.done():  # its caller has gone, or was answered
            continue
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
