"""A part's content as each program would have it, and what a program shows of a message that reads its form in
another way."""

from __future__ import annotations

import base64
import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mime.edit import edited, joined
from gateway.mime.enclosed import Enclosure, enclosures, readings
from gateway.mime.parse import parse
from gateway.reading import Reason

from .test_enclosed import everything
from .test_parse import HOSTILE
from .tricks import FILE, TEXT, TRICKS, mixed

CTE = b"Content-Transfer-Encoding: "

READINGS: dict[str, tuple[bytes, list[tuple[str, tuple[str, ...], bytes]]]] = {
    "an ordinary text": (b"Subject: x\r\n\r\nhello", [("7bit", ("text/plain",), b"hello")]),
    "an ordinary file": (
        b"Content-Type: a/b\r\n" + CTE + b"base64\r\n\r\naGVsbG8=\r\n",
        [("base64", ("a/b",), b"hello")],
    ),
    "an ordinary branch": (mixed(TEXT), []),
    "an ordinary enclosed message": (b"Content-Type: message/rfc822\r\n\r\n" + mixed(TEXT), []),
    "two types": (
        b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nhello",
        [("7bit", ("text/plain", "text/html"), b"hello")],
    ),
    "a type that is a multipart for some": (
        b"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b--",
        [("7bit", ("text/plain",), b"--b\r\n\r\nhi\r\n--b--")],
    ),
    "two encodings that come to the same": (
        CTE + b"7bit\r\n" + CTE + b"8bit\r\n\r\nhello",
        [("7bit", ("text/plain",), b"hello")],
    ),
    "two encodings": (
        CTE + b"7bit\r\n" + CTE + b"base64\r\n\r\naGVsbG8=",
        [("7bit", ("text/plain",), b"aGVsbG8="), ("base64", ("text/plain",), b"hello")],
    ),
    "an encoding with a space behind it": (
        CTE + b"base64 \r\n\r\naGVsbG8=",
        [("base64", ("text/plain",), b"hello"), ("8bit", ("text/plain",), b"aGVsbG8=")],
    ),
    "base64 with padding inside": (
        CTE + b"base64\r\n\r\nTVq=QAAA",
        [
            ("base64", ("text/plain",), b"MZ@\0\0"),
            ("base64/padding", ("text/plain",), b"MZ\x90\0\0"),
            ("8bit", ("text/plain",), b"TVq=QAAA"),
        ],
    ),
    "base64 in the alphabet for URLs": (
        CTE + b"base64\r\n\r\n--__",
        [
            ("base64", ("text/plain",), b""),
            ("base64/url", ("text/plain",), b"\xfb\xef\xff"),
            ("8bit", ("text/plain",), b"--__"),
        ],
    ),
    "base64 with a line that is none": (
        CTE + b"base64\r\n\r\naGVs\r\n-x-\r\nbG8=",
        [
            ("base64", ("text/plain",), b"hel\xc5\xb1\xbc"),
            ("base64/url", ("text/plain",), b"hel\xfb\x1f\x9b\x1b"),
            ("base64/lines", ("text/plain",), b"hello"),
            ("8bit", ("text/plain",), b"aGVs\r\n-x-\r\nbG8="),
        ],
    ),
    "quoted-printable with an equals sign too many": (
        CTE + b"quoted-printable\r\n\r\na==41",
        [
            ("quoted-printable", ("text/plain",), b"a=41"),
            ("quoted-printable/escape", ("text/plain",), b"a=A"),
            ("8bit", ("text/plain",), b"a==41"),
        ],
    ),
    "quoted-printable that is not declared": (
        b"\r\na=3Db=\r\nc",
        [("7bit", ("text/plain",), b"a=3Db=\r\nc"), ("quoted-printable", ("text/plain",), b"a=bc")],
    ),
    "uuencode with a text around it": (
        CTE + b"x-uuencode\r\n\r\nhi\r\nbegin 644 a\r\n#86)C\r\nend\r\n",
        [
            ("x-uuencode", ("text/plain",), b"abc"),
            ("8bit", ("text/plain",), b"hi\r\nbegin 644 a\r\n#86)C\r\nend\r\n"),
        ],
    ),
}


@pytest.mark.parametrize(("raw", "expected"), READINGS.values(), ids=READINGS)
def test_readings(raw: bytes, expected: list[tuple[str, tuple[str, ...], bytes]]) -> None:
    root = parse(raw)
    found = list(readings(raw, root))
    assert [(one.encoding, one.media_types, one.content) for one in found] == expected
    assert [one.first for one in found] == [number == 0 and not root.children for number in range(len(found))]


def test_every_charset_is_told() -> None:
    raw = b"Content-Type: text/plain; charset=utf-8; charset=windows-1258\r\n\r\nhello"
    [reading] = readings(raw, parse(raw))
    assert reading.charsets == ("utf-8", "windows-1258")


def test_a_limit_holds_for_each_reading() -> None:
    raw = CTE + b"7bit\r\n" + CTE + b"base64\r\n\r\n" + base64.b64encode(b"hello world")
    assert [one.content for one in readings(raw, parse(raw), 5)] == [b"aGVsb", b"hello"]


