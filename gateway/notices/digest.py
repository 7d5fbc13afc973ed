"""Digests: what was kept of each recipient's mail in an hour or a day, and how to ask for it.

A period is told of once: its digest has an id of its own, which the outbox remembers when the process starts anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

import structlog

from gateway.errors import StoreUnavailable
from gateway.keeping import KeptMail, Kind, MailStore, Query, State
from gateway.mail import Direction
from gateway.notices.guard import Fate
from gateway.notices.model import DigestRecipient, Notice
from gateway.notices.original import original_of
from gateway.notices.sender import PAUSE, Clock

MOST_LISTED = 50
"""Messages listed in one digest; of the others it gives the number."""

PAGE = 500
"""Entries read from the store at once."""

MOST_READ = 20_000
"""Entries of one window that are told of, the newest, about 40 MB; more than that is an attack, and is logged."""

DAILY_HOUR = 7
"""The hour at which a day ends for daily digests: before work begins."""

LOOK_AGAIN = 60.0
"""Seconds between two looks at the clock, which may be set."""

log = structlog.get_logger()


class Period(StrEnum):
    """How often digests come."""

    HOURLY = "hourly"
    DAILY = "daily"


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


async def tell_digests(
    store: MailStore, tell: Callable[[Notice], Awaitable[Fate]], window: Window, moment: datetime
) -> None:
    """Tell everybody what was kept in the window. Raises StoreUnavailable."""
    found = [mail async for mail in _kept(store, window)]
    for digest in digests(found, window, moment):
        await tell(digest)


async def run_digests(
    period: Period, store: MailStore, tell: Callable[[Notice], Awaitable[Fate]], clock: Clock, timezone: tzinfo
) -> None:
    """Tell the digests of each period when it is over, first of the one that was over at the start; until cancelled."""
    told: Window | None = None
    while True:
        pause = LOOK_AGAIN
        window = last_window(period, clock(), timezone)
        if window != told:
            try:
                await tell_digests(store, tell, window, clock())
                told = window
            except StoreUnavailable as error:
                log.error("digests wait", reason=str(error))
                pause = PAUSE
        await asyncio.sleep(pause)


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
