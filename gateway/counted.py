"""The audit trail as the service writes it: every write is counted, and so is what failed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import StoreUnavailable
from gateway.keeping import AuditRecord, AuditTrail
from gateway.observer import Observer


@dataclass(frozen=True, slots=True)
class CountedTrail:
    """An AuditTrail over another one."""

    trail: AuditTrail
    observer: Observer

    async def append(self, records: Sequence[AuditRecord]) -> None:
        """Remember, and count whether it worked. Raises StoreUnavailable."""
        try:
            await self.trail.append(records)
        except StoreUnavailable:
            self.observer.audit_written("failed")
            raise
        self.observer.audit_written("ok")

    def search(self, *, since: datetime | None, until: datetime | None, **equal: str) -> AsyncIterator[AuditRecord]:
        """As the other's."""
        return self.trail.search(since=since, until=until, **equal)

    async def verify(self) -> Sequence[str]:
        """As the other's."""
        return await self.trail.verify()

    async def close(self) -> None:
        """As the other's."""
        await self.trail.close()
