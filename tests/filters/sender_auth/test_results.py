"""Authentication-Results: what we write is read by us again, and others' fields say whose they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._sender_auth.results import MethodResult, author, read, written

RESULTS = [
    MethodResult("spf", "pass", (("smtp.mailfrom", "example.org"),), "ip4"),
    MethodResult("dkim", "fail", (("header.d", "example.org"), ("header.s", "s")), "the body was changed"),
    MethodResult("dmarc", "none"),
]


def test_written_and_read_again() -> None:
    text = written(RESULTS)
    assert text == (
        "spf=pass (ip4) smtp.mailfrom=example.org; dkim=fail (the body was changed) header.d=example.org header.s=s;"
        " dmarc=none"
    )
    assert [(each.method, each.result, each.properties) for each in read(text)] == [
        (each.method, each.result, each.properties) for each in RESULTS
    ]
    assert written([]) == "none"


def test_what_strangers_wrote_cannot_add_a_result() -> None:
    evil = MethodResult("spf", "fail", (("smtp.mailfrom", "a; dmarc=pass"),), "x) ; dmarc=pass\r\nX: y (")
    assert [each.method for each in read(str(evil))] == ["spf"]
    assert "\n" not in str(evil)


AUTHORS = {
    "plain": ("mx.example.org; spf=pass", "mx.example.org"),
    "capitals": ("MX.Example.ORG; none", "mx.example.org"),
    "with a version": ("mx.example.org 1; none", "mx.example.org"),
    "with a comment in front": ("(a (b) c) mx.example.org; none", "mx.example.org"),
    "in quotes": ('"mx.example.org"; none', "mx.example.org"),
    "alone": ("mx.example.org", "mx.example.org"),
    "a result and no name": ("spf=pass smtp.mailfrom=a", ""),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "name"), AUTHORS.values(), ids=AUTHORS)
def test_authors(text: str, name: str) -> None:
    assert author(text) == name


@given(st.text(alphabet='a=;( )"./x-1\r\n', max_size=200))
def test_any_text_is_read(text: str) -> None:
    author(text)
    list(read(text))
