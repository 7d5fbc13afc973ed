"""Clients who come by the clock, whether the others have been served or not: each hands in one message and leaves."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.reliability.client import Talk
from tests.reliability.sink import Sink, digest, numbered

ENDS = {0: "closed", 250: "250"}


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
        async with Talk(self.address) as talk:
            answer = talk.greeting
            if answer.code == 220:
                answer = await talk.hello()
            if answer.code == 250:
                answer = await talk.send(numbered(number, self.size))
            return ENDS.get(answer.code) or f"{answer.code} {answer.text.partition(' [id')[0]}"

    def lost(self, sink: Sink) -> list[int]:
        """Messages that were taken and did not arrive, or not as they were sent."""
        return [number for number in self.taken if sink.arrived[number, digest(numbered(number, self.size))] < 1]

    def doubled(self, sink: Sink) -> list[int]:
        """Messages that arrived more than once."""
        return [number for (number, _), count in sink.arrived.items() if count > 1]
