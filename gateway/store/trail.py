"""The audit trail of the embedded family: append, find, prove, clear, hand out.

`records.py` says what a record looks like, `chain.py` how they are chained, `expiry.py` how old ones go.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Row, column, or_, select, tuple_, union_all

from gateway.keeping import AuditRecord
from gateway.store.appender import Appender
from gateway.store.chain import Head, Inspection
from gateway.store.expiry import RETENTION, Expiry
from gateway.store.indexing import Indexing, index
from gateway.store.pseudonyms import Pseudonyms
from gateway.store.records import ADDRESSES, Stored, holds, record_of
from gateway.store.tables import HEAD, RECORD_RULES, RECORDS
from gateway.store.text import COMPARED, clipped, folded, microseconds, storable
from gateway.store.threads import Threads
from gateway.store.trail_file import (
    COLUMNS,
    TrailFile,
    analyse,
    head_of,
    last_forgotten,
    misplaced,
    prepared,
    rows_after,
)
from gateway.store.writer import Turn, Writer

Result = TypeVar("Result")
Page = list[tuple[Stored, tuple[str, ...]]]

PAGE = 500
"""Records read at once: long enough to be quick, short enough not to hold up the log's checkpoints."""

ANALYSED = 50_000
"""Records after which the planner's statistics are taken again: they change with the shape of the mail, slowly."""

TOLD = 1_000
"""Problems that `verify` tells of: who has more restores a backup, and reads the first."""


class EmbeddedTrail:
    """The AuditTrail of one SQLite file, with or without pseudonyms."""

    def __init__(
        self, file: TrailFile, writer: Writer[Head], threads: Threads, pseudonyms: Pseudonyms | None = None
    ) -> None:
        self._file = file
        self._writer = writer
        self._threads = threads
        self._pseudonyms = pseudonyms
        self._expiry = Expiry(file, writer)
        self._appender = Appender(self._write)
        self._indexing = Indexing(lambda count: writer.run(partial(self._index, count=count)))
        self._indexed = 0

    def begin(self) -> None:
        """Begin the work that the trail does by itself: indexes for records that a former process left without."""
        self._indexing.begin()

    async def append(self, records: Sequence[AuditRecord]) -> None:
        """Remember; on stable storage when it returns. Raises StoreUnavailable.

        Raises TypeError or ValueError for facts that are not plain JSON values.
        """
        contents = [prepared(self._under_pseudonyms(record)) for record in records]
        if contents:
            await self._appender.append(contents)

    async def search(
        self, *, since: datetime | None = None, until: datetime | None = None, **equal: str
    ) -> AsyncIterator[AuditRecord]:
        """Records from `since` to before `until` whose facts are these, oldest first.

        Quick for event, id, sender, recipient, account (any case), direction, action and rule; for another fact every
        record in the span is looked at. Numbers and truths are asked for as JSON writes them. Raises StoreUnavailable.
        """
        if self._pseudonyms is not None:
            equal = {name: self._pseudonyms.asked(name, value) for name, value in equal.items()}
        place: tuple[int, int] | None = None
        while True:
            rows = await self._read(partial(_page, since=since, until=until, equal=equal, place=place))
            for row in rows:
                found = record_of(row.content)
                if all(holds(found, name, value) for name, value in equal.items()):
                    yield found
            if len(rows) < PAGE:
                return
            place = rows[-1].moment, rows[-1].number

    async def rows(self, *, since: datetime | None = None, until: datetime | None = None) -> AsyncIterator[Stored]:
        """The trail as it is stored, in the order of the chain, for `export.py`; expired records without content."""
        async for page in self._pages():
            for row, _ in page:
                late_enough = since is None or row.moment >= microseconds(since)
                if late_enough and (until is None or row.moment < microseconds(until)):
                    yield row

    async def head(self) -> Head:
        """The end of the chain now. Noted where nobody here can write, it proves later that nothing was rewritten."""
        return await self._read(head_of)

    async def verify(self, *noted: Head) -> Sequence[str]:
        """What does not fit the chain, in words with the record's number; nothing if it is whole.

        `noted` are heads written down earlier. Raises StoreUnavailable if the file cannot be read.
        """
        while True:
            expired, problems = await self._inspected(noted)
            if expired == (await self._read(last_forgotten))[0]:  # else records were cleared meanwhile
                return problems

    async def expire(self, now: datetime, classes: Mapping[str, timedelta] = RETENTION) -> int:
        """Clear records that are older than their class is kept; how many. Classes not named are kept.

        Raises ValueError for a class kept less than six months, StoreUnavailable.
        """
        return await self._expiry.run(now, classes)

    async def close(self) -> None:
        """End the trail's work: what waits is written."""
        await self._appender.close()
        await self._indexing.close()
        await self._writer.close()

    def _under_pseudonyms(self, record: AuditRecord) -> AuditRecord:
        return replace(record, facts=self._pseudonyms.hide(record.facts)) if self._pseudonyms else record

    async def _write(self, contents: Sequence[tuple[AuditRecord, str]]) -> None:
        await self._writer.run(partial(self._extend, contents=contents))
        self._indexing.appended(len(contents))

    def _extend(self, turn: Turn[Head], contents: Sequence[tuple[AuditRecord, str]]) -> None:
        turn.later.append(self._file.extend(turn.connection, contents))

    def _index(self, turn: Turn[Head], count: int) -> int:
        done, left = index(turn.connection, count)
        self._indexed += done
        if self._indexed >= ANALYSED:
            analyse(turn.connection)
            self._indexed = 0
        return left

    async def _inspected(self, noted: Sequence[Head]) -> tuple[int, list[str]]:
        """The number of the last `expired` record, and what is wrong in the light of it."""
        second = self._file.noted.read()  # before the first: what is noted there is in the database, if all is well
        first = await self._read(head_of)
        expired, forgotten = await self._read(last_forgotten)
        anchors = [("in the database", first), *(("elsewhere", each) for each in noted)]
        problems = [f"record {number} is not where a search looks" for number in await self._read(misplaced)]
        if second is not None:
            anchors.append((f"in {self._file.noted.path.name}", second))
        elif first.number:
            problems.append(f"{self._file.noted.path.name} is gone or cannot be read")
        inspection = Inspection(forgotten, anchors)
        async for page in self._pages():
            problems += await self._threads.run(_seen, inspection, page)
            if len(problems) > TOLD:
                return expired, [*problems[:TOLD], "there is more"]
        return expired, [*problems, *inspection.end()]

    async def _pages(self) -> AsyncIterator[Page]:
        number = 0
        while page := await self._read(partial(rows_after, number=number, count=PAGE)):
            yield page
            number = page[-1][0].number

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        return await self._threads.run(self._file.database.read, work)


