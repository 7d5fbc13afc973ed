"""The embedded destination: complete files in new/, or the truth."""

from __future__ import annotations

import asyncio
import errno
import mmap
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.errors import HopError
from gateway.mail import Client, Envelope, Recipient, Span, Transaction
from gateway.reply import BAD_ADDRESS, NO_ROOM, RECIPIENT_OK, TAKEN
from gateway.smtp.hop import NextHop
from gateway.smtp.maildir import MaildirDelivery, MaildirHop, unique_name

RAW = b"Subject: a\r\n\r\n.b\r\nno end"


def transaction(sender: str = "s@a") -> Transaction:
    return Transaction(
        id="id7", listener="in", received=datetime.now(UTC), client=Client(), envelope=Envelope(sender), inside=False
    )


async def begun(path: Path) -> MaildirDelivery:
    delivery = MaildirHop(path).begin(transaction())
    assert await delivery.add([Recipient("r1@b"), Recipient("r2@b")]) == [RECIPIENT_OK] * 2
    return delivery


def files(path: Path) -> list[str]:
    return [str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()]


async def test_a_message_is_one_file_byte_for_byte_below_its_envelope(tmp_path: Path) -> None:
    box = tmp_path / "deep" / "box"
    delivery = await begun(box)
    assert await delivery.add([Recipient("người@b")]) == [RECIPIENT_OK]
    assert await delivery.send(RAW, [b"X-New: 1\r\n", Span(0, len(RAW))]) == TAKEN
    [name] = files(box)
    head = "Return-Path: <s@a>\r\nDelivered-To: r1@b\r\nDelivered-To: r2@b\r\nDelivered-To: người@b\r\n".encode()
    assert (box / name).read_bytes() == head + b"X-New: 1\r\n" + RAW
    assert name.startswith("new/")
    assert (box / name).stat().st_mode & 0o777 == 0o600
    assert sorted(folder.name for folder in box.iterdir()) == ["cur", "new", "tmp"]


async def test_a_large_mapped_message(tmp_path: Path) -> None:
    size = 5_000_000
    with mmap.mmap(-1, size) as raw:
        raw.write(b"x" * size)
        assert await (await begun(tmp_path)).send(raw, [Span(0, size)]) == TAKEN
    [name] = files(tmp_path)
    assert (tmp_path / name).read_bytes().endswith(b"\r\n" + b"x" * size)


async def test_an_address_that_would_write_headers_is_refused(tmp_path: Path) -> None:
    delivery = MaildirHop(tmp_path).begin(transaction())
    replies = await delivery.add([Recipient("a@b\r\nX-Evil: 1"), Recipient("\udcff@b"), Recipient("r@b")])
    assert replies == [BAD_ADDRESS, BAD_ADDRESS, RECIPIENT_OK]
    assert delivery.accepted == (Recipient("r@b"),)
    delivery = MaildirHop(tmp_path).begin(transaction("s\n@a"))
    assert await delivery.add([Recipient("r@b")]) == [BAD_ADDRESS]
    with pytest.raises(ValueError):
        await delivery.send(RAW, [])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "rename", "open"])
async def test_a_full_disk_is_a_temporary_refusal_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    delivery = await begun(tmp_path)
    monkeypatch.setattr(os, call, failing(number))
    reply = await delivery.send(RAW, [Span(0, len(RAW))])
    monkeypatch.undo()
    assert reply == NO_ROOM
    assert not files(tmp_path)


@pytest.mark.parametrize("call", ["fsync", "rename", "open"])
async def test_a_broken_disk_is_temporary_trouble_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    delivery = await begun(tmp_path)
    monkeypatch.setattr(os, call, failing(errno.EIO))
    with pytest.raises(HopError) as caught:
        await delivery.send(RAW, [Span(0, len(RAW))])
    monkeypatch.undo()
    assert caught.value.reply.code == 451
    assert not files(tmp_path)


async def test_a_name_that_is_not_on_stable_storage_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await begun(tmp_path)).send(RAW, [])
    before = files(tmp_path)
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EIO, "folder")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(HopError):
        await (await begun(tmp_path)).send(RAW, [])
    assert files(tmp_path) == before


def failing(number: int) -> object:
    def call(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


async def test_the_file_and_its_name_are_on_stable_storage_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await begun(tmp_path)).send(RAW, [])
    steps: list[str] = []
    real_fsync, real_rename = os.fsync, os.rename

    def fsync(descriptor: int) -> None:
        steps.append("fsync " + Path(os.readlink(f"/proc/self/fd/{descriptor}")).parent.name)
        real_fsync(descriptor)

    def rename(old: Path, new: Path) -> None:
        steps.append(f"rename {Path(old).parent.name} {Path(new).parent.name}")
        real_rename(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    await (await begun(tmp_path)).send(RAW, [])
    assert steps == ["fsync tmp", "rename tmp new", f"fsync {tmp_path.name}"]


async def test_a_path_that_is_no_folder_is_temporary_trouble(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    with pytest.raises(HopError) as caught:
        await (await begun(path)).send(RAW, [Span(0, len(RAW))])
    assert caught.value.reply.code == 451


async def test_many_at_once_are_as_many_files(tmp_path: Path) -> None:
    deliveries = [await begun(tmp_path) for _ in range(50)]
    await asyncio.gather(*(delivery.send(RAW, [Span(0, len(RAW))]) for delivery in deliveries))
    assert len(files(tmp_path)) == 50


async def test_an_abandoned_delivery_writes_nothing(tmp_path: Path) -> None:
    hop: NextHop = MaildirHop(tmp_path)
    delivery = hop.begin(transaction())
    await delivery.add([Recipient("r@b")])
    await delivery.abandon()
    await delivery.abandon()
    with pytest.raises(HopError):
        await delivery.add([Recipient("r@b")])
    with pytest.raises(ValueError):
        await delivery.send(RAW, [])
    await hop.close()
    assert not files(tmp_path)


def test_names_are_safe_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "a/b:c")
    names = {unique_name() for _ in range(1000)}
    assert len(names) == 1000
    assert not [name for name in names if "/" in name or ":" in name or name.startswith(".")]
