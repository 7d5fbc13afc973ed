from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.keeping import KeptMail, Kind, State
from gateway.mail import Envelope, Recipient
from gateway.notices.digest import MOST_LISTED, PAGE, Period, Window, digests, last_window, run_digests, tell_digests
from gateway.notices.guard import Fate
from gateway.notices.model import DigestRecipient, Notice
from gateway.notices.wording import VIETNAM
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


async def test_digests_come_out_of_the_store_page_by_page(tmp_path: Path) -> None:
    stores, heard = await open_family("embedded", tmp_path), Heard()
    try:
        count = PAGE + 3
        mails = [stopped(30, to=("mot@example.gov.vn",)) for _ in range(count)]
        await asyncio.gather(*(stores.mail.own(mail, RAW) for mail in mails))
        await tell_digests(stores.mail, heard.tell, WINDOW, NOW)
    finally:
        await stores.close()
    [digest] = heard.notices
    assert isinstance(digest, DigestRecipient)
    assert digest.total == count


async def test_the_period_that_was_over_at_the_start_is_told_of_first(tmp_path: Path) -> None:
    stores, heard = await open_family("embedded", tmp_path), Heard()
    try:
        await stores.mail.own(stopped(60), RAW)
        running = asyncio.create_task(run_digests(Period.HOURLY, stores.mail, heard.tell, lambda: NOW, VIETNAM))
        await asyncio.wait_for(heard.told.wait(), 10)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    finally:
        await stores.close()
    assert [notice.to for notice in heard.notices] == ["mot@example.gov.vn"]
