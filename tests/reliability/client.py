"""A client of the gateway that says what it is told to say, right or wrong, and reads the replies as a client must."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

PATIENCE = 20.0
"""Seconds after which a reply counts as missing."""

SENDER, RECIPIENT = "an@example.org", "binh@example.gov.vn"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole reply; code 0: the gateway closed the connection instead."""

    code: int
    text: str = ""

    @property
    def kind(self) -> int:
        """The first digit."""
        return self.code // 100


GONE = Answer(0, "closed")


class Talk:
    """One connection. `async with Talk(address) as talk:` has read the greeting, which is `talk.greeting`.

    `window` is how many bytes the kernel takes for us while we do not read; 0 for its own idea.
    """

    def __init__(self, address: tuple[str, int], *, window: int = 0) -> None:
        self._address = address
        self._window = window

    async def __aenter__(self) -> Talk:
        connection = socket.socket()
        try:
            connection.setblocking(False)
            if self._window:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._window)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # else the sender's takes megabytes
            await asyncio.get_running_loop().sock_connect(connection, self._address)
        except BaseException:
            connection.close()
            raise
        self.reader, self.writer = await asyncio.open_connection(sock=connection)
        self.greeting = await self.heard()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    def say(self, data: bytes) -> None:
        """Send these bytes."""
        self.writer.write(data)

    async def heard(self) -> Answer:
        """The next reply. Raises ValueError for what is none, TimeoutError for silence."""
        lines = []
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    line = await self.reader.readline()
                    if not line:
                        return GONE
                    if not line.endswith(b"\r\n") or not line[:3].isdigit() or line[3:4] not in (b" ", b"-"):
                        raise ValueError(f"not a reply: {line!r}")
                    lines.append(line[4:-2].decode("ascii"))
                    if line[3:4] == b" ":
                        return Answer(int(line[:3]), "\n".join(lines))
        except ConnectionError:
            return GONE

    async def ask(self, command: str | bytes) -> Answer:
        """Say one command, hear its reply."""
        self.say(command.encode() + b"\r\n" if isinstance(command, str) else command)
        return await self.heard()

    async def asks(self, *commands: str) -> list[int]:
        """Say commands one after the other; the codes of their replies."""
        return [(await self.ask(command)).code for command in commands]

    async def hello(self) -> Answer:
        """EHLO."""
        return await self.ask("EHLO client.example.org")

    async def envelope(self, *recipients: str, sender: str = SENDER) -> None:
        """EHLO, MAIL, RCPT and DATA, each of which must be granted."""
        codes = await self.asks(
            "EHLO client.example.org",
            f"MAIL FROM:<{sender}>",
            *(f"RCPT TO:<{recipient}>" for recipient in recipients or (RECIPIENT,)),
            "DATA",
        )
        assert codes == [250] * (len(codes) - 1) + [354]

    async def send(self, content: bytes, *recipients: str, sender: str = SENDER) -> Answer:
        """One message whose lines need no dots doubled, after EHLO; the answer to the dot, or the first refusal."""
        steps = (f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{each}>" for each in recipients or (RECIPIENT,)), "DATA")
        for step in steps:
            answer = await self.ask(step)
            if answer.kind not in (2, 3):
                return answer
        return await self.ask(content + b".\r\n")


async def delivered(address: tuple[str, int], content: bytes) -> Answer:
    """Send one message over a connection of its own; the answer, GONE where there is none."""
    try:
        async with Talk(address) as talk:
            await talk.hello()
            return await talk.send(content)
    except ConnectionError:
        return GONE


async def closed(talk: Talk, seconds: float) -> bool:
    """True if the gateway ends the connection in that time, whatever it says before."""
    try:
        async with asyncio.timeout(seconds):
            while await talk.reader.read(65536):
                pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True
