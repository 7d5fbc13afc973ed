"""Disk and database in trouble: nothing is acknowledged that is not kept, and all is well when the trouble is gone."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from io import RawIOBase
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import StoreUnavailable
from gateway.keeping import Query, State
from gateway.store.open import Stores, open_store
from tests.store.families import PATIENCE, content, kept, record, step


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
async def stores(state: Path) -> AsyncIterator[Stores]:
    opened = await open_store(state, patience=PATIENCE)
    yield opened
    await opened.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def mail_files(state: Path) -> list[str]:
    return sorted(path.name for path in (state / "mail").glob("*/*"))


def index_of(state: Path) -> Path:
    return max(state.glob("index-*.db"))


def fill(file: RawIOBase) -> None:
    """Write until the disk is full."""
    while True:
        file.write(bytes(4096))


async def test_a_full_disk_takes_nothing_and_loses_nothing(small: Path) -> None:
    stores = await open_store(small / "state")
    (small / "ballast").write_bytes(bytes(1_000_000))
    raw = content(400_000)
    mails = [kept(raw) for _ in range(9)]
    outcomes = await asyncio.gather(*(stores.mail.own(mine, raw) for mine in mails), return_exceptions=True)
    owned = [mine.id for mine, outcome in zip(mails, outcomes, strict=True) if outcome is None]
    assert owned
    assert {type(outcome) for outcome in outcomes} == {type(None), StoreUnavailable}
    with (small / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space left"):
        fill(filler)
    late = kept(b"x" * 9000)
    with pytest.raises(StoreUnavailable):
        await stores.mail.own(late, b"x" * 9000)
    with pytest.raises(StoreUnavailable):
        await stores.trail.append([record(filler="x" * 500_000)])
    with pytest.raises(StoreUnavailable):
        await stores.mail.move(owned[0], before=State.WAITING, after=State.RELEASING, step=step(comment="x" * 90_000))
    found = await stores.mail.get(owned[0])
    assert found is not None
    assert found.state is State.WAITING
    (small / "filler").unlink()
    (small / "ballast").unlink()
    assert await stores.mail.move(owned[0], before=State.WAITING, after=State.RELEASING, step=step())
    await stores.trail.append([record()])
    assert await stores.trail.verify() == []
    await stores.mail.own(late, b"x" * 9000)
    assert {each.id for each in await stores.mail.find(Query())} == {*owned, late.id}
    assert mail_files(small / "state") == sorted(f"{id}.{kind}" for id in (*owned, late.id) for kind in ("eml", "json"))
    await stores.close()


async def test_a_store_that_cannot_be_written_is_not_opened(small: Path, tmp_path: Path) -> None:
    await (await open_store(small / "state")).close()
    frozen = tmp_path / "frozen"
    frozen.mkdir()
    subprocess.run(["mount", "--bind", small, frozen], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", frozen], check=True)
    try:
        with pytest.raises(StoreUnavailable):
            await open_store(frozen / "state")
        with pytest.raises(StoreUnavailable):
            await open_store(frozen / "new")
    finally:
        subprocess.run(["umount", frozen], check=True)


async def test_a_locked_index_defers_and_recovers(stores: Stores, state: Path) -> None:
    first, second = kept(b"x"), kept(b"x")
    await stores.mail.own(first, b"x")
    other = sqlite3.connect(index_of(state), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    tries = [
        stores.mail.own(second, b"x"),
        stores.mail.move(first.id, before=State.WAITING, after=State.RELEASING, step=step()),
        stores.mail.note(first.id, step()),
    ]
    for outcome in await asyncio.gather(*tries, return_exceptions=True):
        assert isinstance(outcome, StoreUnavailable)
    assert mail_files(state) == [f"{first.id}.eml", f"{first.id}.json"]
    await stores.trail.append([record()])
    other.execute("ROLLBACK")
    other.close()
    await stores.mail.own(second, b"x")
    assert await stores.mail.move(first.id, before=State.WAITING, after=State.RELEASING, step=step())
    assert len(await stores.mail.steps(first.id)) == 1


async def test_a_locked_trail_defers_and_recovers(stores: Stores, state: Path) -> None:
    other = sqlite3.connect(state / "trail.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable):
        await stores.trail.append([record()])
    other.execute("ROLLBACK")
    other.close()
    await stores.trail.append([record()])
    assert await stores.trail.verify() == []


async def test_a_locked_store_is_not_opened_and_then_is(stores: Stores, state: Path) -> None:
    other = sqlite3.connect(state / "trail.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable):
        await open_store(state, patience=PATIENCE)
    other.execute("ROLLBACK")
    other.close()
    await (await open_store(state, patience=PATIENCE)).close()


def delete(path: Path) -> None:
    path.unlink()


def fill_with_garbage(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def spoil_the_middle(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))


def cut(path: Path) -> None:
    os.truncate(path, 5000)


def empty(path: Path) -> None:
    os.truncate(path, 0)


HARMS = [delete, fill_with_garbage, spoil_the_middle, cut, empty]


@pytest.mark.parametrize("harm", HARMS)
async def test_an_index_harmed_while_closed_is_made_anew_with_every_step(state: Path, harm: Any) -> None:
    stores = await open_store(state)
    mails = [kept(b"x") for _ in range(20)]
    for mine in mails:
        await stores.mail.own(mine, b"x")
    await stores.mail.note(mails[0].id, step("view"))
    await stores.mail.move(mails[0].id, before=State.WAITING, after=State.RELEASING, step=step())
    await stores.mail.move(mails[0].id, before=State.RELEASING, after=State.RELEASED, step=step("sent"))
    await stores.mail.discard_content(mails[0].id)
    before = (await stores.mail.find(Query(rule="no-signup")), await stores.mail.steps(mails[0].id))
    await stores.close()
    harm(index_of(state))
    stores = await open_store(state)
    after = (await stores.mail.find(Query(rule="no-signup")), await stores.mail.steps(mails[0].id))
    assert after == before
    assert not await stores.mail.move(mails[0].id, before=State.WAITING, after=State.RELEASING, step=step())
    assert len([*state.glob("index-*.db")]) == 1
    await stores.close()


@pytest.mark.parametrize("harm", HARMS)
async def test_an_index_harmed_while_open_is_made_anew(stores: Stores, state: Path, harm: Any) -> None:
    mails = [kept(b"x") for _ in range(50)]
    for mine in mails:
        await stores.mail.own(mine, b"x")
    harm(index_of(state))
    more = kept(b"x")
    try:
        await stores.mail.own(more, b"x")
    except StoreUnavailable:
        await stores.mail.own(more, b"x")
    assert {each.id for each in await stores.mail.find(Query())} == {each.id for each in (*mails, more)}


async def test_a_reader_finds_out_by_itself_that_the_index_is_gone(stores: Stores, state: Path) -> None:
    mine = kept(b"x")
    await stores.mail.own(mine, b"x")
    index_of(state).unlink()
    assert await stores.mail.find(Query()) == [mine]


async def test_two_who_have_it_open_both_follow_to_the_new_index(stores: Stores, state: Path) -> None:
    other = await open_store(state)
    index_of(state).unlink()
    mails = [kept(b"x") for _ in range(4)]
    await stores.mail.own(mails[0], b"x")
    await other.mail.own(mails[1], b"x")
    await asyncio.gather(stores.mail.own(mails[2], b"x"), other.mail.own(mails[3], b"x"))
    assert await stores.mail.find(Query(text=mails[1].id)) == [mails[1]]
    assert len(await other.mail.find(Query())) == 4
    await other.close()


async def test_an_operators_copy_of_the_index_is_left_alone(stores: Stores, state: Path) -> None:
    (state / "index-copy.db").write_bytes(b"mine")
    await (await open_store(state)).close()
    mine = kept(b"x")
    await stores.mail.own(mine, b"x")
    assert await stores.mail.find(Query()) == [mine]
    assert (state / "index-copy.db").read_bytes() == b"mine"


async def test_files_brought_back_by_hand_are_taken_in_and_broken_ones_are_named(stores: Stores, state: Path) -> None:
    good, bad = kept(b"x"), kept(b"x")
    for mine in (good, bad):
        await stores.mail.own(mine, b"x")
    connection = sqlite3.connect(index_of(state))
    for table in ("kept", "kept_recipients", "kept_rules"):
        connection.execute(f"DELETE FROM {table}")
    connection.commit()
    connection.close()
    entry = next((state / "mail").glob(f"*/{bad.id}.json"))
    entry.write_bytes(entry.read_bytes().replace(b"192.0.2.1", b"192.0.2.2"))
    (problem,) = await stores.mail.rebuild()
    assert problem.startswith(f"{bad.id}: ")
    assert await stores.mail.find(Query()) == [good]
    assert entry.exists()


async def test_a_flipped_byte_in_a_message_is_not_handed_out(stores: Stores, state: Path) -> None:
    raw = content()
    mine = kept(raw)
    await stores.mail.own(mine, raw)
    file = next((state / "mail").glob("*/*.eml"))
    file.write_bytes(raw[:100] + bytes([raw[100] ^ 1]) + raw[101:])
    with pytest.raises(StoreUnavailable, match="not what they were"):
        await stores.mail.raw(mine.id)
    file.unlink()
    with pytest.raises(StoreUnavailable, match="gone"):
        await stores.mail.raw(mine.id)


async def test_destroyed_content_was_overwritten(stores: Stores, state: Path) -> None:
    raw = content()
    mine = kept(raw)
    await stores.mail.own(mine, raw)
    file = next((state / "mail").glob("*/*.eml"))
    os.link(file, state / "witness")
    await stores.mail.move(mine.id, before=State.WAITING, after=State.EXPIRED, step=step())
    await stores.mail.discard_content(mine.id)
    assert (state / "witness").read_bytes() == bytes(len(raw))
    assert not file.exists()


@pytest.mark.parametrize("call", range(6))
async def test_a_failed_fsync_is_a_failure(
    stores: Stores, state: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """The calls of one `own` in a new folder: name of the folder, message, entry, names in the folder, then undoing."""
    real, calls = os.fsync, 0
    synced: list[int] = []

    def failing(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        synced.append(os.fstat(descriptor).st_ino)
        if calls == call + 1:
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    mine = kept(b"x")
    outcome = (await asyncio.gather(stores.mail.own(mine, b"x"), return_exceptions=True))[0]
    monkeypatch.undo()
    if call < 4:
        assert isinstance(outcome, StoreUnavailable)
        again = await open_store(state)
        assert mail_files(state) == []
        await again.close()
        await stores.mail.own(mine, b"x")
    assert await stores.mail.get(mine.id) == mine
    assert (await stores.mail.raw(mine.id))[:] == b"x"


async def test_a_trail_that_is_gone_is_not_begun_anew(stores: Stores, state: Path) -> None:
    await stores.trail.append([record()])
    (state / "trail.db").rename(state / "elsewhere")
    with pytest.raises(StoreUnavailable, match="is gone"):
        await stores.trail.append([record()])
    with pytest.raises(StoreUnavailable):
        await stores.trail.verify()
    with pytest.raises(StoreUnavailable, match="is gone"):
        await open_store(state)
    (state / "elsewhere").rename(state / "trail.db")
    await stores.trail.append([record()])
    assert await stores.trail.verify() == []


@pytest.mark.parametrize("harm", [fill_with_garbage, empty, cut])
async def test_a_trail_that_is_broken_is_not_written_to(state: Path, harm: Any) -> None:
    stores = await open_store(state)
    await stores.trail.append([record()])
    await stores.close()
    harm(state / "trail.db")
    with pytest.raises(StoreUnavailable):
        await open_store(state)


async def test_everything_is_for_its_owner_only(stores: Stores, state: Path) -> None:
    await stores.mail.own(kept(b"x"), b"x")
    await stores.trail.append([record()])
    for path in [state, *state.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


async def test_a_store_made_by_a_newer_version_is_left_alone(state: Path) -> None:
    await (await open_store(state)).close()
    with sqlite3.connect(state / "trail.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreUnavailable, match="newer version"):
        await open_store(state)
