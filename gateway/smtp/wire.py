"""The client's bytes on their way to the session: bounded, with the socket paused while nobody reads them.

Takes the place of asyncio's StreamReader in the listener: that one keeps a line without an end in memory whatever its
limit says.
"""

from __future__ import annotations

import asyncio

HIGH_WATER = 256 * 1024
"""Bytes kept unread before the socket is paused: one large read of the loop, so that a fast sender is not throttled."""

DISCARD_LIMIT = 64 * 1024
"""Bytes of an overlong line thrown away before the client is dropped. Postfix takes 2 kB for a line."""


class LineTooLong(Exception):
    """A command line went over its limit; it has been thrown away up to its end."""


class Wire:
    """The reading half of a session. One reader at a time; raises EOFError when the client has gone."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.ReadTransport | None = None
        self._paused = False
        self.ended = False

    def set_transport(self, transport: asyncio.ReadTransport) -> None:
        """The transport to pause; called at the start and after STARTTLS."""
        self._transport = transport
        self._paused = False

    def feed_data(self, data: bytes) -> None:
        """Bytes from the transport."""
        self._buffer += data
        if len(self._buffer) > HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def feed_eof(self) -> None:
        """The client will send nothing more (it closed, half-closed, or the connection broke)."""
        self.ended = True
        self._wake()

    def clear(self) -> None:
        """Throw away what has been received: nothing sent in the clear counts after STARTTLS (RFC 3207 section 4.2)."""
        self._buffer.clear()

    def unread(self, data: bytes) -> None:
        """Give back bytes that were read too far."""
        self._buffer[:0] = data

    @property
    def has_line(self) -> bool:
        """True if a whole line waits: a pipelining client expects no flush of replies before it is answered."""
        return b"\n" in self._buffer

    async def line(self, limit: int) -> bytes:
        """The next line with its ending. Raises LineTooLong (the line is gone) or EOFError."""
        searched, dropped = 0, 0
        while True:
            end = self._buffer.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._buffer[: end + 1])
                del self._buffer[: end + 1]
                self._resume()
                if dropped or len(line) > limit:
                    raise LineTooLong
                return line
            if len(self._buffer) > limit:
                dropped += len(self._buffer)
                self._buffer.clear()
                self._resume()
            searched = len(self._buffer)
            if dropped > DISCARD_LIMIT:
                raise EOFError("a line without an end")
            await self._wait()

    async def chunk(self) -> bytes:
        """All that has been received, at least one byte. Raises EOFError."""
        while not self._buffer:
            await self._wait()
        data = bytes(self._buffer)
        self._buffer.clear()
        self._resume()
        return data

    async def read(self, n: int = HIGH_WATER) -> bytes:
        """At most `n` bytes, at least one. This and the next two are what the PROXY protocol's reader asks for."""
        while not self._buffer:
            await self._wait()
        return await self.readexactly(min(n, len(self._buffer)))

    async def readexactly(self, n: int) -> bytes:
        """Exactly `n` bytes."""
        while len(self._buffer) < n:
            await self._wait()
        data = bytes(self._buffer[:n])
        del self._buffer[:n]
        self._resume()
        return data

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """All bytes up to and with the separator. Raises EOFError where there is none in sight."""
        while (end := self._buffer.find(separator)) < 0:
            if len(self._buffer) > HIGH_WATER:
                raise EOFError("a PROXY header without an end")
            await self._wait()
        return await self.readexactly(end + len(separator))

    async def _wait(self) -> None:
        if self.ended:
            raise EOFError("the client has gone")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume(self) -> None:
        if self._paused and len(self._buffer) <= HIGH_WATER // 2 and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
