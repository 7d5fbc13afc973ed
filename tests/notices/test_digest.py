from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.keeping import KeptMail, Kind, State
from gateway.mail import Envelope, Recipient
from gateway.notices.digest import MOST_LISTED, PAGE, Digesting, Window, digests, last_window
from gateway.notices.guard import Fate
from gateway.notices.model import DigestRecipient, Notice
from gateway.notices.wording import VIETNAM
from gateway.policy.model import Period
from gateway.store.open import Stores
from tests.notices.conftest import NOW
from tests.store.families import content, kept, open_family

WINDOW = Window(NOW - timedelta(hours=1), NOW)
RAW = content(200)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+07:00")


WINDOWS = {
    "an hour": (Period.HOURLY, "11-24 09:30", "11-24 08:00", "11-24 09:00"),
    "an hour at its end": (Period.HOURLY, "11-24 09:00", "11-24 08:00", "11-24 09:00"),
    "an hour after midnight": (Period.HOURLY, "11-24 00:10", "11-23 23:00", "11-24 00:00"),
    "a day": (Period.DAILY, "11-24 09:30", "11-23 07:00", "11-24 07:00"),
    "a day at its end": (Period.DAILY, "11-24 07:00", "11-23 07:00", "11-24 07:00"),
    "a day before it ends": (Period.DAILY, "11-24 06:59", "11-22 07:00", "11-23 07:00"),
    "a day after New Year's Eve": (Period.DAILY, "01-01 08:00", "01-01 07:00", "01-01 07:00"),
}


@pytest.mark.parametrize(("period", "now", "since", "until"), WINDOWS.values(), ids=WINDOWS)
def test_the_last_period_that_is_over(period: Period, now: str, since: str, until: str) -> None:
    expected = Window(at(since), at(until))
    if now.startswith("01-01"):
        expected = Window(at(until) - timedelta(days=1), at(until))
    for moment in (at(now), at(now).astimezone(UTC)):
        assert last_window(period, moment, VIETNAM) == expected


def stopped(minutes: int = 30, to: tuple[str, ...] = ("mot@example.gov.vn",), **changes: Any) -> KeptMail:
    envelope = Envelope("news@shop.example", tuple(Recipient(address) for address in to))
    values: dict[str, Any] = {
        "kind": Kind.QUARANTINED,
        "received": NOW - timedelta(minutes=minutes),
        "envelope": envelope,
    }
    return kept(RAW, **values | changes)


TOLD = {
    "quarantined mail from outside": (stopped(), True),
    "held mail from outside": (stopped(kind=Kind.HELD), True),
    "quarantined internal mail": (stopped(direction="internal"), True),
    "internal mail that waits for approval": (stopped(kind=Kind.HELD, direction="internal"), False),
    "quarantined outbound mail": (stopped(direction="outbound"), False),
    "at the beginning of the window": (stopped(60), True),
    "at its end": (stopped(0), False),
    "before it": (stopped(61), False),
    "released since": (stopped(state=State.RELEASED), False),
    "deleted since": (stopped(state=State.DELETED), False),
}


@pytest.mark.parametrize(("mail", "told"), TOLD.values(), ids=TOLD)
def test_what_a_digest_tells_of(mail: KeptMail, told: bool) -> None:
    assert len(digests([mail], WINDOW, NOW)) == told


def test_each_recipient_gets_one_with_his_own_mail() -> None:
    first, second, third = stopped(30), stopped(20, to=("Mot@example.gov.vn", "hai@example.gov.vn")), stopped(10)
    found = {digest.to: digest for digest in digests([first, second, third, third], WINDOW, NOW)}
    assert set(found) == {"mot@example.gov.vn", "hai@example.gov.vn"}
    assert [each.id for each in found["mot@example.gov.vn"].kept] == [third.id, second.id, first.id]
    assert found["mot@example.gov.vn"].total == 3
    assert [each.id for each in found["hai@example.gov.vn"].kept] == [second.id]


def test_a_digest_is_the_same_whenever_it_is_made_and_another_in_the_next_period() -> None:
    mail = stopped()
    [digest] = digests([mail], WINDOW, NOW)
    [again] = digests([replace(mail, subject="x"), stopped()], WINDOW, NOW + timedelta(minutes=3))
    [later] = digests([mail], Window(WINDOW.since, WINDOW.until + timedelta(hours=1)), NOW)
    assert digest.id == again.id != later.id


