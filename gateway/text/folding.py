"""Folded forms of a text, in which the same words written differently are the same, with the way back.

`toned` keeps Vietnamese letters and tones: for words that differ by a mark only ("mật", "mặt", "mắt"). `plain` has
none: for texts written without them, by habit or to hide. `squeezed` (`squeezing.py`) goes further.

In all: lower case, composed letters, single spaces; what is not seen is gone; what looks Latin is Latin
(`lookalikes.py`).

How it is fast: the letters of Vietnamese, ASCII and the commonest others are fewer than 256, so a text of these alone
is turned into bytes, one for a character, and all that is left is a table look-up. What else a text has is read piece
by piece. The way back is worked out when it is asked for, which is where something was found.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import overload
from unicodedata import normalize

from gateway.text.lookalikes import MARKS, UNSEEN, seen

MOST_REMEMBERED = 4096
"""Characters whose folded form is remembered: those of a few languages, not all of Unicode for a text that has it."""

LONGEST_REMEMBERED = 4
"""Characters of a letter with its marks that is remembered: Vietnamese has two marks at most."""


class Origin(Sequence[int]):
    """The way back, made when it is first needed."""

    __slots__ = ("_make", "_places")

    def __init__(self, make: Callable[[], list[int]]) -> None:
        self._make = make
        self._places: list[int] | None = None

    def _all(self) -> list[int]:
        if self._places is None:
            self._places = self._make()
        return self._places

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> list[int]: ...
    def __getitem__(self, at: int | slice) -> int | list[int]:
        return self._all()[at]

    def __len__(self) -> int:
        return len(self._all())


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. `origin[i]` is where in the original its character `i` came from; one more entry ends it.

    `seams` are the places where `squeezed` put letters together that stood apart.
    """

    text: str
    origin: Sequence[int]
    seams: frozenset[int] = frozenset()

    def original(self, start: int, stop: int) -> tuple[int, int]:
        """The place in the original of the characters `start` to `stop` (not included), marks and what is not seen
        behind them included."""
        first = self.origin[start]
        if stop <= start:
            return first, first
        last = self.origin[stop - 1]
        return first, last + 1 if stop in self.seams else self.origin[bisect_right(self.origin, last)]


def toned(text: str) -> Folded:
    """Lower case, composed letters, single spaces; tones and diacritics stay.

    Where two fashions place a tone differently the older is taken: "hòa" and "thúy" for "hoà" and "thuý".
    """
    return Folded(_placed(_single_spaced(_TONED.whole(text))), Origin(lambda: _origin(_TONED, text)))


def plain(text: str) -> Folded:
    """The same without tones and diacritics, `đ` as `d`."""
    return Folded(_single_spaced(_PLAIN.whole(text)), Origin(lambda: _origin(_PLAIN, text)))


_VIETNAMESE = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ"
_COMMON = "".join(map(chr, range(0x20, 0x7F))) + "\t\n\r\v\f" + _VIETNAMESE + _VIETNAMESE.upper()
_COMMON += "\u00a0“”‘’–—…•·äöüñçïîûëå"
# A decoding table in the manner of `codecs`: the place of a character is its byte. Byte 0 must be NUL, which is never
# encoded here, and U+FFFE stands for none.
_SLOTS = f"\0{_COMMON}".ljust(256, "\ufffe")
_ENCODING = codecs.charmap_build(_SLOTS)
_ODD = re.compile("([^{0}]+(?:[{0}]{{1,3}}[^{0}]+)*)".format(re.escape(_COMMON)))
_MARK = re.compile(f"[{MARKS}]")
_MARKS_FIRST = re.compile(f"[{UNSEEN}]*+[{MARKS}]")
_CLUSTER = re.compile(f"[^{MARKS}{UNSEEN}][{MARKS}{UNSEEN}]*|[{MARKS}{UNSEEN}]+")


_SPACES = re.compile("  +")
_TONES = "̣̀́̉̃"
_MISPLACED = re.compile(r"o[àáảãạèéẻẽẹ](?!\w)|(?<!q)u[ỳýỷỹỵ](?!\w)")
_PLACED = {
    first + normalize("NFC", last + tone): normalize("NFC", first + tone) + last
    for first, last in ("oa", "oe", "uy")
    for tone in _TONES
}


class _Remembered(dict[int | str, str]):
    """Characters by number, as `str.translate` asks for them, and with their marks, to what is seen of them."""

    def __init__(self, *, marks: bool) -> None:
        super().__init__()
        self._marks = marks

    def __missing__(self, asked: int | str) -> str:
        found = seen(chr(asked) if isinstance(asked, int) else asked, marks=self._marks)
        if len(self) < MOST_REMEMBERED and (isinstance(asked, int) or len(asked) <= LONGEST_REMEMBERED):
            self[asked] = found
        return found


class _Form:
    """One way to fold, spaces left as many as they are."""

    def __init__(self, *, marks: bool) -> None:
        self._seen = _Remembered(marks=marks)
        self._decoding = "".join(self._seen[each] or "\0" for each in _SLOTS)

    def whole(self, text: str) -> str:
        """A text folded."""
        if not _ODD.search(text):
            return self._common(text)
        return "".join(self._common(piece) if common else self._uncommon(piece) for piece, common in _pieces(text))

    def origin(self, text: str) -> list[int]:
        """Where in the text each character of `whole(text)` came from."""
        places: list[int] = []
        at = 0
        for piece, common in _pieces(text):
            if common:
                places.extend(range(at, at + len(piece)))
                at += len(piece)
                continue
            for cluster in _clusters(piece):
                places += [at] * len(self._seen[cluster])
                at += len(cluster)
        return places

    def _common(self, piece: str) -> str:
        data: bytes = codecs.charmap_encode(piece, "strict", _ENCODING)[0]
        return codecs.charmap_decode(data, "strict", self._decoding)[0]

    def _uncommon(self, piece: str) -> str:
        clusters = _clusters(piece)
        return piece.translate(self._seen) if clusters is piece else "".join(map(self._seen.__getitem__, clusters))


_TONED, _PLAIN = _Form(marks=True), _Form(marks=False)


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """A text in pieces, by turns of common characters and others. A mark takes the character before it along."""
    runs = _ODD.split(text)
    for common, odd in zip_longest(runs[::2], runs[1::2], fillvalue=""):
        if _MARKS_FIRST.match(odd):
            yield common[:-1], True
            yield common[-1:] + odd, False
        else:
            yield common, True
            yield odd, False


def _clusters(piece: str) -> Sequence[str]:
    """The characters of a piece, each with its marks."""
    return _CLUSTER.findall(piece) if _MARK.search(piece) else piece


def _single_spaced(text: str) -> str:
    while "  " in text:  # halves the longest run each time
        text = text.replace("  ", " ")
    return text


def _placed(text: str) -> str:
    return _MISPLACED.sub(lambda found: _PLACED[found[0]], text)


def _origin(form: _Form, text: str) -> list[int]:
    """The places of the folded text, single spaces and all, and its end."""
    places, kept, at = form.origin(text), [], 0
    for spaces in _SPACES.finditer(form.whole(text)):
        kept += places[at : spaces.start() + 1]
        at = spaces.end()
    return [*kept, *places[at:], len(text)]
