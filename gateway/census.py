"""Counts what the stores say, on a cadence: kept mail as it is, and decisions by whichever process they were made in.

People decide by commands, which are processes of their own: the audit trail is where all decisions meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.custody.steps import CLOCK, Act
from gateway.keeping import AuditRecord, AuditTrail, Kind, MailStore
from gateway.observer import Observer

DECISIONS: Mapping[Act, str] = {
    Act.APPROVED: "approved",
    Act.REJECTED: "rejected",
    Act.FORWARDED: "forwarded",
    Act.ESCALATED: "escalated",
    Act.EXPIRED: "expired",
    Act.DELETED: "deleted",
    Act.TURNED_DOWN: "turned-down",
}
"""What is counted of held mail, and how it is called."""

RELEASES = (Act.RELEASED, Act.CONFIRMED)
"""What hands kept mail on."""

LATE = timedelta(minutes=5)
"""How long after its moment a decision may come into the trail and still be counted."""


@dataclass(slots=True)
class Census:
    """Counts from `since` on. Used by one task."""

    mail: MailStore
    trail: AuditTrail
    observer: Observer
    clock: Callable[[], datetime]
    since: datetime
    _seen: set[tuple[str, ...]] = field(default_factory=set)

    async def take(self) -> None:
        """Count what there is now and what was decided since the last time. Raises StoreUnavailable."""
        now = self.clock()
        self.observer.kept(await self.mail.tally(), now)
        seen: set[tuple[str, ...]] = set()
        for act in (*DECISIONS, *RELEASES):
            async for record in self.trail.search(since=self.since, until=None, action=act.value):
                if record.event != "decision":
                    continue
                key = (record.id, record.moment.isoformat(), act.value, *(str(record.facts[name]) for name in _NAMES))
                if key not in self._seen:
                    self._count(act, record)
                seen.add(key)
        self._seen, self.since = seen, max(self.since, now - LATE)

    def _count(self, act: Act, record: AuditRecord) -> None:
        held, actor = record.facts["kind"] == Kind.HELD, record.facts["actor"]
        if act in RELEASES:
            by = "clock" if actor == CLOCK else "approval" if held else "person"
            self.observer.released(by, record.facts["rules"])
        elif held:
            self.observer.decided(DECISIONS[act])


_NAMES = ("actor", "whom")
