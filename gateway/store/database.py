"""One SQLite database: how its file is opened for the writer and for readers, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from gateway.errors import StoreUnavailable

Result = TypeVar("Result")

CACHE = 64 * 1024
"""KiB of pages that the writer keeps: the upper levels of every index of a trail of millions of records."""

LOG_LIMIT = 64 * 1024 * 1024
"""Bytes that the write-ahead log keeps on disk after a checkpoint."""

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN})
"""Errors after which the file itself is to be looked at: garbage, not a database, gone."""


class Damaged(StoreUnavailable):
    """The database's file is gone or is not a sound database."""


def unavailable(error: DBAPIError | sqlite3.Error) -> StoreUnavailable:
    """The driver's error in our terms; its text is the database's, never the statement with its values."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # https://www.sqlite.org/rescode.html: extended codes
    return (Damaged if code in DAMAGED else StoreUnavailable)(f"the database: {cause}")


class Database:
    """`locate` gives the file as it is called now, None where there is none. `patience` in seconds, for locks.

    A reader opens the file anew each time: that costs a third of a millisecond, and it never reads a file that has
    been replaced.
    """

    def __init__(self, locate: Callable[[], Path | None], patience: float) -> None:
        self.locate = locate
        self._patience = patience
        self._reading = create_engine("sqlite://", creator=self._open, poolclass=NullPool)
        self._writing = self._writing_engine()

    def connect(self) -> Connection:
        """For the one writer: each transaction takes the write lock when it begins, and is durable when it commits."""
        try:
            return self._writing.connect()
        except DBAPIError as error:
            raise unavailable(error) from error

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` reads. Raises StoreUnavailable, Damaged where the file is to blame."""
        if self.identity() is None:
            raise Damaged("the database is gone")
        try:
            with self._reading.connect() as connection:
                connection.exec_driver_sql("PRAGMA query_only=ON")
                return work(connection)
        except DBAPIError as error:
            raise unavailable(error) from error

    def identity(self) -> tuple[Path, int, int] | None:
        """Which file it is now: a database that was removed or replaced while open must not be written to."""
        path = self.locate()
        try:
            found = os.stat(path) if path else None
        except FileNotFoundError:
            return None
        # SQLite takes an emptied file for a new database, and throws its log away.
        return (path, found.st_dev, found.st_ino) if path and found and found.st_size else None

    def _open(self) -> sqlite3.Connection:
        path = self.locate()
        if path is None:
            raise Damaged("the database is gone")
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",  # never makes an empty one by opening it
            uri=True,
            timeout=self._patience,
            isolation_level=None,  # transactions begin where we say so
            check_same_thread=False,
        )

    def _writing_engine(self) -> Engine:
        engine = create_engine("sqlite://", creator=self._open, poolclass=NullPool)

        @event.listens_for(engine, "connect")
        def _set_up(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            # https://www.sqlite.org/pragma.html#pragma_synchronous: in WAL mode NORMAL may lose what was committed.
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute(f"PRAGMA cache_size=-{CACHE}")
            connection.execute(f"PRAGMA journal_size_limit={LOG_LIMIT}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        return engine


def create_file(path: Path) -> None:
    """An empty database file that only we may read; its log inherits that. Its name is durable."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
