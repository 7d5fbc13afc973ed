"""Is a store sound? Looked at from beside whoever uses it: nothing is written, nothing is mended."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alembic.script import ScriptDirectory

from gateway.store.chain import Forgotten, Head, Inspection
from gateway.store.database import Database
from gateway.store.head import HeadFile
from gateway.store.schema import STEPS
from gateway.store.threads import PATIENCE
from gateway.store.trail_file import head_of, last_forgotten, rows_after

Family = Literal["mail", "trail"]


@dataclass(frozen=True, slots=True)
class Soundness:
    """What SQLite says of a file. `whole` is False where there was no time to look at all of it."""

    problems: tuple[str, ...]
    whole: bool


def databases(folder: Path) -> list[tuple[Family, Path]]:
    """The store's database files that are there."""
    trail = folder / "trail.db"
    found: list[tuple[Family, Path]] = [("mail", path) for path in sorted(folder.glob("index-*.db"))]
    return [("trail", trail), *found] if trail.exists() else found


def soundness(path: Path, seconds: float) -> Soundness:
    """Every page and index of a database, as far as the time goes (PRAGMA quick_check)."""
    try:
        with closing(_opened(path)) as connection:
            # The check looks for an interruption at every page; a progress handler it does not call.
            alarm = threading.Timer(seconds, connection.interrupt)
            alarm.start()
            try:
                found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            finally:
                alarm.cancel()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return Soundness((), whole=False)
        return Soundness((str(error),), whole=True)
    except sqlite3.DatabaseError as error:
        return Soundness((str(error),), whole=True)
    return Soundness(tuple(text for text in found if text != "ok"), whole=True)


def writable(path: Path) -> str:
    """Why the database cannot be written to, "" if it can: its write lock is taken and given back."""
    try:
        with closing(_opened(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        return str(error)
    return ""


def revisions(path: Path, family: Family) -> tuple[str, str]:
    """The schema's revision in the file, and the one that this version has."""
    newest = ScriptDirectory(str(STEPS), version_locations=[str(STEPS / family)]).get_current_head() or ""
    try:
        with closing(_opened(path)) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.DatabaseError:
        rows = []
    return rows[0][0] if rows else "", newest


def tail_problems(folder: Path, count: int) -> Sequence[str]:
    """What does not fit in the last records of the audit chain. Raises StoreUnavailable."""
    path, noted = folder / "trail.db", HeadFile(folder / "trail.head").read()
    database = Database(lambda: path if path.exists() else None, PATIENCE)
    head = database.read(head_of)
    forgotten = database.read(last_forgotten)[1]
    before = max(forgotten.base.number, head.number - count - 1)
    rows = database.read(lambda connection: rows_after(connection, before, count + 1))
    if not rows:
        return list(Inspection(forgotten, _anchors(head, noted)).end())
    base = forgotten.base
    if before > forgotten.base.number:
        base = Head(rows[0][0].number, rows[0][0].hash)
        rows = rows[1:]
    inspection = Inspection(Forgotten(base, forgotten.before), _anchors(head, noted))
    problems = [problem for row, rules in rows for problem in inspection.see(row, rules)]
    return [*problems, *inspection.end()]


def _anchors(head: Head, noted: Head | None) -> list[tuple[str, Head]]:
    return [("in the database", head), *([("in trail.head", noted)] if noted else [])]


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=PATIENCE, isolation_level=None)
