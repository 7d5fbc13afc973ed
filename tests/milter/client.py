"""The MTA's side of the milter protocol, for tests: packets out, packets in, and what a message would become."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.milter.flags import Actions, Steps

ALL_ACTIONS = sum(Actions)
ALL_STEPS = sum(Steps)
PATIENCE = 20
Heard = tuple[bytes, bytes]
FINAL = b"cartdy4fs"


def wire(code: bytes, data: bytes = b"") -> bytes:
    """A packet."""
    return struct.pack("!I", len(data) + 1) + code + data


def strings(*words: bytes) -> bytes:
    return b"".join(word + b"\0" for word in words)


def connect(host: bytes = b"client.example.org", address: bytes = b"198.51.100.7", port: int = 4321) -> bytes:
    return strings(host) + b"4" + struct.pack("!H", port) + strings(address)


@dataclass
class Answered:
    """The final answer to a message, and the changes before it."""

    final: bytes
    text: bytes = b""
    changes: list[tuple[bytes, bytes]] = field(default_factory=list)
    progress: int = 0

    @property
    def body(self) -> bytes | None:
        pieces = [data for code, data in self.changes if code == b"b"]
        return b"".join(pieces) if pieces else None

    def of(self, code: bytes) -> list[bytes]:
        return [data for each, data in self.changes if each == code]


class Mta:
    """`async with Mta(address) as mta:`, then the steps of a session; each gives the answer's code and text."""

    def __init__(self, address: tuple[str, int] | str, *, version: int = 6, steps: int = ALL_STEPS) -> None:
        self._address = address
        self._offer = struct.pack("!III", version, ALL_ACTIONS if version > 2 else 0x1F, steps)
        self.steps = Steps(0)
        self.version = 0

    async def connect(self) -> None:
        """Connects, and says nothing."""
        if isinstance(self._address, str):
            self._reader, self._writer = await asyncio.open_unix_connection(self._address)
        else:
            self._reader, self._writer = await asyncio.open_connection(*self._address)

    async def __aenter__(self) -> Mta:
        await self.connect()
        try:
            code, data = await self.ask(b"O", self._offer)
        except BaseException:
            self._writer.close()
            raise
        assert code == b"O"
        self.version, _, steps = struct.unpack_from("!III", data)
        self.steps = Steps(steps)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    def tell(self, code: bytes, data: bytes = b"") -> None:
        self._writer.write(wire(code, data))

    def write(self, data: bytes, *, last: bool = False) -> None:
        """Bytes as they are; with the `last` ones our side is closed."""
        self._writer.write(data)
        if last:
            self._writer.write_eof()

    async def hear(self) -> tuple[bytes, bytes]:
        async with asyncio.timeout(PATIENCE):
            [length] = struct.unpack("!I", await self._reader.readexactly(4))
            packet = await self._reader.readexactly(length)
        return packet[:1], packet[1:]

    async def ask(self, code: bytes, data: bytes = b"", *, unanswered: Steps = Steps(0)) -> tuple[bytes, bytes]:  # noqa: B008
        self.tell(code, data)
        return (b"c", b"") if unanswered & self.steps else await self.hear()

    async def greet(self, **client: object) -> tuple[bytes, bytes]:
        answer = await self.ask(b"C", connect(**client), unanswered=Steps.NO_REPLY_CONNECT)  # type: ignore[arg-type]
        await self.ask(b"H", strings(b"client.example.org"), unanswered=Steps.NO_REPLY_HELO)
        return answer

    async def mail(self, sender: bytes = b"<an@example.org>", *parameters: bytes, **macros: bytes) -> Heard:
        self.macros(b"M", **macros)
        return await self.ask(b"M", strings(sender, *parameters))

    async def rcpt(self, to: bytes = b"<binh@example.gov.vn>", *parameters: bytes, **macros: bytes) -> Heard:
        self.macros(b"R", **macros)
        return await self.ask(b"R", strings(to, *parameters))

    def macros(self, command: bytes, **values: bytes) -> None:
        words = [word for name, value in values.items() for word in (b"{" + name.encode() + b"}", value)]
        self.tell(b"D", command + strings(*words)) if words else None

    async def content(self, message: bytes, *, piece: int = 65535) -> Answered:
        """Sends a message in the form in which Postfix does; waits for the end."""
        head, _, body = message.partition(b"\r\n\r\n")
        for line in head.replace(b"\r\n ", b"\n ").replace(b"\r\n\t", b"\n\t").split(b"\r\n"):
            name, _, value = line.partition(b":")
            if Steps.LEADING_SPACE not in self.steps:
                value = value.removeprefix(b" ")
            await self.ask(b"L", strings(name, value), unanswered=Steps.NO_REPLY_HEADER)
        await self.ask(b"N", unanswered=Steps.NO_REPLY_EOH)
        for at in range(0, len(body), piece):
            code, _ = await self.ask(b"B", body[at : at + piece], unanswered=Steps.NO_REPLY_BODY)
            if code == b"s":
                break
        self.tell(b"E")
        answered = Answered(b"")
        while True:
            code, data = await self.hear()
            if code == b"p":
                answered.progress += 1
            elif code in FINAL:
                answered.final, answered.text = code, data
                return answered
            else:
                answered.changes.append((code, data))

    async def send(self, message: bytes, *to: bytes, sender: bytes = b"<an@example.org>") -> Answered:
        """A whole message."""
        assert (await self.mail(sender))[0] == b"c"
        for each in to or (b"<binh@example.gov.vn>",):
            assert (await self.rcpt(each))[0] == b"c"
        return await self.content(message)


def changed(message: bytes, answered: Answered) -> bytes:
    """The message as an MTA makes it by the changes."""
    head, _, body = message.partition(b"\r\n\r\n")
    unfolded = head.replace(b"\r\n ", b"\n ").replace(b"\r\n\t", b"\n\t")
    fields = [line.partition(b":") for line in unfolded.split(b"\r\n")]
    lines: list[tuple[bytes, bytes] | None] = [(name, value) for name, _, value in fields]
    for code, data in answered.changes:
        if code in b"im":
            [index] = struct.unpack_from("!I", data)
            name, value = data[4:-1].split(b"\0")
            if code == b"i":
                lines.insert(index, (name, value))
            else:
                places = [at for at, line in enumerate(lines) if line and line[0].lower() == name.lower()]
                lines[places[index - 1]] = (name, value) if value else None
                lines = [line for line in lines if line]
    kept: Sequence[tuple[bytes, bytes]] = [line for line in lines if line]
    new = b"".join(name + b":" + value.replace(b"\n", b"\r\n") + b"\r\n" for name, value in kept)
    return new + b"\r\n" + (body if answered.body is None else answered.body)
