"""A third folded form, which undoes what is done to words so that a filter should not find them.

Spaced-out writing ("c ờ b ạ c", "c.ờ-b*ạ c"), digits and signs for letters ("c0 b4c", "c@sin0"), letters repeated
("cờờờ bạạạc"). It is `plain` otherwise, and meant to be searched beside it: what is undone here may have been honest.

How it is fast: each character's class is a byte ("a" for a letter or digit, "." for what parts words, ...), and what
tells of a disguise are a few short words of classes, all looked for at once. What is to be cut out is marked in the
text's bytes, and cut out at once.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from ahocorasick_rs import BytesAhoCorasick

from gateway.text.coding import decoded, filled, rare_in, zeros
from gateway.text.folding import MOST_REMEMBERED, SEAM, Folded, plain

LONGEST_GAP = 3
"""Characters between two letters that belong together."""

FEWEST_GAPS = 2
"""Gaps between single characters that make it spaced-out writing: "phụ lục a b" has one."""

LONGEST_WORD = 7
"""Characters of a word beside single letters that belongs to them: no syllable is longer."""

_UNDONE = b"\1"

_DISGUISING, _MEANT = b"0134578@$!|", b"oieastbasil"
_STANDS_FOR = bytes.maketrans(_DISGUISING, _MEANT)
_DIGITS, _SIGNS, _HOLDING = b"0134578", b"@$!|", b"*._~|^+-"
# No byte of a plain text is above ASCII. So those are rare characters, by what they are, and what is to be cut out.
_RARE_LETTER, _RARE_DIGIT, _RARE_NUMBER, _RARE_SIGN = b"\x80", b"\x81", b"\x82", b"\x83"
_GAP, _REST_OF_GAP, _AGAIN, _REST_AGAIN = b"\xff", b"\xfe", b"\xfd", b"\xfc"
_CHANGED = bytes(range(0x90, 0x90 + len(_MEANT)))
_CHANGED_FROM = bytes.maketrans(_DISGUISING, _CHANGED)
_ONLY_CHANGED = bytes(code not in _CHANGED for code in range(256))
"""0 for these, 1 for all others."""
_LETTERS = bytes(code for code in range(128) if chr(code).isalpha()) + _RARE_LETTER
_IN_WORDS = _LETTERS + b"0123456789" + _RARE_DIGIT + _RARE_NUMBER


def _classes(*of: tuple[bytes, bytes]) -> bytes:
    """A table of each byte's class; "." for all others."""
    found = bytearray(b"." * 256)
    for members, each in of:
        for code in members:
            found[code] = each[0]
    return bytes(found)


_DISGUISES = _classes((_LETTERS, b"a"), (_DIGITS, b"1"), (_SIGNS, b"!"))
_DISGUISED = BytesAhoCorasick([b"1a", b"!a", b"a1", b"a!"])
_SIGN_FIRST = (0, 1)
_ONLY_DISGUISES = _classes((_DIGITS + _SIGNS, b"!"))
_DISGUISE = re.compile(b"[%s]+" % re.escape(_DIGITS + _SIGNS))
_WORD_CLASSES = _classes((_IN_WORDS, b"a"))
_PAIRS = BytesAhoCorasick([b".a%sa." % (b"." * gap) for gap in range(1, LONGEST_GAP + 1)])
_BEFORE = re.compile(rb"(?<!a)a{2,%d}\.\Z" % LONGEST_WORD)
_AFTER = re.compile(rb"\.a{2,%d}(?!a)" % LONGEST_WORD)
_TWICE = BytesAhoCorasick([bytes((code, code)) for code in _LETTERS + _RARE_NUMBER])
_REPEATED = re.compile(rb"([A-Za-z])\1+")
_REPEATED_RARE = re.compile(r"([^\W\d_])\1+")
# Signs that hold words together ("ma*tuy", "co.bac"); and all that is to be cut out. Both begin with one of a set of
# characters, which is searched for fast.
_SIGN, _WORD = re.escape(_HOLDING), re.escape(_IN_WORDS + _AGAIN + _REST_AGAIN + _CHANGED)
_OTHERS_HELD = b"(?<=[%b][%b])[%b]{0,%d}(?=[%b])" % (_WORD, _SIGN, _SIGN, LONGEST_GAP - 1, _WORD)
_HELD = re.compile(b"[%b]%b" % (_SIGN, _OTHERS_HELD))
_CUT = re.compile(
    b"[%b%b%b](?:(?<=%b)%b*|(?<=%b)%b*|%b)"
    % (_GAP, _AGAIN, _SIGN, _GAP, _REST_OF_GAP, _AGAIN, _REST_AGAIN, _OTHERS_HELD)
)
_NO_MARK = bytes(code for code in range(256) if code not in _GAP + _AGAIN)
_WITHOUT_CLASSES = bytes((*range(0x80), *bytes(0x10), *_MEANT, *bytes(0x70 - len(_MEANT))))


