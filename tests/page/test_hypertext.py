"""HTML as text: what it says, nothing left out that a mail program might show, in linear time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.page.hypertext import text_of_html

CASES = {
    "paragraphs are lines": ("<p>one</p><p>two</p>", "one\ntwo"),
    "spaces are one": ("a \r\n\t b", "a b"),
    "entities are characters": ("a &lt;b&gt; &#x202e;", "a <b> \u202e"),
    "a link tells where it goes": ('<a class=x HREF="http://a.example/?x=1&amp;y">here</a>', "<http://a.example/?x=1&y> here"),
    "a data attribute is no link": ('<a data-href="https://a.example/">here</a>', "here"),
    "of a script its length is told": ("a<script>alert(1)</SCRIPT >b", "a [script: 8] b"),
    "what hides is shown": ('<p style="display:none">hidden</p>', "hidden"),
    "what stands for an image is shown": ('<img src=x alt="a &gt; b">', "a > b"),
    "a comment is left out": ("a<!-- <b>x</b> -->b", "ab"),
    "an empty comment ends at once, as in browsers": ("<!-->shown<!--->too", "showntoo"),
    "a comment may end with an exclamation mark": ("<!-- x --!>shown", "shown"),
    "a comment without an end is shown": ("a<!-- rest", "a\n<!-- rest"),
    "a script without an end is shown": ("a<script>rest", "a\n<script>rest"),
    "a tag without an end is shown": ('a<b x="rest', 'a\n<b x="rest'),
    "a sign of its own is one": ("1 < 2 <3", "1 < 2 <3"),
    "a quoted bracket ends no tag": ('<b title="a>b">c', "c"),
    "a document type is left out": ("<!DOCTYPE html><?xml version='1'?>a", "a"),
}


@pytest.mark.parametrize(("source", "text"), CASES.values(), ids=CASES)
def test_text(source: str, text: str) -> None:
    assert text_of_html(source) == text


PIECES = ("<", ">", "</", "</a '>", "<!--", "-->", "<script>", "</script", '"', "'", "<a ", "<a '", '<a b="', "href=", "&")


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_any_source_has_a_text(source: str) -> None:
    text_of_html(source)


@given(st.text(alphabet="abc 12\n", max_size=50), st.text(alphabet="abc", min_size=1, max_size=20))
def test_words_are_never_lost(before: str, word: str) -> None:
    assert word in text_of_html(f"<div>{before}<b>{word}</b>")


@pytest.mark.parametrize("piece", PIECES)
def test_a_long_repetition_is_read_to_its_end(piece: str) -> None:
    text_of_html(piece * 20_000)
    text_of_html("<script>" + piece * 20_000)
