"""Transfer encodings, decoded as leniently as any mail program does."""

from __future__ import annotations

import base64
import binascii
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mime.decode import decoded, lenient_base64, measured
from gateway.mime.parse import parse
from gateway.mime.scan import WINDOW

ENCODINGS = ["7bit", "base64", "quoted-printable", "x-uuencode", "unknown"]


def content(encoding: str, body: bytes, limit: int | None = None) -> bytes:
    raw = b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" + body
    return decoded(raw, parse(raw), limit)


BODIES = {
    "as it is": ("7bit", b"a=3D\r\n", b"a=3D\r\n"),
    "an encoding nobody knows": ("rot13", b"abc", b"abc"),
    "base64 in lines": ("base64", b"aGVs\r\nbG8=\r\n", b"hello"),
    "base64 without its padding": ("base64", b"aGVsbG8", b"hello"),
    "base64 with foreign characters": ("base64", b"aG!V*s b-G_8=", b"hello"),
    "base64 that goes on after padding": ("base64", b"aGVsbG8=IHlvdQ==", b"hello you"),
    "base64 with one character left over": ("base64", b"aGVsbG8hA", b"hello!"),
    "base64 of nothing": ("base64", b"====", b""),
    "quoted-printable": ("quoted-printable", b"B=C3=A1o", "Báo".encode()),
    "quoted-printable in small letters": ("quoted-printable", b"B=c3=a1o", "Báo".encode()),
    "a soft break": ("quoted-printable", b"a=\r\nb", b"ab"),
    "a soft break with spaces": ("quoted-printable", b"a= \t\r\nb", b"ab"),
    "an escape that is none": ("quoted-printable", b"a=zz", b"a=zz"),
    "an escape cut off": ("quoted-printable", b"a=", b"a"),
    "uuencode": ("x-uuencode", b"text\r\nbegin 644 a\r\n#86)C\r\n \r\nend\r\nmore", b"abc"),
    "uuencode without an end": ("x-uuencode", b"begin 644 a\r\n#86)C", b"abc"),
    "uuencode with a broken line": ("x-uuencode", b"begin 644 a\r\n#86\x80C\r\n#86)C\r\nend", b"abc"),
}


@pytest.mark.parametrize(("encoding", "body", "expected"), BODIES.values(), ids=BODIES)
def test_decoded(encoding: str, body: bytes, expected: bytes) -> None:
    assert content(encoding, body) == expected


@given(
    st.sampled_from(ENCODINGS), st.one_of(st.binary(max_size=200), st.text("aA=+/\r\n z", max_size=80).map(str.encode))
)
def test_the_size_is_that_of_the_content(encoding: str, body: bytes) -> None:
    raw = b"Content-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" + body
    root = parse(raw)
    assert root.size == len(decoded(raw, root)) == measured(raw, root.body, encoding)[0]


@given(st.sampled_from(ENCODINGS), st.binary(max_size=200), st.integers(0, 100))
def test_a_limit_gives_the_first_bytes(encoding: str, body: bytes, limit: int) -> None:
    assert content(encoding, body, limit) == content(encoding, body)[:limit]


@given(st.binary(max_size=300))
def test_base64_of_others_is_decoded(data: bytes) -> None:
    assert lenient_base64(base64.encodebytes(data)) == data


@pytest.mark.parametrize("extra", [-2, -1, 0, 1, 2, 3])
def test_windows_do_not_show(extra: int) -> None:
    data = os.urandom(WINDOW + extra)
    assert content("base64", base64.encodebytes(data)) == data
    assert content("quoted-printable", binascii.b2a_qp(data, istext=False)) == data
    one_line = b"x" * (WINDOW + extra) + b"=41=\r\n=42"
    assert content("quoted-printable", one_line) == b"x" * (WINDOW + extra) + b"AB"


def test_a_line_that_promises_more_than_it_has_gives_little_more() -> None:
    assert content("uuencode", b"begin 644 a\r\n" + b"M\r\n" * 1_000 + b"end\r\n") == bytes(2) * 1_000