def squeezed(text: str, bare: Folded | None = None) -> Folded:
    """`plain` with spaced-out writing, digits and signs for letters, and repeated letters undone. `bare` is
    `plain(text)`, where the caller has it.

    Letters put together bear a seam where they stood apart, since where one word ended and the next began is not known.
    """
    base = bare or plain(text)
    rare = rare_in(base.text, base.coded)
    classed = _classed(base.coded, rare)
    marked = _marked(*_undisguised(classed), base.text)
    cut = _HELD.sub(_GAP, marked).translate(None, _REST_OF_GAP + _REST_AGAIN)
    if cut == classed:
        return base
    marks = cut.translate(None, _NO_MARK)
    pieces = cut.replace(_AGAIN, _GAP).split(_GAP)
    ends = list(accumulate(map(len, pieces)))
    left = b"".join(pieces)
    coded = left.translate(_WITHOUT_CLASSES)
    origin = _WayBack(base, marked, ends, len(text))
    if coded.count(0) < len(rare):  # some are cut out
        rare = "".join(
            each
            for start, stop in zeros(base.coded)
            for each, mark in zip(base.text[start:stop], marked[start:stop], strict=True)
            if mark < _REST_AGAIN[0]
        )
    written = decoded(coded, rare) if rare else coded.decode("ascii")
    undone = bytearray(len(left) + 1)
    for start, stop in zeros(left.translate(_ONLY_CHANGED)):
        undone[start : stop + 1] = _UNDONE * (stop + 1 - start)
    for end, mark in zip(ends, marks, strict=False):
        undone[end] |= SEAM[0] if mark == _GAP[0] else _UNDONE[0]
    return Folded(written, origin, coded, bytes(undone))


class _WayBack:
    """The way back from what is left of a text when pieces are cut out."""

    __slots__ = ("_base", "_ends", "_marked", "_size", "_starts")

    def __init__(self, base: Folded, marked: bytes, ends: list[int], size: int) -> None:
        """`marked` are the bytes of `base` as `_marked` gives them, `ends` where here the pieces end that are left, and
        `size` the length of the text as it was written."""
        self._base, self._marked, self._ends, self._size = base, marked, ends, size
        self._starts: list[int] = []

    def kept(self) -> Iterator[tuple[int, int]]:
        """Where in the base the pieces begin and end that are left."""
        start = 0
        for cut in _CUT.finditer(self._marked):
            yield start, cut.start()
            start = cut.end()
        yield start, len(self._marked)

    def __len__(self) -> int:
        return self._ends[-1] + 1

    def __getitem__(self, at: int) -> int:
        if not 0 <= at < self._ends[-1]:
            if at == self._ends[-1]:
                return self._size
            raise IndexError(at)
        if not self._starts:
            self._starts = [start for start, _ in self.kept()]
        piece = bisect_right(self._ends, at)
        return self._base.origin[self._starts[piece] + at - (self._ends[piece - 1] if piece else 0)]


