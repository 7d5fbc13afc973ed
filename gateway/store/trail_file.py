"""The file of the audit trail: unlike the index of mail it is never made anew, for nothing else has what it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from pathlib import Path

from sqlalchemy import Connection, RowMapping, inspect, select

from gateway.errors import StoreUnavailable
from gateway.keeping import AuditRecord
from gateway.store.chain import Forgotten, Head, digest_of, forgotten_of, link
from gateway.store.database import Database, create_file
from gateway.store.head import HeadFile
from gateway.store.records import ADDRESSES, WORDS, Columns, Stored, columns_of, content_of, record_of
from gateway.store.schema import upgrade
from gateway.store.tables import HEAD, RECORD_RULES, RECORDS
from gateway.store.text import microseconds

SAMPLED = 1_000
"""Rows of each index that are looked at for the planner's statistics (https://www.sqlite.org/lang_analyze.html)."""

COLUMNS = ("event", "id", *ADDRESSES, *WORDS)
"""The columns by which records are found, as `Columns` has them."""

values_of = attrgetter(*COLUMNS)
"""Their values."""

AT_ONCE = 500
"""Rows of one statement: it has 13 values for each, and SQLite takes 32,766
(https://www.sqlite.org/limits.html#max_variable_number)."""


class TrailFile:
    """Finds the trail and appends to its chain. The keeper of the trail's writer."""

    def __init__(self, path: Path, head: Path, patience: float) -> None:
        self.path = path
        self.noted = HeadFile(head)
        self._head = Head()  # as this process left it; it is compared before it is believed
        self.database = Database(self.locate, patience)

    def locate(self) -> Path | None:
        """The trail, if it is there."""
        return self.path if self.path.exists() else None

    def mend(self) -> None:
        """Bring the schema up to date, or begin a trail where there never was one.

        Raises StoreUnavailable if it is lost.
        """
        noted = self.noted.read() or Head()
        if self.locate() is None:
            self._refuse(noted, "is gone")
            create_file(self.path)
        with self.database.connect() as connection, connection.begin():
            if not inspect(connection).has_table(RECORDS.name):
                self._refuse(noted, "is empty")
            upgrade(connection, "trail")
            analyse(connection)
            begun = head_of(connection).number > 0
        if not begun and not self.noted.path.exists():
            self.noted.write(Head())

    def settle(self, later: Sequence[Head]) -> None:
        """Note the newest head in the second place."""
        if later:
            self.noted.write(later[-1])

    def drop(self, later: Sequence[Head]) -> None:
        """Nothing was prepared."""

    def extend(self, connection: Connection, prepared: Sequence[tuple[AuditRecord, str]]) -> Head:
        """Append records with their contents; the new head.

        If the second place knows of more records than are here, the end was cut off: the numbers go on behind it, so
        that the gap stays to be seen.
        """
        extension = _Extension.behind(self._head, prepared)
        if not extension.follows(connection, self._head):  # another process, or the first time
            here = head_of(connection)
            last = max(here, self.noted.read() or Head(), key=lambda each: each.number)
            extension = _Extension.behind(last, prepared)
            assert extension.follows(connection, here)
        extension.write(connection)
        self._head = extension.head
        return extension.head

    def _refuse(self, noted: Head, what: str) -> None:
        if noted.number:
            raise StoreUnavailable(
                f"{self.path.name} {what}, but {self.noted.path.name} says that it has {noted.number} records: "
                "bring it back, or remove both to begin a new chain"
            )


@dataclass(frozen=True, slots=True)
class _Extension:
    """The rows of some records behind a head."""

    head: Head
    rows: Sequence[tuple[object, ...]]
    rules: Sequence[tuple[object, ...]]

    @classmethod
    def behind(cls, head: Head, prepared: Sequence[tuple[AuditRecord, str]]) -> _Extension:
        rows: list[tuple[object, ...]] = []
        rules: list[tuple[object, ...]] = []
        for record, content in prepared:
            columns, named = columns_of(record)
            number, moment, digest = head.number + 1, microseconds(record.moment), digest_of(content)
            head = Head(number, link(head.hash, number, moment, record.retention, digest))
            rows.append((number, moment, record.retention, content, digest, head.hash, *values_of(columns)))
            rules += [(rule, moment, number) for rule in named]
        return cls(head, rows, rules)

    def follows(self, connection: Connection, head: Head) -> bool:
        """Move the database's head, if it is that one."""
        # `indexed` becomes lower where the end was cut off.
        move = "UPDATE head SET number = ?, hash = ?, indexed = min(indexed, ?) WHERE number = ? AND hash = ?"
        before = self.head.number - len(self.rows)
        values = (self.head.number, self.head.hash, before, head.number, head.hash)
        return _driver(connection).execute(move, values).rowcount == 1

    def write(self, connection: Connection) -> None:
        for at in range(0, len(self.rows), AT_ONCE):
            rows = self.rows[at : at + AT_ONCE]
            _driver(connection).execute(_appending(len(rows)), tuple(chain.from_iterable(rows)))
        if self.rules:
            insertion = "INSERT INTO record_rules (rule, moment, number) VALUES (?, ?, ?)"
            _driver(connection).executemany(insertion, self.rules)


