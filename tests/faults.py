"""Next hops that misbehave on purpose: a small SMTP or LMTP server on a free loopback port, told where and how to fail.

    async with FakeHop({"mail": "hang"}) as hop:
        ...  # hop.address; afterwards hop.taken, hop.commands, hop.connections

Usable from any test; whatever it was told, it counts truthfully what it took.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

STAGES = ("greeting", "ehlo", "xforward", "mail", "rcpt", "data", "body", "eod", "reuse")
"""Where a fault may be put. "body": while the message comes in; "reuse": at the second transaction on a connection."""

FAULTS = ("4xx", "5xx", "421", "close", "reset", "hang", "garbage", "wrong-class", "endless-line", "endless-reply")
"""What may be done at any stage. More for "body": early-250, glued-250, stop-reading; for "eod": taken-then-close."""

OFFERS = ("PIPELINING", "8BITMIME", "SIZE 52428800", "DSN", "ENHANCEDSTATUSCODES", "SMTPUTF8", "XFORWARD NAME ADDR")

_REPLIES = {
    "4xx": b"451 4.3.5 fault 4xx\r\n",
    "5xx": b"554 5.3.5 fault 5xx\r\n",
    "421": b"421 4.3.2 fault 421\r\n",
    "garbage": b"\x00\xff what?\r\n",
    "endless-line": b"250 " + b"x" * 100_000,
    "endless-reply": b"250-more\r\n" * 1000,
    "early-250": b"250 2.0.0 early\r\n",
    "glued-250": b"",
}


@dataclass
class Taken:
    """A message the hop answered for, or would have: the commands of its envelope, and its bytes without stuffing."""

    mail: bytes
    rcpts: list[bytes]
    content: bytes
    wire: bytes
    xforward: list[bytes]


@dataclass
class FakeHop:
    """`faults` maps a stage to a fault. `answers` maps an address in a RCPT to the line that answers it; `finals` are
    the lines that answer the end of data, for LMTP one a recipient. `faulty` is the number of connections, from the
    first, that are bad; later ones behave. `injected` is said in the clear behind the 220 of STARTTLS. A hop
    `without_ehlo` knows HELO only.
    """

    faults: Mapping[str, str] = field(default_factory=dict)
    lmtp: bool = False
    offers: tuple[str, ...] = OFFERS
    answers: Mapping[str, bytes] = field(default_factory=dict)
    finals: tuple[bytes, ...] = ()
    unix: str = ""
    tls: ssl.SSLContext | None = None
    injected: bytes = b""
    without_ehlo: Literal["", "in-tls", "always"] = ""
    faulty: int = 1_000_000
    taken: list[Taken] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    batches: list[bytes] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    most_open: int = 0

    async def __aenter__(self) -> FakeHop:
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._change = asyncio.Event()
        if self.unix:
            self._server = await asyncio.start_unix_server(self._serve, self.unix)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()

    @property
    def address(self) -> tuple[str, int] | str:
        return self.unix or self._server.sockets[0].getsockname()[:2]

    async def until_open(self, count: int) -> None:
        """Waits until so many connections are open."""
        await self._until(lambda: self.open == count)

    async def until_taken(self, count: int) -> None:
        """Waits until so many messages were taken."""
        await self._until(lambda: len(self.taken) >= count)

    async def _until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):  # the test fails rather than hangs
            while not reached():
                self._change.clear()
                await self._change.wait()

    def hang_up(self) -> None:
        """Closes every open connection from this side, as a hop does that is restarted."""
        for writer in self._writers:
            writer.close()

    def say(self, data: bytes) -> None:
        """Says something on every open connection, unasked."""
        for writer in self._writers:
            writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        self._change.set()
        session = _Session(self, reader, writer, self.faults if self.connections <= self.faulty else {})
        try:
            with suppress(ConnectionError, EOFError, ssl.SSLError, _Closed):
                await session.run()
        finally:
            writer.close()
            self.open -= 1
            self._change.set()
            self._tasks.discard(task)
            self._writers.discard(writer)

    def took(self, taken: Taken) -> None:
        self.taken.append(taken)
        self._change.set()


class _Closed(Exception):
    pass


class _Session:
    def __init__(
        self, hop: FakeHop, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Mapping[str, str]
    ) -> None:
        self.hop, self.reader, self.writer, self.faults = hop, reader, writer, faults
        self.buffer = b""
        self.mail = b""
        self.rcpts: list[bytes] = []
        self.xforward: list[bytes] = []
        self.messages = 0
        self.encrypted = False

    async def run(self) -> None:
        if not await self.fault("greeting"):
            self.writer.write(b"220 fake.example ready\r\n")
        while True:
            line = await self.line()
            self.hop.commands.append(line)
            verb = line[:4].upper()
            if verb == b"MAIL" and self.messages and await self.fault("reuse"):
                continue
            await self.command(verb, line)

    async def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self.buffer += await self.chunk()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    async def chunk(self) -> bytes:
        data = await self.reader.read(262144)
        if not data:
            raise EOFError
        self.hop.batches.append(data[:4096])
        return data

    async def command(self, verb: bytes, line: bytes) -> None:
        if verb in (b"EHLO", b"LHLO", b"HELO"):
            await self.hello(verb, line)
        elif verb == b"STAR":
            await self.starttls()
        elif verb == b"XFOR":
            self.xforward.append(line)
            await self.answer("xforward", b"250 2.0.0 ok\r\n")
        elif verb == b"MAIL":
            if await self.answer("mail", b"250 2.1.0 sender ok\r\n"):
                self.mail = line
        elif verb == b"RCPT":
            await self.rcpt(line)
        elif verb == b"DATA":
            await self.data()
        elif verb == b"RSET":
            self.mail, self.rcpts, self.xforward = b"", [], []
            self.writer.write(b"250 2.0.0 reset\r\n")
        elif verb == b"QUIT":
            self.writer.write(b"221 2.0.0 bye\r\n")
            raise _Closed
        else:
            self.writer.write(b"500 5.5.1 unknown\r\n")

    async def hello(self, verb: bytes, line: bytes) -> None:
        if await self.fault("ehlo"):
            return
        old = self.hop.without_ehlo == "always" or (self.encrypted and self.hop.without_ehlo == "in-tls")
        if (verb == b"LHLO") != self.hop.lmtp or (verb == b"EHLO" and old):
            self.writer.write(b"500 5.5.1 wrong protocol\r\n")
        elif verb == b"HELO":
            self.writer.write(b"250 fake.example\r\n")
        else:
            offers = [*self.hop.offers, *(["STARTTLS"] if self.hop.tls and not self.encrypted else [])]
            lines = ["fake.example", *offers]
            marks = ["-"] * len(offers) + [" "]
            self.writer.write("".join(f"250{m}{text}\r\n" for m, text in zip(marks, lines, strict=True)).encode())

    async def starttls(self) -> None:
        self.writer.write(b"220 2.0.0 go\r\n" + self.hop.injected)
        await self.writer.drain()
        assert self.hop.tls
        await self.writer.start_tls(self.hop.tls)
        self.encrypted = True
        self.buffer = b""

    async def rcpt(self, line: bytes) -> None:
        given = next((reply for address, reply in self.hop.answers.items() if address.encode() in line), None)
        if not self.mail:
            self.writer.write(b"503 5.5.1 MAIL first\r\n")
        elif given:
            self.writer.write(given)
            if given.startswith(b"2"):
                self.rcpts.append(line)
        elif await self.answer("rcpt", b"250 2.1.5 recipient ok\r\n"):
            self.rcpts.append(line)

    async def data(self) -> None:
        if not self.rcpts:
            self.writer.write(b"503 5.5.1 RCPT first\r\n")
            return
        go = b"354 go\r\n"
        if self.faults.get("body") == "glued-250":
            go += b"250 2.0.0 glued\r\n"
        if not await self.answer("data", go):
            return
        wire = bytearray(b"\r\n" + self.buffer)
        self.buffer = b""
        while not wire.endswith(b"\r\n.\r\n"):
            if len(wire) > 2 and await self.fault("body"):
                self.faults = {}
            wire += await self.chunk()
        content = bytes(wire[2:-3]).replace(b"\r\n.", b"\r\n")
        content = content[1:] if content.startswith(b".") else content
        taken = Taken(self.mail, self.rcpts, content, bytes(wire[2:]), self.xforward)
        self.mail, self.rcpts, self.xforward = b"", [], []
        self.messages += 1
        if self.faults.get("eod") == "taken-then-close":
            self.hop.took(taken)
            raise _Closed
        if await self.fault("eod"):
            return
        finals = self.hop.finals or (b"250 2.6.0 taken\r\n",) * (len(taken.rcpts) if self.hop.lmtp else 1)
        if any(final.startswith(b"250") for final in finals):
            self.hop.took(taken)
        self.writer.write(b"".join(finals))

    async def answer(self, stage: str, line: bytes) -> bool:
        """Says `line`, or does what the script has for the stage; True if the command did what it should."""
        if await self.fault(stage):
            return False
        self.writer.write(line)
        return True

    async def fault(self, stage: str) -> bool:
        """True if the stage has a fault; it is done then. What hangs or closes does not come back."""
        kind = self.faults.get(stage)
        if not kind:
            return False
        if kind == "wrong-class":
            self.writer.write(b"250 2.0.0 wrong\r\n" if stage == "data" else b"354 wrong\r\n")
        elif kind in _REPLIES:
            self.writer.write(_REPLIES[kind])
        elif kind == "stop-reading":
            self.writer.transport.pause_reading()
            await asyncio.Event().wait()
        elif kind == "hang":
            while True:
                await self.chunk()
        elif kind == "reset":
            connection: socket.socket = self.writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.writer.transport.abort()
            raise _Closed
        if kind in ("421", "close"):
            await self.writer.drain()
            raise _Closed
        return True
