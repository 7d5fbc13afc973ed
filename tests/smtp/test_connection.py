"""The connection to a next hop, moved by hand: what depends on the order of events, which a socket does not promise."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import HopError
from gateway.smtp.connection import Connection
from gateway.smtp.hop import HopSettings


class Wire(asyncio.Transport):
    """Keeps what is written; asks for a pause at every write if told to."""

    def __init__(self, connection: Connection, *, full: bool = False) -> None:
        super().__init__()
        self.connection, self.full = connection, full
        self.written: list[bytes] = []
        self.aborted = False
        connection.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))
        if self.full:
            self.connection.pause_writing()

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


async def permitted() -> Connection:
    """A connection on which DATA was answered by 354."""
    connection = Connection()
    Wire(connection)
    greeting = asyncio.ensure_future(connection.greet(HopSettings(address="unused"), None))
    connection.data_received(b"220 ready\r\n")
    await asyncio.sleep(0)
    connection.data_received(b"250 hello\r\n")
    await greeting
    asking = asyncio.ensure_future(connection.data(1))
    await asyncio.sleep(0)
    connection.data_received(b"354 go\r\n")
    assert (await asking).code == 354
    return connection


@pytest.mark.parametrize("words", [b"250 2.0.0 taken\r\n", b"552 5.3.4 too big\r\n", b"2"])
async def test_an_answer_that_comes_right_behind_354_keeps_the_message_back(words: bytes) -> None:
    connection = await permitted()
    wire = Wire(connection)
    sending = asyncio.ensure_future(connection.message(iter([b"body\r\n.\r\n"]), replies=1, seconds=1, last=1))
    asyncio.get_running_loop().call_soon(connection.data_received, words)
    with pytest.raises(HopError) as caught:
        await sending
    assert caught.value.kind == "garbage"
    assert wire.written == []
    assert wire.aborted


async def test_a_block_is_sent_only_when_the_one_before_has_left() -> None:
    connection = await permitted()
    wire = Wire(connection, full=True)
    sending = asyncio.ensure_future(connection.message(iter([b"1", b"2", b".\r\n"]), replies=1, seconds=5, last=5))
    for count in (1, 2, 3):
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(wire.written) == count
        connection.resume_writing()
    await asyncio.sleep(0)
    connection.data_received(b"250 2.0.0 taken\r\n")
    assert [reply.code for reply in await sending] == [250]


async def test_the_answers_in_front_of_a_lost_connection_count() -> None:
    connection = await permitted()
    sending = asyncio.ensure_future(connection.message(iter([b".\r\n"]), replies=1, seconds=1, last=1))
    for _ in range(10):
        await asyncio.sleep(0)
    connection.data_received(b"250 2.0.0 taken\r\n")
    connection.connection_lost(ConnectionResetError())
    assert [reply.code for reply in await sending] == [250]
    assert not connection.usable
