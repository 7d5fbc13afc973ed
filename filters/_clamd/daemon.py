"""One clamd: a few sessions that stay open, made when they are needed, never shared by two event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from filters._clamd.session import Address, Session
from gateway.engines.spread import EngineFailure

MOST_SESSIONS = 4
"""Sessions with one daemon: content goes over one in turn, so a large one must not hold up all small ones. clamd's
MaxThreads is 10 by default."""


@dataclass(slots=True, eq=False)
class Daemon:
    """A clamd at an address."""

    address: Address
    sessions: list[Session] = field(default_factory=list)
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    loop: asyncio.AbstractEventLoop | None = None

    async def scan(self, chunks: Iterable[bytes]) -> str:
        """What it says of the content, see `Session.scan`.

        A session that clamd closed while it was idle (IdleTimeout) is not held against it: the scan is made anew.
        """
        session, fresh = await self._session()
        try:
            return await session.scan(chunks)
        except (EngineFailure, OSError):
            if fresh:
                raise
        session, _ = await self._session()
        return await session.scan(chunks)

    def close(self) -> None:
        """End all sessions."""
        for session in self.sessions:
            session.close("closed")
        self.sessions.clear()

    async def _session(self) -> tuple[Session, bool]:
        """The idlest session, and whether it is new."""
        loop = asyncio.get_running_loop()
        if self.loop is not loop:
            self.sessions, self.loop, self.opening = [], loop, asyncio.Lock()
        if (idlest := self._idlest()) is not None:
            return idlest, False
        async with self.opening:
            if (idlest := self._idlest()) is not None:  # another scan has opened it meanwhile
                return idlest, False
            session = await Session.open(self.address)
            self.sessions.append(session)
            return session, True

    def _idlest(self) -> Session | None:
        """The session to use, None where a new one may be opened instead."""
        self.sessions = [session for session in self.sessions if not session.ended]
        usable = [session for session in self.sessions if not session.overdue]
        idlest = min(usable, key=lambda session: session.load, default=None)
        return idlest if idlest is None or not idlest.load or len(usable) >= MOST_SESSIONS else None
