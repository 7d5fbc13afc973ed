"""The filter `attachments`: each case is one attached file (or message) and what is found in it."""

from __future__ import annotations

import asyncio
import base64
import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.attachments import Attachments
from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.mail import Client, Envelope, Mail
from gateway.mime.parse import parse
from gateway.reading import Reading
from gateway.verdict import Finding, PureFilter

PE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(100)
PDF = b"%PDF-1.7\nhello"
LOCKED_ZIP = b"PK\x03\x04\x14\0\x01\0" + bytes(18) + b"\x05\0\0\0a.txtxxxxx"
TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nxin ch\xc3\xa0o"


def mail(raw: bytes) -> Mail:
    """The mail of these bytes, opened as the pipeline does it."""
    unopened = Mail(
        id="1",
        listener="test",
        received=datetime(2026, 9, 1, tzinfo=UTC),
        client=Client(),
        envelope=Envelope("a@example.org"),
        inside=False,
        raw=raw,
        root=parse(raw),
    )
    return replace(unopened, opened=OPENED(unopened))


class _Opened:
    """Opens mails on a loop of its own, so that the sandbox is started once for all of them."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opener = Opener(FileReading())

    def __call__(self, unopened: Mail) -> Reading:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(self._opener.open(unopened, deadline=self._loop.time() + 60))

    def close(self) -> None:
        if self._loop is not None:
            self._loop.run_until_complete(self._opener.__aexit__(None, None, None))
            self._loop.close()


OPENED = _Opened()


@pytest.fixture(scope="module", autouse=True)
def _sandbox() -> Iterator[None]:
    yield
    OPENED.close()


def message(*parts: bytes) -> bytes:
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def file(name: str, data: bytes, media_type: str = "application/octet-stream") -> bytes:
    head = f"Content-Type: {media_type}\r\nContent-Disposition: attachment"
    head += f'; filename="{name}"' if name else ""
    return head.encode() + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data)


def found(raw: bytes, options: Attachments | None = None) -> list[Finding]:
    return list((options or Attachments()).inspect(mail(raw)))


def codes(findings: list[Finding]) -> list[str]:
    """What is found beside the attachment itself, its format's standing, what is missing in it, and the total."""
    beside = ("attachment", "total", "nonstandard_format", "uninspectable")
    return [finding.code for finding in findings if finding.code not in beside]


