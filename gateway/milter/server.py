"""Opens the milter's listeners and closes them; lets so many sessions in and no more."""

from __future__ import annotations

import asyncio
import socket

from gateway import reply
from gateway.entrance import Entrance
from gateway.handling import Reception
from gateway.intake import Intake
from gateway.milter.session import CHUNK, Session

TURNED_AWAY = 200
"""Sessions beyond the limit that hear 421 for themselves. Further ones are closed at once, which the MTA answers by
its `milter_default_action`: they must cost nothing."""


class Sessions:
    """All sessions with MTAs, over all milter listeners; `limit` of them may bring mail."""

    def __init__(self, limit: int, intake: Intake) -> None:
        self.limit = limit
        self.intake = intake
        self.done = 0
        self.closing = False
        self._open: dict[Session, asyncio.Task[None]] = {}
        self._turned_away = 0

    def __len__(self) -> int:
        return len(self._open)

    @property
    def under_way(self) -> int:
        """How many sessions have a message under way."""
        return sum(session.busy for session in self._open)

    def admit(self, reception: Reception, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin a session; or one that only says that there is no room; or none."""
        refusal = None
        if self.closing or len(self._open) - self._turned_away >= self.limit:
            reception.observer.shed("draining" if self.closing else "sessions")
            refusal = reply.SHUTTING_DOWN if self.closing else reply.TOO_BUSY
            if self.closing or self._turned_away >= TURNED_AWAY:
                writer.transport.abort()
                return
        session = Session(reception, reader, writer, refusal)
        self._turned_away += refusal is not None
        self._open[session] = asyncio.get_running_loop().create_task(self._run(session), name="milter session")

    async def linger(self, seconds: float) -> None:
        """Let the sessions go on for so long: somebody else takes the new ones meanwhile."""
        if tasks := list(self._open.values()):
            await asyncio.wait(tasks, timeout=seconds)

    async def empty(self, seconds: float) -> None:
        """Close: the idle at once; those with a message under way have `seconds` to end it."""
        self.closing = True
        for session in tuple(self._open):
            session.turned_away = reply.SHUTTING_DOWN
            if not session.busy:
                session.dismiss()
        if tasks := list(self._open.values()):
            await asyncio.wait(tasks, timeout=seconds)
        for session in tuple(self._open):
            session.dismiss()
        if tasks := list(self._open.values()):
            await asyncio.wait(tasks)  # what is being decided is brought to its end, which has a deadline

    async def _run(self, session: Session) -> None:
        name = session.reception.listener.name
        session.reception.observer.session_opened(name)
        counted = session.turned_away is not None
        try:
            await session.run()
        finally:
            del self._open[session]
            self.done += 1
            self._turned_away -= counted
            session.reception.observer.session_closed(name)


def listen(reception: Reception, sessions: Sessions, listening: socket.socket) -> Entrance:
    """Let in who connects to the socket; those who are too many find it closed, which the MTA answers by its
    `milter_default_action`."""

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sessions.admit(reception, reader, writer)

    def factory() -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=CHUNK), connected)

    return Entrance(listening, factory, sessions.intake, lambda _: reception.observer.shed("load"))
