"""The door: who is let in, who waits in the queue, who hears that there are too many."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.entrance import FEW, Entrance
from gateway.intake import Intake
from gateway.rush import AT_START, PATIENCE, Rush

REFUSAL = b"421 too many\r\n"


class Greeting(asyncio.Protocol):
    """Greets whoever is let in."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"220 welcome\r\n")


def listening() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0), backlog=100)
    made.setblocking(False)
    return made


@asynccontextmanager
async def door(made: socket.socket, intake: Intake, rush: Rush | None = None) -> AsyncIterator[Entrance]:
    entrance = Entrance(made, Greeting, intake, lambda taken: taken.sendall(REFUSAL))
    if rush is not None:
        entrance._rush = rush
    try:
        yield entrance
    finally:
        entrance.close()


async def come(address: tuple[str, int]) -> bytes:
    """Connect; the first line."""
    reader, writer = await asyncio.open_connection(*address)
    async with asyncio.timeout(10):
        line = await reader.readline()
    writer.transport.abort()
    return line


async def test_a_crowd_is_let_in_bit_by_bit() -> None:
    made = listening()
    address = made.getsockname()
    async with door(made, Intake()):
        assert set(await asyncio.gather(*(come(address) for _ in range(3 * FEW)))) == {b"220 welcome\r\n"}


async def test_who_waits_when_it_is_closed_is_taken_by_who_shares_the_socket() -> None:
    made = listening()
    address, other = made.getsockname(), made.dup()
    async with door(made, Intake(rate=0.0)):
        waiting = [asyncio.create_task(come(address)) for _ in range(5)]
        await asyncio.sleep(0)
    assert made.fileno() == -1
    async with door(other, Intake()):
        assert await asyncio.gather(*waiting) == [b"220 welcome\r\n"] * 5


async def test_of_a_queue_that_stands_some_come_in_and_the_rest_hear_it() -> None:
    made = listening()
    address = made.getsockname()
    standing = Rush(-AT_START - PATIENCE, _standing_since=-PATIENCE)
    async with door(made, Intake(rate=0.5), standing):
        lines = await asyncio.gather(*(come(address) for _ in range(50)))
    assert set(lines) <= {b"220 welcome\r\n", REFUSAL}
    assert lines.count(REFUSAL) > 40
