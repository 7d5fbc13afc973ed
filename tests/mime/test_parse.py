"""The tree of a message: its shape, its defects, its limits, and that no bytes upset it."""

from __future__ import annotations

import email
import email.message
import email.policy
import mmap
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail import Part
from gateway.mime.parse import MAX_DEPTH, MAX_PARTS, parse

MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def shape(root: Part) -> list[tuple[str, str]]:
    return [(part.label, part.media_type) for part in root.walk()]


def defects(root: Part) -> set[str]:
    return {defect for part in root.walk() for defect in part.defects}


def message(*parts: bytes, head: bytes = MIXED) -> bytes:
    return head + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


TEXT = b"Content-Type: text/plain\r\n\r\nhello"
FILE = b"Content-Type: application/pdf\r\n\r\n%PDF-"
ENCLOSED = (
    b"Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n"
    + FILE
    + b"\r\n--c--"
)

SHAPES: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "nothing at all": (b"", [("", "text/plain")]),
    "only an empty line": (b"\r\n", [("", "text/plain")]),
    "a body without a head": (b"\r\nhello", [("", "text/plain")]),
    "only header fields": (b"Subject: x", [("", "text/plain")]),
    "a plain text": (b"Subject: x\r\n\r\nhello", [("", "text/plain")]),
    "a type in capitals, with spaces": (b"Content-Type: TEXT / HTML\r\n\r\n", [("", "text/html")]),
    "two parts": (message(TEXT, FILE), [("", "multipart/mixed"), ("1", "text/plain"), ("2", "application/pdf")]),
    "two parts with LF line endings": (
        message(TEXT, FILE).replace(b"\r\n", b"\n"),
        [("", "multipart/mixed"), ("1", "text/plain"), ("2", "application/pdf")],
    ),
    "a part without a head": (message(b"\r\nhello"), [("", "multipart/mixed"), ("1", "text/plain")]),
    "an empty part": (MIXED + b"--b\r\n--b--\r\n", [("", "multipart/mixed"), ("1", "text/plain")]),
    "no closing boundary": (MIXED + b"--b\r\n" + FILE, [("", "multipart/mixed"), ("1", "application/pdf")]),
    "white space behind the boundary": (
        MIXED + b"--b  \t\r\n" + FILE + b"\r\n--b-- \r\n",
        [("", "multipart/mixed"), ("1", "application/pdf")],
    ),
    "an inner boundary that begins like the outer": (
        message(b"Content-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n" + TEXT + b"\r\n--bb--", FILE),
        [("", "multipart/mixed"), ("1", "multipart/alternative"), ("1.1", "text/plain"), ("2", "application/pdf")],
    ),
    "an inner multipart that the outer boundary cuts": (
        message(b"Content-Type: multipart/related; boundary=c\r\n\r\n--c\r\n" + TEXT, FILE),
        [("", "multipart/mixed"), ("1", "multipart/related"), ("1.1", "text/plain"), ("2", "application/pdf")],
    ),
    "a part after the closing boundary": (
        message(TEXT) + b"--b\r\n" + FILE,
        [("", "multipart/mixed"), ("1", "text/plain"), ("2", "application/pdf")],
    ),
    "an enclosed text message, numbered as in IMAP": (
        message(b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nhello"),
        [("", "multipart/mixed"), ("1", "message/rfc822"), ("1.1", "text/plain")],
    ),
    "a message in a message in a message, each with a number of its own": (
        message(TEXT, b"Content-Type: message/rfc822\r\n\r\n" * 3 + b"Subject: x\r\n\r\nhello"),
        [
            ("", "multipart/mixed"),
            ("1", "text/plain"),
            ("2", "message/rfc822"),
            ("2.1", "message/rfc822"),
            ("2.1.1", "message/rfc822"),
            ("2.1.1.1", "text/plain"),
        ],
    ),
    "an enclosed multipart message, numbered as in IMAP": (
        message(
            TEXT, b"Content-Type: message/rfc822\r\n\r\n" + message(FILE).replace(b"--b", b"--c").replace(b"=b", b"=c")
        ),
        [
            ("", "multipart/mixed"),
            ("1", "text/plain"),
            ("2", "message/rfc822"),
            ("2.TEXT", "multipart/mixed"),
            ("2.1", "application/pdf"),
        ],
    ),
    "a digest holds messages": (
        message(b"\r\nSubject: x\r\n\r\nhi", head=b"Content-Type: multipart/digest; boundary=b\r\n\r\n"),
        [("", "multipart/digest"), ("1", "message/rfc822"), ("1.1", "text/plain")],
    ),
    "a comment in the type and a forgotten semicolon": (
        message(FILE, head=b"Content-Type: multipart/mixed (say; boundary=x) boundary=b\r\n\r\n"),
        [("", "multipart/mixed"), ("1", "application/pdf")],
    ),
    "a comment before the boundary's value": (
        message(FILE, head=b"Content-Type: multipart/mixed; boundary=(x)b\r\n\r\n"),
        [("", "multipart/mixed"), ("1", "application/pdf")],
    ),
    "a boundary in RFC 2231 form": (
        message(FILE, head=b"Content-Type: multipart/mixed; boundary*0*=''%62\r\n\r\n"),
        [("", "multipart/mixed"), ("1", "application/pdf")],
    ),
    "no boundary named": (
        message(FILE, head=b"Content-Type: multipart/mixed\r\n\r\n"),
        [("", "multipart/mixed"), ("1", "application/pdf")],
    ),
    "two types, the second a multipart": (
        message(FILE, head=b"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"),
        [("", "text/plain"), ("1", "application/pdf")],
    ),
}


