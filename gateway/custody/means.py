"""What custody is handed to work with: the stores, the way to the next hop, the way to tell people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from gateway.custody.approvals import Roles
from gateway.custody.lessons import Lessons
from gateway.errors import StoreUnavailable
from gateway.keeping import AuditRecord, AuditTrail, Codes, MailStore
from gateway.mail import Mail, Raw, Span, Transaction
from gateway.notices.model import Notice
from gateway.policy.model import Policy
from gateway.reply import Reply
from gateway.verdict import Outcome

HandOn = Callable[[Transaction, Raw, Sequence[bytes | Span]], Awaitable[Reply]]
"""Hands a message to the next hop for all recipients of the transaction. Returns the hop's answer, or ours where the
hop was not reached: a refusal means that it has nothing. Raises HopError where nobody can know."""

Rescan = Callable[[Mail], Awaitable[Outcome | None]]
"""Looks again at a message before it is released; what speaks against it, None if nothing does."""

OWED = 10_000
"""Audit records that may be owed while the trail cannot be written; more than that is a store that is gone."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """`policy` gives the one in force, `clock` the time, `link` the address of the page for a code's secret; `lessons`
    has filters learn from what people decide."""

    mail: MailStore
    trail: AuditTrail
    codes: Codes
    hand_on: HandOn
    rescan: Rescan
    tell: Callable[[Notice], Awaitable[object]]
    link: Callable[[str], str]
    policy: Callable[[], Policy]
    clock: Callable[[], datetime]
    hostname: str
    lessons: Lessons

    @property
    def roles(self) -> Roles:
        """Who acts for whom now."""
        organisation = self.policy().organisation
        return Roles(delegates=organisation.delegates, domains=frozenset(organisation.domains))


class Journal:
    """Writes to the audit trail: what is going to be done before it is done, what came of it afterwards."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail
        self._owed: list[AuditRecord] = []

    async def before(self, record: AuditRecord) -> None:
        """Remember an act that is not done yet. Raises StoreUnavailable, and then it must not be done."""
        await self._trail.append([record])

    async def after(self, record: AuditRecord) -> None:
        """Remember what has happened. Never raises: what cannot be written now is owed."""
        self._owed.append(record)
        await self.pay()

    async def pay(self) -> None:
        """Write what is owed, if that can be."""
        if not self._owed:
            return
        owed, self._owed = self._owed, []
        try:
            await self._trail.append(owed)
        except StoreUnavailable as error:
            self._owed = [*owed, *self._owed][:OWED]
            log.error("audit records are owed", count=len(self._owed), reason=str(error))
