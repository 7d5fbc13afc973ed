"""File names: every one that a mail program may show, and every extension that counts for some system."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mime.names import SHOWN_LIMIT, extensions, last_extensions, shown, tricks
from gateway.mime.parse import parse

REPORT = "Báo cáo quý.pdf"

NAMES = {
    "plain": (b'attachment; filename="a.pdf"', ("a.pdf",)),
    "without quotes": (b"attachment; filename=a.pdf", ("a.pdf",)),
    "without quotes, with spaces": (b"attachment; filename=my file.exe", ("my file.exe", "my")),
    "quoted signs": (rb'attachment; filename="a\"b.pdf"', ('a"b.pdf',)),
    "quotes that do not close": (b'attachment; filename="a.exe; size=1', ("a.exe; size=1", "a.exe")),
    "text behind the quotes": (b'attachment; filename="a.txt".exe', ("a.txt", "a.txt.exe")),
    "raw UTF-8": (f'attachment; filename="{REPORT}"'.encode(), (REPORT,)),
    "RFC 2231 in UTF-8": (b"attachment; filename*=UTF-8'vi'B%C3%A1o%20c%C3%A1o%20qu%C3%BD.pdf", (REPORT,)),
    "RFC 2231 in windows-1258": (
        b"attachment; filename*=windows-1258''B%E1o%20c%E1o%20quy%EC.pdf",
        (REPORT,),
    ),
    "RFC 2231 in pieces, out of order": (
        b"attachment; filename*1*=%C3%A1o.pdf; filename*0*=utf-8''B",
        ("Báo.pdf",),
    ),
    "RFC 2231 pieces, some as they are": (
        b"attachment; filename*0*=utf-8''B%C3%A1o; filename*1=.p; filename*2=df",
        ("Báo.pdf",),
    ),
    "RFC 2231 with a gap": (b"attachment; filename*0=a; filename*2=.exe", ("a.exe", "a")),
    "RFC 2231 before the plain form": (
        b"attachment; filename=a.txt; filename*=utf-8''b.exe",
        ("b.exe", "a.txt"),
    ),
    "RFC 2231 without a charset": (b"attachment; filename*=a.exe", ("a.exe",)),
    "RFC 2231 in an unknown charset": (b"attachment; filename*=x-none''a%2Eexe", ("a.exe",)),
    "an encoded word": (b'attachment; filename="=?utf-8?B?QsOhby5wZGY=?="', ("Báo.pdf",)),
    "an encoded word in cp1258": (b'attachment; filename="=?windows-1258?Q?B=E1o.pdf?="', ("Báo.pdf",)),
    "encoded words with a character cut in two": (
        b'attachment; filename="=?utf-8?Q?B=C3?= =?utf-8?Q?=A1o.pdf?="',
        ("Báo.pdf",),
    ),
    "percent signs": (b"attachment; filename=a%2Eexe", ("a%2Eexe", "a.exe")),
    "twice": (b"attachment; filename=a.txt; filename=b.exe", ("a.txt", "b.exe")),
    "no type in front": (b"filename=a.exe", ("a.exe",)),
    "a forgotten semicolon": (b"attachment filename=a.exe", ("a.exe",)),
    "none": (b"attachment", ()),
}


@pytest.mark.parametrize(("disposition", "expected"), NAMES.values(), ids=NAMES)
def test_names(disposition: bytes, expected: tuple[str, ...]) -> None:
    names = parse(b"Content-Disposition: " + disposition + b"\r\n\r\n").names
    assert tuple(unicodedata.normalize("NFC", name) for name in names) == expected


def test_names_of_every_field_count() -> None:
    raw = (
        b"Content-Type: a/b; name=c.exe\r\n"
        b"Content-Disposition: inline; filename=a.txt\r\n"
        b"Content-Disposition: inline; filename=b.js\r\n\r\n"
    )
    assert parse(raw).names == ("a.txt", "b.js", "c.exe")


EXTENSIONS = {
    "none": ("readme", (), ()),
    "one": ("a.PDF", ("pdf",), ("pdf",)),
    "two": ("a.pdf.exe", ("pdf", "exe"), ("exe",)),
    "trailing dots and spaces": ("a.exe . .", ("exe",), ("exe",)),
    "spaces in front of the last": ("a.exe          .txt", ("exe", "txt"), ("txt",)),
    "right-to-left override": ("a\u202efdp.exe", ("exe",), ("exe",)),
    "zero-width characters": ("a.e\u200bx\u2060e", ("exe",), ("exe",)),
    "a soft hyphen": ("a.e\u00adxe", ("exe",), ("exe",)),
    "fullwidth letters and dot": ("a．ｅｘｅ", ("exe",), ("exe",)),
    "an ideographic full stop": ("a。exe", ("exe",), ("exe",)),
    "an NTFS stream": ("a.exe:b.txt", ("exe:b", "txt", "exe"), ("txt", "exe")),
    "a default stream": ("a.exe::$DATA", ("exe::$data", "exe"), ("exe::$data", "exe")),
    "a NUL": ("a.exe\0.txt", ("exe", "txt"), ("txt", "exe")),
    "a path": ("..\\..\\x.d/a.exe", ("exe",), ("exe",)),
    "quotes": ("'a.exe'", ("exe",), ("exe",)),
    "a hidden file of Unix": (".bashrc", ("bashrc",), ()),
    "a sentence": ("Kính gửi. Xin xem.docx", ("docx",), ("docx",)),
    "composed Vietnamese": (unicodedata.normalize("NFC", "Kế hoạch.xlsx"), ("xlsx",), ("xlsx",)),
    "decomposed Vietnamese": (unicodedata.normalize("NFD", "Kế hoạch.xlsx"), ("xlsx",), ("xlsx",)),
}


@pytest.mark.parametrize(("name", "every", "last"), EXTENSIONS.values(), ids=EXTENSIONS)
def test_extensions(name: str, every: tuple[str, ...], last: tuple[str, ...]) -> None:
    assert extensions(name) == every
    assert last_extensions([name]) == last


TRICKS = {
    "an ordinary name": ("Báo cáo (2).pdf", ()),
    "decomposed letters hide nothing": (unicodedata.normalize("NFD", "Kế hoạch.xlsx"), ()),
    "an emoji hides nothing": ("ok ✔\ufe0f.pdf", ()),
    "a drive letter is no stream": ("C:\\a.pdf", ()),
    "right-to-left override": ("a\u202efdp.exe", ("bidi",)),
    "a control character": ("a\x07.pdf", ("control",)),
    "zero-width": ("a.e\u200bxe", ("zero-width",)),
    "many spaces": ("a.pdf        .exe", ("spaces",)),
    "a dot that looks like one": ("a．exe", ("dots",)),
    "a stream": ("a.txt:b.exe", ("stream",)),
}


@pytest.mark.parametrize(("name", "expected"), TRICKS.values(), ids=TRICKS)
def test_tricks(name: str, expected: tuple[str, ...]) -> None:
    assert tricks(name) == expected


@given(st.text(max_size=600))
def test_any_name_can_be_judged_and_shown(name: str) -> None:
    clean = shown(name)
    assert len(clean) <= SHOWN_LIMIT
    assert "\u202e" not in clean
    assert "\n" not in clean
    assert all(extension for extension in (*extensions(name), *last_extensions([name])))
    assert tricks(name) == tricks(name)


def test_a_long_name_is_shown_with_its_end() -> None:
    assert shown("a" * 5_000 + ".exe").endswith(".exe")
