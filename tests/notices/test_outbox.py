"""The contract of outboxes, and what a crash leaves in the folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.notices.outbox import BATCH, MOST_WAITING, REMEMBERED, Letter, Outbox
from gateway.notices.outbox_folder import STALE, FolderOutbox
from tests.notices.conftest import NOW, MemoryOutbox


def letter(number: int = 1, minutes: int = 0) -> Letter:
    return Letter(
        id=f"{number:040x}",
        kind="kept-recipient",
        to="dung@example.gov.vn",
        created=NOW + timedelta(minutes=minutes),
        message=b"Subject: {}\n\x00\xff\r\n\r\n" + str(number).encode(),
    )


@pytest.fixture(params=["memory", "folder"])
async def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Outbox]:
    opened: Outbox = MemoryOutbox() if request.param == "memory" else FolderOutbox(tmp_path / "outbox")
    yield opened
    await opened.close()


async def test_what_is_put_is_due_until_it_is_done(outbox: Outbox) -> None:
    assert await outbox.due(NOW) == []
    assert await outbox.put(letter())
    assert await outbox.due(NOW) == [letter()]
    assert await outbox.due(NOW) == [letter()]
    await outbox.done(letter().id)
    assert await outbox.due(NOW) == []


async def test_an_id_is_taken_once(outbox: Outbox) -> None:
    assert await outbox.put(letter())
    assert not await outbox.put(letter())
    await outbox.done(letter().id)
    assert not await outbox.put(letter())


async def test_the_longest_due_comes_first_and_the_future_not_at_all(outbox: Outbox) -> None:
    for number, minutes in ((1, -1), (2, -3), (3, 1), (4, -2)):
        await outbox.put(letter(number, minutes))
    assert [each.id[-1] for each in await outbox.due(NOW)] == ["2", "4", "1"]


async def test_what_failed_is_due_again_at_its_time(outbox: Outbox) -> None:
    await outbox.put(letter())
    await outbox.failed(letter().id, NOW + timedelta(minutes=5))
    assert await outbox.due(NOW + timedelta(minutes=4)) == []
    assert await outbox.due(NOW + timedelta(minutes=5)) == [letter()]


async def test_what_is_not_here_can_fail_and_be_done(outbox: Outbox) -> None:
    await outbox.failed(letter().id, NOW)
    await outbox.done(letter().id)
    assert await outbox.due(NOW) == []


async def test_a_batch_is_bounded(outbox: Outbox) -> None:
    for number in range(BATCH + 1):
        await outbox.put(letter(number))
    assert len(await outbox.due(NOW)) == BATCH


async def test_a_folder_holds_only_so_many(tmp_path: Path) -> None:
    outbox = FolderOutbox(tmp_path)
    for number in range(MOST_WAITING):
        (tmp_path / "waiting" / f"{number:040x}").touch()
    with pytest.raises(StoreUnavailable):
        await outbox.put(letter(MOST_WAITING))
    await outbox.done(letter(1).id)
    assert await outbox.put(letter(MOST_WAITING))
    await outbox.close()


async def test_a_folder_is_for_its_owner_and_keeps_no_code_that_was_sent(tmp_path: Path) -> None:
    outbox = FolderOutbox(tmp_path / "outbox")
    await outbox.put(letter())
    [file] = (tmp_path / "outbox" / "waiting").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    await outbox.done(letter().id)
    [file] = (tmp_path / "outbox" / "sent").iterdir()
    assert file.read_bytes() == b""
    await outbox.close()


async def test_one_process_sends_and_another_takes_over(tmp_path: Path) -> None:
    first, second = FolderOutbox(tmp_path), FolderOutbox(tmp_path)
    assert await first.due(NOW) == []
    assert await second.put(letter())
    assert await second.due(NOW) == []
    assert await first.due(NOW) == [letter()]
    await first.close()
    assert await second.due(NOW) == [letter()]
    await second.close()


async def test_ids_of_what_was_sent_are_forgotten_after_a_week(tmp_path: Path) -> None:
    outbox = FolderOutbox(tmp_path)
    await outbox.put(letter())
    await outbox.due(NOW)
    await outbox.done(letter().id)
    await outbox.due(NOW + REMEMBERED - timedelta(minutes=1))
    assert not await outbox.put(letter())
    await outbox.due(NOW + REMEMBERED + STALE)
    assert await outbox.put(letter())
    await outbox.close()


async def test_drafts_of_the_dead_are_swept_and_of_the_living_not(tmp_path: Path) -> None:
    outbox = FolderOutbox(tmp_path)
    old, young = tmp_path / "drafts" / "old", tmp_path / "drafts" / "young"
    for path, age in ((old, 2 * STALE), (young, STALE / 2)):
        path.touch()
        os.utime(path, ((NOW - age).timestamp(),) * 2)
    await outbox.due(NOW)
    assert not old.exists()
    assert young.exists()
    await outbox.close()


BROKEN = {
    "empty": b"",
    "garbage": b"\xff\x00",
    "no mapping": b"[]\nx",
    "nothing in it": b"{}\nx",
    "no date": b'{"kind": "a", "to": "b", "created": 7}\nx',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
async def test_a_broken_file_is_given_up_and_stops_no_other(tmp_path: Path, content: bytes) -> None:
    outbox = FolderOutbox(tmp_path)
    await outbox.put(letter(2))
    broken = tmp_path / "waiting" / letter(1).id
    broken.write_bytes(content)
    os.utime(broken, (0, 0))
    assert await outbox.due(NOW) == [letter(2)]
    assert not broken.exists()
    await outbox.close()


async def test_an_id_that_names_no_file_is_refused(tmp_path: Path) -> None:
    outbox = FolderOutbox(tmp_path)
    with pytest.raises(ValueError):
        await outbox.put(Letter(id="../../x", kind="", to="", created=NOW, message=b""))
    await outbox.close()


async def test_a_folder_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    outbox = FolderOutbox(tmp_path)
    (tmp_path / "drafts").rmdir()
    with pytest.raises(StoreUnavailable):
        await outbox.put(letter())
    await outbox.close()


DIES = """
import asyncio, os, signal
from pathlib import Path
from gateway.notices.outbox_folder import FolderOutbox
from tests.notices.test_outbox import NOW, letter

async def main(outbox):
    for number in (1, 2):
        await outbox.put(letter(number))
    first, second = await outbox.due(NOW)
    await outbox.done(first.id)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(FolderOutbox(Path(os.environ["OUTBOX"]))))
"""


async def test_killed_between_put_and_done_it_is_all_there_and_what_was_done_is_done(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent.parent
    environment = {**os.environ, "OUTBOX": str(tmp_path)}
    dead = subprocess.run([sys.executable, "-c", DIES], cwd=root, env=environment, check=False)
    assert dead.returncode == -signal.SIGKILL
    outbox = FolderOutbox(tmp_path)
    assert await outbox.due(NOW) == [letter(2)]
    assert not await outbox.put(letter(1))
    assert not await outbox.put(letter(2))
    await outbox.close()
