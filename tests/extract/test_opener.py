"""A mail to its reading: texts in place, files in the sandbox, each at its place, read once for each content."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from gateway.errors import Unavailable
from gateway.extract.job import Task
from gateway.extract.opener import Opener
from gateway.extract.sandbox import Answer
from gateway.limits import FileReading
from gateway.mail import Client, Envelope, Mail
from gateway.mime.parse import parse
from gateway.reading import Reading, Reason, Zone
from tests.extract.archives import EXE, SECRET, zipped


@pytest.fixture
async def opener() -> AsyncIterator[Opener]:
    async with Opener(FileReading()) as made:
        yield made


def mail(*files: tuple[str, bytes], text: str = "Kính gửi", html: str = "", head: str = "") -> Mail:
    parts = [f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}"]
    if html:
        parts.append(f"Content-Type: text/html; charset=utf-8\r\n\r\n{html}")
    for name, content in files:
        encoded = base64.encodebytes(content).decode().replace("\n", "\r\n")
        parts.append(
            f'Content-Type: application/octet-stream; name="{name}"\r\nContent-Disposition: attachment\r\n'
            f"Content-Transfer-Encoding: base64\r\n\r\n{encoded}"
        )
    body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    fields = f"From: Sở Tài chính <a@example.org>\r\nSubject: Báo cáo\r\n{head}"
    return of(f'{fields}Content-Type: multipart/mixed; boundary="b"\r\n\r\n{body}'.encode())


def of(raw: bytes) -> Mail:
    return Mail(
        id="01ARZ3NDEKTSV4RRFF",
        listener="inbound",
        received=datetime.now(UTC),
        client=Client(),
        envelope=Envelope("a@example.org"),
        inside=False,
        raw=raw,
        root=parse(raw),
    )


async def read(opener: Opener, letter: Mail, *, scanned: bool = False) -> Reading:
    return await opener.open(letter, deadline=asyncio.get_running_loop().time() + 30, scanned=scanned)


async def test_a_letter_is_read_in_place_without_any_process(opener: Opener) -> None:
    reading = await read(opener, mail(html='<p>Xem <a href="https://x.example/">đây</a></p>'))
    assert [(text.zone, text.content.strip()) for text in reading.texts][:3] == [
        (Zone.SENDER_NAME, "Sở Tài chính"),
        (Zone.SUBJECT, "Báo cáo"),
        (Zone.BODY, "Kính gửi"),
    ]
    assert ("https://x.example/", "đây", "2") in {(link.target, link.text, link.place) for link in reading.links}
    assert (reading.files, reading.blind, opener.sandbox.starts) == ((), (), 0)


async def test_files_are_opened_to_the_bottom_each_at_its_place(opener: Opener) -> None:
    inner = zipped({"chạy.exe": EXE, "mật.txt": SECRET})
    reading = await read(opener, mail(("ngoài.zip", zipped({"trong.zip": inner}))))
    assert [(file.place, file.kind, file.depth) for file in reading.files] == [
        ("2/ngoài.zip", "zip", 0),
        ("2/ngoài.zip/trong.zip", "zip", 1),
        ("2/ngoài.zip/trong.zip/chạy.exe", "pe", 2),
        ("2/ngoài.zip/trong.zip/mật.txt", "text", 2),
    ]
    assert [text.place for text in reading.of(Zone.ATTACHMENT)] == ["2/ngoài.zip/trong.zip/mật.txt"]
    assert {text.content for text in reading.of(Zone.FILE_NAME)} == {"ngoài.zip", "trong.zip", "chạy.exe", "mật.txt"}
    assert reading.files[2].start == EXE[:1024]


async def test_a_message_attached_to_a_message_is_read_like_it(opener: Opener) -> None:
    inside = mail(("a.zip", zipped({"b.exe": EXE})), text="bên trong").raw[:]
    reading = await read(opener, mail(("thư.eml", bytes(inside))))
    assert "bên trong" in {text.content.strip() for text in reading.of(Zone.BODY)}
    assert ("2/thư.eml/2/a.zip/b.exe", "pe") in {(file.place, file.kind) for file in reading.files}


async def test_a_file_to_many_people_is_read_once(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = count_reads(opener, monkeypatch)
    report = zipped({"mật.txt": SECRET})
    letters = [mail((name, report), text=str(number)) for number, name in enumerate(["a.zip"] * 300)]
    readings = [await read(opener, letter) for letter in letters]
    forwarded = await read(opener, mail(("thư mới.zip", report), ("thư mới.zip", report)))
    assert len(asked) == 1
    assert {reading.files for reading in readings} == {readings[0].files}
    assert [file.place for file in forwarded.files if not file.depth] == ["2/thư mới.zip", "3/thư mới.zip"]
    assert [file.names for file in forwarded.files if not file.depth] == [("thư mới.zip",)] * 2
    assert (opener.cache.hits, opener.cache.misses) == (301, 1)


async def test_another_extension_is_another_question(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = count_reads(opener, monkeypatch)
    await read(opener, mail(("a.txt", b"<p>x</p>"), ("a.html", b"<p>x</p>")))
    assert len(asked) == 2


async def test_what_may_go_better_next_time_is_not_remembered(opener: Opener) -> None:
    async def late(task: Task, *, deadline: float) -> Answer:
        return Answer((), Reason.TIMED_OUT, "too slow")

    sandbox_read, opener.sandbox.read = opener.sandbox.read, late  # type: ignore[method-assign]
    letter = mail(("a.zip", zipped({"mật.txt": SECRET})))
    [blind] = (await read(opener, letter)).blind
    assert (blind.place, blind.reason) == ("2/a.zip", Reason.TIMED_OUT)
    opener.sandbox.read = sandbox_read  # type: ignore[method-assign]
    assert (await read(opener, letter)).blind == ()


async def test_a_file_that_nothing_was_told_of_is_listed_all_the_same(opener: Opener) -> None:
    async def crashed(task: Task, *, deadline: float) -> Answer:
        return Answer((), Reason.CRASHED, "signal 11")

    opener.sandbox.read = crashed  # type: ignore[method-assign]
    reading = await read(opener, mail(("a.exe", EXE)))
    assert [(file.names, file.kind, file.size, len(file.digest)) for file in reading.files] == [
        (("a.exe",), "pe", len(EXE), 64)
    ]
    assert [blind.reason for blind in reading.blind] == [Reason.CRASHED]


async def test_without_a_sandbox_there_is_no_reading(opener: Opener) -> None:
    async def down(task: Task, *, deadline: float) -> Answer:
        raise Unavailable("the sandbox is down")

    opener.sandbox.read = down  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await read(opener, mail(("a.zip", zipped({"a": b"x"}))))
    assert (await read(opener, mail())).texts


async def test_a_picture_needs_no_process_unless_something_else_is_in_it(opener: Opener) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(500)
    encoded = base64.b64encode(picture).decode()
    head = b"Content-Type: image/png; name=logo.png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    reading = await read(opener, of(head + encoded.encode()))
    assert [(file.kind, file.size, file.names) for file in reading.files] == [("png", 508, ("logo.png",))]
    assert opener.sandbox.starts == 0
    encoded = base64.b64encode(picture + zipped({"a.exe": EXE})).decode()
    reading = await read(opener, of(head + encoded.encode()))
    assert [file.kind for file in reading.files] == ["png", "pe"]


async def test_inner_files_come_with_their_content_for_those_who_scan(opener: Opener) -> None:
    letter = mail(("a.zip", zipped({"b.exe": EXE})))
    assert [file.content for file in (await read(opener, letter)).files] == [None, None]
    assert [file.content for file in (await read(opener, letter, scanned=True)).files] == [None, EXE]


async def test_all_files_of_a_mail_share_its_limits() -> None:
    async with Opener(FileReading(files=5)) as opener:
        archive = zipped({f"{number}": b"x%d" % number for number in range(3)})
        reading = await read(opener, mail(("a.zip", archive), ("b.zip", archive + b" ")))
    assert Reason.TOO_MANY in {blind.reason for blind in reading.blind}
    assert len(reading.files) == 5


def count_reads(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    asked: list[Task] = []
    sandbox_read = opener.sandbox.read

    async def counted(task: Task, *, deadline: float) -> Answer:
        asked.append(task)
        return await sandbox_read(task, deadline=deadline)

    monkeypatch.setattr(opener.sandbox, "read", counted)
    return asked
