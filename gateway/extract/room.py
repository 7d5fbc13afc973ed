"""What may still be spent on a message: one budget for a file and all that is inside it, at every depth.

Whoever unfolds something asks first; where there is no room left the asker is stopped by `Full`, which says why.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from gateway.reading import Reason

UNFOLDED = 100 * 1024 * 1024
"""Bytes that all files of a message may have, unfolded: four times the greatest mail that is usually taken."""

MEMBER = 32 * 1024 * 1024
"""Bytes of one unfolded file that are held; a bigger one is listed and not read."""

FREE = 8 * 1024 * 1024
"""Bytes that may come out of one packed file whatever its size was: below it the ratio says nothing."""

RATIO = 200
"""How many times as big a file may be as it was packed, beyond FREE. XML of Office files reaches 100, deflate can do
1,032."""

FILES = 2_000
"""Files in files of a message. An archive of a year's documents has some hundred; an Office file 200 parts."""

DEPTH = 8
"""Files within files. Honest mail has three: a message, its archive, an Office file with its pictures."""

TEXT = 16 * 1024 * 1024
"""Characters of all texts of a message: ten times the Bible."""

LINKS = 20_000
"""Links of a message; a spreadsheet of addresses may have some thousand."""

SECONDS = 10.0
"""Of processor and clock for all files of a message together."""


class Full(Exception):
    """No room is left; `reason` is what ran out."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Room:
    """The budget. It is shared by all readers of a message and only ever shrinks.

    `seconds` counts from its making, in the process that made it. `keep` is how many bytes of inner files are given
    back for others to look at, `pictures` how many more of inner pictures, for recognition. `bomb` is how many may come
    out of this file, all levels together, before it is called one.
    """

    unfolded: int = UNFOLDED
    member: int = MEMBER
    files: int = FILES
    depth: int = DEPTH
    text: int = TEXT
    links: int = LINKS
    seconds: float = SECONDS
    keep: int = 0
    pictures: int = 0
    bomb: int = UNFOLDED
    started: float = field(default_factory=time.monotonic)

    @property
    def ocr(self) -> bool:
        """True if pictures are recognised: then a page that is one is worth a Member."""
        return self.pictures > 0

    def begin(self, packed: int) -> None:
        """A file of so many bytes is opened, which nothing was unfolded for."""
        self.bomb = max(2 * FREE, packed * RATIO)

    def unfold(self, count: int) -> None:
        """Take room for so many unfolded bytes, before or while they are made. Raises Full."""
        self.bomb -= count
        if self.bomb < 0:
            raise Full(Reason.BOMB, f"all levels together unfold to more than {RATIO} times what came")
        self.unfolded -= count
        if self.unfolded < 0:
            raise Full(Reason.TOO_BIG, "the files of this message are too big together")
        self.check()

    def check(self) -> None:
        """For loops that make nothing. Raises Full where the time is over."""
        if time.monotonic() - self.started > self.seconds:
            raise Full(Reason.TIMED_OUT, "the time for this message's files is over")

    def enter(self, count: int = 1) -> None:
        """Take room for files that are about to be listed. Raises Full."""
        self.files -= count
        if self.files < 0:
            raise Full(Reason.TOO_MANY, "too many files inside this message's files")
        self.check()

    def write(self, count: int) -> None:
        """Take room for so many characters of text. Raises Full."""
        self.text -= count
        if self.text < 0:
            raise Full(Reason.TOO_BIG, "the texts of this message are too long together")

    def link(self) -> None:
        """Take room for one link. Raises Full."""
        self.links -= 1
        if self.links < 0:
            raise Full(Reason.TOO_MANY, "too many links in this message's files")


class Meter:
    """Counts what comes out of one packed file of `packed` bytes, member after member. `more` raises Full: for a bomb,
    for a member too big to be held, and where the message's room is used up."""

    __slots__ = ("_limit", "_member", "_packed", "_room", "count")

    def __init__(self, room: Room, packed: int) -> None:
        self._room = room
        self._packed = packed
        self._limit = max(FREE, packed * RATIO)
        self._member = 0
        self.count = 0

    @property
    def spent(self) -> bool:
        """True if nothing more may come out of this file."""
        return self.count > self._limit or self._room.unfolded < 0 or self._room.bomb < 0

    def begin(self) -> None:
        """The next member begins; without members it need not be called."""
        self._member = 0

    def expect(self, size: int) -> None:
        """The next member says of itself that it has so many bytes: a bomb that owns up to it need not be tried."""
        if size > self._limit:
            raise Full(Reason.BOMB, f"says that it unfolds to {size} bytes, from {self._packed}")
        self._room.unfold(0)

    def more(self, count: int) -> None:
        """So many bytes came out, or are about to."""
        self.count += count
        self._member += count
        if self.count > self._limit:
            raise Full(Reason.BOMB, f"unfolds to more than {RATIO} times its {self._packed} bytes")
        if self._member > self._room.member:
            raise Full(Reason.TOO_BIG, f"a file of more than {self._room.member} bytes")
        self._room.unfold(count)
