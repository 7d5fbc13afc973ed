"""The parts of a zip-based document (Office Open XML, OpenDocument, EPUB) in the order in which a reader needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.extract.inflate import Damaged
from gateway.extract.room import Room
from gateway.extract.zips import listing, unpacked


def parts_by(data: bytes, room: Room, rank: Callable[[str], int]) -> Iterator[tuple[str, bytes]]:
    """Each member's name and content, those of a lower `rank` first. Two members of a name are both given.

    Raises Full and Locked; a damaged member is given as far as it can be read, and told of by a ValueError at the end.
    """
    found = listing(data, room)
    damage = "more parts than are read" if found.cut else ""
    entries = [((entry.names or ("",))[0].lstrip("/"), entry) for entry in found.entries if not entry.folder]
    for name, entry in sorted(entries, key=lambda named: rank(named[0])):
        try:
            content = unpacked(data, entry, room)
        except Damaged as problem:
            content, damage = problem.content, damage or f"{name[:80]}: {problem}"
        yield name, content
    if damage:
        raise ValueError(damage)
