"""Answers that are kept for a while: bounded in number and size, the one not used for longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from gateway.dns.answers import Answer, Kind

SHORTEST, LONGEST = 60.0, 3600.0
"""Seconds an answer is kept, whatever its TTL says: under a minute every message would ask anew, over an hour a key
that was taken back would still be believed."""

FAILURE = 2.0
"""Seconds for which "nobody could say" is believed (RFC 9520 wants at least 1 s, and at most 5 min): mail flows again
within 5 s of a nameserver's return."""

STALE = 3600.0
"""Seconds beyond its time for which an answer stands in where nobody can say now (RFC 8767 allows days)."""

ENTRIES = 20_000
"""Answers kept; a busy gateway meets some thousand domains in an hour."""

OCTETS = 32_000_000
"""Octets of names and records kept."""

OVERHEAD = 200
"""Octets an answer takes beside its text."""

Key = tuple[str, Kind]


@dataclass(slots=True)
class Entry:
    """An answer and until when it counts, or why there is none now; times are of a clock that runs evenly."""

    answer: Answer | None
    until: float
    failure: str = ""
    failed_until: float = 0.0

    def stale_until(self) -> float:
        """Until when the answer stands in for one that nobody can give."""
        return self.until + STALE


@dataclass(slots=True, eq=False)
class Cache:
    """Answers by name and kind."""

    entries: OrderedDict[Key, Entry] = field(default_factory=OrderedDict)
    octets: int = 0

    def get(self, key: Key) -> Entry | None:
        """What is known of a question, fresh or not."""
        entry = self.entries.get(key)
        if entry is not None:
            self.entries.move_to_end(key)
        return entry

    def put(self, key: Key, answer: Answer, ttl: float, now: float) -> None:
        """Keep an answer for its TTL, within our limits."""
        self._drop(key)
        self._add(key, Entry(answer, now + min(max(ttl, SHORTEST), LONGEST)))

    def failed(self, key: Key, reason: str, now: float) -> None:
        """Remember for a moment that nobody could say; an older answer is kept beside it."""
        entry = self.entries.get(key)
        if entry is None:
            entry = Entry(None, now)
            self._add(key, entry)
        entry.failure, entry.failed_until = reason, now + FAILURE

    def _add(self, key: Key, entry: Entry) -> None:
        self.entries[key] = entry
        self.octets += _octets(key, entry)
        while len(self.entries) > ENTRIES or self.octets > OCTETS:
            self._drop(next(iter(self.entries)))

    def _drop(self, key: Key) -> None:
        if entry := self.entries.pop(key, None):
            self.octets -= _octets(key, entry)


def _octets(key: Key, entry: Entry) -> int:
    return OVERHEAD + len(key[0]) + (sum(map(len, entry.answer.records)) if entry.answer else 0)
