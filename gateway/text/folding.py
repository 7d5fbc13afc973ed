"""Two folded forms of a text, in which the same words written differently are the same, with the way back.

`toned` keeps Vietnamese letters and tones: for words that differ by a mark only ("mật", "mặt", "mắt"). `plain` has
none: for texts written without them, by habit or to hide.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. `origin[i]` is where in the original its character `i` came from; one more entry ends it."""

    text: str
    origin: Sequence[int]

    def original(self, start: int, stop: int) -> tuple[int, int]:
        """The place in the original of the characters `start` to `stop` (not included)."""
        return self.origin[start], self.origin[stop - 1] + 1 if stop > start else self.origin[start]


def toned(text: str) -> Folded:
    """Lower case, composed letters, single spaces; tones and diacritics stay."""
    return _folded(text, keep_marks=True)


def plain(text: str) -> Folded:
    """The same without tones and diacritics, `đ` as `d`."""
    return _folded(text, keep_marks=False)


def _folded(text: str, *, keep_marks: bool) -> Folded:
    letters: list[str] = []
    origin: list[int] = []
    for at, character in enumerate(text):
        decomposed = unicodedata.normalize("NFD", character.casefold())
        for one in decomposed:
            if unicodedata.combining(one):
                if keep_marks and letters:
                    letters[-1] = unicodedata.normalize("NFC", letters[-1] + one)
                continue
            one = " " if one.isspace() else one
            if one == " " and letters and letters[-1] == " ":
                continue
            letters.append("d" if one == "đ" and not keep_marks else one)
            origin.append(at)
    return Folded("".join(letters), (*origin, len(text)))
