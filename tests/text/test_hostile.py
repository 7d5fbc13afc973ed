"""Hostile texts: what takes a time that grows faster than the text would not end here; and no memory to speak of."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from gateway.text.addresses import mail_addresses, written_links
from gateway.text.folding import Folded, plain, toned
from gateway.text.hypertext import read_html
from gateway.text.phrases import Phrases
from gateway.text.quoting import passages, unflowed
from gateway.text.readings import read_text
from gateway.text.squeezing import squeezed

SIZE = 100_000
UNITS = {
    "spaces": " ",
    "line breaks": "\r\n",
    "one letter": "a",
    "letters apart": "a ",
    "letters apart with signs": "a.*",
    "marks": "\u0301",
    "letters with marks": "e\u0302\u0323",
    "zero-width": "\u200b",
    "inner letters of Korean": "\u1161",
    "other scripts and ours": "сa",
    "ligatures that unfold": "\ufdfa",
    "tags open": "<a",
    "elements open": "<div>",
    "formatting opened anew in each paragraph": "<p><b id=x>x",
    "formatting and blocks crossed": "<a href=x><div></a>",
    "end tags for nothing": "</p></x>",
    "tables in tables": "<table><b>",
    "cells": "<td><i>",
    "quotation marks": "<a b=\"'",
    "attributes": "<a b='c' ",
    "comments open": "<!--",
    "conditional comments": "<!--[if a]><!--",
    "conditions closed": "<!--[if a]>x<![endif]-->",
    "titles open": "<title>",
    "references": "&#",
    "digits of a reference": "&#9",
    "a style": "<p style='color:red;'>",
    "a sheet": "<style>a{b:c}",
    "braces": "<style>{}@media{",
    "frames in frames": "<iframe srcdoc='",
    "slashes": "/",
    "domains": "a.",
    "schemes": "http://",
    "brackets behind addresses": "http://a)",
    "quotations": "> ",
    "lines of quotation": ">\n",
    "introductions": "On a <b>\n",
    "fields": "From: x\n",
    "dashes": "-",
    "UTF-7": "+AGE-",
    "escapes": "\x1b$B",
    "VIQR": "a^",
    "garbled words": "hßa ",
    "garbled twice": "Ã¡",
    "NUL": "\0",
    "signs for letters": "a4",
    "leading zeros": "0",
    "signs that hold words together": "a.b-",
    "a rare character in each word": "a€b ",
    "at signs": "a@",
    "mail addresses": "a@b.co ",
}
READERS: dict[str, Callable[[str], object]] = {
    "plain": lambda text: (plain(text).text, len(plain(text).origin)),
    "toned": lambda text: len(toned(text).origin),
    "squeezed": lambda text: len(squeezed(text).origin),
    "phrases": lambda text: sum(1 for _ in PHRASES.search(squeezed(text))),
    "undone": lambda text: _undone_places(squeezed(text)),
    "mail addresses": lambda text: sum(1 for _ in mail_addresses(text)),
    "html": lambda text: read_html(text),
    "links": lambda text: written_links(text),
    "passages": lambda text: (passages(text), unflowed(text)),
    "readings": lambda text: (read_text(text.encode()), read_text(text.encode("latin-1", "replace"), "latin-1")),
}
def _undone_places(folded: Folded) -> list[tuple[int, int]]:
    return [folded.original(hit.start, hit.stop) for hit in PHRASES.undone(folded)]


PHRASES = Phrases([("a", 1), ("aa", 2), ("a a a", 3), ("cờ bạc", 4), ("e", 5)], squeezed)


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_repeated_without_end(unit: str, reader: Callable[[str], object]) -> None:
    reader(unit * (SIZE // len(unit)))


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_html_needs_memory_in_proportion(unit: str) -> None:
    source = unit * (SIZE // 4 // len(unit))
    tracemalloc.start()
    read_html(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200 * len(source) + 2_000_000
