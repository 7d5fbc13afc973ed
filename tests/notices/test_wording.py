from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.notices.wording import VIETNAM, Language, harmless

CASES = {
    "plain text is left alone": ("Báo cáo quý III", "Báo cáo quý III"),
    "one line": ("a\r\nBcc: b\u2028c\x85d", "a Bcc: b c d"),
    "no direction marks": ("\u202egpj.exe", "gpj.exe"),
    "no zero-width characters": ("ma\u200bt", "mat"),
    "no quotation mark ends ours": ("a” and “b", 'a" and "b'),
    "no link of a stranger works": ("https://evil.example", "https[:]//evil.example"),
    "no link without a scheme works": ("WWW.evil.example", "www[.]evil.example"),
    "a word with www in it is a word": ("awww.b", "awww.b"),
    "decomposed letters are composed": ("ê\u0301", "ế"),
}


@pytest.mark.parametrize(("text", "shown"), CASES.values(), ids=CASES)
def test_foreign_text(text: str, shown: str) -> None:
    assert harmless(text) == shown.replace("\u2028", " ")


@given(st.text(), st.integers(70, 500))
def test_foreign_text_is_one_short_line(text: str, limit: int) -> None:
    shown = harmless(text * 20, limit)
    assert len(shown.splitlines()) <= 1
    assert len(shown.replace("[:]", ":").replace("[.]", ".")) <= limit


WRITTEN: dict[str, tuple[Literal["vi", "en"], str, str, str, str]] = {
    "Vietnamese": ("vi", "06:05 ngày 01/01/2027 (GMT+07)", "1,2 MB", "12,3 kB", "12.345"),
    "English": ("en", "1 January 2027, 06:05 (GMT+07)", "1.2 MB", "12.3 kB", "12,345"),
}


@pytest.mark.parametrize(("code", "date", "megabytes", "kilobytes", "number"), WRITTEN.values(), ids=WRITTEN)
def test_dates_sizes_and_numbers(
    code: Literal["vi", "en"], date: str, megabytes: str, kilobytes: str, number: str
) -> None:
    say = Language(code, VIETNAM)
    assert say.date(datetime(2026, 12, 31, 23, 5, tzinfo=UTC)) == date  # another day, another year
    assert say.size(1_234_567) == megabytes
    assert say.size(12_345) == kilobytes
    assert say.number(12_345) == number
    assert say.size(1).startswith("1 byte")
