"""Where a message is while it is received and decided: in memory while small, in an unlinked file beyond that.

An unlinked file leaves nothing behind a crash and no name for anybody to open. It is read by `pread`, not mapped:
pages of a mapping count as the process's own memory, and a hundred large messages would be resident at once.
"""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

IN_MEMORY = 256 * 1024
"""Bytes of a message kept in memory: nine of ten messages never touch the disk, and 200 sessions need 50 MB."""

BLOCK = 1024 * 1024
"""Bytes gathered before a write: one hop to a thread for each megabyte, and a write is never on the event loop."""

PIECE = 1024
"""Bytes up to which a piece is joined with the next: two bytes a packet must not cost twenty times what they are."""

RESERVE = 4 * 1024 * 1024
"""Bytes of the disk left alone, so that logs and the store can still say why nothing is taken."""


class SpoolFull(Exception):
    """There is no room for these bytes now, whatever the system's reason: the client hears 4xx and keeps the mail."""


class Spool:
    """All messages being received: a folder and two budgets, bytes in memory and bytes on disk, over all of them."""

    def __init__(self, folder: Path, *, disk_limit: int, memory_limit: int) -> None:
        self.folder = folder
        self.disk_limit = disk_limit
        self.memory_limit = memory_limit
        self.on_disk = 0
        self.in_memory = 0

    def has_room(self, size: int) -> bool:
        """True if a message of that size could be taken now, as far as anybody can say before it is sent."""
        if size <= IN_MEMORY:
            return True
        try:
            disk = os.statvfs(self.folder)
        except OSError:
            return False
        return self.on_disk + size <= self.disk_limit and size + RESERVE <= disk.f_bavail * disk.f_frsize

    def new(self) -> Spooled:
        """An empty message to write to."""
        return Spooled(self)


class SpoolFile:
    """The spooled bytes of one message on disk: a `Raw` whose slices are read from the file."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(self._size)
        wanted, pieces = max(0, stop - start), []
        while wanted:
            piece = os.pread(self._descriptor, wanted, stop - wanted)
            if not piece:
                raise OSError(errno.EIO, "the spool file is shorter than what was written")
            pieces.append(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Spooled:
    """One message on its way in. Write, then take `raw()`; `close()` gives its room back, always."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._descriptor = -1
        self._written = 0

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._written + self._gathered

    async def write(self, data: bytes) -> None:
        """Append. Raises SpoolFull, after which the message cannot be used."""
        if self._pieces and len(self._pieces[-1]) < PIECE:
            self._pieces[-1] += data
        else:
            self._pieces.append(data)
        self._gathered += len(data)
        self._spool.in_memory += len(data)
        crowded = self._spool.in_memory > self._spool.memory_limit
        if self._descriptor < 0 and not crowded:
            if self._gathered > IN_MEMORY:
                await self._flush()
        elif self._gathered >= BLOCK or crowded:
            await self._flush()

    async def finish(self) -> bytes | SpoolFile:
        """All of it, as a `Raw`. Nothing may be written after. Raises SpoolFull."""
        if self._descriptor < 0:
            self._pieces = [b"".join(self._pieces)]
            return self._pieces[0]
        await self._flush()
        return SpoolFile(self._descriptor, self._written)

    async def wipe(self) -> None:
        """Write over what is on disk: of some mail no content may last (law 117/2025/QH15 article 5.2)."""
        self._drop_gathered()
        if self._descriptor >= 0:
            await asyncio.to_thread(_overwrite, self._descriptor, self._written)

    def close(self) -> None:
        """Give memory and disk back. Idempotent."""
        self._drop_gathered()
        self._spool.on_disk -= self._written
        self._written = 0
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    async def _flush(self) -> None:
        data = b"".join(self._pieces)
        if self._spool.on_disk + len(data) > self._spool.disk_limit:
            raise SpoolFull("the spool's budget is used up")
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self._spool.folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
            await asyncio.to_thread(_write_all, self._descriptor, data)
        except OSError as error:
            raise SpoolFull(str(error)) from error
        self._written += len(data)
        self._spool.on_disk += len(data)
        self._drop_gathered()

    def _drop_gathered(self) -> None:
        self._pieces = []
        self._spool.in_memory -= self._gathered
        self._gathered = 0


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _overwrite(descriptor: int, size: int) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    while size > 0:
        size -= os.write(descriptor, bytes(min(size, BLOCK)))
    os.fsync(descriptor)
