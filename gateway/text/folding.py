"""Folded forms of a text, in which the same words written differently are the same, with the way back.

`toned` keeps Vietnamese letters and tones: for words that differ by a mark only ("mật", "mặt", "mắt"). `plain` has
none: for texts written without them, by habit or to hide. `squeezed` (`squeezing.py`) goes further.

In all: lower case, composed letters, single spaces; what is not seen is gone; what looks Latin is Latin
(`lookalikes.py`).

How it is fast: a text is bytes (`coding.py`), a byte for each of its common characters, and for these all that is left
is a table look-up. What else a text has is read piece by piece. The way back (`wayback.py`) is worked out where it is
asked for, which is where something was found.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol
from unicodedata import normalize

from ahocorasick_rs import BytesAhoCorasick

from gateway.text.coding import COMMON, SLOTS, SPARSE, bytes_of, coded, decoded, rare_in, table
from gateway.text.lookalikes import MARKS, UNSEEN, seen
from gateway.text.wayback import NOWHERE, Segment, WayBack

MOST_REMEMBERED = 4096
"""Characters whose folded form is remembered: those of a few languages, not all of Unicode for a text that has it."""

LONGEST_REMEMBERED = 4
"""Characters of a letter with its marks that is remembered: Vietnamese has two marks at most."""

SEAM = b"\3"
"""How `Folded.undone` marks a place where letters stood apart."""


class Origin(Protocol):
    """For each character of a folded text, and for its end, a place in the original."""

    def __getitem__(self, at: int, /) -> int: ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. `origin[i]` is where in the original its character `i` came from; one more entry ends it.

    `coded` is the text as `coding.coded` gives it. `undone` is of a squeezed text in which something was undone: for
    each place and for the end, 3 where letters were put together right there that stood apart (a seam), 1 where
    something else was undone right before it, else 0.
    """

    text: str
    origin: Origin
    coded: bytes
    undone: bytes = b""

    def original(self, start: int, stop: int) -> tuple[int, int]:
        """The place in the original of the characters `start` to `stop` (not included), marks and what is not seen
        behind them included."""
        first = self.origin[start]
        if stop <= start:
            return first, first
        last = self.origin[stop - 1]
        if self.undone[stop : stop + 1] == SEAM:
            return first, last + 1
        behind = self.origin[stop]
        return first, behind if behind > last else self.origin[bisect_right(self.origin, last, stop)]

    def beginning(self, length: int) -> Folded:
        """The first so many characters, which lead back as they do here."""
        return replace(self, text=self.text[:length], coded=self.coded[:length])


def toned(text: str, data: bytes | None = None) -> Folded:
    """Lower case, composed letters, single spaces; tones and diacritics stay. `data` is `coding.coded(text)`, where the
    caller has it.

    Where two fashions place a tone differently the older is taken: "hòa" and "thúy" for "hoà" and "thuý".
    """
    return _folded(_TONED, text, coded(text) if data is None else data)


def plain(text: str, data: bytes | None = None) -> Folded:
    """The same without tones and diacritics, `đ` as `d`."""
    return _folded(_PLAIN, text, coded(text) if data is None else data)


_MARK = re.compile(f"[{MARKS}]")
_MARKS_FIRST = re.compile(f"[{UNSEEN}]*+[{MARKS}]")
_CLUSTER = re.compile(f"[^{MARKS}{UNSEEN}][{MARKS}{UNSEEN}]*|[{MARKS}{UNSEEN}]+")
# Rare characters with the few common ones between them: to begin another piece costs as much.
_PIECE = re.compile(rb"\0+(?:[^\0]{1,%d}\0+)*" % SPARSE)
_SPACES = re.compile(b"  +")
_TONES = "̣̀́̉̃"
_PLACED = {
    bytes_of(first + normalize("NFC", last + tone)): bytes_of(normalize("NFC", first + tone) + last)
    for first, last in ("oa", "oe", "uy")
    for tone in _TONES
}
_MISPLACED = BytesAhoCorasick(list(_PLACED))
_IN_WORDS = frozenset(bytes_of(each) for each in COMMON if each.isalnum() or each == "_")
_QU = b"qu"


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
        self.marks = marks
        self.seen = _Remembered(marks=marks)
        self.table = table(self.seen[each] for each in SLOTS)

    def whole(self, text: str, data: bytes) -> tuple[bytes, str]:
        """A text folded, as bytes and the rare characters among them."""
        if 0 not in data:
            return data.translate(self.table), ""
        done: list[bytes] = []
        rare: list[str] = []
        at = 0
        for start, stop in _pieces(text, data):
            read = self.read(text[start:stop])
            in_bytes = coded(read)
            done += (data[at:start].translate(self.table), in_bytes)
            rare.append(rare_in(read, in_bytes))
            at = stop
        return b"".join((*done, data[at:].translate(self.table))), "".join(rare)

    def read(self, piece: str) -> str:
        """What is seen of a piece with rare characters."""
        clusters = _clusters(piece)
        return piece.translate(self.seen) if clusters is piece else "".join(map(self.seen.__getitem__, clusters))

    def segments(self, text: str, data: bytes) -> Iterator[Segment]:
        """The pieces of `whole(text, data)` that have not one character for each of the text."""
        for start, stop in _pieces(text, data):
            places: list[int] = []
            at = start
            for cluster in _clusters(text[start:stop]):
                places += [at] * len(self.seen[cluster])
                at += len(cluster)
            yield start, stop, places


_TONED, _PLAIN = _Form(marks=True), _Form(marks=False)


def _folded(form: _Form, text: str, data: bytes) -> Folded:
    spaced, rare = form.whole(text, data)
    single = _single_spaced(spaced)
    origin = WayBack(spaced, len(single), partial(form.segments, text, data) if 0 in data else NOWHERE)
    if form.marks:
        single = _placed(single, rare)
    written = decoded(single, rare) if form.marks or rare else single.decode("ascii")
    return Folded(written, origin, single)


def _pieces(text: str, data: bytes) -> Iterator[tuple[int, int]]:
    """Where the pieces with rare characters begin and end. A mark takes the character before it along."""
    start = data.find(0)
    while start >= 0:
        found = _PIECE.match(data, start)
        stop = found.end() if found else len(data)
        yield start - (start > 0 and _MARKS_FIRST.match(text, start) is not None), stop
        start = data.find(0, stop)


def _clusters(piece: str) -> Sequence[str]:
    """The characters of a piece, each with its marks."""
    return _CLUSTER.findall(piece) if _MARK.search(piece) else piece


def _single_spaced(data: bytes) -> bytes:
    return _SPACES.sub(b" ", data) if b"  " in data else data


def _placed(data: bytes, rare: str) -> bytes:
    """Folded text with its tones in their older places, which they have at the end of a word."""
    found = [
        (start, stop)
        for _, start, stop in _MISPLACED.find_matches_as_indexes(data)
        if data[stop : stop + 1] not in _IN_WORDS and data[max(start - 1, 0) : start + 1] != _QU
    ]
    if rare and found:
        text = decoded(data, rare)
        found = [(start, stop) for start, stop in found if not text[stop : stop + 1].isalnum()]
    if not found:
        return data
    changed = bytearray(data)
    for start, stop in found:
        changed[start:stop] = _PLACED[data[start:stop]]
    return bytes(changed)
