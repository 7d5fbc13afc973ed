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
    "a link tells where it goes": ('<a class=x HREF = "//a.example/?x&amp;y">here</a>', "<//a.example/?x&y> here"),
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
    "a stray quotation mark hides nothing": ("<b '>shown<i '>too", "showntoo"),
    "nor does one behind a stray equals sign": ('<b =">shown<i =">too', "showntoo"),
    "a name that begins like that of a script is another": ("<style-x>shown</style>", "shown"),
    "a comment in a title is none": ("<title><!--</title>shown<!-- -->", "<!--\nshown"),
    "a condition for some programs is shown": ("<![if !mso]>a<![endif]>", "<![if !mso]>a<![endif]>"),
    "a sign of its own is one": ("1 < 2 <3", "1 < 2 <3"),
    "a quoted bracket ends no tag": ('<b title="a>b">c', "c"),
    "a document type is left out": ("<!DOCTYPE html><!doctype x>a", "a"),
}


@pytest.mark.parametrize(("source", "text"), CASES.values(), ids=CASES)
def test_text(source: str, text: str) -> None:
    assert text_of_html(source) == text


PIECES = ("<", ">", "</", "</a '>", "<!--", "-->", "<script>", "</script", '"', "'", "<a ", "<a '", '<a b="', "<a b='")
PIECES += ("href=", "=", " ", "/", "&", "<title>", "<!", "x")


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
