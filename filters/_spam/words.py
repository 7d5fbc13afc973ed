"""The words of a mail: single ones and pairs of neighbours, folded, by where they stand. Vietnamese is written in
syllables, so a pair is what a word is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from gateway.reading import Reading, Zone

TEXT_LIMIT = 12_000
"""Characters of all texts of a mail that are read: an offer is on the first pages, and 2 ms are all there is."""

HIDDEN_LIMIT = 1_000
"""Characters of hidden text: enough to know what it is; more of it is padding that is meant to be counted."""

LONGEST = 15
"""Letters of a word: what is longer is an address, a code or several words glued together."""

MOST = 2_500
"""Words and pairs of one mail that are weighed."""

_ZONES = {Zone.SUBJECT: "s:", Zone.SENDER_NAME: "f:", Zone.BODY: "", Zone.HIDDEN: "h:"}
_ADDRESS = re.compile(r"(?<!\S)(?:\S*[@/\\_=]\S*|\S*\w\.\w{2,}\S*)")
_LIST_TAG = re.compile(r"\[[^\[\]]{1,40}\]")
_WORD = re.compile(rf"\b[^\W\d_]{{2,{LONGEST}}}\b|\d{{1,3}}%|[$£€]{{1,3}}|[!?]{{2,3}}")


def words_of(reading: Reading) -> set[str]:
    """The words of the mail: `free`, `click_here`; `s:` before those of the subject, `f:` of the sender's name, `h:`
    of hidden text. Addresses, numbers and a list's tag in the subject are none."""
    found: set[str] = set()
    left = {Zone.HIDDEN: HIDDEN_LIMIT}
    rest = TEXT_LIMIT
    for text in reading.texts:
        prefix = _ZONES.get(text.zone)
        if prefix is None or len(found) >= MOST:
            continue
        allowed = left.get(text.zone, rest)
        content = text.plain.text[:allowed]
        if text.zone is Zone.HIDDEN:
            left[Zone.HIDDEN] -= len(content)
        else:
            rest -= len(content)
        if text.zone is Zone.SUBJECT:
            content = _LIST_TAG.sub(" ", content)
        found.update(_tokens(content, prefix))
    return found


def _tokens(content: str, prefix: str) -> Iterator[str]:
    words = _WORD.findall(_ADDRESS.sub(" ", content))
    if prefix:
        yield from map(prefix.__add__, words)
        yield from (f"{prefix}{first}_{second}" for first, second in pairwise(words))
    else:
        yield from words
        yield from map("_".join, pairwise(words))
