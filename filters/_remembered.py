"""What filters remember of mail: a few numbers by key, so many at most, kept in a file if there is one.

Keys are digests: who wrote to whom does not stand in the file.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import struct
import time
from collections import OrderedDict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

MOST = 100_000
"""Rows of one table: some 30 MB. The least recently written are forgotten first."""

KEY_SIZE = 16
"""Bytes of a key."""

Row = tuple[float, ...]

_SCHEMA = "CREATE TABLE IF NOT EXISTS remembered (key BLOB PRIMARY KEY, at REAL NOT NULL, row BLOB NOT NULL)"


def key_of(*parts: str) -> bytes:
    """The key for these words, in this order."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=KEY_SIZE).digest()


@dataclass(slots=True, eq=False)
class Remembered:
    """A table. Used on one thread; only writing its file is done on others."""

    most: int = MOST
    rows: OrderedDict[bytes, Row] = field(default_factory=OrderedDict)
    file: Path | None = None
    changed: dict[bytes, Row | None] = field(default_factory=dict)

    def get(self, key: bytes) -> Row | None:
        """The row of a key."""
        return self.rows.get(key)

    def put(self, key: bytes, row: Row) -> None:
        """Remember this of a key from now on."""
        self.rows[key] = row
        self.rows.move_to_end(key)
        self._note(key, row)
        while len(self.rows) > self.most:
            gone, _ = self.rows.popitem(last=False)
            self._note(gone, None)

    def keep_in(self, file: Path) -> None:
        """Add what the file holds, and keep the rows in it from now on. Raises OSError.

        A file that is none of ours is put aside: what is remembered may be learned again.
        """
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            rows = _read(file, self.most)
        except sqlite3.DatabaseError as error:
            if not file.is_file():
                raise OSError(f"{file}: {error}") from error
            file.replace(file.with_suffix(".broken"))
            rows = []
        self.file = file
        for key, row in rows:
            self.rows.setdefault(key, row)

    async def save(self) -> None:
        """Write what has changed since the last time, on another thread. Raises OSError."""
        if self.changed and self.file is not None:
            await asyncio.to_thread(self._write, self._taken())

    def save_now(self) -> None:
        """The same at once, where the loop ends. Raises OSError."""
        if self.changed and self.file is not None:
            self._write(self._taken())

    def _note(self, key: bytes, row: Row | None) -> None:
        if self.file is not None:
            self.changed[key] = row

    def _taken(self) -> dict[bytes, Row | None]:
        changed, self.changed = self.changed, {}
        return changed

    def _write(self, changed: dict[bytes, Row | None]) -> None:
        assert self.file is not None
        now = time.time()
        kept = [(key, now, struct.pack(f"<{len(row)}d", *row)) for key, row in changed.items() if row is not None]
        gone = [(key,) for key, row in changed.items() if row is None]
        try:
            with closing(sqlite3.connect(self.file)) as database, database:
                database.execute(_SCHEMA)
                database.executemany("INSERT OR REPLACE INTO remembered VALUES (?, ?, ?)", kept)
                database.executemany("DELETE FROM remembered WHERE key = ?", gone)
        except sqlite3.Error as error:
            self.changed = changed | self.changed
            raise OSError(f"{self.file}: {error}") from error


def _read(file: Path, most: int) -> list[tuple[bytes, Row]]:
    """The rows of the file, the oldest first; of more than `most` the newest."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(_SCHEMA)
        found = database.execute("SELECT key, row FROM remembered ORDER BY at DESC LIMIT ?", (most,)).fetchall()
        database.execute("DELETE FROM remembered WHERE at < (SELECT min(at) FROM (SELECT at FROM remembered"
                         " ORDER BY at DESC LIMIT ?))", (most,))
    file.chmod(0o600)
    good = [(key, row) for key, row in reversed(found) if len(key) == KEY_SIZE and len(row) % 8 == 0]
    return [(key, struct.unpack(f"<{len(row) // 8}d", row)) for key, row in good]
