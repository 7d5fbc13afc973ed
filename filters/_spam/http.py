"""HTTP/1.1 as far as one question to a scanner needs it (RFC 9112): a POST with its length, a connection kept open, an
answer with Content-Length, in chunks, or up to the end of the connection."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.endpoint import HostPort, UnixSocket
from gateway.engines.spread import EngineFailure

Address = HostPort | UnixSocket

LINE_LIMIT = 8 * 1024
"""Bytes of a line of the head; servers allow 8 kB."""

FIELDS = 100
"""Fields of an answer's head."""

BODY_LIMIT = 1024 * 1024
"""Bytes of an answer: a few hundred symbols with their options make 100 kB."""

IDLE = 8
"""Connections to one server that are kept open."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?")
_LENGTH = re.compile(rb"\d{1,9}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,7})[ \t]*(?:;.*)?")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and content of an answer; `stays` is true where the connection may be used again."""

    status: int
    body: bytes
    stays: bool


@dataclass(slots=True, eq=False)
class Server:
    """An HTTP server at an address, with the connections that wait for their next question."""

    address: Address
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None

    async def ask(self, method: str, path: str, fields: Sequence[tuple[str, str]], body: bytes) -> bytes:
        """The content of a 200. Raises EngineFailure, OSError.

        A connection that the server closed while it was idle is not held against it: the question is asked anew.
        """
        about = [("Host", _host(self.address)), ("Connection", "keep-alive"), ("Content-Length", str(len(body)))]
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {_harmless(value)}" for name, value in (*about, *fields))]
        request = "\r\n".join((*lines, "", "")).encode("utf-8") + body
        while (streams := self._waiting()) is not None:
            with contextlib.suppress(OSError, EOFError):
                return await self._exchange(*streams, request)
        try:
            return await self._exchange(*await connect(self.address, LINE_LIMIT), request)
        except EOFError as error:
            raise EngineFailure("closed the connection in the middle of its answer") from error

    def close(self) -> None:
        """End the connections."""
        for _, writer in self.idle:
            hang_up(writer)
        self.idle.clear()

    def _waiting(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        loop = asyncio.get_running_loop()
        if self.loop is not loop:
            self.idle, self.loop = [], loop
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            hang_up(writer)
        return None

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
        stays = False
        try:
            writer.write(request)
            await writer.drain()
            answer = await read_answer(reader)
            stays = answer.stays and len(self.idle) < IDLE
        finally:
            if stays:
                self.idle.append((reader, writer))
            else:
                hang_up(writer)
        if answer.status != 200:
            raise EngineFailure(f"answered {answer.status}")
        return answer.body


async def connect(address: Address, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection; `limit` is the longest line. Raises OSError."""
    if isinstance(address, UnixSocket):
        return await asyncio.open_unix_connection(str(address.path), limit=limit)
    return await asyncio.open_connection(address.host, address.port, limit=limit)


def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close without waiting; the loop may be gone with its policy."""
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """One answer. Raises EngineFailure for what is none, EOFError where it is cut off."""
    first = await _line(reader)
    status = _STATUS.fullmatch(first)
    if not status:
        raise EngineFailure(f"answered {first[:60]!a}")
    lengths: set[bytes] = set()
    chunked, stays = False, first.startswith(b"HTTP/1.1")
    for _ in range(FIELDS):
        line = await _line(reader)
        if not line:
            break
        name, _, value = line.lower().partition(b":")
        value = value.strip()
        if name == b"content-length":
            lengths.add(value)
        elif name == b"transfer-encoding":
            chunked = value == b"chunked"
        elif name == b"connection":
            stays = value == b"keep-alive" or (stays and value != b"close")
    else:
        raise EngineFailure("answered with too many fields")
    if chunked and not lengths:
        return Answer(int(status[1]), await _chunks(reader), stays)
    if not chunked and len(lengths) == 1 and _LENGTH.fullmatch(length := lengths.pop()):
        if int(length) > BODY_LIMIT:
            raise EngineFailure(f"answered with {int(length)} bytes")
        return Answer(int(status[1]), await reader.readexactly(int(length)), stays)
    # Without a length nobody can tell a whole answer from one that was cut: RFC 9112 section 6.3 allows it, we do not.
    raise EngineFailure("answered without a length, or with two")


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    left = BODY_LIMIT
    while True:
        line = await _line(reader)
        found = _CHUNK.fullmatch(line)
        if not found:
            raise EngineFailure(f"answered with a chunk {line[:40]!a}")
        size = int(found[1], 16)
        left -= size
        if left < 0:
            raise EngineFailure("answered with too much")
        if not size:
            break
        parts.append(await reader.readexactly(size))
        if await reader.readexactly(2) != b"\r\n":
            raise EngineFailure("answered with a chunk of another length than it said")
    for _ in range(FIELDS):
        if not await _line(reader):
            return b"".join(parts)
    raise EngineFailure("answered with too many fields")


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\n")).rstrip(b"\r\n")
    except asyncio.LimitOverrunError:
        raise EngineFailure("answered with a line that is too long") from None


def _host(address: Address) -> str:
    return "localhost" if isinstance(address, UnixSocket) else str(address)


def _harmless(value: str) -> str:
    """A value without what would end its line."""
    return "".join(each if each.isprintable() else "?" for each in value)[: LINE_LIMIT // 2]
