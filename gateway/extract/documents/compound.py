"""Compound files (OLE, [MS-CFB]): their streams by path, read through olefile."""

from __future__ import annotations

import io
from collections.abc import Iterator

import olefile

from gateway.extract.room import Full, Meter, Room
from gateway.reading import Reason

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

STREAMS = 4_096
"""Streams of one file that are read; a letter of Outlook with a hundred attachments has 2,500."""

SECTOR = 512

Path = tuple[str, ...]

_BROKEN = (OSError, OverflowError, IndexError, TypeError, RecursionError)  # what olefile raises


class Compound:
    """An open compound file. `paths` are its streams, `storages` what holds them; both in the order of the file.

    `damage` names the first stream that could not be read. Raises ValueError where it is no such file, and Full."""

    def __init__(self, data: bytes, room: Room) -> None:
        whole = data + bytes(-len(data) % SECTOR)  # some writers leave out the end of the last sector
        try:
            self._file = olefile.OleFileIO(io.BytesIO(whole), raise_defects=olefile.DEFECT_FATAL)
        except _BROKEN as problem:
            raise ValueError(f"no compound file: {problem}"[:200]) from None
        self._meter = Meter(room, len(data))
        self._room = room
        self._contents: dict[Path, bytes] = {}
        self.damage = ""
        self.paths: tuple[Path, ...] = tuple(tuple(each) for each in self._file.listdir(streams=True, storages=False))
        if len(self.paths) > STREAMS:
            raise Full(Reason.TOO_MANY, f"a compound file of more than {STREAMS} streams")
        self.storages: tuple[Path, ...] = ((), *map(tuple, self._file.listdir(streams=False, storages=True)))

    def read(self, *path: str) -> bytes:
        """A stream's content, b"" where there is none, or where sectors are missing: then `damage` says so."""
        self._room.check()
        if path in self._contents:
            return self._contents[path]
        if not self._file.exists(list(path)) or self._file.get_type(list(path)) != olefile.STGTY_STREAM:
            return b""
        try:
            content: bytes = self._file.openstream(list(path)).read()
        except _BROKEN as problem:
            self.damage = self.damage or f"{'/'.join(path)!r}: {problem}"[:200]
            content = b""
        self._meter.more(len(content))
        self._contents[path] = content
        return content

    def streams_of(self, storage: Path) -> Iterator[str]:
        """Names of the streams that stand directly in a storage."""
        length = len(storage)
        return (path[-1] for path in self.paths if len(path) == length + 1 and path[:length] == storage)

    def class_of(self, storage: Path) -> str:
        """The class of a storage in the usual form, "" where it has none."""
        try:
            found = self._file.getclsid(list(storage)) if storage else self._file.root.clsid
        except (OSError, AttributeError):
            return ""
        return str(found or "")
