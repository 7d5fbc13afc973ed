"""The audit trail read as a whole: counted in the database, or one record after the other, never all at once.

Reads beside whoever writes and takes no part in it. The newest records have no index yet (`tables.py`), so each
question is asked of both parts.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, distinct, func, literal, or_, select, union_all

from gateway.keeping import AuditRecord
from gateway.mail import Direction
from gateway.reports.tallies import Daily, Hit, Received, Sent, Source, Span
from gateway.store.database import Database
from gateway.store.records import record_of
from gateway.store.tables import HEAD, RECORDS
from gateway.store.text import folded, microseconds, moment_of
from gateway.store.threads import PATIENCE

PAGE = 1_000
"""Records read at once, some two megabytes; between pages the log's checkpoints get their turn."""

TAKEN = ("accept", "tag", "hold", "quarantine")
"""Actions by which a sender has sent: what is refused or deferred comes again or never."""

HANDED_ON = ("accept", "tag")
"""Actions by which a recipient has received."""

INSIDE = (Direction.OUTBOUND.value, Direction.INTERNAL.value)
OURS = (Direction.INBOUND.value, Direction.INTERNAL.value)
DAY = 86_400_000_000
"""Microseconds."""

AHEAD = 7 * 3_600_000_000
"""Microseconds by which the day begins earlier in Asia/Ho_Chi_Minh, all the year round."""

DECIDED = ("message", "unstored")
"""Events that tell what was decided of a message."""

NO_RULES = '"rules":[],"sender":'
"""How canonical JSON begins in a record that no rule spoke in. A quote inside a value is escaped: this is a key."""


class Summaries:
    """One trail, as `reports/tallies.py` asks it."""

    def __init__(self, folder: Path, patience: float = PATIENCE) -> None:
        path = folder / "trail.db"
        self._database = Database(lambda: path if path.exists() else None, patience)

    def sent(self, span: Span) -> Iterator[Sent]:
        """As the protocol says."""
        rows = _union(_within(span, *SENT), RECORDS.c.account, RECORDS.c.sender, RECORDS.c.id, RECORDS.c.moment)
        counted = select(rows.account, rows.sender, func.count(distinct(rows.id)), func.max(rows.moment))
        for account, sender, messages, last in self._all(counted.group_by(rows.account, rows.sender)):
            yield Sent(account, sender, messages, moment_of(last))

    def received(self, span: Span) -> Iterator[Received]:
        """As the protocol says."""
        rows = _union(_within(span, *RECEIVED), RECORDS.c.recipient, RECORDS.c.moment)
        counted = select(rows.recipient, func.count(), func.max(rows.moment)).group_by(rows.recipient)
        for recipient, messages, last in self._all(counted):
            yield Received(recipient, messages, moment_of(last))

    def last_used(self, address: str) -> tuple[datetime | None, datetime | None]:
        """As the protocol says."""
        mine = folded(address)
        sent = [self._newest(column == mine, *SENT) for column in (RECORDS.c.account, RECORDS.c.sender)]
        received = self._newest(RECORDS.c.recipient == mine, *RECEIVED)
        return max((moment for moment in sent if moment is not None), default=None), received

    def daily(self, span: Span, direction: Direction, rules: Collection[str] = ()) -> Iterator[Daily]:
        """As the protocol says."""
        rows = _union(_of_rules(span, direction, rules), RECORDS.c.moment, RECORDS.c.action)
        day = _day(rows.moment).label("day")
        counted = select(day, rows.action, func.count()).group_by(day, rows.action).order_by(day, rows.action)
        for number, action, messages in self._all(counted):
            yield Daily(date(1970, 1, 1) + timedelta(days=number), action, messages)

    def by_rule(self, span: Span, direction: Direction, rules: Sequence[str]) -> Sequence[int]:
        """As the protocol says."""
        held = [_held(rule).label(f"rule{number}") for number, rule in enumerate(rules)]
        rows = _union(_within(span, RECORDS.c.direction == direction.value), *held)
        [counts] = self._all(select(*(func.sum(rows[each.name], type_=Integer) for each in held)))
        return [count or 0 for count in counts]

    def sources(
        self, span: Span, direction: Direction, rules: Collection[str], source: Source, limit: int
    ) -> Sequence[tuple[str, int]]:
        """As the protocol says."""
        where: ColumnElement[Any] = func.json_extract(RECORDS.c.content, "$.facts.client")
        if source == "domain":
            where = func.substr(RECORDS.c.sender, func.instr(RECORDS.c.sender, "@") + 1)
        rows = _union(_of_rules(span, direction, rules), func.coalesce(where, "").label("source"))
        most = select(rows.source, func.count()).group_by(rows.source).order_by(func.count().desc(), rows.source)
        return [(name, count) for name, count in self._all(most.limit(limit))]

    def hits(self, span: Span) -> Iterator[Hit]:
        """As the protocol says."""
        for record in self.records(span, func.instr(RECORDS.c.content, NO_RULES) == 0, events=DECIDED):
            answers = record.facts.get("answers")
            if answers is None:  # of mail of which nothing is stored, only rules in force are recorded
                answers = [{"rule": rule, "mode": "enforce", "result": "match"} for rule in record.facts["rules"]]
            for answer in answers:
                if answer["result"] == "match":
                    yield Hit(answer["rule"], answer["mode"], record)

    def decisions(self, span: Span) -> Iterator[AuditRecord]:
        """As the protocol says."""
        return self.records(span, events=("decision",))

    def found(self, span: Span, filter: str) -> Iterator[AuditRecord]:
        """As the protocol says."""
        return self.records(span, func.instr(RECORDS.c.content, f'"code":"{filter}.') > 0)

    def records(
        self, span: Span, *conditions: ColumnElement[bool], events: Sequence[str] = ("message",)
    ) -> Iterator[AuditRecord]:
        """Records of these events, oldest first, page by page."""
        [(indexed,)] = self._all(select(HEAD.c.indexed))
        # An expression is no term for an index: by that of events the rows of several would have to be sorted.
        of_events = (RECORDS.c.event + "").in_(events)
        for old in (True, False):
            moment, number = microseconds(span.since), 0
            while True:
                later = or_(RECORDS.c.moment > moment, RECORDS.c.number > number)
                within = (RECORDS.c.moment >= moment, RECORDS.c.moment < microseconds(span.until), later)
                part = _parts((*within, of_events, *conditions), literal(indexed))[0 if old else 1]
                page = part.with_only_columns(RECORDS.c.moment, RECORDS.c.number, RECORDS.c.content)
                found = self._all(page.order_by(RECORDS.c.moment, RECORDS.c.number).limit(PAGE))
                yield from (record_of(content) for _, _, content in found)
                if len(found) < PAGE:
                    break
                moment, number = found[-1].moment, found[-1].number

    def count(self, span: Span, *, events: Sequence[str] = ("message",)) -> int:
        """How many records of these events there are."""
        rows = _union(_within(span, events=events), RECORDS.c.number)
        [(number,)] = self._all(select(func.count(rows.number)))
        return int(number)

    def newest(self) -> datetime | None:
        """The moment of the last record."""
        last = select(RECORDS.c.moment).order_by(RECORDS.c.number.desc()).limit(1)
        return next((moment_of(moment) for (moment,) in self._all(last)), None)

    def _newest(self, *conditions: ColumnElement[bool]) -> datetime | None:
        rows = _union((RECORDS.c.event == "message", *conditions), RECORDS.c.moment)
        [(moment,)] = self._all(select(func.max(rows.moment)))
        return None if moment is None else moment_of(moment)

    def _all(self, asked: Select[Any]) -> Sequence[Any]:
        return self._database.read(lambda connection: connection.execute(asked).all())


