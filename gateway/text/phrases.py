"""Many phrases looked for at once in folded text, in one pass (Aho-Corasick)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import accumulate
from typing import Generic, NamedTuple, TypeVar

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick

from gateway.text.coding import coded
from gateway.text.folding import SEAM, Folded, plain
from gateway.text.squeezing import squeezed

T = TypeVar("T")

MOST_SPELT_TWICE = 3
"""Syllables of a phrase that are looked for in both of their spellings: each doubles the patterns."""


class Hit(NamedTuple, Generic[T]):
    """A phrase found: the characters `start` to `stop` (not included) of the folded text, and the phrase's value.

    `Folded.original(start, stop)` tells where that is in the text as it was written. A tuple, since a text may have
    ten thousand.
    """

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
        known = [
            _Pattern(pattern, apart, value)
            for phrase, value in pairs
            for pattern, apart in _patterns(fold(phrase).text.strip(), fold)
        ]
        self._common = [each for each in known if 0 not in each.coded]
        self._rare = [each for each in known if 0 in each.coded]
        self._in_bytes = BytesAhoCorasick([each.coded for each in self._common])
        self._longest = max((len(each.coded) for each in self._common), default=0)
        self._undone = re.compile(rb"[\x01\x03](?:\0{0,%d}+[\x01\x03])*+" % (2 * self._longest + 1))
        self._in_text = AhoCorasick([each.text for each in self._rare]) if self._rare else None

    def search(self, folded: Folded, start: int = 0, stop: int | None = None) -> Iterator[Hit[T]]:
        """Every place where a phrase stands as whole words, overlapping ones too, by the order of their ends; if a
        stretch of the text is named, those that are wholly in it."""
        data = folded.coded if start == 0 and stop is None else memoryview(folded.coded)[start:stop]
        found = self._found(folded, self._common, self._in_bytes.find_matches_as_indexes(data, overlapping=True), start)
        rare = self._rare_in(folded, start, stop)
        return merge(found, self._found(folded, self._rare, rare, start), key=_stop) if rare else found

    def undone(self, folded: Folded) -> Iterator[Hit[T]]:
        """The same in squeezed text, but only where something was undone in the phrase or right beside it."""
        longest, end = self._longest, len(folded.coded)
        around = [(max(start - longest, 0), min(stop + longest, end)) for start, stop in self._places(folded.undone)]
        data = b"\0".join(folded.coded[start:stop] for start, stop in around)
        undone = b"".join(folded.undone[start : stop + 1] for start, stop in around)
        begun = list(accumulate((stop - start + 1 for start, stop in around), initial=0))
        found: list[tuple[int, int, int]] = []
        for index, start, stop in self._in_bytes.find_matches_as_indexes(data, overlapping=True):
            if undone[start : stop + 1].strip(b"\0"):
                piece = bisect_right(begun, start) - 1
                shift = around[piece][0] - begun[piece]
                found.append((index, start + shift, stop + shift))
        rare = [each for each in self._rare_in(folded, 0, None) if folded.undone[each[1] : each[2] + 1].strip(b"\0")]
        return merge(self._found(folded, self._common, found, 0), self._found(folded, self._rare, rare, 0), key=_stop)

    def _rare_in(self, folded: Folded, start: int, stop: int | None) -> list[tuple[int, int, int]]:
        """Where phrases with rare characters may be in a stretch of the text."""
        if self._in_text is None or folded.text.isascii():
            return []
        return self._in_text.find_matches_as_indexes(folded.text[start:stop], overlapping=True)

    def _places(self, undone: bytes) -> Iterator[tuple[int, int]]:
        """Where something was undone, as one place where that is too near for what is around not to overlap."""
        return (found.span() for found in self._undone.finditer(undone))

    def _found(
        self, folded: Folded, known: Sequence[_Pattern[T]], found: Iterable[tuple[int, int, int]], shift: int
    ) -> Iterator[Hit[T]]:
        """Those that are whole words. `found` is in a stretch of the text that begins at `shift`."""
        text, undone, last = folded.text, folded.undone, len(folded.text)
        for index, start, stop in found:
            start, stop, pattern = start + shift, stop + shift, known[index]
            if start and pattern.opens and text[start - 1].isalnum() and undone[start : start + 1] != SEAM:
                continue
            if stop < last and pattern.closes and text[stop].isalnum() and undone[stop : stop + 1] != SEAM:
                continue
            if not pattern.apart or undone.find(SEAM, start + 1, stop) >= 0:
                yield Hit(start, stop, pattern.value)


def _stop(hit: Hit[T]) -> int:
    return hit.stop


class _Pattern(Generic[T]):
    """What is looked for, whether it begins and ends a word, and whether it counts only where letters stood apart."""

    __slots__ = ("apart", "closes", "coded", "opens", "text", "value")

    def __init__(self, text: str, apart: bool, value: T) -> None:
        self.text, self.apart, self.value = text, apart, value
        self.coded = coded(text)
        self.opens, self.closes = text[0].isalnum(), text[-1].isalnum()


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
