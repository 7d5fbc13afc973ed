"""The filter `virus` with a real clamd: found, clean, and every way in which it could not look."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from filters._virus import digests
from filters.virus import Infected, Virus, _finding, _Piece
from gateway.endpoint import HostPort
from gateway.errors import Unavailable
from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.mail import Client, Envelope, Mail
from gateway.mime.parse import parse
from gateway.reading import File, Reading
from gateway.schema.scalars import Duration, Size
from gateway.verdict import Finding
from tests.engines.daemons import EICAR, Running, clamd


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with clamd(tmp_path_factory.mktemp("clamd"), stream_limit="2M") as running:
        yield running


@pytest.fixture
async def virus(scanner: Running) -> AsyncIterator[Virus]:
    made = Virus(clamd=(HostPort("127.0.0.1", scanner.port),), patience=Duration(5))
    yield made
    made.close()


def mail(body: bytes, head: bytes = b"Subject: x", *files: File) -> Mail:
    raw = head + b"\r\n\r\n" + body
    return Mail(
        id="1",
        listener="x",
        received=datetime(2026, 3, 1, tzinfo=UTC),
        client=Client(),
        envelope=Envelope("a@b.vn"),
        inside=False,
        raw=raw,
        root=parse(raw),
        opened=Reading(files=files),
    )


async def found(virus: Virus, message: Mail) -> list[Finding]:
    return [finding async for finding in virus.inspect(message)]


async def test_clean_mail_has_no_finding(virus: Virus) -> None:
    assert await found(virus, mail(b"good morning\r\n")) == []


async def test_part_that_clamd_would_not_decode_is_scanned(virus: Virus) -> None:
    """An encoding with junk inside, which mail programs read and clamd's own reader does not."""
    coded = base64.b64encode(EICAR)
    body = b"\r\n".join(b"*" + coded[at : at + 7] for at in range(0, len(coded), 7))
    head = b"MIME-Version: 1.0\r\nContent-Type: application/x-thing\r\nContent-Transfer-Encoding: BASE64 (really)"
    findings = await found(virus, mail(body, head))
    assert {type(one) for one in findings} == {Infected}
    assert all("Eicar" in one.facts()["signature"] for one in findings)


async def test_member_of_an_archive_is_scanned(virus: Virus) -> None:
    member = File(place="2/a.zip/b.com", content=EICAR, size=len(EICAR), depth=2)
    [infected] = await found(virus, mail(b"see attached\r\n", b"Subject: x", member))
    assert (infected.facts()["place"], len(infected.facts()["digest"])) == ("2/a.zip/b.com", 64)


TEST_FILES = Path("/usr/share/clamav-testfiles")
"""Of Debian's package: archives, documents, installers and packed programs, each with the same harmless program."""


async def test_the_program_in_each_of_clamavs_test_files_is_found(tmp_path: Path) -> None:
    head = b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64"
    deadline = asyncio.get_running_loop().time() + 120
    files = sorted(TEST_FILES.iterdir())
    missed = []
    with clamd(tmp_path / "clamd") as running:
        virus = Virus(clamd=(HostPort("127.0.0.1", running.port),), patience=Duration(20))
        async with Opener(FileReading()) as opener:
            for file in files:
                name = f"\r\nContent-Disposition: attachment; filename={file.name}".encode()
                message = mail(base64.encodebytes(file.read_bytes()).replace(b"\n", b"\r\n"), head + name)
                message = replace(message, opened=None)
                message = replace(message, opened=await opener.open(message, deadline=deadline, scanned=True))
                if "Clam-Test" not in str([one.facts()["signature"] for one in await found(virus, message)]):
                    missed.append(file.name)
        virus.close()
    assert len(files) >= 40
    assert missed == []


async def test_many_parts_share_few_sessions(virus: Virus) -> None:
    files = [File(place=f"2/{n}", content=b"%d" % n + b"x" * 1000, size=1001) for n in range(200)]
    assert await found(virus, mail(b"x\r\n", b"Subject: x", *files)) == []
    assert 1 <= len(virus.engines[0].address.sessions) <= 4


