"""The trail's head in a second place: a small file, best on another disk, written after each batch.

It is written in place and synced only when it is made: after a power cut it may be some records behind, never ahead.
A trail that ends before it has lost its end.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from gateway.store.chain import Head
from gateway.store.database import sync_folder

LINE = re.compile(rb"([0-9]{18}) ([0-9a-f]{64})\n")
LENGTH = 18 + 1 + 64 + 1
"""Bytes: always the same and less than a sector, so that a write is whole or not there."""


class HeadFile:
    """The file, opened when it is used: it may be on a disk that comes and goes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Head | None:
        """What it says, None if there is none or it cannot be read."""
        with suppress(OSError):
            if found := LINE.fullmatch(self.path.read_bytes()[: LENGTH + 1]):
                return Head(int(found[1]), bytes.fromhex(found[2].decode()))
        return None

    def write(self, head: Head) -> None:
        """Say it. Never raises: the record is safe without, and `verify` tells that the file is not as it should be."""
        line = b"%018d %s\n" % (head.number, head.hash.hex().encode())
        with suppress(OSError):
            try:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                self._create(line)
                return
            try:
                os.pwrite(descriptor, line, 0)
                os.ftruncate(descriptor, LENGTH)
            finally:
                os.close(descriptor)

    def _create(self, line: bytes) -> None:
        draft = self.path.with_name(f"{self.path.name}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.rename(self.path)
        sync_folder(self.path.parent)
