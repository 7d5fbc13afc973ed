"""One connection to a next hop: commands out, replies in, each wait bounded, each broken rule the end of it.

The file before is `gateway/smtp/pool.py`, which keeps connections; the file after is `gateway/smtp/replies.py`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

from gateway.errors import HopError
from gateway.reply import HOP_GARBAGE, HOP_LOST, HOP_UNREACHABLE
from gateway.smtp.commands import Offers, encode
from gateway.smtp.hop import HopSettings
from gateway.smtp.replies import HopReply, ReplyReader

WINDOW = 100
"""Commands sent before their replies are read: one round trip for any usual mail, and bounded memory for replies."""

RESET_SECONDS = 2.0
"""Wait for the reply to RSET: a hop that needs longer to forget is not worth keeping, a new connection is cheap."""


class Connection(asyncio.Protocol):
    """The client's side of SMTP or LMTP, used by one task at a time. Every method that waits raises HopError."""

    def __init__(self) -> None:
        self.offers: Offers = {}
        self.uses = 0
        self._reader = ReplyReader()
        self._replies: deque[HopReply] = deque()
        self._awaited = 1  # the greeting
        self._paused = False
        self._error: HopError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport

    @property
    def usable(self) -> bool:
        """True if a transaction may begin: nobody has closed it, and nothing unasked for has come."""
        return self._error is None and not self._awaited and not self._replies and not self._transport.is_closing()

    async def ask(self, commands: Sequence[bytes], seconds: float) -> list[HopReply]:
        """Sends commands, pipelined where the hop offers it (RFC 2920). Returns a reply of class 2, 4 or 5 for each."""
        window = WINDOW if "PIPELINING" in self.offers else 1
        replies = []
        for start in range(0, len(commands), window):
            sent = commands[start : start + window]
            self._write(b"".join(sent), replies=len(sent))
            replies += [await self._reply(2, seconds) for _ in sent]
        return replies

    async def data(self, seconds: float) -> HopReply:
        """Sends DATA. Returns a reply of class 3, 4 or 5."""
        self._write(encode("DATA"), replies=1)
        return await self._reply(3, seconds)

    async def message(self, blocks: Iterator[bytes], *, replies: int, seconds: float, last: float) -> list[HopReply]:
        """Sends what follows 354, up to the end of data. Returns its replies, `last` seconds for each.

        Whatever the hop says before the last block is sent is no answer to it: the connection is closed.
        """
        block = next(blocks)
        # Two turns of the loop: what the hop sent right behind its 354 has been read then, and is found unasked for.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for following in blocks:
            self._write(block, replies=0)
            await asyncio.sleep(0)
            await self._wait(lambda: not self._paused, seconds)
            block = following
        self._write(block, replies=replies)
        return [await self._reply(2, last) for _ in range(replies)]

    async def reset(self) -> None:
        """Makes the hop forget the transaction."""
        self._write(encode("RSET"), replies=1)
        reply = await self._reply(2, RESET_SECONDS)
        if reply.kind != 2:
            raise self._broken(HopError(HOP_LOST, kind="refused", detail=f"RSET: {reply.copied()}"))

    def close(self) -> None:
        """Takes leave (RFC 5321 section 4.1.1.10) without waiting for the answer."""
        if self.usable:
            self._transport.write(encode("QUIT"))
            self._transport.close()
            self._error = HopError(HOP_LOST, kind="closed", detail="closed by us")

    def abort(self) -> None:
        """Drops the connection at once: the hop must not take what it has of the message."""
        self._broken(HopError(HOP_LOST, kind="closed", detail="dropped by us"))

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        if self._error:
            return
        try:
            for reply in self._reader.feed(data):
                self._replies.append(reply)
                self._awaited -= 1
                if self._awaited < 0:
                    # It stays out of the queue: an answer to nothing must not answer what is asked next.
                    self._replies.pop()
                    raise ValueError(f"unasked for: {reply.copied()}")
            if not self._awaited and self._reader.pending:
                raise ValueError("unasked for: the beginning of a reply")
        except ValueError as error:
            self._broken(HopError(HOP_GARBAGE, kind="garbage", detail=str(error)))
        self._wake()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._broken(HopError(HOP_LOST, kind="closed", detail=str(exc or "closed by the next hop")))

    def _broken(self, error: HopError) -> HopError:
        """The first error is the cause; what follows from it is not told."""
        self._error = self._error or error
        self._transport.abort()
        self._wake()
        return self._error

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def _write(self, data: bytes, *, replies: int) -> None:
        if self._error:
            raise self._error
        self._awaited += replies
        self._transport.write(data)

    async def _reply(self, done: int, seconds: float) -> HopReply:
        """The next reply, of class `done` or a refusal. Those read before the connection broke still count."""
        if not self._replies:
            await self._wait(lambda: self._replies, seconds)
        reply = self._replies.popleft()
        if reply.code == 421:  # RFC 5321 section 3.8: closing, whatever was asked
            raise self._broken(HopError(HOP_LOST, kind="closed", detail=str(reply.copied())))
        if reply.kind not in (done, 4, 5):
            raise self._broken(HopError(HOP_GARBAGE, kind="garbage", detail=f"wrong class: {reply.copied()}"))
        return reply

    async def _wait(self, ready: Callable[[], object], seconds: float) -> None:
        loop = asyncio.get_running_loop()
        late = loop.call_later(seconds, self._late, seconds)
        try:
            while not ready():
                if self._error:
                    raise self._error
                self._waiter = loop.create_future()
                await self._waiter
        finally:
            late.cancel()

    def _late(self, seconds: float) -> None:
        self._broken(HopError(HOP_LOST, kind="timeout", detail=f"nothing heard for {seconds:g} s"))

    # The beginning of a session

    async def greet(self, settings: HopSettings, context: ssl.SSLContext | None) -> None:
        """Waits for 220, says EHLO or LHLO, and turns to TLS as the settings ask."""
        self._accepted(await self._reply(2, settings.reply_timeout), "greeting")
        await self._hello(settings)
        if context and await self._start_tls(settings, context):
            await self._hello(settings)

    async def _hello(self, settings: HopSettings) -> None:
        self.offers = {}
        verb = "LHLO" if settings.protocol == "lmtp" else "EHLO"
        [reply] = await self.ask([encode(f"{verb} {settings.helo}")], settings.reply_timeout)
        if reply.kind == 5 and verb == "EHLO":  # RFC 5321 section 3.2
            [reply] = await self.ask([encode(f"HELO {settings.helo}")], settings.reply_timeout)
            self._accepted(reply, "HELO")
            return
        self._accepted(reply, verb)
        lines = [line.decode("ascii", "replace").upper().split() for line in reply.lines[1:]]
        self.offers = {words[0]: tuple(words[1:]) for words in lines if words}

    def _accepted(self, reply: HopReply, stage: str) -> None:
        """A refusal before there is a transaction is never the message's fault, whatever its class."""
        if reply.kind != 2:
            detail = f"{stage}: {reply.copied()}"
            raise self._broken(HopError(HOP_UNREACHABLE, kind="refused", detail=detail))

    async def _start_tls(self, settings: HopSettings, context: ssl.SSLContext) -> bool:
        """True if the connection is encrypted now: the hop must be asked again what it offers (RFC 3207, 4.2)."""
        replies = []
        if "STARTTLS" in self.offers:
            replies = await self.ask([encode("STARTTLS")], settings.reply_timeout)
        if not replies or replies[0].kind != 2:
            if settings.tls == "may":
                return False
            raise self._broken(HopError(HOP_UNREACHABLE, kind="tls", detail="STARTTLS not offered or refused"))
        if self._error:  # plaintext behind the 220, CVE-2011-0411
            raise HopError(HOP_UNREACHABLE, kind="tls", detail=self._error.detail)
        host = settings.address if isinstance(settings.address, str) else settings.address[0]
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                context,
                server_hostname="localhost" if host.startswith("/") else host,
                ssl_handshake_timeout=settings.connect_timeout,
            )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            raise HopError(HOP_UNREACHABLE, kind="tls", detail=str(error)) from error
        if transport is None:  # the hop went away in the handshake
            raise HopError(HOP_UNREACHABLE, kind="tls", detail="closed in the TLS handshake")
        self._transport = transport
        return True


def tls_context(settings: HopSettings) -> ssl.SSLContext | None:
    """What STARTTLS uses, None where it is off. Raises OSError for a `ca` that cannot be read."""
    if settings.tls == "off":
        return None
    if settings.tls == "require":
        folder = Path(settings.ca).is_dir() if settings.ca else False
        return ssl.create_default_context(
            cafile=settings.ca if settings.ca and not folder else None, capath=settings.ca if folder else None
        )
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def connect(settings: HopSettings, context: ssl.SSLContext | None) -> Connection:
    """A connection on which MAIL may be said. Raises HopError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(settings.connect_timeout):
            if isinstance(settings.address, str):
                _, connection = await loop.create_unix_connection(Connection, settings.address)
            else:
                _, connection = await loop.create_connection(Connection, *settings.address)
    except TimeoutError:
        raise HopError(HOP_UNREACHABLE, kind="timeout", detail="no connection in time") from None
    except OSError as error:
        raise HopError(HOP_UNREACHABLE, kind="unreachable", detail=str(error)) from error
    try:
        await connection.greet(settings, context)
    except BaseException:
        connection.abort()
        raise
    return connection
