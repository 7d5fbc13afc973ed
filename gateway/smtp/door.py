"""Who may come in: how many sessions at once, how many from one client, and for how long they may keep us waiting."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter
from typing import TYPE_CHECKING

from gateway import reply
from gateway.intake import Intake
from gateway.limits import Limits
from gateway.observer import Observer
from gateway.reply import Reply
from gateway.smtp.pace import STRESS_LASTS, STRESS_SESSIONS

if TYPE_CHECKING:
    from gateway.smtp.channel import Channel

SWEEP = 1.0
"""Seconds between two looks at all sessions: the grain of every timeout towards clients."""

LINGER_STEP = 0.05
"""Seconds between two looks at the sessions that are left."""

IPV6_CLIENT = 64
"""Bits of an IPv6 address that are one client's: a household or a host is given a /64."""


class Door:
    """All sessions of the process, over all listeners."""

    def __init__(self, limits: Limits, observer: Observer) -> None:
        self.limits = limits
        self.observer = observer
        self.intake = Intake()
        self.done = 0
        self.closing = False
        self.sessions: set[Channel] = set()
        self._by_client: Counter[str] = Counter()

    @property
    def under_way(self) -> int:
        """How many sessions are handing in a message."""
        return sum(session.incoming is not None for session in self.sessions)

    def too_many(self) -> None:
        """A client has been turned away who waited with too many others."""
        self.observer.shed("load")
        self.observer.replied("connect", reply.TOO_BUSY.code)

    def admit(self, session: Channel) -> Reply | None:
        """Let a session in; or the reply with which it is turned away."""
        client = _client(session.peer)
        if self.closing:
            reason, answer = "draining", reply.SHUTTING_DOWN
        elif len(self.sessions) >= self.limits.sessions:
            reason, answer = "sessions", reply.TOO_BUSY
        elif self._by_client[client] >= self.limits.sessions_per_client and not _excused(session):
            reason, answer = "client_sessions", reply.TOO_BUSY
        else:
            self.sessions.add(session)
            self._by_client[client] += 1
            self.observer.session_opened(session.service.listener.name)
            return None
        self.observer.shed(reason)
        self.observer.replied("connect", answer.code)
        return answer

    def leave(self, session: Channel) -> None:
        """A session is over."""
        self.sessions.discard(session)
        self.done += 1
        client = _client(session.peer)
        self._by_client[client] -= 1
        if not self._by_client[client]:
            del self._by_client[client]
        self.observer.session_closed(session.service.listener.name)

    async def sweep(self) -> None:
        """End the sessions that keep us waiting, for ever."""
        stressed_until = 0.0
        while True:
            await asyncio.sleep(SWEEP)
            now = time.monotonic()
            if len(self.sessions) > STRESS_SESSIONS:
                stressed_until = now + STRESS_LASTS
            stressed = now < stressed_until
            for session in tuple(self.sessions):
                if session.pace.overdue(stressed=stressed):
                    session.expire()

    async def linger(self, seconds: float) -> None:
        """Let the sessions go on for so long: somebody else takes the new ones meanwhile. Those that have been idle for
        half of it are closed: the client's next command is not on its way."""
        until = time.monotonic() + seconds
        while self.sessions and (left := until - time.monotonic()) > 0:
            for session in tuple(self.sessions):
                if session.incoming is None and session.pace.silent > seconds / 2:
                    session.dismiss(reply.SHUTTING_DOWN)
            await asyncio.sleep(min(left, LINGER_STEP))

    async def empty(self, seconds: float) -> None:
        """Close: nobody new, the idle at once, and those with a message under way have `seconds` to end it."""
        self.closing = True
        for session in tuple(self.sessions):
            if session.incoming is None:
                session.dismiss(reply.SHUTTING_DOWN)
        tasks = [session.task for session in self.sessions]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for session in tuple(self.sessions):
            session.dismiss(reply.SHUTTING_DOWN)


def _excused(session: Channel) -> bool:
    """True for who brings many clients' mail: a trusted relay, and whatever runs on this machine."""
    return session.service.trusts(session.peer) or ipaddress.ip_address(session.peer).is_loopback


def _client(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, IPV6_CLIENT), strict=False)) if ip.version == 6 else address
