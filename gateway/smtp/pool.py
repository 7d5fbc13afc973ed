"""Connections to one next hop, kept between messages: no more than the hop takes, none older than it likes.

The file before is `gateway/smtp/upstream.py`, which uses them; the file after is `gateway/smtp/connection.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.errors import HopError
from gateway.reply import HOP_UNREACHABLE
from gateway.smtp.connection import Connection
from gateway.smtp.hop import HopSettings


class Pool:
    """At most `settings.connections` connections are in use at once; who finds none free waits in line.

    Each `take` or `take_new` is followed by one `give_back` or `drop`.
    """

    def __init__(self, settings: HopSettings, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._settings = settings
        self._connect = connect
        self._slots = asyncio.Semaphore(settings.connections)
        self._idle: dict[Connection, asyncio.TimerHandle] = {}
        self._closed = False

    async def take(self) -> Connection:
        """The connection used last that is still good, or a new one. Raises HopError."""
        await self._slot()
        while self._idle:
            connection, expiry = self._idle.popitem()
            expiry.cancel()
            if connection.usable:
                connection.uses += 1
                return connection
        return await self._open()

    async def take_new(self) -> Connection:
        """A new connection. The idle ones are closed: where one was stale, its brothers are. Raises HopError."""
        await self._slot()
        self._close_idle()
        return await self._open()

    def give_back(self, connection: Connection) -> None:
        """Keeps a connection that has no transaction open, unless it is worn out."""
        self._slots.release()
        if self._closed or not connection.usable or connection.uses >= self._settings.messages:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        self._idle[connection] = loop.call_later(self._settings.idle_seconds, self._expire, connection)

    def drop(self, connection: Connection) -> None:
        """Breaks off a connection whose state nobody knows."""
        self._slots.release()
        connection.abort()

    def close(self) -> None:
        """Closes idle connections now, those in use when they are given back."""
        self._closed = True
        self._close_idle()

    def _close_idle(self) -> None:
        while self._idle:
            connection, expiry = self._idle.popitem()
            expiry.cancel()
            connection.close()

    def _expire(self, connection: Connection) -> None:
        del self._idle[connection]
        connection.close()

    async def _slot(self) -> None:
        if not self._slots.locked():
            await self._slots.acquire()  # at once; a timeout costs as much as all the rest of this file
            return
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                await self._slots.acquire()
        except TimeoutError:
            detail = f"all {self._settings.connections} connections are in use"
            raise HopError(HOP_UNREACHABLE, kind="timeout", detail=detail) from None

    async def _open(self) -> Connection:
        try:
            connection = await self._connect()
        except BaseException:
            self._slots.release()
            raise
        connection.uses = 1
        return connection
