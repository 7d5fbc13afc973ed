"""Texts and files of a message, and strangers' characters made visible."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.page.preview import MOST_FILES, MOST_TEXTS, SHOWN_LIMIT, preview
from gateway.page.visible import visible, visible_line


def mixed(*parts: bytes) -> bytes:
    """A message of these parts."""
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    return b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + body + b"--b--\r\n"


VISIBLE = {
    "lines and tabs stay": ("a\r\nb\rc\n\td", "a\nb\nc\n\td"),
    "bidi": ("a\u202eb\u2066c", "a[U+202E]b[U+2066]c"),
    "controls": ("\0\x1b[31m\x7f\x85", "[U+0000][U+001B][31m[U+007F][U+0085]"),
    "zero width and blank letters": ("a\u200bb\u3164", "a[U+200B]b[U+3164]"),
    "tags": ("a\U000e0041", "a[U+E0041]"),
    "Vietnamese, composed or not": ("Tiếng Việt Việt", "Tiếng Việt Việt"),
}


@pytest.mark.parametrize(("text", "seen"), VISIBLE.values(), ids=VISIBLE)
def test_what_cannot_be_seen_is_shown(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_a_line_is_one_and_keeps_its_end() -> None:
    assert visible_line("a\r\nb\tc", 100) == "a[U+000D][U+000A]b[U+0009]c"
    long = visible_line("a" * 1000 + ".exe", 100)
    assert (len(long), long[-4:]) == (103, ".exe")


def test_texts_and_files() -> None:
    content = b"MZ\x90\0"
    shown = preview(
        mixed(
            b"Content-Type: text/plain; charset=utf-8\r\n\r\nXin ch\xc3\xa0o",
            b"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>a=26lt;b</p>",
            b"Content-Type: text/plain; name=n.txt\r\n\r\nfile",
            b'Content-Disposition: attachment; filename="\xe2\x80\xaea.exe"\r\nContent-Type: application/x\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(content),
        )
    )
    assert [(text.media_type, text.text, text.cut) for text in shown.texts] == [
        ("text/plain", "Xin chào", False),
        ("text/html", "a<b", False),
    ]
    assert [(file.names, file.size) for file in shown.files] == [(("n.txt",), 4), (("[U+202E]a.exe",), 4)]
    assert shown.files[1].sha256 == hashlib.sha256(content).hexdigest()


def test_what_is_too_much_is_counted() -> None:
    texts = preview(mixed(*[b"\r\nx"] * (MOST_TEXTS + 3)))
    assert (len(texts.texts), texts.more_texts) == (MOST_TEXTS, 3)
    files = preview(mixed(*[b"Content-Type: a/b\r\n\r\nx"] * (MOST_FILES + 2)))
    assert (len(files.files), files.more_files) == (MOST_FILES, 2)
    long = preview(b"\r\n" + b"x" * (SHOWN_LIMIT + 1)).texts[0]
    assert (len(long.text), long.cut) == (SHOWN_LIMIT, True)


@given(st.binary(max_size=400))
def test_any_bytes_have_a_preview(data: bytes) -> None:
    preview(data)
    preview(b"Content-Type: text/html; charset=utf-16\r\n\r\n" + data)
