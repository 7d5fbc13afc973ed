"""Codes in subjects are not remembered; other numbers are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text.concealing import without_codes

SUBJECTS = {
    "a code in front": ("482913 là mã xác minh của bạn", "•••• là mã xác minh của bạn"),
    "a code behind": ("Your verification code is 482913", "Your verification code is ••••"),
    "with a letter": ("G-482913 is your code", "•••• is your code"),
    "in two groups": ("Your code: 482-913", "Your code: ••••"),
    "letters and digits": ("Confirmation code: ABX-9K2", "Confirmation code: ••••"),
    "without tones": ("Ma xac nhan 9912", "Ma xac nhan ••••"),
    "another script": ("验证码 482913", "验证码 ••••"),
    "the number of a document": ("Công văn 1234/UBND", "Công văn 1234/UBND"),
    "the number of a file": ("Mã hồ sơ 482913", "Mã hồ sơ 482913"),
    "a year": ("Kế hoạch 2026", "Kế hoạch 2026"),
}


@pytest.mark.parametrize(("subject", "kept"), SUBJECTS.values(), ids=SUBJECTS)
def test_without_codes(subject: str, kept: str) -> None:
    assert without_codes(subject) == kept


@given(st.text(max_size=300))
def test_any_subject_has_a_form_to_keep(subject: str) -> None:
    assert without_codes(without_codes(subject)) == without_codes(subject)
