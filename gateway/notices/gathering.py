"""Notices that rules want put together: what came in a time, by service or sender, for each person and rule.

In a file, for several processes may take mail, and a summary must not be lost or told twice because one of them ends.
Time is passed in.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from gateway.errors import StoreUnavailable
from gateway.notices.model import Gather, GatheredSummary, MessageNotice, NoticeKind
from gateway.policy.rule import Bilingual

MOST_OPEN = 2_000
"""Summaries under way, some 10 MB; beyond that the one that began first is told early."""

MOST_SOURCES = 50
"""Services and senders named in one; of the messages of others it gives the number."""

MOST_RECIPIENTS = 20
"""Mailboxes named in one that is about other people's."""

SOURCE_LIMIT = 100
"""Characters of a name: that of a service, or a domain."""

PATIENCE = 5.0
"""Seconds that one process waits for another to have written."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS gathered (
    addressee TEXT NOT NULL, rule TEXT NOT NULL, kind TEXT NOT NULL, since REAL NOT NULL, until REAL NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (addressee, rule, kind, since)
) WITHOUT ROWID
"""
# One that a clock which was set back has begun far ahead of us is over: its time would come much later.
_OVER = """
SELECT kind, body FROM gathered WHERE until <= :now OR since > :now + (until - since) ORDER BY since
"""
_UNDER_WAY = """
SELECT since, body FROM gathered WHERE addressee = :to AND rule = :rule AND kind = :kind
    AND NOT (until <= :now OR since > :now + (until - since)) ORDER BY since LIMIT 1
"""
_BEGIN = "INSERT INTO gathered VALUES (:to, :rule, :kind, :now, :until, :body)"
_GO_ON = """
UPDATE gathered SET body = :body WHERE addressee = :to AND rule = :rule AND kind = :kind AND since = :since
"""
_HOW_MANY = "SELECT count(*) FROM gathered WHERE until > :now"
_END_THE_FIRST = """
UPDATE gathered SET until = :now WHERE until > :now
    AND since = (SELECT min(since) FROM gathered WHERE until > :now)
"""
_FORGET = "DELETE FROM gathered WHERE addressee = :to AND rule = :rule AND kind = :kind AND since = :since"

R = TypeVar("R")


class Gathering:
    """The summaries under way in a file, which is made when there is the first. Methods raise StoreUnavailable."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def take(self, notice: MessageNotice, gather: Gather) -> None:
        """Put the notice with the others."""
        await _in_thread(self._changed, lambda database: _take(database, notice, gather))

    async def over(self, now: datetime) -> list[GatheredSummary]:
        """The summaries whose time is over, until they are forgotten; the same ones for whoever asks."""
        return await _in_thread(self._over, now)

    async def forget(self, summary: GatheredSummary) -> None:
        """It is told."""
        key = {"to": summary.to.lower(), "rule": summary.rule, "kind": summary.of.value}
        told = key | {"since": summary.since.timestamp()}
        await _in_thread(self._changed, lambda database: database.execute(_FORGET, told))

    def _changed(self, change: Callable[[sqlite3.Connection], object]) -> None:
        self._file.touch(mode=0o600)
        with closing(self._opened()) as database:
            database.execute("BEGIN IMMEDIATE")
            change(database)
            database.execute("COMMIT")

    def _over(self, now: datetime) -> list[GatheredSummary]:
        if not self._file.exists():
            return []
        with closing(self._opened()) as database:
            found = database.execute(_OVER, {"now": now.timestamp()}).fetchall()
        return [_summary(kind, json.loads(body), now) for kind, body in found]

    def _opened(self) -> sqlite3.Connection:
        """A file that is none of ours is put aside: the summaries in it are lost, those to come are not."""
        database = sqlite3.connect(self._file, timeout=PATIENCE, isolation_level=None)
        try:
            database.execute(_SCHEMA)
        except sqlite3.OperationalError:
            database.close()
            raise
        except sqlite3.DatabaseError:
            database.close()
            self._file.replace(self._file.with_suffix(".broken"))
            raise
        return database


def _take(database: sqlite3.Connection, notice: MessageNotice, gather: Gather) -> None:
    now = notice.moment.timestamp()
    key = {"to": notice.to.lower(), "rule": gather.rule, "kind": notice.kind.value, "now": now}
    row = database.execute(_UNDER_WAY, key).fetchone()
    if row is not None:
        since, body = row
        database.execute(_GO_ON, key | {"since": since, "body": json.dumps(_with(json.loads(body), notice, gather))})
        return
    if database.execute(_HOW_MANY, key).fetchone()[0] >= MOST_OPEN:
        database.execute(_END_THE_FIRST, key)
    until = now + gather.every.total_seconds()
    database.execute(_BEGIN, key | {"until": until, "body": json.dumps(_with({}, notice, gather))})


def _with(body: dict[str, Any], notice: MessageNotice, gather: Gather) -> dict[str, Any]:
    """What is written of a summary, with one more notice."""
    sources, recipients = dict(body.get("sources", {})), list(body.get("recipients", []))
    source = gather.source[:SOURCE_LIMIT]
    if source in sources or len(sources) < MOST_SOURCES:
        sources[source] = sources.get(source, 0) + 1
    new = [each for each in notice.original.recipients[:MOST_RECIPIENTS] if each not in recipients]
    return {
        "to": notice.to,
        "rule": gather.rule,
        "clauses": gather.clauses,
        "text": [notice.text.vi, notice.text.en] if notice.text is not None else None,
        "since": body.get("since", notice.moment.isoformat()),
        "until": body.get("until", (notice.moment + gather.every).isoformat()),
        "total": body.get("total", 0) + 1,
        "sources": sources,
        "recipients": (recipients + new)[:MOST_RECIPIENTS],
    }


def _summary(kind: str, body: dict[str, Any], now: datetime) -> GatheredSummary:
    since, until = datetime.fromisoformat(body["since"]), datetime.fromisoformat(body["until"])
    text = body["text"]
    return GatheredSummary(
        to=body["to"],
        moment=now,
        occasion=f"{body['rule']} {kind} {body['since']}",
        of=NoticeKind(kind),
        rule=body["rule"],
        clauses=tuple(body["clauses"]),
        text=Bilingual(vi=text[0], en=text[1]) if text else None,
        total=body["total"],
        sources=tuple(sorted(body["sources"].items(), key=lambda each: (-each[1], each[0]))),
        recipients=tuple(body["recipients"]),
        since=since,
        until=max(since, min(now, until)),
    )


async def _in_thread(do: Callable[..., R], *what: Any) -> R:
    try:
        return await asyncio.to_thread(do, *what)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(f"gathered notices: {error}") from error
