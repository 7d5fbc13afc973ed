"""A message with a secrecy marking leaves nothing of itself (law 117/2025/QH15 article 5.2): a disk of its own, which
holds spool, store, logs, audit trail and temporary files, is searched byte by byte, free blocks and all.

The disk is an image mounted by a loop device, as root.
"""

from __future__ import annotations

import asyncio
import base64
import io
import random
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.filters.carriers import CARRIERS, letter
from tests.reliability.client import Talk
from tests.reliability.process import ROOT, GatewayProcess
from tests.reliability.sink import Sink

PACKS = ("state-secrets", "prohibited-content", "personal-data", "spam", "dangerous-files", "private-mailboxes")

POLICY = f"""
version: 1
extends: [{", ".join(str(ROOT / "policies" / "packs" / f"{name}.yaml") for name in PACKS)}]
organisation: {{domains: [example.gov.vn], officers: [officer@example.gov.vn]}}
rules:
  - id: kept
    title: What asks for it is kept
    when: {{header: {{name: X-Keep, contains: keep}}}}
    then: quarantine
"""

DISK = 96 << 20
"""Bytes of the disk: room for all, and little enough to search."""

BLOCK = 4096
"""Bytes of a block of the file system."""

CANARY = "quzwexbirolt nạfjụmoxket vytrappel"
"""Words that are nowhere else, so that any trace of the content shows."""

Disk = tuple[Path, Callable[[], bytes]]

LARGE = 5_000_000
"""Bytes of an attachment with which a message is spooled to disk."""


def marked(text: str = CANARY) -> str:
    return f"UBND TỈNH X\tCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nSố: 12/BC-SNV\nMẬT\nBÁO CÁO\n{text}\n"


def plain(subject: str, text: str, **attached: bytes) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "an@example.org", "binh@example.gov.vn", subject
    message.set_content(text)
    for name, content in attached.items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=f"{name}.bin")
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{CANARY.split()[0]}.docx", content)
    return out.getvalue()


def messages() -> dict[str, bytes]:
    """What is sent, by what it is."""
    made = {
        "in the text": plain("Báo cáo", marked()),
        "in the subject": plain(f"(MẬT) {CANARY}", f"{CANARY}\n"),
    }
    for name, (make, media_type, file) in CARRIERS.items():
        made[f"in {name}"] = letter(make(marked()), media_type, file, subject=CANARY)
    made["in a document in an archive"] = letter(zipped(CARRIERS["docx"][0](marked())), "application/zip", "a.zip")
    return {what: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for what, content in made.items()}


def traces(message: bytes) -> Iterator[bytes]:
    """Stretches of the message as it came and of what it carries, in the writings a program may keep them in."""
    yield from (message[at : at + 32] for at in range(len(message) // 4, len(message) - 32, len(message) // 12))
    for word in CANARY.split():
        for text in (word, word.upper(), word.encode("ascii", "ignore").decode()[:6]):
            yield text.encode()
            yield text.encode("utf-16-le")
            yield text.encode("utf-16-be")
            yield quote(text).encode()
            yield from (base64.b64encode(bytes(pad) + text.encode())[4:-4] for pad in range(3) if len(text) > 8)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A file system of its own, and a look at all its blocks that are not empty."""
    image, mount = tmp_path / "image", tmp_path / "disk"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(DISK)
    subprocess.run(["mkfs.ext4", "-q", "-E", "nodiscard", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop,nodiscard", str(image), str(mount)], check=True)

    def look() -> bytes:
        subprocess.run(["sync", "-f", str(mount)], check=True)
        with image.open("rb") as file:
            return b"".join(block for block in iter(lambda: file.read(BLOCK), b"") if block != bytes(BLOCK))

    yield mount, look
    subprocess.run(["umount", "--lazy", str(mount)], check=True)


async def test_nothing_of_a_marked_message_is_on_the_disk_afterwards(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount, look = disk
    temporary = mount / "tmp"
    temporary.mkdir(mode=0o1777)
    monkeypatch.setenv("TMPDIR", str(temporary))
    sent = messages()
    settings = {"notices": {"mailbox": "gateway@example.gov.vn"}, "log": {"level": "debug"}}
    sink = Sink()
    async with sink, GatewayProcess(mount, sink.address, policy=POLICY, **settings) as gateway:
        async with Talk(gateway.address) as talk:
            await talk.hello()
            for what, content in sent.items():
                answer = await talk.send(content)
                assert (answer.code, what) == (550, what)
            assert (await talk.send(plain("x", "Thư thường\n"))).code == 250
        await gateway.stop()
    assert (sink.strays, sink.arrived.total()) == (1, 0)
    found = look()
    assert b"secret-marking" in found
    assert {what: trace for what, content in sent.items() for trace in traces(content) if trace in found} == {}


async def test_a_marked_message_that_was_on_the_disk_is_not_there_afterwards(disk: Disk) -> None:
    mount, look = disk
    content = plain("x", marked(), large=random.Random(LARGE).randbytes(LARGE))
    early, late = content[: len(content) * 3 // 4], content[len(content) * 3 // 4 :]
    async with Sink() as sink, GatewayProcess(mount, sink.address, policy=POLICY) as gateway:
        async with Talk(gateway.address) as talk:
            await talk.hello()
            await talk.envelope()
            talk.say(early)
            await talk.writer.drain()
            async with asyncio.timeout(30):
                while not any(trace in look() for trace in traces(early)):
                    pass
            assert (await talk.ask(late + b".\r\n")).code == 550
        await gateway.stop()
    found = look()
    assert [trace for trace in traces(content) if trace in found] == []


async def test_the_search_finds_what_is_kept(disk: Disk) -> None:
    mount, look = disk
    content = plain("x", f"{CANARY}\n")
    async with Sink() as sink, GatewayProcess(mount, sink.address, policy=POLICY) as gateway:
        async with Talk(gateway.address) as talk:
            await talk.hello()
            assert (await talk.send(b"X-Keep: keep\r\n" + content)).code == 250
        await gateway.stop()
    found = look()
    assert any(trace in found for trace in traces(content))