async def test_clean_file_is_scanned_once(virus: Virus) -> None:
    file = File(place="2", content=b"the same minutes for everybody", size=30)
    await found(virus, mail(b"1\r\n", b"Subject: x", file))
    sent = sum(session.sent for session in virus.engines[0].address.sessions)
    await found(virus, mail(b"2\r\n", b"Subject: x", file))
    assert sum(session.sent for session in virus.engines[0].address.sessions) == sent + 1


async def test_what_clamd_refuses_for_its_size_was_not_looked_at(virus: Virus) -> None:
    with pytest.raises(Unavailable, match="size limit exceeded"):
        await found(virus, mail(b"x" * 3_000_000))


async def test_what_is_larger_than_allowed_is_not_sent(scanner: Running) -> None:
    small = Virus(clamd=(HostPort("127.0.0.1", scanner.port),), largest=Size(100))
    with pytest.raises(Unavailable, match="the message is larger than 100 bytes"):
        await found(small, mail(b"x" * 200))
    small.close()


async def test_infection_counts_although_the_rest_could_not_be_scanned(virus: Virus) -> None:
    files = (File(place="2", content=EICAR, size=68), File(place="3", content=b"x" * 3_000_000, size=3_000_000))
    findings: list[Finding] = []

    async def collect() -> None:
        async for finding in virus.inspect(mail(b"x\r\n", b"Subject: x", *files)):
            findings.append(finding)

    with pytest.raises(Unavailable):
        await collect()
    assert [type(one) for one in findings] == [Infected]


async def test_nothing_configured_cannot_look() -> None:
    with pytest.raises(Unavailable, match="no scanner is configured"):
        await found(Virus(), mail(b"x"))


async def test_killed_paused_and_started_again(tmp_path: Path) -> None:
    with clamd(tmp_path / "a") as running:
        virus = Virus(clamd=(HostPort("127.0.0.1", running.port),), patience=Duration(0.5))
        assert await found(virus, mail(b"before\r\n")) == []
        running.signal(signal.SIGSTOP)
        with pytest.raises(Unavailable, match="no answer in"):
            await found(virus, mail(b"paused\r\n"))
        running.signal(signal.SIGCONT)
        assert await found(virus, mail(b"goes on\r\n")) == []
        running.kill()
        with pytest.raises(Unavailable):
            await found(virus, mail(b"dead\r\n"))
        running.start()
        assert [type(one) for one in await found(virus, mail(EICAR))] == [Infected]
        virus.close()


async def test_second_daemon_stands_in(scanner: Running) -> None:
    nobody = HostPort("127.0.0.1", 9)
    virus = Virus(clamd=(nobody, HostPort("127.0.0.1", scanner.port)), patience=Duration(5))
    assert [type(one) for one in await found(virus, mail(EICAR))] == [Infected]
    virus.close()


@pytest.mark.parametrize("agree", ["most", "all"])
async def test_one_daemon_is_not_most_of_two(scanner: Running, agree: str) -> None:
    nobody = HostPort("127.0.0.1", 9)
    virus = Virus(clamd=(nobody, HostPort("127.0.0.1", scanner.port)), agree=agree)  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="clamd-1"):
        await found(virus, mail(b"clean\r\n"))
    assert [type(one) for one in await found(virus, mail(EICAR))] == [Infected]
    virus.close()


async def test_ping_tells_version_and_signatures(virus: Virus) -> None:
    assert "clamd-1: ClamAV" in await virus.ping()


def test_what_clamd_finds_odd_is_told_from_what_it_knows() -> None:
    odd = _finding("clamd", "Heuristics.Encrypted.Zip FOUND", _Piece("2", 9, "", lambda: b""))
    known = _finding("clamd", "Win.Test.EICAR_HDB-1 FOUND", _Piece("2", 9, "", lambda: b""))
    assert (odd.code, known.code) == ("suspicious", "infected")
    assert odd.facts()["signature"] == "Heuristics.Encrypted.Zip"


