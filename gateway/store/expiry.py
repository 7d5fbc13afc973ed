"""Old audit records go, by class; the chain stays whole (`chain.py` says how).

First a record is appended that says what is going to be cleared, then it is cleared, in small pieces between which
others write. A crash in between leaves records that are late, and the next run takes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Connection, and_, delete, false, or_, select, tuple_, update

from gateway.identity import new_id
from gateway.store.chain import Forgotten, Head, forgetting
from gateway.store.indexing import index_all
from gateway.store.tables import RECORD_RULES, RECORDS
from gateway.store.text import microseconds
from gateway.store.trail_file import COLUMNS, TrailFile, last_forgotten, prepared
from gateway.store.writer import Turn, Writer

LEAST = timedelta(days=184)
"""No record goes before six months (regulation gialai-2022 article 7.2: the longest six months of a year)."""

RETENTION: Mapping[str, timedelta] = {"decision": timedelta(days=366)}
"""How long each class is kept unless somebody says otherwise: decisions twelve months."""

OWN_CLASS = "chain"
"""The class of the `expired` records themselves: each says all that the former ones said, so old ones can go too."""

PIECE = 2_000
"""Records cleared in one transaction: some 50 ms in which nobody else writes."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """Clears one trail."""

    file: TrailFile
    writer: Writer[Head]

    async def run(self, now: datetime, classes: Mapping[str, timedelta]) -> int:
        """Clear what is older than its class is kept; the number of records. Other classes are kept.

        Raises ValueError for a class kept less than six months, StoreUnavailable.
        """
        for name, kept in classes.items():
            if name == OWN_CLASS or kept < LEAST:
                raise ValueError(f"class {name} cannot be kept for {kept}: {LEAST.days} days is the least")
        if not classes:
            return 0
        forgotten = await self.writer.run(lambda turn: self._announce(turn, now, classes))
        if forgotten is None:
            return 0
        cleared = 0
        for name, before in forgotten.before.items():
            place: tuple[int, int] | None = (0, 0)
            while place:
                found, place = await self.writer.run(partial(_clear, name=name, before=before, place=place))
                cleared += found
        while await self.writer.run(partial(_remove, number=forgotten.base.number)):
            pass
        return cleared

    def _announce(self, turn: Turn[Head], now: datetime, classes: Mapping[str, timedelta]) -> Forgotten | None:
        index_all(turn.connection)
        _, former = last_forgotten(turn.connection)
        asked = {name: microseconds(now - kept) for name, kept in classes.items()}
        asked[OWN_CLASS] = min(asked.values())
        before = {name: max(asked.get(name, 0), former.before.get(name, 0)) for name in {*asked, *former.before}}
        held = Forgotten(former.base, before)
        if not turn.connection.scalar(select(RECORDS.c.number).where(_covered(before), _whole()).limit(1)):
            return held if before == former.before else None
        forgotten = Forgotten(_base(turn.connection, held), before)
        record = forgetting(new_id(), now, forgotten, OWN_CLASS)
        turn.later.append(self.file.extend(turn.connection, [prepared(record)]))
        index_all(turn.connection)
        return forgotten


def _base(connection: Connection, forgotten: Forgotten) -> Head:
    """The last record of the oldest ones that all go, or what it was before."""
    stays = select(RECORDS.c.number).where(~_covered(forgotten.before)).order_by(RECORDS.c.number).limit(1)
    first = connection.scalar(stays)
    goes = select(RECORDS.c.number, RECORDS.c.hash).order_by(RECORDS.c.number.desc()).limit(1)
    row = connection.execute(goes if first is None else goes.where(RECORDS.c.number < first)).one_or_none()
    return Head(*row) if row and row.number > forgotten.base.number else forgotten.base


def _clear(turn: Turn[Head], name: str, before: int, place: tuple[int, int]) -> tuple[int, tuple[int, int] | None]:
    """Clear the next records of a class; how many, and where to go on, None at the end."""
    key = tuple_(RECORDS.c.moment, RECORDS.c.number)
    rows = turn.connection.execute(
        select(RECORDS.c.moment, RECORDS.c.number)
        .where(RECORDS.c.retention == name, RECORDS.c.moment < before, _whole(), key > place)
        .order_by(RECORDS.c.moment, RECORDS.c.number)
        .limit(PIECE)
    ).all()
    numbers = [row.number for row in rows]
    turn.connection.execute(delete(RECORD_RULES).where(RECORD_RULES.c.number.in_(numbers)))
    nothing = dict.fromkeys((*COLUMNS, "content"))
    turn.connection.execute(update(RECORDS).where(RECORDS.c.number.in_(numbers)).values(nothing))
    return len(rows), (rows[-1].moment, rows[-1].number) if len(rows) == PIECE else None


def _remove(turn: Turn[Head], number: int) -> int:
    """Remove the next cleared records up to that number; how many."""
    oldest = select(RECORDS.c.number).where(RECORDS.c.number <= number).order_by(RECORDS.c.number).limit(PIECE)
    return turn.connection.execute(delete(RECORDS).where(RECORDS.c.number.in_(oldest))).rowcount


def _covered(before: Mapping[str, int]) -> ColumnElement[bool]:
    each = (and_(RECORDS.c.retention == name, RECORDS.c.moment < moment) for name, moment in before.items())
    return or_(false(), *each)


def _whole() -> ColumnElement[bool]:
    return and_(RECORDS.c.content.is_not(None), RECORDS.c.fresh.is_(None))
