"""The audit trail for other programs: JSON Lines with the chain, and CSV for a table program. Both stream."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator

from gateway.store.records import Stored, columns_of, record_of
from gateway.store.text import moment_of

COLUMNS = (
    "number", "moment", "event", "id", "direction", "sender", "recipient", "account", "action", "rules", "retention",
    "facts", "hash",
)  # fmt: skip

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a table program run a cell (OWASP, CSV injection); such cells begin with an apostrophe instead."""


async def json_lines(rows: AsyncIterator[Stored]) -> AsyncIterator[str]:
    """One object a line: number, moment in microseconds, retention, digest, hash, and the record (null if expired).

    The record stands there as it was hashed, so the chain can be verified from the lines alone (`chain.py`).
    """
    async for row in rows:
        link = json.dumps(
            {
                "number": row.number,
                "moment": row.moment,
                "retention": row.retention,
                "digest": row.digest.hex(),
                "hash": row.hash.hex(),
            }
        )
        yield f'{link[:-1]}, "record": {row.content or "null"}}}\n'


async def csv_lines(rows: AsyncIterator[Stored]) -> AsyncIterator[str]:
    """A line of names, then one line a record (RFC 4180)."""
    yield _line(COLUMNS)
    async for row in rows:
        yield _line(tuple(map(_defused, _cells(row))))


def _cells(row: Stored) -> tuple[str, ...]:
    moment, end = moment_of(row.moment).isoformat(), (row.retention, "", row.hash.hex())
    if row.content is None:
        return (str(row.number), moment, "", "", "", "", "", "", "", "", *end)
    record = record_of(row.content)
    columns, rules = columns_of(record)
    facts = json.dumps(record.facts, sort_keys=True, ensure_ascii=False)
    return (
        *(str(row.number), moment, columns.event, columns.id, columns.direction, columns.sender, columns.recipient),
        *(columns.account, columns.action, " ".join(rules), row.retention, facts, row.hash.hex()),
    )


def _defused(cell: str) -> str:
    return "'" + cell if cell.startswith(FORMULA) else cell


def _line(cells: tuple[str, ...]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