@pytest.mark.parametrize(("raw", "expected"), SHAPES.values(), ids=SHAPES)
def test_shape(raw: bytes, expected: list[tuple[str, str]]) -> None:
    assert shape(parse(raw)) == expected


def test_a_body_is_split_by_each_boundary_that_a_reader_may_take() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n"
        + TEXT
        + b"\r\n--b\r\n"
        + FILE
        + b"\r\n--a--\r\n"
    )
    root = parse(raw)
    assert "application/pdf" in {part.media_type for part in root.walk()}
    assert "two-boundaries" in root.defects


DEFECTS = {
    "an ordinary message": (message(TEXT, FILE), set()),
    "no empty line": (b"Subject: x\r\n", {"no-separator"}),
    "a text where the head should be": (b"hello, you\r\n\r\nworld", {"no-separator"}),
    "a line from a mailbox file": (b"From a@b Mon\r\nSubject: x\r\n\r\n", {"mbox-line"}),
    "a line that is no field before one about the content": (
        b"A: b\r\nwhat\r\nContent-Type: text/html\r\n\r\n",
        {"junk-in-head"},
    ),
    "a NUL in the head": (b"Subject: a\0b\r\n\r\n", {"nul-in-head"}),
    "a carriage return in the head": (b"Subject: a\rBcc: b\r\n\r\n", {"bare-cr"}),
    "two types": (b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n", {"duplicate-content-type"}),
    "two encodings": (
        b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
        {"duplicate-content-transfer-encoding"},
    ),
    "two dispositions": (
        b"Content-Disposition: inline\r\nContent-Disposition: attachment\r\n\r\n",
        {"duplicate-content-disposition"},
    ),
    "a type that is none": (b"Content-Type: jpeg\r\n\r\n", {"bad-content-type"}),
    "a space before a colon": (b"Subject : x\r\n\r\n", {"space-before-colon"}),
    "two types in one field": (b"Content-Type: text/plain, text/html\r\n\r\n", {"ambiguous-content-type"}),
    "an encoding that not all can read": (
        b"Content-Transfer-Encoding: base64 (x)\r\n\r\n",
        {"ambiguous-content-transfer-encoding"},
    ),
    "base64 with a foreign character": (
        b"Content-Transfer-Encoding: base64\r\n\r\nAAA!A",
        {"broken-base64"},
    ),
    "base64 with more behind its padding": (
        b"Content-Transfer-Encoding: base64\r\n\r\nAA==AAAA",
        {"broken-base64"},
    ),
    "quoted-printable with an escape that is none": (
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\na=zz",
        {"broken-quoted-printable"},
    ),
    "a piece of a message": (b"Content-Type: message/partial\r\n\r\nx", {"partial-message"}),
    "a message whose content is elsewhere": (b"Content-Type: message/external-body\r\n\r\nx", {"external-body"}),
    "an unknown encoding": (b"Content-Transfer-Encoding: rot13\r\n\r\n", {"unknown-encoding"}),
    "no boundary": (message(TEXT, head=b"Content-Type: multipart/mixed\r\n\r\n"), {"no-boundary"}),
    "an empty boundary": (
        b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n' + TEXT + b"\r\n----\r\n",
        {"empty-boundary"},
    ),
    "a boundary that never comes": (MIXED + b"hello", {"boundary-absent"}),
    "a line that only begins with the boundary": (message(b"\r\nx\r\n--bc"), {"boundary-prefix"}),
    "no closing boundary": (MIXED + b"--b\r\n" + TEXT, {"no-end-boundary"}),
    "parts after the end": (message(TEXT) + b"--b\r\n" + TEXT, {"parts-after-end", "no-end-boundary"}),
    "text before the parts": (MIXED + b"hello\r\n" + message(TEXT, head=b""), {"preamble"}),
    "text after the parts": (message(TEXT) + b"bye", {"epilogue"}),
    "an encoded multipart": (
        message(TEXT, head=MIXED[:-2] + b"Content-Transfer-Encoding: base64\r\n\r\n"),
        {"encoded-multipart"},
    ),
    "an encoded message": (
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA",
        {"encoded-message"},
    ),
    "a file within a text": (b"\r\nhello\r\nbegin 644 a.exe\r\nM\r\nend\r\n", {"uuencoded-text"}),
    "a head beyond the limit": (b"A: b\r\n" * 60_000, {"limit-head", "limit-headers"}),
    "too many fields": (b"A: b\r\n" * 1_001 + b"\r\n", {"limit-headers"}),
    "one field too long": (b"A: " + b"b" * 70_000 + b"\r\n\r\n", {"limit-header"}),
    "too many parameters": (b"Content-Type: a/b" + b"; c=d" * 101 + b"\r\n\r\n", {"limit-parameters"}),
}


@pytest.mark.parametrize(("raw", "expected"), DEFECTS.values(), ids=DEFECTS)
def test_defects(raw: bytes, expected: set[str]) -> None:
    assert defects(parse(raw)) == expected


def test_depth_is_limited() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(MAX_DEPTH + 9)
    )
    root = parse(nested)
    assert len(root.walk()) == MAX_DEPTH + 1
    assert "limit-depth" in root.walk()[-1].defects


