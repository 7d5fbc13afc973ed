"""Clients who come by the clock, whether the others have been served or not: each hands in one message and leaves."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from tests.reliability.client import RECIPIENT, SENDER
from tests.reliability.sink import Sink, digest, numbered

PATIENCE = 60.0
"""Seconds after which a client has failed."""

SAID = (
    b"EHLO client.example.org\r\n",
    b"MAIL FROM:<%s>\r\n" % SENDER.encode(),
    b"RCPT TO:<%s>\r\n" % RECIPIENT.encode(),
    b"DATA\r\n",
)
GRANTED = (b"220", b"250", b"250", b"250", b"354", b"250")
"""What each of these, and the connection before and the message after them, is answered with."""


@dataclass
class Arrivals:
    """What became of the clients: `ends` counts the last reply of each ("250", "421 4.3.2 Too busy"), or how it was cut
    off ("refused", "reset", "closed"); `taken` are the numbers of the messages with 250; `seconds` how long each of
    those took, from connecting on, and `when` it came; `turned_away` has both of the others. `size` is a message's, in
    bytes."""

    address: tuple[str, int]
    rate: float
    size: int = 3000
    ends: Counter[str] = field(default_factory=Counter)
    taken: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    when: list[float] = field(default_factory=list)
    turned_away: list[tuple[float, float]] = field(default_factory=list)

    @asynccontextmanager
    async def coming(self) -> AsyncIterator[None]:
        """They come until the block ends; then wait for the last of them."""
        clients: set[asyncio.Task[None]] = set()
        over = asyncio.Event()

        async def come() -> None:
            number, began = 0, time.monotonic()
            while not over.is_set():
                task = asyncio.create_task(self._client(number))
                clients.add(task)
                task.add_done_callback(clients.discard)
                number += 1
                await asyncio.sleep(began + number / self.rate - time.monotonic())

        coming = asyncio.create_task(come())
        try:
            yield
        finally:
            over.set()
            await coming
            await asyncio.gather(*clients)

    async def _client(self, number: int) -> None:
        began = time.monotonic()
        try:
            end = await self._deliver(number)
        except ConnectionRefusedError:
            end = "refused"
        except ConnectionError:
            end = "reset"
        self.ends[end] += 1
        if end == "250":
            self.taken.append(number)
            self.seconds.append(time.monotonic() - began)
            self.when.append(began)
        else:
            self.turned_away.append((began, time.monotonic() - began))

    async def _deliver(self, number: int) -> str:
        loop = asyncio.get_running_loop()
        said = (*SAID, numbered(number, self.size) + b".\r\n")
        async with asyncio.timeout(PATIENCE):
            _, client = await loop.create_connection(lambda: _Client(said, loop.create_future()), *self.address)
            return await client.end

    def lost(self, sink: Sink) -> list[int]:
        """Messages that were taken and did not arrive, or not as they were sent."""
        return [number for number in self.taken if sink.arrived[number, digest(numbered(number, self.size))] < 1]

    def doubled(self, sink: Sink) -> list[int]:
        """Messages that arrived more than once."""
        return [number for (number, _), count in sink.arrived.items() if count > 1]


class _Client(asyncio.Protocol):
    """Says one thing after the other as long as each is granted; `end` is how it ended. It costs little: hundreds of
    them come in a second."""

    def __init__(self, said: tuple[bytes, ...], end: asyncio.Future[str]) -> None:
        self.end = end
        self._said = said
        self._step = 0
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        last = self._heard.rpartition(b"\r\n")[0].rpartition(b"\r\n")[2]
        if not self._heard.endswith(b"\r\n") or last[3:4] != b" ":
            return
        self._heard = b""
        if last[:3] != GRANTED[self._step]:
            self._over(last.decode().partition(" [id")[0])
        elif self._step == len(self._said):
            self._over("250")
        else:
            self._transport.write(self._said[self._step])
            self._step += 1

    def connection_lost(self, error: Exception | None) -> None:
        if not self.end.done():
            if error is not None:
                self.end.set_exception(error)
            else:
                self.end.set_result("closed")

    def _over(self, end: str) -> None:
        if not self.end.done():
            self.end.set_result(end)
        self._transport.abort()
