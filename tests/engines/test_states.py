"""Every way in which a clamd can answer, from a client to the next hop: only "clean" passes."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.conftest import Start
from tests.e2e.ports import free_port
from tests.faults import FakeHop
from tests.test_app import send

POLICY = """
version: 1
organisation: {{domains: [example.gov.vn]}}
filters: {{virus: {{clamd: "127.0.0.1:{port}", patience: 500ms}}}}
rules:
  - {{id: no-malware, cite: test/1, when: {{found: virus.infected}}, then: reject}}
"""


Says = Callable[[int, asyncio.StreamWriter], Any]


async def silence(_number: int, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def late(number: int, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(1)  # what it does, not what the test waits for
    writer.write(b"%d: stream: OK\0" % number)


def saying(line: bytes) -> Says:
    async def say(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(line.replace(b"#", b"%d" % number))

    return say


async def hang_up(_number: int, writer: asyncio.StreamWriter) -> None:
    writer.close()


STATES: dict[str, tuple[Says | None, str]] = {
    "clean": (saying(b"#: stream: OK\0"), "250"),
    "found": (saying(b"#: stream: Eicar-Test-Signature FOUND\0"), "550"),
    "hanging": (silence, "451"),
    "cut": (hang_up, "451"),
    "cut in its answer": (saying(b"#: stream: O"), "451"),
    "garbage": (saying(b"\x00\xff\xfe OK \x00"), "451"),
    "endless garbage": (saying(b"OK" * 100_000), "451"),
    "error": (saying(b"#: stream: lstat() failed: no such file. ERROR\0"), "451"),
    "size limit": (saying(b"INSTREAM size limit exceeded. ERROR\0"), "451"),
    "answer to another scan": (saying(b"77: stream: OK\0"), "451"),
    "something like OK": (saying(b"#: stream: OK FOO\0"), "451"),
    "empty answer": (saying(b"#: \0"), "451"),
    "slow": (late, "451"),
}


@asynccontextmanager
async def fake_clamd(says: Says) -> AsyncIterator[int]:
    """A server of sessions that takes each content to its end and then does what it is told. Gives its port."""
    tasks: set[asyncio.Task[Any] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            assert await reader.readuntil(b"\0") == b"zIDSESSION\0"
            for number in itertools.count(1):
                assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
                while length := int.from_bytes(await reader.readexactly(4), "big"):
                    await reader.readexactly(length)
                await says(number, writer)
        except (EOFError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)


@pytest.mark.parametrize(("says", "code"), STATES.values(), ids=STATES)
async def test_only_clean_passes(start: Start, says: Says, code: str) -> None:
    async with fake_clamd(says) as port, FakeHop() as hop:
        policy = POLICY.format(port=port).replace("500ms", "500ms" if code == "451" else "20s")
        async with start(hop.address, policy=policy) as gateway:
            assert (await send(gateway, "Subject: x\n\nhi"))[:3] == code
        assert len(hop.taken) == (code == "250")


async def test_refused_does_not_pass(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=POLICY.format(port=free_port())) as gateway:
        assert (await send(gateway, "Subject: x\n\nhi"))[:3] == "451"
        assert not hop.taken


async def test_a_connection_that_fell_silent_is_not_used_again(start: Start) -> None:
    """As after a firewall has forgotten it: nobody says that it is gone."""
    connections: list[asyncio.StreamWriter] = []

    async def says(number: int, writer: asyncio.StreamWriter) -> None:
        if writer not in connections:
            connections.append(writer)
        await (silence if writer is connections[0] else saying(b"#: stream: OK\0"))(number, writer)

    async with (
        fake_clamd(says) as port,
        FakeHop() as hop,
        start(hop.address, policy=POLICY.format(port=port)) as gateway,
    ):
        assert (await send(gateway, "Subject: x\n\nhi"))[:3] == "451"
        assert (await send(gateway, "Subject: x\n\nhi"))[:3] == "250"
    assert len(connections) == 2


async def test_half_open_does_not_pass(start: Start) -> None:
    """The kernel takes the connection, and nobody behind it ever reads."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        async with FakeHop() as hop, start(hop.address, policy=POLICY.format(port=nobody.getsockname()[1])) as gateway:
            assert (await send(gateway, "Subject: x\n\nhi"))[:3] == "451"
            assert not hop.taken
