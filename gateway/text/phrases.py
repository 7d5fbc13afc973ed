"""Many phrases looked for at once in folded text, in one pass (Aho-Corasick)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from ahocorasick_rs import AhoCorasick, MatchKind

from gateway.text.folding import Folded, plain
from gateway.text.squeezing import squeezed

T = TypeVar("T")

MOST_SPELT_TWICE = 3
"""Syllables of a phrase that are looked for in both of their spellings: each doubles the patterns."""


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """A phrase found: the characters `start` to `stop` (not included) of the folded text, and the phrase's value.
    `Folded.original(start, stop)` tells where that is in the text as it was written."""

    start: int
    stop: int
    value: T


class Phrases(Generic[T]):
    """A set of phrases, each with a value. Built once, searched often, from any thread."""

    def __init__(self, pairs: Iterable[tuple[str, T]], fold: Callable[[str], Folded] = plain) -> None:
        """`fold` is the form that will be searched (`plain`, `toned`, `squeezed`); the phrases are folded likewise.

        A phrase of which nothing is left after folding is never found. Where two are one after folding, both are.
        A phrase with "ky" or "quí" is found as "ki" and "quý" as well.
        """
        self._values: list[T] = []
        self._apart: list[bool] = []
        patterns: list[str] = []
        for phrase, value in pairs:
            for pattern, apart in _patterns(fold(phrase).text.strip(), fold):
                patterns.append(pattern)
                self._values.append(value)
                self._apart.append(apart)
        self._search = AhoCorasick(patterns, matchkind=MatchKind.Standard)

    def search(self, folded: Folded) -> Iterator[Hit[T]]:
        """Every place where a phrase stands as whole words, overlapping ones too, by the order of their ends."""
        text, seams = folded.text, folded.seams
        for index, start, stop in self._search.find_matches_as_indexes(text, overlapping=True):
            if (
                (not text[start - 1 : start].isalnum() or start in seams or not text[start].isalnum())
                and (not text[stop : stop + 1].isalnum() or stop in seams or not text[stop - 1].isalnum())
                and (not self._apart[index] or any(at in seams for at in range(start + 1, stop)))
            ):
                yield Hit(start, stop, self._values[index])


# "kỹ thuật" and "kĩ thuật", "quý" and "quí": one syllable in two spellings, and both are taught.
_I, _Y = "iíìỉĩị", "yýỳỷỹỵ"
_OTHER = str.maketrans(_I + _Y, _Y + _I)
_FINAL = re.compile(rf"(?<=[hklmstv])[{_I}{_Y}](?!\w)|(?<=qu)[{_I}{_Y}](?!\w)")


def _patterns(phrase: str, fold: Callable[[str], Folded]) -> Iterator[tuple[str, bool]]:
    """The phrase, and for squeezed text the same in one word, which counts only where letters stood apart."""
    for spelling in _spellings(phrase) if phrase else ():
        yield spelling, False
        joined = "".join(each for each in spelling if each.isalnum())
        if fold is squeezed and joined not in ("", spelling):
            yield joined, True


def _spellings(phrase: str) -> set[str]:
    found = {phrase}
    for place in list(_FINAL.finditer(phrase))[:MOST_SPELT_TWICE]:
        other = place[0].translate(_OTHER)
        found |= {each[: place.start()] + other + each[place.end() :] for each in found}
    return found
