"""The file of the audit trail: unlike the index of mail it is never made anew, for nothing else has what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, RowMapping, insert, inspect, select, update

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


class TrailFile:
    """Finds the trail and appends to its chain. The keeper of the trail's writer."""

    def __init__(self, path: Path, head: Path, patience: float) -> None:
        self.path = path
        self.noted = HeadFile(head)
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
        head = max(head_of(connection), self.noted.read() or Head(), key=lambda each: each.number)
        rows, rules = [], []
        for record, content in prepared:
            columns, named = columns_of(record)
            number, moment, digest = head.number + 1, microseconds(record.moment), digest_of(content)
            head = Head(number, link(head.hash, number, moment, record.retention, digest))
            rows.append(
                {name: getattr(columns, name) for name in COLUMNS}
                | {"number": number, "moment": moment, "retention": record.retention}
                | {"content": content, "digest": digest, "hash": head.hash}
            )
            rules += [{"rule": rule, "moment": moment, "number": number} for rule in named]
        connection.execute(insert(RECORDS), rows)
        if rules:
            connection.execute(insert(RECORD_RULES), rules)
        connection.execute(update(HEAD).values(number=head.number, hash=head.hash))
        return head

    def _refuse(self, noted: Head, what: str) -> None:
        if noted.number:
            raise StoreUnavailable(
                f"{self.path.name} {what}, but {self.noted.path.name} says that it has {noted.number} records: "
                "bring it back, or remove both to begin a new chain"
            )


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
        .where(RECORDS.c.event == "expired")
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