def test_parts_are_limited() -> None:
    root = parse(message(*[b"\r\nx"] * (MAX_PARTS + 50)))
    assert len(root.walk()) == MAX_PARTS
    assert "limit-parts" in root.defects


HEADERS = {
    "plain": (b"Subject: hello", "hello"),
    "folded": (b"Subject: hello\r\n  there", "hello  there"),
    "a space before the colon": (b"Subject : hello", "hello"),
    "empty": (b"Subject:", ""),
    "UTF-8 as it is": ("Subject: Báo cáo".encode(), "Báo cáo"),
    "8-bit that is not UTF-8": (b"Subject: caf\xe9", "café"),
    "a base64 word": (b"Subject: =?UTF-8?B?QsOhbyBjw6Fv?=", "Báo cáo"),
    "a Q word with text around it": (b"Subject: Re: =?utf-8?q?B=C3=A1o_c=C3=A1o?= (2)", "Re: Báo cáo (2)"),
    "a character cut in two between words": (b"Subject: =?utf-8?q?B=C3?=\r\n =?utf-8?q?=A1o?=", "Báo"),
    "words of two charsets": (b"Subject: =?utf-8?q?=C3=A1?= =?iso-8859-1?q?=E9?=", "áé"),
    "a language in the word": (b"Subject: =?utf-8*vi?q?=C3=A1?=", "á"),
    "a word without its end": (b"Subject: =?utf-8?q?B=C3=A1o", "Báo"),
    "a base64 word without its end": (b"Subject: =?UTF-8?B?QsOhbw", "Báo"),
    "a base64 word without its end, and more": (b"Subject: =?UTF-8?B?QsOhbw now", "=?UTF-8?B?QsOhbw now"),
    "a question mark in a word": (b"Subject: =?utf-8?q?what?now?=", "what?now"),
    "spaces in a word": (b"Subject: =?utf-8?q?a b?=", "a b"),
    "a word in the middle of another": (b"Subject: a=?utf-8?q?b?=c", "abc"),
    "words without a space between": (b"Subject: =?utf-8?q?a?==?utf-8?q?b?=", "ab"),
    "a word without a charset": (b"Subject: =??q?hello?=", "hello"),
    "padding behind padding": (b"Subject: =?utf-8?b?YQ==?= =?utf-8?b?Yg==?=", "ab"),
    "a word that is not valid in its charset": (b"Subject: =?utf-8?q?a=FFb?=", "a\ufffdb"),
    "an unknown charset": (b"Subject: =?x-none?q?hello?=", "hello"),
    "a codec that is no charset": (b"Subject: =?zlib?b?AAAA?=", "\0\0\0"),
    "not an encoded word": (b"Subject: =?utf-8?x?hello?=", "=?utf-8?x?hello?="),
}