CASES: dict[str, tuple[bytes, list[str]]] = {
    "a document": (file("Báo cáo.pdf", PDF, "application/pdf"), []),
    "a text file": (file("a.txt", b"hello", "text/plain"), []),
    "a picture of another format than its name": (file("a.jpg", b"\x89PNG\r\n\x1a\n", "image/jpeg"), []),
    "an unknown kind": (file("a.xyz", bytes(range(9))), []),
    "an empty file": (file("a.pdf", b"", "application/pdf"), []),
    "a program by bytes and name": (file("a.exe", PE), ["executable", "executable"]),
    "a program by name only": (file("a.scr", b"hello"), ["executable"]),
    "a program by bytes only": (file("a.dat", PE), ["executable"]),
    "a program without a name": (file("", PE), ["executable"]),
    "a program called a document": (
        file("a.pdf", PE, "application/pdf"),
        ["executable", "type_mismatch", "type_mismatch"],
    ),
    "a program called a text": (file("a.txt", PE, "text/plain"), ["executable", "type_mismatch", "type_mismatch"]),
    "a program in a text without a name": (
        b"Content-Type: text/plain\r\n\r\n" + PE,
        ["executable", "type_mismatch"],
    ),
    "a program in a text without a name, encoded": (
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(PE),
        ["executable", "type_mismatch"],
    ),
    "two extensions": (file("a.pdf.exe", PE), ["executable", "executable", "double_extension"]),
    "a program's extension inside the name": (file("a.exe.pdf", PDF), ["executable"]),
    "trailing dots and spaces": (file("a.scr. .", b"hello"), ["executable"]),
    "right-to-left override": (file("a\u202efdp.scr", b"hello"), ["executable", "hidden_name"]),
    "a zero-width character in the extension": (file("a.s\u200bcr", b"hello"), ["executable", "hidden_name"]),
    "fullwidth dot and letters": (file("a．ｓｃｒ", b"hello"), ["executable", "hidden_name"]),
    "many spaces": (file("a.pdf" + " " * 30 + ".scr", b"x"), ["executable", "double_extension", "hidden_name"]),
    "an NTFS stream": (file("a.scr:a.txt", b"hello"), ["executable", "hidden_name"]),
    "a NUL in an RFC 2231 name": (
        b"Content-Type: a/b\r\nContent-Disposition: attachment; filename*=utf-8''a.scr%00.dat\r\n\r\nhello",
        ["executable", "hidden_name"],
    ),
    "an RFC 2231 name beside a harmless one": (
        b"Content-Type: a/b; name=a.dat\r\nContent-Disposition: attachment; filename*=utf-8''a%2Ejs\r\n\r\nhello",
        ["script"],
    ),
    "an encoded word as a name": (file("=?utf-8?B?YS5zY3I=?=", b"hello"), ["executable"]),
    "a script by name": (file("a.vbs", b"hello"), ["script"]),
    "a script by bytes": (file("a.dat", b"#!/bin/sh\n"), ["script"]),
    "an HTML application": (
        file("a.html", b"<html><hta:application>", "text/html"),
        ["script", "active", "type_mismatch"],
    ),
    "a script quoted in a letter is talk": (b"\r\nRun powershell -EncodedCommand AAAA", []),
    "an archive": (file("a.zip", b"PK\x03\x04" + bytes(30), "application/zip"), ["archive", "active"]),
    "an archive by name only": (file("a.rar", b"hello"), ["archive", "type_mismatch"]),
    "an archive by bytes only": (file("a.dat", b"7z\xbc\xaf\x27\x1c"), ["archive"]),
    "an archive with a password": (file("a.zip", LOCKED_ZIP), ["archive", "active", "encrypted", "encrypted"]),
    "a document with a password": (
        file("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")),
        ["encrypted"],
    ),
    "a program within an enclosed message": (
        b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n" + file("a.scr", b"hello"),
        ["executable"],
    ),
}


@pytest.mark.parametrize(("part", "expected"), CASES.values(), ids=CASES)
def test_attachments(part: bytes, expected: list[str]) -> None:
    assert codes(found(message(TEXT, part))) == expected


@pytest.mark.parametrize("name", ["exe", "EXE", "Exe", "eXe "])
def test_extensions_count_in_any_case(name: str) -> None:
    assert "executable" in codes(found(file(f"a.{name}", b"x")))


def test_a_finding_tells_what_a_policy_may_test() -> None:
    findings = {finding.code: finding.facts() for finding in found(message(TEXT, file("Kế hoạch.pdf.exe", PE)))}
    about: dict[str, Any] = {"name": "Kế hoạch.pdf.exe", "extension": "exe", "media_type": "application/octet-stream"}
    about |= {"kind": "pe", "size": len(PE), "digest": sha256(PE).hexdigest(), "part": "2", "depth": 0}
    about["place"] = "2/Kế hoạch.pdf.exe"
    assert findings["attachment"] == about
    assert findings["executable"] == about | {"by": "extension"}
    assert findings["double_extension"] == about | {"before": "pdf"}
    total = findings["total"]
    assert (total["count"], total["size"], total["inside"]) == (1, len(PE), 0)
    assert total["encoded"] > total["size"]


def test_evidence_shows_where_and_is_bounded_and_escaped() -> None:
    for finding in found(message(TEXT, file("a\u202e" + "b" * 5_000 + ".exe", PE))):
        for evidence in finding.evidence:
            assert evidence.part == "2"
            assert evidence.excerpt.isascii()
            assert evidence.excerpt.isprintable()
            assert len(evidence.excerpt) < 500
        assert len(finding.facts().get("name", "")) <= 255


def test_the_total_is_of_all_files_and_of_no_text() -> None:
    findings = found(message(TEXT, file("a.pdf", PDF), file("b.pdf", PDF), b"Content-Type: text/html\r\n\r\n<p>"))
    assert (findings[-1].facts()["count"], findings[-1].facts()["size"]) == (2, 2 * len(PDF))