RULE = 'rule Marked { strings: $a = "thu tuc khan" condition: $a }'


async def test_yara_rules_serve_without_a_daemon(tmp_path: Path) -> None:
    (tmp_path / "own.yar").write_text(RULE)
    virus = Virus(yara=tmp_path)
    [infected, *_] = await found(virus, mail(b"x thu tuc khan x\r\n"))
    assert (infected.facts()["engine"], infected.facts()["signature"]) == ("yara", "Marked")
    assert await found(virus, mail(b"nothing\r\n")) == []


def test_broken_rule_is_a_problem_of_the_policy(tmp_path: Path) -> None:
    (tmp_path / "own.yar").write_text("rule { nonsense")
    with pytest.raises(ValueError, match=r"own\.yar"):
        Virus(yara=tmp_path)


def test_empty_folder_is_a_problem_of_the_policy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no \.yar or \.yara file"):
        Virus(yara=tmp_path)


LISTED = hashlib.sha256(EICAR).hexdigest()


def file_of(content: bytes, place: str = "2/a.zip/b.com") -> File:
    return File(place=place, size=len(content), digest=hashlib.sha256(content).hexdigest())


async def test_listed_files_are_found_without_a_daemon(tmp_path: Path) -> None:
    (tmp_path / "own.sha256").write_text(f"# of the authority\n\n{LISTED.upper()} *bad.exe\n{'0' * 64}\n")
    virus = Virus(digests=tmp_path)
    [infected] = await found(virus, mail(b"x\r\n", b"Subject: x", file_of(EICAR), file_of(b"minutes"), File(place="3")))
    assert (infected.facts()["engine"], infected.facts()["signature"]) == ("digests", "bad.exe")
    assert (infected.facts()["place"], infected.facts()["digest"]) == ("2/a.zip/b.com", LISTED)
    assert "2 digests" in await virus.ping()
    assert "no virus scanner" in virus.shortfall
    assert not virus.SCANS


async def test_lists_and_a_daemon_both_look(scanner: Running, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text(f"{hashlib.sha256(b'minutes').hexdigest()}\n")
    virus = Virus(digests=tmp_path / "own.txt", clamd=(HostPort("127.0.0.1", scanner.port),), patience=Duration(5))
    findings = await found(virus, mail(EICAR, b"Subject: x", file_of(b"minutes")))
    assert (findings[0].facts()["engine"], findings[0].facts()["signature"]) == ("digests", "own")
    assert {one.facts()["engine"] for one in findings} == {"digests", "clamd"}
    assert virus.shortfall == ""
    virus.close()


BROKEN_LISTS = {
    "another digest": ("own.txt", "d41d8cd98f00b204e9800998ecf8427e  a.exe\n", r"own\.txt:1: no SHA-256"),
    "words": ("own.sha256", f"# ok\n{LISTED} a\nhello\n", r"own\.sha256:3: no SHA-256"),
    "many lines": ("own.txt", "x\n" * 20, "and 15 more lines"),
    "no text": ("own.txt", b"\xff\xfe".decode("latin-1"), "own"),
    "no list at all": ("own.csv", "", r"no \.sha256 or \.txt file"),
}


@pytest.mark.parametrize(("name", "text", "problem"), BROKEN_LISTS.values(), ids=BROKEN_LISTS)
def test_broken_list_is_a_problem_of_the_policy(tmp_path: Path, name: str, text: str, problem: str) -> None:
    (tmp_path / name).write_text(text, "latin-1")
    with pytest.raises(ValueError, match=problem):
        Virus(digests=tmp_path)


def test_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        Virus(digests=tmp_path / "none.txt")


def test_more_digests_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "MOST", 2)
    (tmp_path / "own.txt").write_text("".join(f"{number:064x}\n" for number in range(3)))
    with pytest.raises(ValueError, match=r"own\.txt:3: more than 2 digests"):
        Virus(digests=tmp_path)
