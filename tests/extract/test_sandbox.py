"""The sandbox, with real processes: what a reader does wrong harms one reading and nothing else, and is told of."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import Unavailable
from gateway.extract.confinement import NOBODY
from gateway.extract.formats import Member
from gateway.extract.frames import Done
from gateway.extract.job import Task
from gateway.extract.room import DEPTH, FILES, LINKS, MEMBER, TEXT, UNFOLDED
from gateway.extract.sandbox import Answer, Sandbox
from gateway.reading import Reason, Text
from tests.extract.archives import SECRET, zipped

FAULTY = "tests.extract.faulty_worker"
UNFILTERED = "tests.extract.blind_worker"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox(processes=2, memory=64 << 20, strict=True, module=FAULTY)
    yield made
    await made.close()


def task(content: bytes, seconds: float = 10.0) -> Task:
    limits = {"unfolded": UNFOLDED, "member": MEMBER, "files": FILES, "depth": DEPTH, "text": TEXT, "links": LINKS}
    return Task(what="open", file=Member(content=content), seconds=seconds, **limits)  # type: ignore[arg-type]


async def read(sandbox: Sandbox, content: bytes, seconds: float = 10.0) -> Answer:
    return await sandbox.read(task(content, seconds), deadline=asyncio.get_running_loop().time() + 60)


async def fault(sandbox: Sandbox, words: str, seconds: float = 10.0) -> Answer:
    return await read(sandbox, b"\0" + words.encode(), seconds)


def texts(answer: Answer) -> list[str]:
    return [one.content for one in answer.told if isinstance(one, Text)]


async def works(sandbox: Sandbox) -> bool:
    answer = await read(sandbox, zipped({"a.txt": SECRET}))
    return texts(answer) == [SECRET.decode()] and answer.ended is None and isinstance(answer.told[-1], Done)


ENDS: dict[str, tuple[str, Reason | None]] = {
    "a bad address": ("segv", Reason.CRASHED),
    "an assertion of a library": ("abort", Reason.CRASHED),
    "an end as if all were well": ("exit", Reason.CRASHED),
    "a loop": ("spin", Reason.TIMED_OUT),
    "a wait": ("sleep", Reason.TIMED_OUT),
    "noise where frames should be": ("shout \x7f", Reason.CRASHED),
    "frames that are none": ("shout []", Reason.CRASHED),
}


@pytest.mark.parametrize(("words", "reason"), ENDS.values(), ids=ENDS)
async def test_however_a_reader_ends_it_is_told_and_the_next_file_is_read(
    sandbox: Sandbox, words: str, reason: Reason
) -> None:
    answer = await fault(sandbox, words, seconds=0.3 if reason is Reason.TIMED_OUT else 10.0)
    assert answer.ended is reason
    assert answer.detail
    assert await works(sandbox)
    assert sandbox.starts == 1


async def test_what_was_told_before_a_crash_counts(sandbox: Sandbox) -> None:
    answer = await read(sandbox, zipped({"a.txt": SECRET, "b.bin": b"\0segv"}))
    assert answer.ended is Reason.CRASHED
    assert texts(answer)[0] == SECRET.decode()


async def test_memory_ends_where_it_should(sandbox: Sandbox) -> None:
    answer = await fault(sandbox, "grow")
    told = [one for one in answer.told if getattr(one, "reason", None) is Reason.TOO_BIG]
    assert told or answer.ended is Reason.TOO_BIG
    assert await works(sandbox)


async def test_a_flood_is_cut_off(sandbox: Sandbox) -> None:
    answer = await fault(sandbox, "flood")
    assert answer.ended is Reason.CRASHED
    assert await works(sandbox)


REFUSED = ["socket", "fork", "exec", "run", "thread", "list /", "read /etc/hostname", "kill the parent", "ptrace"]


@pytest.mark.parametrize("words", REFUSED)
async def test_a_reader_may_not(sandbox: Sandbox, words: str) -> None:
    if words == "kill the parent":
        words = f"kill {os.getpid()}"
    answer = await fault(sandbox, words)
    assert answer.ended is None
    assert texts(answer)[1].startswith("refused: ")
    assert await works(sandbox)


async def test_a_reader_reaches_nobody(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = await fault(sandbox, f"connect {server.getsockname()[1]}")
    assert texts(answer)[1].startswith("refused: ")


async def test_a_reader_writes_and_removes_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    kept = tmp_path / "kept"
    kept.write_text("kept")
    for words in (f"write {tmp_path / 'new'}", f"write {kept}", f"delete {kept}"):
        assert texts(await fault(sandbox, words))[1].startswith("refused: ")
    assert (os.listdir(tmp_path), kept.read_text()) == (["kept"], "kept")


async def test_our_environment_does_not_go_with_it(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILWARDEN_SECRET", "hush")
    assert "SECRET" not in texts(await fault(sandbox, "environment"))[1]


async def test_what_root_starts_does_not_run_as_root(sandbox: Sandbox) -> None:
    [warm] = await started(sandbox)
    users = Path(f"/proc/{warm}/status").read_text().partition("Uid:")[2].split()[:4]
    assert set(users) == {str(os.geteuid() or NOBODY)}


async def test_the_machine_filters_system_calls(sandbox: Sandbox) -> None:
    assert (await sandbox.strength()).seccomp


async def test_a_dead_warm_process_is_replaced_and_the_file_read_by_the_next(sandbox: Sandbox) -> None:
    assert await works(sandbox)
    [warm] = warm_processes()
    reading = asyncio.create_task(fault(sandbox, "sleep", seconds=5))
    while not children(warm):
        await asyncio.sleep(0.01)
    os.kill(warm, signal.SIGKILL)
    assert await works(sandbox)
    assert (await reading).ended is Reason.TIMED_OUT
    assert sandbox.starts == 2


async def test_without_a_process_nothing_is_read_and_that_is_no_empty_reading() -> None:
    broken = Sandbox(processes=1, memory=1 << 20, strict=False, module="tests.extract.no_such_module")
    with pytest.raises(Unavailable):
        await read(broken, b"text")
    await broken.close()


async def test_files_wait_for_a_free_process_no_longer_than_they_may(sandbox: Sandbox) -> None:
    busy = [asyncio.create_task(fault(sandbox, "sleep", seconds=5)) for _ in range(2)]
    [warm] = await started(sandbox)
    while len(children(warm)) < 2:
        await asyncio.sleep(0.01)
    with pytest.raises(Unavailable, match="busy"):
        await sandbox.read(task(b"text"), deadline=asyncio.get_running_loop().time() + 0.05)
    for each in busy:
        each.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    assert await works(sandbox)


async def test_a_reader_whose_message_was_given_up_is_ended(sandbox: Sandbox) -> None:
    reading = asyncio.create_task(fault(sandbox, "spin", seconds=60))
    [warm] = await started(sandbox)
    while not children(warm):
        await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    while children(warm):
        await asyncio.sleep(0.01)
    assert await works(sandbox)


async def test_two_hundred_files_leave_nothing_behind(sandbox: Sandbox) -> None:
    assert await works(sandbox)
    [warm] = warm_processes()
    before = (descriptors("self"), descriptors(str(warm)))
    words = ["segv", "exit", "socket", "shout x"]
    answers = await asyncio.gather(*(fault(sandbox, words[number % 4]) for number in range(200)))
    assert len(answers) == 200
    while children(warm):
        await asyncio.sleep(0.01)
    assert (descriptors("self"), descriptors(str(warm))) == before
    assert warm_processes() == [warm]
    assert sandbox.starts == 1


async def test_readers_die_with_the_gateway() -> None:
    code = (
        "import asyncio\n"
        "from tests.extract.test_sandbox import *\n"
        "async def main():\n"
        "    sandbox = Sandbox(processes=1, memory=64 << 20, strict=False, module=FAULTY)\n"
        "    await fault(sandbox, 'sleep', 60)\n"
        "asyncio.run(main())\n"
    )
    gateway = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    while not (warm := children(gateway.pid)) or not (reader := children(warm[0])):
        await asyncio.sleep(0.02)
    gateway.kill()
    await gateway.wait()
    while any(alive(pid) for pid in (*warm, *reader)):
        await asyncio.sleep(0.02)


async def started(sandbox: Sandbox) -> list[int]:
    await sandbox.strength()
    return warm_processes()


def warm_processes() -> list[int]:
    """Those of our children that are sandboxes: other tests of this process may have left children of other kinds."""
    return [pid for pid in children(os.getpid()) if any(name in command(pid) for name in (FAULTY, UNFILTERED))]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def descriptors(pid: str) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


async def test_without_a_filter_the_other_walls_stand() -> None:
    sandbox = Sandbox(processes=1, memory=64 << 20, strict=False, module=UNFILTERED)
    assert not (await sandbox.strength()).seccomp
    for words in ("socket", "read /etc/hostname", "list /", f"write {os.devnull}"):
        assert texts(await fault(sandbox, words))[1].startswith("refused: ")
    assert (await fault(sandbox, "spin", seconds=0.3)).ended is Reason.TIMED_OUT
    assert await works(sandbox)
    await sandbox.close()


async def test_the_settings_may_ask_for_the_filter() -> None:
    sandbox = Sandbox(processes=1, memory=64 << 20, strict=True, module=UNFILTERED)
    with pytest.raises(Unavailable, match="cannot filter system calls"):
        await read(sandbox, b"text")
    assert warm_processes() == []
    await sandbox.close()
