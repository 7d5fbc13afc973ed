"""Digests: what was kept of each recipient's mail in an hour or a day, and how to ask for it.

A period is told of once. If the process dies while it tells, it tells the same again: a digest has an id of its own,
which the outbox remembers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

import structlog

from gateway.errors import StoreUnavailable
from gateway.keeping import AuditRecord, AuditTrail, KeptMail, Kind, MailStore, Query, State
from gateway.mail import Direction
from gateway.notices.guard import Fate
from gateway.notices.model import DigestRecipient, Notice
from gateway.notices.original import original_of
from gateway.notices.sender import PAUSE, Clock
from gateway.policy.model import Period

MOST_LISTED = 50
"""Messages listed in one digest; of the others it gives the number."""

PAGE = 500
"""Entries read from the store at once."""

MOST_READ = 20_000
"""Entries of one window that are told of, the newest, about 40 MB; more than that is an attack, and is logged."""

DAILY_HOUR = 7
"""The hour at which a day ends for daily digests: before work begins."""

MADE_UP_FOR = timedelta(days=6)
"""How long ago the last digest may be for the next one to begin where it ended. The outbox knows digests that were sent
for seven days (`outbox.REMEMBERED`)."""

EVENT = "digest"
"""The word of its records in the audit trail."""

LOOK_AGAIN = 60.0
"""Seconds between two looks at the clock, which may be set."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, `until` not included."""

    since: datetime
    until: datetime


def last_window(period: Period, now: datetime, timezone: tzinfo) -> Window:
    """The last period that is over: a full hour, or a day until seven in the morning, by the clock of `timezone`."""
    local = now.astimezone(timezone).replace(minute=0, second=0, microsecond=0)
    if period is Period.HOURLY:
        return Window(local - timedelta(hours=1), local)
    today = local.replace(hour=DAILY_HOUR)
    until = today if today <= local else today - timedelta(days=1)
    return Window(until - timedelta(days=1), until)


def digests(kept: Iterable[KeptMail], window: Window, moment: datetime) -> list[DigestRecipient]:
    """One digest for each recipient of mail that was kept in the window and still waits, newest first."""
    by_recipient: dict[str, dict[str, KeptMail]] = {}
    for mail in kept:
        if window.since <= mail.received < window.until and _concerns_recipients(mail):
            for recipient in mail.envelope.recipients:
                by_recipient.setdefault(recipient.address.lower(), {})[mail.id] = mail
    return [_digest(to, list(mails.values()), window, moment) for to, mails in by_recipient.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digesting:
    """Tells the digests of each period when it is over. `period` gives how often the policy in force wants them.

    The trail remembers until when people have been told, so that a process that starts anew neither repeats a period
    nor leaves one out.
    """

    period: Callable[[], Period | None]
    store: MailStore
    trail: AuditTrail
    tell: Callable[[Notice], Awaitable[Fate]]
    clock: Clock
    timezone: tzinfo
    _lost: list[DigestRecipient] = field(default_factory=list)

    async def run(self) -> None:
        """One look after the other, until cancelled."""
        while True:
            pause = LOOK_AGAIN
            try:
                await self.look()
            except StoreUnavailable as error:
                log.error("digests wait", reason=str(error))
                pause = PAUSE
            except Exception:
                log.exception("bug in digests")
            await asyncio.sleep(pause)

    async def look(self) -> None:
        """Tell what there is to tell by now, and again what the outbox could not take before.

        Raises StoreUnavailable, and then it is told at another look.
        """
        period, now = self.period(), self.clock()
        if period is None:
            return
        window = last_window(period, now, self.timezone)
        told = await self._told_until(window)
        if told is None or told < window.until:
            window = Window(window.since if told is None else told, window.until)
            self._lost[:] = await self._tell(await self._digests(window, now))
            await self.trail.append([_record(period, window, now)])
        elif self._lost:
            self._lost[:] = await self._tell(self._lost)

    async def _told_until(self, window: Window) -> datetime | None:
        """The end of what was told of last; None if that is too long ago to be made up for, or was never."""
        latest: datetime | None = None
        async for record in self.trail.search(since=window.until - MADE_UP_FOR, until=None, event=EVENT):
            until = datetime.fromisoformat(record.facts["until"])
            latest = until if latest is None else max(latest, until)
        return latest

    async def _digests(self, window: Window, now: datetime) -> list[DigestRecipient]:
        return digests([mail async for mail in _kept(self.store, window)], window, now)

    async def _tell(self, wanted: Sequence[DigestRecipient]) -> list[DigestRecipient]:
        """Those that the outbox could not take."""
        return [digest for digest in wanted if await self.tell(digest) is Fate.LOST]


def _record(period: Period, window: Window, now: datetime) -> AuditRecord:
    facts = {"action": period.value, "since": window.since.isoformat(), "until": window.until.isoformat()}
    return AuditRecord(id=f"digest-{window.until.astimezone(UTC):%Y%m%dT%H%M}", moment=now, event=EVENT, facts=facts)


async def _kept(store: MailStore, window: Window) -> AsyncIterator[KeptMail]:
    """Asked without a state, which may change between two pages."""
    for offset in range(0, MOST_READ, PAGE):
        page = await store.find(Query(since=window.since, until=window.until, limit=PAGE, offset=offset))
        for mail in page:
            yield mail
        if len(page) < PAGE:
            return
    log.warning("digests tell of the newest only", most=MOST_READ)


def _concerns_recipients(mail: KeptMail) -> bool:
    """What waits for approval before it is sent is its sender's affair."""
    ours = mail.kind is Kind.QUARANTINED or mail.direction == Direction.INBOUND.value
    return ours and mail.direction != Direction.OUTBOUND.value and mail.state is State.WAITING


def _digest(to: str, mails: list[KeptMail], window: Window, moment: datetime) -> DigestRecipient:
    newest = sorted(mails, key=lambda mail: (mail.received, mail.id), reverse=True)
    return DigestRecipient(
        to=to,
        moment=moment,
        occasion=f"{window.since.isoformat()} {window.until.isoformat()}",
        kept=tuple(original_of(mail) for mail in newest[:MOST_LISTED]),
        total=len(newest),
        since=window.since,
        until=window.until,
    )
