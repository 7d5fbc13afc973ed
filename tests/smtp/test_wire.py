"""The client's bytes: lines, limits, ends, and a socket that is paused while nobody reads."""

from __future__ import annotations

import asyncio

import pytest

from gateway.smtp.wire import DISCARD_LIMIT, HIGH_WATER, LineTooLong, Wire


class Valve(asyncio.ReadTransport):
    """A transport that only knows whether it is paused."""

    paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


@pytest.fixture
def valve() -> Valve:
    return Valve()


@pytest.fixture
def wire(valve: Valve) -> Wire:
    wire = Wire()
    wire.set_transport(valve)
    return wire


async def test_lines_come_one_by_one(wire: Wire) -> None:
    wire.feed_data(b"NOOP\r\nQU")
    assert await wire.line(100) == b"NOOP\r\n"
    assert not wire.has_line
    reading = asyncio.ensure_future(wire.line(100))
    wire.feed_data(b"IT\r\n")
    assert await reading == b"QUIT\r\n"


async def test_a_long_line_is_thrown_away_to_its_end(wire: Wire) -> None:
    wire.feed_data(b"x" * 101 + b"\r\nNOOP\r\n")
    with pytest.raises(LineTooLong):
        await wire.line(100)
    assert await wire.line(100) == b"NOOP\r\n"


async def test_a_line_without_an_end_is_not_kept(wire: Wire) -> None:
    reading = asyncio.ensure_future(wire.line(100))
    for _ in range(DISCARD_LIMIT // 1000 + 2):
        wire.feed_data(b"x" * 1000)
        await asyncio.sleep(0)
    with pytest.raises(EOFError):
        await reading


async def test_what_came_before_the_end_is_still_read(wire: Wire) -> None:
    wire.feed_data(b"QUIT\r\n")
    wire.feed_eof()
    assert await wire.line(100) == b"QUIT\r\n"
    with pytest.raises(EOFError):
        await wire.line(100)


async def test_a_waiting_reader_hears_of_the_end(wire: Wire) -> None:
    reading = asyncio.ensure_future(wire.chunk())
    await asyncio.sleep(0)
    wire.feed_eof()
    with pytest.raises(EOFError):
        await reading


async def test_the_socket_is_paused_while_nobody_reads(wire: Wire, valve: Valve) -> None:
    wire.feed_data(b"x" * (HIGH_WATER + 1))
    assert valve.paused
    assert len(await wire.chunk()) == HIGH_WATER + 1
    assert not valve.paused


async def test_bytes_read_too_far_come_again(wire: Wire) -> None:
    wire.feed_data(b"IT\r\n")
    wire.unread(b"QU")
    assert await wire.line(100) == b"QUIT\r\n"