def _seen(inspection: Inspection, page: Page) -> list[str]:
    return [problem for row, rules in page for problem in inspection.see(row, rules)]


def _page(
    connection: Connection,
    since: datetime | None,
    until: datetime | None,
    equal: Mapping[str, str],
    place: tuple[int, int] | None,
) -> Sequence[Row[int, int, str]]:
    """The next records that match, those that have indexes and those that are fresh."""
    table = RECORD_RULES if "rule" in equal else RECORDS
    moment, number = table.c.moment, table.c.number
    conditions = [RECORDS.c.content.is_not(None), *(_equals(name, value) for name, value in equal.items())]
    if since is not None:
        conditions.append(moment >= microseconds(since))
    if until is not None:
        conditions.append(moment < microseconds(until))
    if place is not None:
        conditions.append(tuple_(moment, number) > place)
    page = select(moment, number, RECORDS.c.content).where(*conditions)
    if table is RECORD_RULES:
        by_rule = page.join_from(RECORD_RULES, RECORDS, RECORD_RULES.c.number == RECORDS.c.number)
        return connection.execute(by_rule.order_by(moment, number).limit(PAGE)).all()
    indexed = select(HEAD.c.indexed).scalar_subquery()
    both = union_all(page.where(RECORDS.c.fresh.is_(None)), page.where(number > indexed))
    return connection.execute(both.order_by(column("moment"), column("number")).limit(PAGE)).all()


def _equals(name: str, value: str) -> ColumnElement[bool]:
    if name == "rule":
        return RECORD_RULES.c.rule == clipped(value)
    if name in COLUMNS:
        return RECORDS.c[name] == (folded(value) if name in ADDRESSES else clipped(value))
    # Narrows it down; `holds` decides. Canonical JSON has the fact as one of these texts.
    texts = (f"{json.dumps(name)}:{written}"[:COMPARED] for written in (json.dumps(value), value))
    return or_(*(RECORDS.c.content.contains(storable(text), autoescape=True) for text in texts))