def _classed(data: bytes, rare: str) -> bytes:
    """A plain text's bytes, with the classes of its rare characters in their places."""
    if not rare:
        return data
    return b"".join(filled(data, data, rare.translate(_RARE_CLASSES).encode("latin-1")))


class _RareClasses(dict[int, str]):
    """Characters by number, as `str.translate` asks for them, to their classes."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isalpha():
            found = _RARE_LETTER
        elif character.isdecimal():
            found = _RARE_DIGIT
        else:
            found = _RARE_NUMBER if character.isalnum() else _RARE_SIGN
        if len(self) < MOST_REMEMBERED:
            self[code] = found.decode("latin-1")
        return found.decode("latin-1")


_RARE_CLASSES = _RareClasses()


def _undisguised(text: bytes) -> tuple[bytes, bytes]:
    """Digits in or at a word, and signs within one, as the letters they stand for; and the same, these letters told
    apart (`_CHANGED`)."""
    classes = text.translate(_DISGUISES)
    tells = _DISGUISED.find_matches_as_indexes(classes, overlapping=True)
    if not tells:
        return text, text
    parted = text.translate(_ONLY_DISGUISES)
    letters, told, done = bytearray(text), bytearray(text), 0
    for pattern, place, _ in tells:
        at = place if pattern in _SIGN_FIRST else place + 1
        if at < done:
            continue
        start = parted.rfind(b".", 0, at) + 1
        found = _DISGUISE.match(text, start)
        assert found is not None
        done = found.end()
        before, after = classes[start - 1 : start] == b"a", classes[done : done + 1] == b"a"
        ends_it = before and text[done : done + 1] == b" " and found[0] in (b"@", b"$")
        if (before and after) or (found[0].isdigit() and (before or after)) or ends_it:
            letters[start:done] = found[0].translate(_STANDS_FOR)
            told[start:done] = found[0].translate(_CHANGED_FROM)
    return bytes(letters), bytes(told)


def _marked(letters: bytes, told: bytes, text: str) -> bytes:
    """The bytes with what is to be cut out marked, but for the signs that hold words together."""
    marked = bytearray(told)
    for start, stop in _repeated(letters, text):
        marked[start:stop] = _AGAIN + _REST_AGAIN * (stop - start - 1)
    for start, stop in _gaps(letters.translate(_WORD_CLASSES)):
        marked[start:stop] = _GAP + _REST_OF_GAP * (stop - start - 1)
    return bytes(marked)


def _gaps(words: bytes) -> Iterator[tuple[int, int]]:
    """What parts three or more single characters, and the words beside them ("co b a c")."""
    row: list[tuple[int, int]] = []
    for _, start, stop in _PAIRS.find_matches_as_indexes(b".%s." % words, overlapping=True):
        if row and row[-1][1] != start:
            yield from _spaced(words, row)
            row = []
        row.append((start + 1, stop - 3))  # behind the first character, before the second
    yield from _spaced(words, row)


def _spaced(words: bytes, row: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The gaps of a row of single characters, if it is one, and those to the words beside it."""
    if len(row) < FEWEST_GAPS:
        return
    yield from row
    first, last = row[0][0] - 1, row[-1][1]
    if _BEFORE.search(words, max(first - LONGEST_WORD - 1, 0), first):
        yield first - 1, first
    if _AFTER.match(words, last + 1):
        yield last + 1, last + 2


def _repeated(letters: bytes, text: str) -> Iterator[tuple[int, int]]:
    """Letters behind the same letter. Rare ones are told apart in the text."""
    done = 0
    for _, start, _ in _TWICE.find_matches_as_indexes(letters, overlapping=True):
        if start >= done:
            found = _REPEATED.match(letters, start) or _REPEATED_RARE.match(text, start)
            if found:
                done = found.end()
                yield start + 1, done
