"""Strings of the old Excel format ([MS-XLS] 2.5.293, 2.5.294), which go on over records of 8 kB, each continuation of
characters with a flag of its own whether they are wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

STRINGS = 1_000_000
"""Shared strings that are read; a sheet has at most 65,536 rows."""


class Pieces:
    """The contents of a record and its continuations, read as one."""

    __slots__ = ("_at", "_pieces", "_which")

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self._which = 0
        self._at = 0

    @property
    def left(self) -> bool:
        """True where there is more to read."""
        self._skip()
        return self._which < len(self._pieces)

    def take(self, count: int) -> bytes:
        """So many bytes, fewer at the end."""
        out = b""
        while count > 0 and self.left:
            piece = self._pieces[self._which][self._at : self._at + count]
            self._at += len(piece)
            count -= len(piece)
            out = out + piece if out else piece
        return out

    def number(self, size: int) -> int:
        """An unsigned number."""
        return int.from_bytes(self.take(size), "little")

    def rich(self) -> str:
        """An XLUnicodeRichExtendedString."""
        length, flags = self.number(2), self.number(1)
        runs = self.number(2) if flags & 8 else 0
        extension = self.number(4) if flags & 4 else 0
        text = self.characters(length, flags & 1)
        self.take(4 * runs)
        self.take(min(extension, 1 << 20))
        return text

    def characters(self, length: int, wide: int) -> str:
        """Characters; where a continuation begins in their midst its first byte is the flag."""
        out: list[str] = []
        while length > 0 and self._which < len(self._pieces):
            piece = self._pieces[self._which]
            if self._at >= len(piece):
                self._which, self._at = self._which + 1, 0
                if self._which < len(self._pieces):
                    wide = self._pieces[self._which][0] & 1 if self._pieces[self._which] else 0
                    self._at = 1
                continue
            size = 2 if wide else 1
            data = piece[self._at : self._at + length * size]
            self._at += len(data)
            length -= max(len(data) // size, 1)
            out.append(data.decode("utf-16-le" if wide else "latin-1", "replace"))
        return "".join(out)

    def _skip(self) -> None:
        while self._which < len(self._pieces) and self._at >= len(self._pieces[self._which]):
            self._which, self._at = self._which + 1, 0


def shared_strings(pieces: Sequence[bytes]) -> Iterator[str]:
    """The strings of an SST record."""
    reader = Pieces(pieces)
    reader.take(4)
    count = min(reader.number(4), STRINGS)
    for _ in range(count):
        if not reader.left:
            return
        yield reader.rich()
