"""The way back from a folded text to where its characters stood, worked out where it is asked for.

Most of a text is folded character by character; only runs of spaces, and pieces with rare characters, have more or
fewer than before. Where these are is found out when the first place is asked for, and then each place is looked up.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate

Segment = tuple[int, int, list[int]]
"""A piece of the original, from where to where, and the place in the original of each character it became."""

NOWHERE: Callable[[], Iterable[Segment]] = tuple
"""No such piece: one character for each."""

_SPACES = re.compile(b"  +")


class WayBack:
    """For each character of a folded text, and for its end, the place in the original; by index, as of a sequence."""

    __slots__ = ("_ends", "_length", "_pieces", "_removed", "_segments", "_spaced", "_starts")

    def __init__(self, spaced: bytes, length: int, segments: Callable[[], Iterable[Segment]]) -> None:
        """`spaced` is the folded text with its spaces as many as they were, `length` how long it is without, and
        `segments` gives the pieces that changed their length."""
        self._spaced = spaced
        self._length = length
        self._segments = segments
        self._ends: list[int] | None = None
        self._removed: list[int] = []
        self._starts: list[int] = []
        self._pieces: list[tuple[int, list[int]]] = []

    def __len__(self) -> int:
        return self._length + 1

    def __getitem__(self, at: int) -> int:
        if not 0 <= at <= self._length:
            raise IndexError(at)
        ends = self._ends
        if ends is None:
            ends = self._worked_out()
        if ends:
            at += self._removed[bisect_right(ends, at)]
        if not self._starts:
            return at
        piece = bisect_right(self._starts, at) - 1
        if piece < 0:
            return at
        start, (behind, places) = self._starts[piece], self._pieces[piece]
        return places[at - start] if at - start < len(places) else behind + at - start - len(places)

    def _worked_out(self) -> list[int]:
        """Where in the folded text each run of spaces has ended, and how many are gone by then; where in it each piece
        of another length starts, with the place behind it."""
        shift = 0
        starts, pieces = [], []
        for start, stop, places in self._segments():
            starts.append(start + shift)
            pieces.append((stop, places))
            shift += len(places) - (stop - start)
        runs = [found.span() for found in _SPACES.finditer(self._spaced)] if len(self._spaced) != self._length else []
        removed = list(accumulate((stop - start - 1 for start, stop in runs), initial=0))
        ends = [start + 1 - gone for (start, _), gone in zip(runs, removed, strict=False)]
        self._starts, self._pieces, self._removed = starts, pieces, removed
        self._ends = ends  # last: another thread that sees it sees the others
        return ends