def _driver(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection, inside the open transaction: for what each message waits for."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


@lru_cache(AT_ONCE)
def _appending(count: int) -> str:
    """One statement for all rows: the interpreter is let go once for it, not once for each row as by executemany, and
    the event loop, which wants it too, is not fought over."""
    names = ("number", "moment", "retention", "content", "digest", "hash", *COLUMNS)
    row = f"({', '.join('?' * len(names))}, 1)"
    return f"INSERT INTO records ({', '.join(names)}, fresh) VALUES {', '.join([row] * count)}"  # noqa: S608 only names


def prepared(record: AuditRecord) -> tuple[AuditRecord, str]:
    """The record with its content."""
    return record, content_of(record)


def head_of(connection: Connection) -> Head:
    """The head as the database has it."""
    number, hash = connection.execute(select(HEAD.c.number, HEAD.c.hash)).one()
    return Head(number, hash)


def last_forgotten(connection: Connection) -> tuple[int, Forgotten]:
    """The newest `expired` record: its number, and what it says may be missing; 0 and nothing if there is none."""
    newest = (
        select(RECORDS.c.number, RECORDS.c.content)
        .where(RECORDS.c.event == "expired", RECORDS.c.fresh.is_(None))  # it never is: see `expiry.py`
        .order_by(RECORDS.c.moment.desc(), RECORDS.c.number.desc())
    )
    row = connection.execute(newest.limit(1)).one_or_none()
    if row is None:
        return 0, Forgotten()
    try:
        return row.number, forgotten_of(record_of(row.content))
    except (KeyError, TypeError, ValueError):  # tampered with: it excuses nothing, and `verify` names it
        return row.number, Forgotten()


def rows_after(connection: Connection, number: int, count: int) -> list[tuple[Stored, tuple[str, ...]]]:
    """The next rows behind that number, with the rules they are indexed by."""
    page = select(RECORDS).where(RECORDS.c.number > number).order_by(RECORDS.c.number).limit(count)
    rows = [_stored(row._mapping) for row in connection.execute(page)]
    if not rows:
        return []
    indexed: dict[int, list[str]] = {}
    between = RECORD_RULES.c.number.between(rows[0].number, rows[-1].number)
    for found, rule in connection.execute(select(RECORD_RULES.c.number, RECORD_RULES.c.rule).where(between)):
        indexed.setdefault(found, []).append(rule)
    return [(row, tuple(sorted(indexed.get(row.number, ())))) for row in rows]


def misplaced(connection: Connection) -> list[int]:
    """Records, a thousand at most, that a search would overlook or find twice: fresh where the others have indexes, or
    the other way round."""
    indexed = select(HEAD.c.indexed).scalar_subquery()
    page = select(RECORDS.c.number).where(RECORDS.c.fresh.is_(None) != (RECORDS.c.number <= indexed)).limit(1_000)
    return [*connection.scalars(page)]


def analyse(connection: Connection) -> None:
    """Let the planner know which columns tell most: a sender is rare, a direction is not."""
    connection.exec_driver_sql(f"PRAGMA analysis_limit={SAMPLED}")
    connection.exec_driver_sql("ANALYZE")


def _stored(row: RowMapping) -> Stored:
    expired = row["content"] is None
    return Stored(
        number=row["number"],
        moment=row["moment"],
        retention=row["retention"],
        columns=None if expired else Columns(**{name: row[name] for name in COLUMNS}),
        content=row["content"],
        digest=row["digest"],
        hash=row["hash"],
    )
