"""What the service does from time to time, besides mail: each function runs until it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from gateway import lasting
from gateway.census import Census
from gateway.custody.custody import Custody
from gateway.errors import StoreUnavailable
from gateway.observer import Observer
from gateway.policy.custody import records_kept
from gateway.policy.logic import day_of
from gateway.policy.model import Policy
from gateway.store.open import Stores
from gateway.store.trail import EmbeddedTrail

FORGET_EVERY = 86_400.0
"""Seconds between two looks for audit records that are older than their class is kept, in days."""

CUSTODY_EVERY = 30.0
"""Seconds between two looks at what time asks for of kept mail."""

SAVE_EVERY = 30.0
"""Seconds between two times when filters write down what they remember: what a crash makes them forget."""

COUNT_EVERY = 30.0
"""Seconds between two counts of what is kept: as often as it may be scraped; for 100,000 entries 2 % of a core."""

EXPIRING = timedelta(days=14)
"""How long before its end an exception is announced (regulations 1.5)."""

CurrentPolicy = Callable[[], Policy]
"""The policy in force now: a reload replaces it."""

log = structlog.get_logger()


async def keep_custody(custody: Custody) -> None:
    """Reminders, ends and what was left undone."""
    while True:
        try:
            await custody.sweep()
        except StoreUnavailable as error:
            log.error("custody waits", reason=str(error))
        except Exception:
            log.exception("bug in custody")
        await asyncio.sleep(CUSTODY_EVERY)


async def forget(trail: EmbeddedTrail, policy: CurrentPolicy) -> None:
    """Clear old audit records, at once and then every day."""
    while True:
        try:
            gone = await trail.expire(_now(), records_kept(policy().retention))
            log.info("old audit records cleared", records=gone)
        except StoreUnavailable as error:
            log.error("old audit records not cleared", reason=str(error))
        except Exception:
            log.exception("bug in retention")
        await asyncio.sleep(FORGET_EVERY)


async def save(policy: CurrentPolicy) -> None:
    """Have filters write down what they remember."""
    while True:
        await asyncio.sleep(SAVE_EVERY)
        await lasting.save(policy().filters)


async def count(stores: Stores, observer: Observer, policy: CurrentPolicy) -> None:
    """What the stores and the calendar say in numbers."""
    census = Census(stores.mail, stores.trail, observer, _now, since=_now())
    while True:
        observer.exceptions_expiring(expiring(policy()))
        try:
            await census.take()
        except StoreUnavailable as error:
            log.error("kept mail not counted", reason=str(error))
        except Exception:
            log.exception("bug in the census")
        await asyncio.sleep(COUNT_EVERY)


def expiring(policy: Policy) -> int:
    """Exceptions that end soon and have not ended."""
    today = day_of(_now())
    return sum(today <= each.expires <= today + EXPIRING for each in policy.exceptions)


def _now() -> datetime:
    return datetime.now(UTC)
