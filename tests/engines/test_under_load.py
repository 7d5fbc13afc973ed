"""Promises 11 and 16, from a client to the next hop: whatever becomes of clamd, nothing unscanned is delivered and
nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Start
from tests.e2e.ports import free_port
from tests.engines.daemons import EICAR, Running, clamd
from tests.faults import FakeHop
from tests.test_app import send, value

CLIENTS = 4

AGAIN = 0.02
"""Seconds after which a client comes again with what was deferred."""

FLOWS_WITHIN = 5.0
"""Seconds from an engine's return until mail flows again, as promised."""

POLICY = """
version: 1
organisation: {{domains: [example.gov.vn]}}
filters: {{virus: {{clamd: "127.0.0.1:{port}", patience: 500ms}}}}
rules:
  - {{id: no-malware, cite: test/1, when: {{found: virus.infected}}, then: reject}}
"""


@dataclass
class Load:
    """Clients that send one message after the other, every third with EICAR, and each until it has a final answer."""

    gateway: Any
    numbers: Any = field(default_factory=itertools.count)
    codes: list[list[str]] = field(default_factory=lambda: [[] for _ in range(CLIENTS)])
    taken: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    over: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def client(self, which: int) -> None:
        while not self.over:
            number = next(self.numbers)
            infected = number % 3 == 0
            text = f"Subject: {number}\n\n{EICAR.decode() if infected else 'good morning'}"
            while (answer := await send(self.gateway, text))[0] == "4":
                self.note(which, answer)
                await asyncio.sleep(AGAIN)
            self.note(which, answer)
            if answer[0] != ("5" if infected else "2"):
                self.wrong.append(f"{number}: {answer}")
            elif not infected:
                self.taken.add(number)

    def note(self, which: int, answer: str) -> None:
        self.codes[which].append(answer[0])
        self.news.set()

    async def every_client_hears(self, code: str) -> None:
        """Each client has an answer of that class to something it asked after now."""
        seen = [len(codes) + 1 for codes in self.codes]  # one may be on its way
        await self.until(lambda: all(code in each[n:] for each, n in zip(self.codes, seen, strict=True)))

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):  # the test fails rather than hangs
            while not reached():
                self.news.clear()
                await self.news.wait()

    async def flows(self) -> None:
        async with asyncio.timeout(FLOWS_WITHIN):
            await self.every_client_hears("2")

    async def nothing_passes(self, hop: FakeHop) -> None:
        """Every client is deferred, and from then on nothing is delivered."""
        await self.every_client_hears("4")
        delivered = len(hop.taken)
        await self.every_client_hears("4")
        assert len(hop.taken) == delivered


@asynccontextmanager
async def under_load(gateway: Any) -> AsyncIterator[Load]:
    load = Load(gateway)
    async with asyncio.TaskGroup() as group:
        for which in range(CLIENTS):
            group.create_task(load.client(which))
        try:
            yield load
        finally:
            load.over = True


async def test_killed_paused_and_restarted_under_load(start: Start, tmp_path: Path) -> None:
    with clamd(tmp_path / "clamd") as scanner:
        async with FakeHop() as hop, start(hop.address, policy=POLICY.format(port=scanner.port)) as gateway:
            async with under_load(gateway) as load:
                await load.flows()
                await killed(scanner, load, hop)
                await paused(scanner, load, hop)
                await asyncio.to_thread(scanner.kill)
                await asyncio.to_thread(scanner.start)
                await load.flows()
            engine = {"engine": "virus/1"}
            assert value(gateway.metrics.registry, "mailwarden_engine_up", **engine) == 1
            assert value(gateway.metrics.registry, "mailwarden_breaker_state", **engine) == 0
    subjects = [int(taken.content.split(b"Subject: ")[1].split(b"\r\n")[0]) for taken in hop.taken]
    assert load.wrong == []
    assert sorted(subjects) == sorted(load.taken)
    assert not any(EICAR in taken.content for taken in hop.taken)


async def killed(scanner: Running, load: Load, hop: FakeHop) -> None:
    await asyncio.to_thread(scanner.kill)
    await load.nothing_passes(hop)
    assert value(load.gateway.metrics.registry, "mailwarden_engine_up", engine="virus/1") == 0
    await asyncio.to_thread(scanner.start)
    await load.flows()


async def paused(scanner: Running, load: Load, hop: FakeHop) -> None:
    scanner.signal(signal.SIGSTOP)
    await load.nothing_passes(hop)
    scanner.signal(signal.SIGCONT)
    await load.flows()


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
        async with start(hop.address, policy=POLICY.format(port=port)) as gateway:
            assert (await send(gateway, "Subject: x\n\nhi"))[:3] == code
        assert len(hop.taken) == (code == "250")


async def test_refused_does_not_pass(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=POLICY.format(port=free_port())) as gateway:
        assert (await send(gateway, "Subject: x\n\nhi"))[:3] == "451"
        assert not hop.taken


async def test_half_open_does_not_pass(start: Start) -> None:
    """The kernel takes the connection, and nobody behind it ever reads."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        async with FakeHop() as hop, start(hop.address, policy=POLICY.format(port=nobody.getsockname()[1])) as gateway:
            assert (await send(gateway, "Subject: x\n\nhi"))[:3] == "451"
            assert not hop.taken