Conditions = Sequence[ColumnElement[bool]]

SENT: Conditions = (RECORDS.c.direction.in_(INSIDE), RECORDS.c.action.in_(TAKEN))
RECEIVED: Conditions = (RECORDS.c.direction.in_(OURS), RECORDS.c.action.in_(HANDED_ON), RECORDS.c.sender != "")


def _within(span: Span, *conditions: ColumnElement[bool], events: Sequence[str] = ("message",)) -> Conditions:
    since, until = microseconds(span.since), microseconds(span.until)
    return (RECORDS.c.moment >= since, RECORDS.c.moment < until, RECORDS.c.event.in_(events), *conditions)


def _of_rules(span: Span, direction: Direction, rules: Collection[str]) -> Conditions:
    """Messages of a direction, and, if rules are named, those for which one of them held in force."""
    within = _within(span, RECORDS.c.direction == direction.value)
    return (*within, or_(*map(_held, rules))) if rules else within


def _held(rule: str) -> ColumnElement[bool]:
    """An answer in canonical JSON has its keys in this order (`records.py`): it need not be read to be found."""
    return func.instr(RECORDS.c.content, f'"mode":"enforce","result":"match","rule":{json.dumps(rule)}') > 0


def _parts(conditions: Conditions, indexed: ColumnElement[int]) -> tuple[Select[Any], Select[Any]]:
    """What the indexes have, and what they do not have yet: `indexed` is the last number that they have."""
    old = select(RECORDS).where(RECORDS.c.fresh.is_(None), RECORDS.c.number <= indexed, *conditions)
    return old, select(RECORDS).where(RECORDS.c.number > indexed, *conditions)


def _union(conditions: Conditions, *columns: ColumnElement[Any]) -> Any:
    """The columns of a subquery over both parts."""
    parts = _parts(conditions, select(HEAD.c.indexed).scalar_subquery())
    return union_all(*(part.with_only_columns(*columns) for part in parts)).subquery().c


def _day(moment: ColumnElement[int]) -> ColumnElement[int]:
    """The number of the day since 1970, as it is in Vietnam."""
    return (moment + AHEAD) // DAY
