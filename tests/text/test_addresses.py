"""Addresses: those that mail programs make links of, and those made absolute."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text.addresses import MailAddress, absolute, mail_addresses, written_links

WRITTEN = {
    "http": ("xem http://a.vn/b?c=d#e nhé", ["http://a.vn/b?c=d#e"]),
    "in capitals": ("HTTPS://A.VN", ["HTTPS://A.VN"]),
    "www": ("www.a.vn WwW.b.vn", ["www.a.vn", "WwW.b.vn"]),
    "a bare domain with a path": ("bit.ly/abc và a.b.com.vn:8080/", ["bit.ly/abc", "a.b.com.vn:8080/"]),
    "a domain in Vietnamese": ("cờbạc.com/đăng-ký", ["cờbạc.com/đăng-ký"]),
    "a bare domain without one": ("gialai.gov.vn", []),
    "punctuation behind": (
        "(http://a.vn/b). http://c.vn, <http://d.vn>;",
        ["http://a.vn/b", "http://c.vn", "http://d.vn"],
    ),
    "brackets within": ("http://a.vn/b_(c)", ["http://a.vn/b_(c)"]),
    "an e-mail address": ("x@a.vn/b www@a.vn", []),
    "numbers, dates, documents": ("12/5/2025 và/hoặc 341/QĐ-UBND 1.5/2", []),
    "two in one word": ("http://a.vn<http://b.vn>", ["http://a.vn", "http://b.vn"]),
    "nothing": ("", []),
}
ABSOLUTE = {
    "as it is": (" http://a.vn/ ", "", "http://a.vn/"),
    "white space within": ("ht\ntp://a\t.vn", "", "http://a.vn"),
    "by a base": ("../c", "http://a.vn/b/d", "http://a.vn/c"),
    "another protocol than the base": ("mailto:x@y.vn", "http://a.vn/", "mailto:x@y.vn"),
    "a place in the page": ("#top", "http://a.vn/", "#top"),
    "a base that is none": ("//[x", "http://[y", "//[x"),
}


@pytest.mark.parametrize(("text", "shown"), WRITTEN.values(), ids=WRITTEN)
def test_written(text: str, shown: list[str]) -> None:
    assert [each.text for each in written_links(text)] == shown


def test_targets_have_a_scheme() -> None:
    assert [each.target for each in written_links("www.a.vn bit.ly/x http://b.vn")] == [
        *("http://www.a.vn", "http://bit.ly/x", "http://b.vn")
    ]


@pytest.mark.parametrize(("target", "base", "whole"), ABSOLUTE.values(), ids=ABSOLUTE)
def test_absolute(target: str, base: str, whole: str) -> None:
    assert absolute(target, base) == whole


@given(st.text(max_size=30), st.text(max_size=30))
def test_anything(target: str, base: str) -> None:
    absolute(target, base)
    written_links(target + "/" + base)


MAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w-])")
PIECES = st.sampled_from(["a", "b1", "@", ".", ".vn", "-", "+", " ", "_", "ê", "a" * 70, "x.y@z.com"])


@given(st.lists(PIECES, max_size=12).map("".join))
def test_mail_addresses(text: str) -> None:
    expected = [MailAddress(found.start(), found.start(1), found.end()) for found in MAIL.finditer(text)]
    assert list(mail_addresses(text)) == expected
