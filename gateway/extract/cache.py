"""Readings of files by their content: one sent to 300 people, or forwarded, is read once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from gateway.reading import Reading, Reason

ENTRIES = 4_096
"""Readings that are kept at most, however small."""

FACT = 512
"""Bytes that a text, link or file takes beside its own letters, about."""

PASSING = frozenset({Reason.TIMED_OUT, Reason.CRASHED, Reason.TOO_MANY, Reason.TOO_BIG})
"""What may go better the next time: on a machine with less to do, in a message with fewer files beside this one."""

Key = tuple[str, ...]


class Cache:
    """Bounded by `limit` bytes; the one that was not asked for longest goes first."""

    def __init__(self, limit: int) -> None:
        self.hits = 0
        self.misses = 0
        self._left = limit
        self._kept: OrderedDict[Key, tuple[Reading, int]] = OrderedDict()

    def get(self, key: Key) -> Reading | None:
        """The reading, if it is kept."""
        found = self._kept.get(key)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: Key, reading: Reading) -> None:
        """Keep a reading that would be the same the next time."""
        if key in self._kept or any(blind.reason in PASSING for blind in reading.blind):
            return
        size = _size(reading)
        self._kept[key] = (reading, size)
        self._left -= size
        while self._kept and (self._left < 0 or len(self._kept) > ENTRIES):
            _, (_, freed) = self._kept.popitem(last=False)
            self._left += freed


def placed(reading: Reading, place: str, names: tuple[str, ...], media_type: str) -> Reading:
    """A reading whose places are within a file, as one of a file at `place` with these names."""

    def at(inner: str) -> str:
        return f"{place}/{inner}" if inner else place

    return Reading(
        texts=tuple(replace(text, place=at(text.place)) for text in reading.texts),
        links=tuple(replace(link, place=at(link.place)) for link in reading.links),
        files=tuple(
            replace(file, place=at(file.place))
            if file.depth
            else replace(file, place=place, names=names, media_type=media_type)
            for file in reading.files
        ),
        blind=tuple(replace(blind, place=at(blind.place)) for blind in reading.blind),
    )


def _size(reading: Reading) -> int:
    letters = sum(4 * len(text.content) for text in reading.texts)
    letters += sum(len(link.target) + len(link.text) for link in reading.links)
    letters += sum(len(file.start) + len(file.content or b"") for file in reading.files)
    facts = len(reading.texts) + len(reading.links) + len(reading.files) + len(reading.blind)
    return letters + FACT * (facts + 1)