def test_an_enclosed_message_is_a_file_but_its_bytes_count_once() -> None:
    enclosed = b"Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=a.eml\r\n\r\n" + file(
        "a.pdf", PDF
    )
    findings = found(message(TEXT, enclosed))
    assert [finding.facts()["kind"] for finding in findings if finding.code == "attachment"] == ["mail", "pdf"]
    assert (findings[-1].facts()["count"], findings[-1].facts()["size"]) == (1, len(PDF))


def test_file_in_an_archive_is_judged_like_one_attached() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("bao cao/hoa don.pdf.exe", PE)
    findings = found(message(TEXT, file("a.zip", packed.getvalue(), "application/zip")))
    program = next(finding.facts() for finding in findings if finding.code == "executable")
    assert (program["part"], program["depth"], program["kind"]) == ("2", 1, "pe")
    assert program["place"].startswith("2/")
    assert codes(findings) == ["archive", "executable", "executable", "double_extension"]


def test_what_cannot_be_looked_at_is_said() -> None:
    findings = found(message(TEXT, file("a.xyz", bytes(range(200)))))
    assert {"reason": "unsupported", "kind": "data", "part": "2", "place": "2/a.xyz"} in [
        finding.facts() for finding in findings if finding.code == "uninspectable"
    ]


@pytest.mark.parametrize(("name", "standard"), [("a.docx", True), ("a.zip", True), ("a.7z", False), ("a.dwg", False)])
def test_formats_of_the_state_are_told_from_others(name: str, standard: bool) -> None:
    findings = [finding.code for finding in found(message(TEXT, file(name, b"hello")))]
    assert ("nonstandard_format" not in findings) is standard


def test_mail_without_files_has_no_findings() -> None:
    assert found(message(TEXT, b"Content-Type: text/html\r\n\r\n<p>hello")) == []


ODD = {
    "no-end-boundary": message(TEXT).replace(b"--b--", b""),
    "preamble": message(TEXT).replace(b"--b", b"hi\r\n--b", 1),
}


@pytest.mark.parametrize(("defect", "raw"), ODD.items(), ids=ODD)
def test_oddities_of_form_are_found_unless_they_are_usual(defect: str, raw: bytes) -> None:
    [finding] = found(raw, Attachments(usual_defects=frozenset()))
    assert finding.facts() == {"defect": defect, "part": ""}
    assert found(raw, Attachments(usual_defects=frozenset({defect}))) == []


def test_options_change_the_lists() -> None:
    assert codes(found(file("a.xyz", b"x"), Attachments(extra_executable=frozenset({"xyz"})))) == ["executable"]
    assert codes(found(file("a.url", b"x"), Attachments(harmless=frozenset({"url"})))) == []


def test_the_contract() -> None:
    options = Attachments()
    assert isinstance(options, PureFilter)
    assert len({finding.code for finding in options.FINDINGS}) == len(options.FINDINGS)
    assert all(finding.__doc__ and not finding.__doc__.startswith(finding.__name__) for finding in options.FINDINGS)
    assert hash(options)
    assert {option.name for option in fields(options)} == {"extra_executable", "harmless", "formats", "usual_defects"}


ODD_FORMS = {
    "two content types": (b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx", {"duplicate-content-type"}),
    "a multipart that never ends": (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n",
        {"no-end-boundary"},
    ),
    "an ordinary letter": (b"Content-Type: text/plain\r\n\r\nx", set()),
}


@pytest.mark.parametrize(("raw", "defects"), ODD_FORMS.values(), ids=ODD_FORMS)
def test_malformed(raw: bytes, defects: set[str]) -> None:
    assert {finding.defect for finding in found(raw) if finding.code == "malformed"} == defects


PIECES = st.sampled_from(
    [
        *(b"--b\r\n", b"--b--", b"\r\n", b"MZ", b"PK\x03\x04", b"%PDF-", b"Rar!\x1a\x07"),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
        b"Content-Disposition: attachment; filename*=utf-8''a%00.exe:%E2%80%AE\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b'Content-Type: text/plain; name="a.pdf\r\n',
    ]
)


@given(st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=25).map(b"".join)))
def test_any_bytes_are_looked_at(raw: bytes) -> None:
    assert all(type(finding) in Attachments.FINDINGS for finding in found(raw))
