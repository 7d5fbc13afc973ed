"""Promise 12: without disk, descriptors or its database mail is deferred, never accepted or refused; with them it is
taken again.

The test that fills a disk mounts one of its own, as root or by `sudo` without a password.
"""

from __future__ import annotations

import asyncio
import resource
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from io import RawIOBase
from pathlib import Path

import pytest

from gateway.spool import BLOCK
from tests.reliability.client import Answer, Talk, delivered
from tests.reliability.kept import HALF, contents_of
from tests.reliability.process import GatewayProcess
from tests.reliability.sink import Sink, digest, numbered

LARGE = 5_000_000
FILE_LIMIT = 1_000_000
SETTINGS = {"log": {"level": "warning"}}

TRAP = b"QUIT\r\nRSET\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.gov.vn>\r\nDATA\r\n" * 20_000
"""Text that would be obeyed if the rest of a message were ever read as commands."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(mount)], check=True)
    yield mount
    subprocess.run(["umount", "--lazy", str(mount)], check=True)


def arrived_whole(sink: Sink, number: int, size: int) -> bool:
    """True if this message came once, as it was sent."""
    return sink.copies(number) == {digest(numbered(number, size)): 1}


@pytest.mark.parametrize("cause", ["the largest file", "the folder is gone", "no right to write"])
async def test_a_spool_that_cannot_be_written_defers_large_mail_only(cause: str, tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, **SETTINGS) as gateway:
        spool = tmp_path / "state" / "spool"
        if cause == "the largest file":
            gateway.limit(resource.RLIMIT_FSIZE, FILE_LIMIT)
        elif cause == "the folder is gone":
            shutil.rmtree(spool)
        else:
            shutil.rmtree(spool)
            spool.write_text("a file in its place")
        async with Talk(gateway.address) as talk:
            await talk.hello()
            answer = await talk.send(b"Subject: trap\r\n\r\n" + TRAP)
            assert answer.kind == 4
            if answer.code != 421 and (again := await talk.ask("NOOP")).code:
                assert again.code == 250
        assert (await delivered(gateway.address, numbered(1, LARGE))).kind == 4
        assert (await delivered(gateway.address, numbered(2, 3000))).code == 250
        if cause == "the largest file":
            gateway.limit(resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        else:
            spool.unlink() if spool.is_file() else None
            spool.mkdir(mode=0o700)
        assert (await delivered(gateway.address, numbered(3, LARGE))).code == 250
        assert not sink.copies(1)
        assert not sink.strays
        assert arrived_whole(sink, 2, 3000)
        assert arrived_whole(sink, 3, LARGE)


async def test_a_log_that_cannot_be_written_stops_no_mail(tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, audit="off") as gateway:
        gateway.limit(resource.RLIMIT_FSIZE, (tmp_path / "log").stat().st_size)
        async with Talk(gateway.address) as talk:
            await talk.hello()
            for number in range(20):
                assert (await talk.send(numbered(number, 3000))).code == 250
            assert (await talk.ask("WHATEVER")).code == 500
        gateway.limit(resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        assert (await delivered(gateway.address, numbered(20, 3000))).code == 250
        assert all(arrived_whole(sink, number, 3000) for number in range(21))


@pytest.mark.parametrize(("audit", "meanwhile"), [("defer", 451), ("allow", 250)])
async def test_mail_that_leaves_no_record_is_deferred_or_passes_as_the_setting_says(
    tmp_path: Path, audit: str, meanwhile: int
) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, audit=audit) as gateway:
        assert (await delivered(gateway.address, numbered(1, 3000))).code == 250
        gateway.limit(resource.RLIMIT_FSIZE, 0)
        assert (await delivered(gateway.address, numbered(2, 3000))).code == meanwhile
        gateway.limit(resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        assert (await delivered(gateway.address, numbered(3, 3000))).code == 250
        assert all(arrived_whole(sink, number, 3000) for number in (1, 3))


async def test_a_budget_that_is_used_up_defers_until_it_is_free_again(tmp_path: Path) -> None:
    limits = {"message_size": LARGE + 1000, "spool": LARGE + 1000}
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, limits=limits, **SETTINGS) as gateway:
        async with Talk(gateway.address) as first:
            await first.hello()
            await first.envelope()
            content = numbered(1, LARGE)
            first.say(content[:-1000])
            await first.writer.drain()
            async with asyncio.timeout(20):  # until its bytes are in the spool: a second message would contend for it
                while (await announced(gateway.address, BLOCK)).code != 452:
                    pass
            assert (await announced(gateway.address, LARGE)).code == 452
            assert (await delivered(gateway.address, numbered(2, LARGE))).kind == 4
            assert (await delivered(gateway.address, numbered(3, 3000))).code == 250
            assert (await first.ask(content[-1000:] + b".\r\n")).code == 250
        assert (await delivered(gateway.address, numbered(4, LARGE))).code == 250
        assert arrived_whole(sink, 1, LARGE)
        assert arrived_whole(sink, 4, LARGE)


async def announced(address: tuple[str, int], size: int) -> Answer:
    """The answer to a message that tells its size beforehand."""
    async with Talk(address) as talk:
        await talk.hello()
        return await talk.ask(f"MAIL FROM:<an@example.org> SIZE={size}")


NO_MORE = 3
"""A limit on descriptors under which those that are open stay and no other can be opened."""


async def test_without_descriptors_mail_is_deferred_and_taken_afterwards(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(Sink())
        gateway = await stack.enter_async_context(GatewayProcess(tmp_path, sink.address, **SETTINGS))
        talks = [await stack.enter_async_context(Talk(gateway.address)) for _ in range(4)]
        for talk in talks:
            await talk.hello()
        gateway.limit(resource.RLIMIT_NOFILE, NO_MORE)
        answers = [await talk.send(numbered(number, 3000)) for number, talk in enumerate(talks)]
        assert {answer.kind for answer in answers} == {4}
        strangers = await asyncio.gather(*(attempt(gateway.address) for _ in range(20)))
        assert {answer.kind for answer in strangers} <= {0, 4}
        gateway.limit(resource.RLIMIT_NOFILE, 1024)
        for number, talk in enumerate(talks, 10):
            await talk.ask("RSET")
            assert (await talk.send(numbered(number, 3000))).code == 250
        async with asyncio.timeout(5):
            while (await attempt(gateway.address)).code != 220:
                await asyncio.sleep(0.05)
        assert (await delivered(gateway.address, numbered(20, LARGE))).code == 250
        assert arrived_whole(sink, 20, LARGE)
        assert not [number for number in range(4) if sink.copies(number)]


async def attempt(address: tuple[str, int]) -> Answer:
    """Connect; the greeting, or code 0 for none within a second."""
    try:
        async with asyncio.timeout(1), Talk(address) as talk:
            return talk.greeting
    except (OSError, TimeoutError):
        return Answer(0)


async def test_descriptors_that_run_out_while_a_large_message_comes_in(tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, **SETTINGS) as gateway:
        async with Talk(gateway.address) as talk:
            await talk.hello()
            await talk.envelope()
            gateway.limit(resource.RLIMIT_NOFILE, NO_MORE)
            assert (await talk.ask(numbered(1, LARGE) + b".\r\n")).kind == 4
            gateway.limit(resource.RLIMIT_NOFILE, 1024)
            assert (await talk.send(numbered(2, LARGE))).code == 250
        assert not sink.copies(1)
        assert arrived_whole(sink, 2, LARGE)


async def test_a_full_disk_defers_until_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, state=str(small_disk), **SETTINGS) as gateway:
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(11_000_000))
        for number in range(3):
            assert (await delivered(gateway.address, numbered(number, LARGE))).kind == 4
        assert (await delivered(gateway.address, numbered(3, 3000))).code == 250
        async with Talk(gateway.address) as talk:
            await talk.hello()
            assert (await talk.ask(f"MAIL FROM:<an@example.org> SIZE={LARGE}")).code == 452
        ballast.unlink()
        assert (await delivered(gateway.address, numbered(4, LARGE))).code == 250
        assert arrived_whole(sink, 4, LARGE)
        assert not [number for number in range(3) if sink.copies(number)]


async def test_a_disk_that_is_full_to_the_last_byte_keeps_nothing_more(small_disk: Path, tmp_path: Path) -> None:
    async with (
        Sink() as sink,
        GatewayProcess(tmp_path, sink.address, policy=HALF, state=str(small_disk), **SETTINGS) as gateway,
    ):
        assert [(await delivered(gateway.address, numbered(number, 3000))).code for number in (1, 2)] == [250, 250]
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            fill(file)
        kinds = {number: (await delivered(gateway.address, numbered(number, 100_000))).kind for number in range(3, 30)}
        assert {kind for number, kind in kinds.items() if number % 2} == {4}
        passed = [number for number, kind in kinds.items() if kind == 2]  # the trail's log has room for some records
        assert set(kinds.values()) <= {2, 4}
        filler.unlink()
        assert [(await delivered(gateway.address, numbered(number, 3000))).code for number in (31, 32)] == [250, 250]
        assert sorted(number for number, _ in sink.arrived) == sorted([2, *passed, 32])
        await gateway.stop()
        assert sorted(each[0] for each in await contents_of(small_disk)) == [1, 31]


def fill(file: RawIOBase) -> None:
    """Write until there is no room for one byte more."""
    for size in (65536, 512, 1):
        with suppress(OSError):
            while file.write(bytes(size)):
                pass
    file.write(b"x")


@pytest.mark.parametrize("database", ["index-*.db", "trail.db"])
async def test_a_database_that_another_process_locks_defers_until_it_lets_go(database: str, tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, policy=HALF, **SETTINGS) as gateway:
        assert [(await delivered(gateway.address, numbered(number, 3000))).code for number in (1, 2)] == [250, 250]
        [path] = (tmp_path / "state" / "store").glob(database)
        async with locked(path):
            kept, passed = await asyncio.gather(
                *(delivered(gateway.address, numbered(number, 3000)) for number in (3, 4))
            )
            assert kept.code == 451
            assert passed.code == (451 if database == "trail.db" else 250)
        assert [(await delivered(gateway.address, numbered(number, 3000))).code for number in (5, 6)] == [250, 250]
        assert sorted(number for number, _ in sink.arrived) == ([2, 6] if database == "trail.db" else [2, 4, 6])
        await gateway.stop()
        assert sorted(each[0] for each in await contents_of(tmp_path / "state")) == [1, 5]


LOCKING = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('BEGIN EXCLUSIVE'); print(); input()"


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """A process that has the database to itself."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LOCKING, path, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    yield
    await process.communicate(b"\n")