ENCLOSURES: dict[str, tuple[bytes, list[tuple[str, str, bytes]]]] = {
    "an ordinary message": (mixed(TEXT, FILE), []),
    "a preamble and an epilogue": (
        mixed(TEXT).replace(b"\r\n\r\n--b", b"\r\n\r\nbefore\r\n--b", 1) + b"after\r\n",
        [("preamble-1", "text/plain", b"before"), ("epilogue-2", "text/plain", b"after\r\n")],
    ),
    "a text between the end and one more part": (
        mixed(TEXT) + b"between\r\n--b\r\n\r\nhi\r\n--b--\r\n",
        [("epilogue-1", "text/plain", b"between")],
    ),
    "a boundary that goes on": (
        mixed(b"\r\nhi\r\n--b more\r\n\r\nhidden"),
        [("boundary-1", "message/rfc822", b"\r\nhidden")],
    ),
    "a boundary that goes on because it is another": (
        mixed(b"Content-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n" + TEXT + b"--bb--"),
        [],
    ),
    "a lone CR in the head": (b"A: b\rC: d\r\n\r\nhi", [("lines", "message/rfc822", b"A: b\nC: d\n\nhi")]),
    "a lone CR in the body": (b"A: b\r\n\r\nhi\rho", []),
    "a NUL": (b"A: b\r\n\r\nh\0i", [("nul", "message/rfc822", b"A: b\r\n\r\nhi")]),
    "a NUL where they are allowed": (CTE + b"binary\r\n\r\nh\0i", []),
    "a line in the head that is no field": (
        b"A: b\r\njunk\r\nContent-Type: text/html\r\n\r\nhi",
        [("head", "text/plain", b"junk\r\nContent-Type: text/html\r\n\r\nhi")],
    ),
    "a space before a colon": (b"A: b\r\nC : d\r\n\r\nhi", [("head", "text/plain", b"C : d\r\n\r\nhi")]),
    "a multipart in base64": (
        b"Content-Type: multipart/mixed; boundary=b\r\n" + CTE + b"base64\r\n\r\n" + base64.b64encode(b"--b\r\n\r\nhi"),
        [("decoded", "message/rfc822", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi")],
    ),
    "a multipart that only says so": (
        b"Content-Type: multipart/mixed; boundary=b\r\n" + CTE + b"base64\r\n\r\n--b\r\n\r\nhi\r\n--b--",
        [],
    ),
}


@pytest.mark.parametrize(("raw", "expected"), ENCLOSURES.values(), ids=ENCLOSURES)
def test_enclosures(raw: bytes, expected: list[tuple[str, str, bytes]]) -> None:
    found = [one for part in parse(raw).walk() for one in enclosures(raw, part)]
    assert [(one.suffix, one.media_type, one.content) for one in found] == expected


def test_a_piece_of_a_message_is_read_and_the_rest_is_missed() -> None:
    raw = b"Content-Type: message/partial; id=a; number=1; total=2\r\n\r\nSubject: x\r\n\r\nhi"
    root = parse(raw)
    [piece] = enclosures(raw, root)
    assert (piece.blind, piece.media_type, piece.content) == (
        Reason.FRAGMENT,
        "message/rfc822",
        b"Subject: x\r\n\r\nhi",
    )
    assert root.defects == ("partial-message",)


VALID = st.sampled_from(sorted(TRICKS.values()))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message of the table with a few bytes changed, taken out, put in or moved."""
    raw = bytearray(draw(VALID))
    for _ in range(draw(st.integers(1, 6))):
        at, length = draw(st.integers(0, len(raw))), draw(st.integers(0, 30))
        match draw(st.integers(0, 3)):
            case 0:
                raw[at : at + length] = draw(st.binary(max_size=20))
            case 1:
                raw[at:at] = raw[at : at + length]
            case 2:
                raw[at:at] = draw(
                    st.sampled_from([b"\r", b"\n", b"\0", b"--b", b"=", b'"', b"(", b"\r\n\r\n", b"\r\n "])
                )
            case _:
                del raw[at : at + length]
    return bytes(raw)


@given(st.one_of(mutated(), HOSTILE))
def test_any_bytes_are_read_in_every_way(raw: bytes) -> None:
    found = list(everything(raw))
    total = sum(len(one.content) for one in found)
    assert len(found) < 5_000
    assert total < 1_000 * (len(raw) + 1_000)
    for one in found:
        assert not isinstance(one, Enclosure) or "/" not in one.suffix


@given(mutated())
def test_no_byte_is_lost(raw: bytes) -> None:
    assert joined(raw, edited(raw, parse(raw), ())) == raw


@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=5),
    st.sampled_from(["base64", "quoted-printable"]),
)
def test_what_the_standard_library_attaches_is_read_back(contents: list[bytes], encoding: str) -> None:
    written = email.message.EmailMessage(policy=email.policy.SMTP)
    written.set_content("xin chào")
    for content in contents:
        written.add_attachment(content, maintype="application", subtype="octet-stream", cte=encoding, filename="x.bin")
    raw = written.as_bytes()
    found = [next(readings(raw, part)).content for part in parse(raw).children[1:]]
    assert found == [part.get_payload(decode=True) for part in email.message_from_bytes(raw).get_payload()[1:]]
