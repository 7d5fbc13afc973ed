"""A next hop that takes everything and remembers of each message its number and a digest, so that it can take many."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter, deque
from dataclasses import dataclass, field

from tests.faults import FakeHop, Taken

NUMBER = re.compile(rb"^Message-ID: <n([0-9]+)@example\.org>\r\n", re.MULTILINE)


@dataclass
class Sink(FakeHop):
    """`arrived[(number, digest)]` is how often that message came; `strays` are those without a number."""

    arrived: Counter[tuple[int, str]] = field(default_factory=Counter)
    strays: int = 0

    def __post_init__(self) -> None:
        self.batches = self.commands = deque(maxlen=100)  # type: ignore[assignment]

    def took(self, taken: Taken) -> None:
        """Count a message."""
        if (known := identified(taken.content)) is None:
            self.strays += 1
        else:
            self.arrived[known] += 1

    def copies(self, number: int) -> dict[str, int]:
        """How often each version of this message came, by digest."""
        return {seen: count for (each, seen), count in self.arrived.items() if each == number}


def numbered(number: int, size: int) -> bytes:
    """A message of about `size` bytes that no other number has; its first field is the one the sink looks for."""
    head = f"Message-ID: <n{number}@example.org>\r\nSubject: number {number}\r\n\r\n".encode()
    line = hashlib.sha256(head).hexdigest().encode() + b" mailwarden\r\n"
    return head + line * max(1, (size - len(head)) // len(line))


def identified(content: bytes) -> tuple[int, str] | None:
    """The number of a message and the digest of what it was when it was sent; None for one without a number."""
    match = NUMBER.search(content[:4096])
    return (int(match[1]), digest(content[match.start() :])) if match else None


def digest(content: bytes) -> str:
    """What two messages share if they are the same."""
    return hashlib.sha256(content).hexdigest()


async def taking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, after: float = 0.0) -> None:
    """The smallest hop that takes a message; it gives each reply `after` so many seconds."""
    content = False
    reply = b"220 hop\r\n"
    while True:
        await asyncio.sleep(after)
        writer.write(reply)
        line = await reader.readline()
        while content and line and line != b".\r\n":
            line = await reader.readline()
        if not line:
            break
        content = line == b"DATA\r\n"
        reply = b"354 go\r\n" if content else b"250 ok\r\n"
    writer.close()