def test_a_digest_lists_the_newest_and_counts_the_others() -> None:
    [digest] = digests([stopped(minutes) for minutes in range(1, 61)], WINDOW, NOW)
    assert (len(digest.kept), digest.total) == (MOST_LISTED, 60)
    assert digest.kept[0].received == NOW - timedelta(minutes=1)


class Heard:
    """Who was told what, and an event after each."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.told = asyncio.Event()

    async def tell(self, notice: Notice) -> Fate:
        self.notices.append(notice)
        self.told.set()
        return Fate.QUEUED


class House:
    """Digests over real stores, a clock that stands until it is moved, and an outbox that can be full."""

    def __init__(self, stores: Stores, period: Period | None = Period.HOURLY) -> None:
        self.stores = stores
        self.now = NOW
        self.told: list[DigestRecipient] = []
        self.heard = asyncio.Event()
        self.full = False
        self.period = period

    async def tell(self, notice: Notice) -> Fate:
        if self.full:
            return Fate.LOST
        assert isinstance(notice, DigestRecipient)
        self.told.append(notice)
        self.heard.set()
        return Fate.QUEUED

    def process(self) -> Digesting:
        """The digests of a process that has just started."""
        return Digesting(
            period=lambda: self.period,
            store=self.stores.mail,
            trail=self.stores.trail,
            tell=self.tell,
            clock=lambda: self.now,
            timezone=VIETNAM,
        )

    async def keep(self, *minutes_ago: int) -> None:
        for minutes in minutes_ago:
            await self.stores.mail.own(stopped(received=self.now - timedelta(minutes=minutes)), RAW)

    def totals(self) -> list[int]:
        """How many messages each digest since the last call tells of."""
        totals = [digest.total for digest in self.told]
        self.told.clear()
        return totals


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    stores = await open_family("embedded", tmp_path)
    yield House(stores)
    await stores.close()


async def test_digests_come_out_of_the_store_page_by_page(house: House) -> None:
    count = PAGE + 3
    await asyncio.gather(*(house.keep(60) for _ in range(count)))
    await house.process().look()
    assert house.totals() == [count]


async def test_a_period_is_told_of_once_and_the_next_when_it_is_over(house: House) -> None:
    await house.keep(60)
    digesting = house.process()
    await digesting.look()
    await digesting.look()
    assert house.totals() == [1]
    house.now += timedelta(minutes=10)
    await house.keep(5)
    await digesting.look()
    assert house.totals() == []
    house.now += timedelta(minutes=20)
    await digesting.look()
    assert house.totals() == [1]


async def test_a_new_process_repeats_no_period(house: House) -> None:
    await house.keep(60)
    await house.process().look()
    await house.process().look()
    assert house.totals() == [1]


async def test_periods_without_a_process_are_made_up_for_in_one_digest(house: House) -> None:
    await house.keep(60)
    await house.process().look()
    assert house.totals() == [1]
    await house.keep(10)
    house.now += timedelta(hours=3)
    await house.keep(50, 100)
    house.now += timedelta(hours=1)
    await house.process().look()
    [digest] = house.told
    assert (digest.total, digest.until - digest.since) == (3, timedelta(hours=4))


async def test_after_a_week_only_the_last_period_is_told_of(house: House) -> None:
    await house.process().look()
    await house.keep(0)
    house.now += timedelta(days=8)
    await house.keep(60)
    await house.process().look()
    assert house.totals() == [1]


async def test_nothing_falls_between_when_the_policy_wants_another_period(house: House) -> None:
    await house.keep(60)
    digesting = house.process()
    await digesting.look()
    assert house.totals() == [1]
    await house.keep(25)
    house.period = Period.DAILY
    await digesting.look()
    assert house.totals() == []
    house.now += timedelta(days=1)
    await digesting.look()
    assert house.totals() == [1]


async def test_a_policy_without_digests_has_none(house: House) -> None:
    await house.keep(60)
    house.period = None
    await house.process().look()
    assert house.totals() == []


async def test_what_the_outbox_cannot_take_is_told_when_it_can(house: House) -> None:
    await house.keep(60)
    digesting = house.process()
    house.full = True
    await digesting.look()
    house.full = False
    await digesting.look()
    await digesting.look()
    assert house.totals() == [1]


async def test_the_period_that_was_over_at_the_start_is_told_of_first(house: House) -> None:
    await house.keep(60)
    running = asyncio.create_task(house.process().run())
    await asyncio.wait_for(house.heard.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [notice.to for notice in house.told] == ["mot@example.gov.vn"]