@pytest.mark.parametrize(("field", "value"), HEADERS.values(), ids=HEADERS)
def test_header_values(field: bytes, value: str) -> None:
    [header] = parse(field + b"\r\n\r\nbody").headers
    assert header.value == value
    assert (header.span.start, header.span.stop) == (0, len(field) + 2)


def test_the_fields_of_a_part_are_a_sequence() -> None:
    raw = b"A: 1\r\nB: 2\r\nC: 3\r\n\r\n"
    headers = parse(raw).headers
    assert ([one.name for one in headers], len(headers), headers[1].value) == (["A", "B", "C"], 3, "2")
    assert [one.name for one in headers[1:]] == ["B", "C"]
    assert headers == parse(raw).headers
    assert headers != parse(raw[4:]).headers
    assert pickle.loads(pickle.dumps(headers)) == headers


def test_facts_of_a_part() -> None:
    raw = message(
        b'Content-Type: Application/PDF; name="a.pdf"; X=y\r\n'
        b"Content-Disposition: Attachment; filename=b.pdf\r\n"
        b"Content-Transfer-Encoding: BASE64\r\n\r\nJVBERi0="
    )
    [_, part] = parse(raw).walk()
    assert (part.media_type, part.disposition, part.encoding) == ("application/pdf", "attachment", "base64")
    assert part.parameters == {"name": "a.pdf", "x": "y"}
    assert part.names == ("b.pdf", "a.pdf")
    assert part.size == 5
    assert part.header("CONTENT-type") is not None
    assert raw[part.body.start : part.body.stop] == b"JVBERi0="
    assert raw[part.head.start : part.head.stop].startswith(b"Content-Type")


def test_a_mapped_file_is_read_like_bytes(tmp_path: Path) -> None:
    raw = message(TEXT, b"Content-Type: application/pdf\r\n\r\n" + b"--b?" * 200_000, TEXT)
    (tmp_path / "spool").write_bytes(raw)
    with (tmp_path / "spool").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert parse(mapped) == parse(raw)


PIECES = st.sampled_from(
    [
        *(b"--b", b"--b--", b"\r\n", b"\n", b"\r", b":", b" ", b'"', b"(", b";", b"=", b"\0", b"=?utf-8?q?", b"?="),
        *(b"Content-Type: ", b"multipart/mixed; boundary=b", b"message/rfc822", b"\xe2\x80\xae"),
        *(b"Content-Transfer-Encoding: ", b"base64", b"x-uuencode", b"quoted-printable", b"begin 644 a\r\n"),
        b"Content-Disposition: attachment; filename*0*=utf-8''a",
    ]
)
HOSTILE = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=40).map(b"".join))


@given(HOSTILE)
def test_any_bytes_give_a_tree_whose_spans_nest(raw: bytes) -> None:
    root = parse(raw)
    assert root.body.stop == len(raw)
    assert len({part.label for part in root.walk()}) == len(root.walk())
    for part in root.walk():
        assert 0 <= part.head.start <= part.head.stop <= part.body.start <= part.body.stop <= len(raw)
        end = part.body.start
        for child in part.children:
            assert part.body.start <= child.head.start
            assert end <= child.head.start
            assert child.body.stop <= part.body.stop
            end = child.body.stop
        at = part.head.start
        for header in part.headers:
            assert at <= header.span.start < header.span.stop <= part.head.stop
            at = header.span.stop


@given(st.lists(st.text(alphabet="abcđệ .-", min_size=1, max_size=20), min_size=1, max_size=4))
def test_what_the_standard_library_writes_is_read_back(names: list[str]) -> None:
    written = email.message.EmailMessage(policy=email.policy.SMTP)
    written.set_content("xin chào")
    for name in names:
        written.add_attachment(b"\x00\x01", maintype="application", subtype="octet-stream", filename=f"x{name}x.pdf")
    parts = parse(written.as_bytes()).children
    assert [part.names[0] for part in parts[1:]] == [f"x{name}x.pdf" for name in names]
    assert [part.size for part in parts[1:]] == [2] * len(names)
