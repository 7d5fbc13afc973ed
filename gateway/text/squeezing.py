"""A third folded form, which undoes what is done to words so that a filter should not find them.

Spaced-out writing ("c ờ b ạ c", "c.ờ-b*ạ c"), digits and signs for letters ("c0 b4c", "c@sin0"), letters repeated
("cờờờ bạạạc"). It is `plain` otherwise, and meant to be searched beside it: what is undone here may have been honest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.text.folding import Folded, Origin, plain

LONGEST_BESIDE = 9
"""Characters of a word beside single letters that is looked at, with what parts them: no syllable is longer than 7."""

# Three or more single characters, each up to three separators apart.
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_](?![^\W_])){2,}")
# A word beside them: "co b a c".
_BEFORE = re.compile(r"(?<![^\W_])[^\W_]{2,7}[\W_]\Z")
_AFTER = re.compile(r"[\W_][^\W_]{2,7}(?![^\W_])")
# Words held together by signs: "ma*tuy", "co.bac".
_HELD = re.compile(r"(?<![^\W_])[^\W_]++(?:[*._~|^+-]{1,3}[^\W_]++)+")
_SEPARATORS = re.compile(r"[\W_]+")
_REPEATED = re.compile(r"([^\W\d_])\1+")
_DISGUISE = re.compile(r"[0134578@$!|]+")
_STANDS_FOR = str.maketrans("0134578@$!|", "oieastbasil")


def squeezed(text: str) -> Folded:
    """`plain` with spaced-out writing, digits and signs for letters, and repeated letters undone.

    Letters put together bear a seam where they stood apart, since where one word ended and the next began is not known.
    """
    base = plain(text)
    letters = _DISGUISE.sub(_undisguised, base.text)
    kept, seams, at, length = [], [], 0, 0
    for start, stop, seam in _cuts(letters):
        kept.append((at, start))
        length += start - at
        if seam:
            seams.append(length)
        at = stop
    kept.append((at, len(letters)))

    def origin() -> list[int]:
        places = base.origin[:]
        return [place for start, stop in kept for place in places[start:stop]] + [len(text)]

    return Folded("".join(letters[start:stop] for start, stop in kept), Origin(origin), frozenset(seams))


def _undisguised(found: re.Match[str]) -> str:
    """Digits in or at a word, and signs within one, as the letters they stand for."""
    signs, text = found[0], found.string
    before, after = text[found.start() - 1 : found.start()].isalpha(), text[found.end() : found.end() + 1]
    within = before and after.isalpha()
    at_a_word = signs.isdigit() and (before or after.isalpha())
    ends_it = before and after == " " and signs in ("@", "$")
    return signs.translate(_STANDS_FOR) if within or at_a_word or ends_it else signs


def _cuts(text: str) -> list[tuple[int, int, bool]]:
    """What is to be cut out of a text, in its order: from where, to where, and whether that leaves a seam."""
    return sorted(
        {*_separators(text), *((found.start() + 1, found.end(), False) for found in _REPEATED.finditer(text))}
    )


def _separators(text: str) -> Iterator[tuple[int, int, bool]]:
    """What parts letters that belong together."""
    for start, stop in (*_spaced(text), *(found.span() for found in _HELD.finditer(text))):
        for gap in _SEPARATORS.finditer(text, start, stop):
            yield gap.start(), gap.end(), True


def _spaced(text: str) -> Iterator[tuple[int, int]]:
    for found in _SPACED.finditer(text):
        start, stop = found.span()
        before, after = _BEFORE.search(text, max(start - LONGEST_BESIDE, 0), start), _AFTER.match(text, stop)
        yield before.start() if before else start, after.end() if after else stop
