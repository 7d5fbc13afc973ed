"""How audit records are chained, so that a change, a gap or a swap shows even after old records have expired.

    content   the record as canonical JSON: keys sorted, no spaces, ASCII
    digest    SHA-256 of the content
    hash      SHA-256 of the previous record's hash and the link: the canonical JSON of
              [number, moment in microseconds, retention class, digest in hexadecimal]

The first record follows 32 zero bytes. When a record expires, its content goes and its link stays, so the chain holds.
A content may only be missing if an `expired` record, itself in the chain, says that its class was cleared up to a later
moment. The oldest records, when all of them have expired, go altogether; the `expired` record then names the last of
them with its hash, and the chain begins behind it.

Whoever can write the database can also write the whole chain anew. What he cannot change is a head that was noted
elsewhere (`head()`), which `verify` compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from gateway.keeping import AuditRecord
from gateway.store.records import Columns, Stored, columns_of, record_of
from gateway.store.text import microseconds, moment_of

FIRST_FOLLOWS = bytes(32)


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a chain at some time: its number and hash. Of an empty chain: 0 and zero bytes."""

    number: int = 0
    hash: bytes = FIRST_FOLLOWS


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What may be missing: records up to `base`, and contents of a class before a moment (microseconds)."""

    base: Head = Head()
    before: Mapping[str, int] = field(default_factory=dict)

    def covers(self, row: Stored) -> bool:
        """True if the row's content may be gone."""
        return row.moment < self.before.get(row.retention, 0)


def digest_of(content: str) -> bytes:
    """SHA-256 of a record's content."""
    return hashlib.sha256(content.encode("ascii")).digest()


def link(previous: bytes, number: int, moment: int, retention: str, digest: bytes) -> bytes:
    """The hash of the record that follows `previous`."""
    header = f'[{number},{moment},{_quoted(retention)},"{digest.hex()}"]'
    return hashlib.sha256(previous + header.encode("ascii")).digest()


def forgetting(id: str, now: datetime, forgotten: Forgotten, retention: str) -> AuditRecord:
    """The record that says what is cleared."""
    before = {name: moment_of(moment).isoformat() for name, moment in forgotten.before.items()}
    base = {"number": forgotten.base.number, "hash": forgotten.base.hash.hex()}
    return AuditRecord(id=id, moment=now, event="expired", retention=retention, facts={"before": before, "base": base})


def forgotten_of(record: AuditRecord) -> Forgotten:
    """What such a record says. Raises KeyError, TypeError or ValueError for one that was tampered with."""
    facts = record.facts
    return Forgotten(
        Head(int(facts["base"]["number"]), bytes.fromhex(facts["base"]["hash"])),
        {name: microseconds(datetime.fromisoformat(moment)) for name, moment in facts["before"].items()},
    )


class Inspection:
    """Looks at the rows of a trail in order, one after the other, and says what does not fit.

    `anchors` are heads noted in other places, each with words for the place: "in trail.head".
    """

    def __init__(self, forgotten: Forgotten, anchors: Sequence[tuple[str, Head]]) -> None:
        self._forgotten = forgotten
        self._anchors = anchors
        self._last = forgotten.base

    def see(self, row: Stored, rules: Sequence[str]) -> Iterator[str]:
        """What is wrong with this row, in words with its number. `rules` are those that it is indexed by."""
        if row.number <= self._forgotten.base.number:
            if not self._forgotten.covers(row):  # covered ones are about to be removed
                yield f"record {row.number} is older than the beginning of the chain"
            return
        expected = self._last.number + 1
        if row.number != expected:
            yield f"{_range(expected, row.number - 1)} missing"
        elif link(self._last.hash, row.number, row.moment, row.retention, row.digest) != row.hash:
            yield f"record {row.number} does not follow the one before it: changed, swapped or renumbered"
        for where, head in self._anchors:
            if head.number == row.number and head.hash != row.hash:
                yield f"record {row.number} is not the one noted {where}: the chain was written anew"
        yield from self._content(row, rules)
        self._last = Head(row.number, row.hash)

    def end(self) -> Iterator[str]:
        """What is wrong with the end."""
        for where, head in self._anchors:
            if head.number > self._last.number:
                yield f"{_range(self._last.number + 1, head.number)} missing at the end, as noted {where}"

    def _content(self, row: Stored, rules: Sequence[str]) -> Iterator[str]:
        if row.content is None:
            if not self._forgotten.covers(row):
                yield f"record {row.number} is empty, and its class was not cleared up to its day"
            return
        try:
            whole = digest_of(row.content) == row.digest
            record = record_of(row.content) if whole else None
        except (KeyError, TypeError, ValueError, RecursionError):
            record = None
        if record is None:
            yield f"record {row.number} has another content than was written"
            return
        if (row.columns, row.moment, row.retention, tuple(rules)) != _indexed(record):
            yield f"record {row.number} is indexed by other values than it holds"


def _indexed(record: AuditRecord) -> tuple[Columns, int, str, tuple[str, ...]]:
    columns, rules = columns_of(record)
    return columns, microseconds(record.moment), record.retention, rules


@lru_cache(64)  # the classes are a handful
def _quoted(retention: str) -> str:
    return json.dumps(retention)


def _range(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"
