"""From `tell` to the next hop: what is sent, when it is tried again, what a crash or a broken store leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from gateway.notices.gathering import Gathering
from gateway.notices.guard import Fate
from gateway.notices.model import Notice
from gateway.notices.notifier import Notifier
from gateway.notices.outbox import BATCH, Outbox
from gateway.notices.outbox_folder import FolderOutbox
from gateway.notices.sender import GIVE_UP, LATEST, LOOK_AGAIN, PAUSE, SOONEST, Sender
from gateway.notices.throttle import WINDOW, Limits
from gateway.smtp.hop import HopSettings, NextHop
from gateway.smtp.maildir import MaildirHop
from gateway.smtp.upstream import SmtpHop
from tests.faults import FakeHop
from tests.notices.conftest import AUDIENCE, LETTERHEAD, NOW, MemoryOutbox, foreign, notices, original

NOTHING_GATHERED = Gathering(Path("/nonexistent/gathered.sqlite"))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def reach() -> AsyncIterator[Callable[[FakeHop], SmtpHop]]:
    """Hops by SMTP, closed after the test."""
    hops: list[SmtpHop] = []

    def reaching(fake: FakeHop) -> SmtpHop:
        hops.append(SmtpHop(HopSettings(address=fake.address, reply_timeout=0.2, final_timeout=0.2)))
        return hops[-1]

    yield reaching
    for hop in hops:
        await hop.close()


def nobody_counts(kind: str, result: str) -> None:
    """What became of a notice is nobody's business."""


async def nobody_remembers(notice: Notice, fate: Fate) -> None:
    """Nor who was told."""


def notifier(
    outbox: Outbox, hop: NextHop, clock: Clock, gathering: Gathering = NOTHING_GATHERED, **limits: int
) -> Notifier:
    return Notifier(
        told=nobody_remembers,
        noticed=nobody_counts,
        letterhead=LETTERHEAD,
        audience=lambda: AUDIENCE,
        limits=Limits(**limits),
        gathering=gathering,
        outbox=outbox,
        hop=hop,
        clock=clock,
    )


def kept(number: int = 1, **changes: Any) -> Notice:
    return notices(foreign(id=str(number), **changes))["kept-recipient"]


async def test_a_notice_is_sent_from_nobody_to_one(clock: Clock, reach: Callable[[FakeHop], SmtpHop]) -> None:
    async with FakeHop() as fake:
        outbox, hop = MemoryOutbox(), reach(fake)
        teller = notifier(outbox, hop, clock)
        assert await teller.tell(kept()) is Fate.QUEUED
        assert await Sender(outbox, hop, clock, nobody_counts).round() == LOOK_AGAIN
        [taken] = fake.taken
        assert taken.mail.upper().startswith(b"MAIL FROM:<>")
        assert [line.upper().startswith(b"RCPT TO:<DUNG@EXAMPLE.GOV.VN>") for line in taken.rcpts] == [True]
        message = message_from_bytes(taken.content, policy=policy.default)
        assert message["Message-ID"] == f"<{kept().id}@mx.example.gov.vn>"
        assert not outbox.waiting


async def test_running_it_sends_what_waits_and_what_comes(
    tmp_path: Path, clock: Clock, reach: Callable[[FakeHop], SmtpHop]
) -> None:
    async with FakeHop() as fake:
        outbox = FolderOutbox(tmp_path)
        teller = notifier(outbox, reach(fake), clock)
        assert await teller.tell(kept(1)) is Fate.QUEUED
        running = asyncio.create_task(teller.run())
        await fake.until_taken(1)
        assert await teller.tell(kept(2)) is Fate.QUEUED
        await fake.until_taken(2)
        teller.stop()
        await asyncio.wait_for(running, 5)
        await outbox.close()


async def test_the_embedded_destination_takes_notices_too(tmp_path: Path, clock: Clock) -> None:
    outbox, hop = MemoryOutbox(), MaildirHop(tmp_path)
    await notifier(outbox, hop, clock).tell(kept())
    await Sender(outbox, hop, clock, nobody_counts).round()
    [file] = (tmp_path / "new").iterdir()
    assert b"Return-Path: <>\r\nDelivered-To: dung@example.gov.vn\r\n" in file.read_bytes()


FATES: dict[str, tuple[list[Notice], list[Fate]]] = {
    "twice": ([kept(), kept()], [Fate.QUEUED, Fate.DUPLICATE]),
    "to a stranger": ([notices(foreign(direction="inbound"))["held-sender"]], [Fate.STRANGER]),
    "a third in an hour of two": ([kept(1), kept(2), kept(3)], [Fate.QUEUED, Fate.QUEUED, Fate.THROTTLED]),
}


@pytest.mark.parametrize(("told", "fates"), FATES.values(), ids=FATES)
async def test_the_caller_hears_what_became_of_it(
    told: list[Notice], fates: list[Fate], tmp_path: Path, clock: Clock
) -> None:
    outbox = MemoryOutbox()
    teller = notifier(outbox, MaildirHop(tmp_path), clock, per_hour=2)
    assert [await teller.tell(notice) for notice in told] == fates
    assert len(outbox.waiting) == fates.count(Fate.QUEUED)


async def test_a_new_process_does_not_tell_again_what_was_sent(tmp_path: Path, clock: Clock) -> None:
    hop = MaildirHop(tmp_path / "mail")
    first = FolderOutbox(tmp_path / "outbox")
    assert await notifier(first, hop, clock).tell(kept()) is Fate.QUEUED
    await Sender(first, hop, clock, nobody_counts).round()
    await first.close()
    second = FolderOutbox(tmp_path / "outbox")
    assert await notifier(second, hop, clock).tell(kept()) is Fate.DUPLICATE
    await second.close()


async def test_an_outbox_that_cannot_take_it_stops_nobody(tmp_path: Path, clock: Clock) -> None:
    outbox = MemoryOutbox(broken={"put"})
    teller = notifier(outbox, MaildirHop(tmp_path), clock)
    assert await teller.tell(kept()) is Fate.LOST
    outbox.broken.clear()
    assert await teller.tell(kept()) is Fate.QUEUED


async def test_a_caller_that_was_cancelled_may_tell_again(tmp_path: Path, clock: Clock) -> None:
    outbox = FolderOutbox(tmp_path / "outbox")
    teller = notifier(outbox, MaildirHop(tmp_path), clock)
    telling = asyncio.create_task(teller.tell(kept()))
    await asyncio.sleep(0)  # it has begun, and a thread composes
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    assert await teller.tell(kept()) is Fate.QUEUED
    await outbox.close()


async def test_a_flood_is_summed_up_when_its_hour_is_over(tmp_path: Path, clock: Clock) -> None:
    outbox = MemoryOutbox()
    teller = notifier(outbox, MaildirHop(tmp_path), clock, per_hour=2)
    for number in range(50):
        await teller.tell(kept(number))
    await teller.tell_summaries()
    assert [letter.kind for _, letter in outbox.waiting.values()] == ["kept-recipient"] * 2
    clock.now += WINDOW
    await teller.tell_summaries()
    await teller.tell_summaries()
    assert [letter.kind for _, letter in outbox.waiting.values()] == ["kept-recipient"] * 2 + ["flood-summary"]


TROUBLES = {
    "nobody there": {"greeting": "close"},
    "a busy hop": {"greeting": "4xx"},
    "an unfriendly greeting": {"greeting": "5xx"},
    "silence": {"mail": "hang"},
    "nonsense": {"rcpt": "garbage"},
    "gone before the content": {"data": "close"},
    "gone at the end": {"eod": "close"},
    "no answer to the end": {"eod": "hang"},
}


@pytest.mark.parametrize("faults", TROUBLES.values(), ids=TROUBLES)
async def test_trouble_with_the_hop_loses_nothing(
    faults: dict[str, str], clock: Clock, reach: Callable[[FakeHop], SmtpHop]
) -> None:
    outbox = MemoryOutbox()
    async with FakeHop(faults) as fake:
        hop = reach(fake)
        for number in (1, 2):
            await notifier(outbox, hop, clock).tell(kept(number))
        assert await Sender(outbox, hop, clock, nobody_counts).round() == PAUSE
    assert sorted(due for due, _ in outbox.waiting.values()) == [NOW, NOW + SOONEST]  # one was tried
    async with FakeHop() as fake:
        clock.now += SOONEST
        assert await Sender(outbox, reach(fake), clock, nobody_counts).round() == LOOK_AGAIN
        assert len(fake.taken) == 2
    assert not outbox.waiting


async def test_a_recipient_refused_for_now_waits_and_others_do_not(
    clock: Clock, reach: Callable[[FakeHop], SmtpHop]
) -> None:
    answers = {"dung@example.gov.vn": b"451 4.7.1 greylisted\r\n"}
    async with FakeHop(answers=answers) as fake:
        outbox, hop = MemoryOutbox(), reach(fake)
        teller = notifier(outbox, hop, clock)
        await teller.tell(kept())
        await teller.tell(notices(original())["officer-alert"])
        assert await Sender(outbox, hop, clock, nobody_counts).round() == LOOK_AGAIN
        assert [due for due, _ in outbox.waiting.values()] == [NOW + SOONEST] * 2


async def test_a_recipient_refused_for_good_is_given_up(clock: Clock, reach: Callable[[FakeHop], SmtpHop]) -> None:
    answers = {"dung@example.gov.vn": b"550 5.1.1 no such user\r\n"}
    async with FakeHop(answers=answers) as fake:
        outbox, hop = MemoryOutbox(), reach(fake)
        await notifier(outbox, hop, clock).tell(kept())
        assert await Sender(outbox, hop, clock, nobody_counts).round() == LOOK_AGAIN
        assert not outbox.waiting
        assert not fake.taken


async def test_waits_double_up_to_an_hour_and_end_after_three_days(
    clock: Clock, reach: Callable[[FakeHop], SmtpHop]
) -> None:
    async with FakeHop({"greeting": "4xx"}) as fake:
        outbox, hop = MemoryOutbox(), reach(fake)
        await notifier(outbox, hop, clock).tell(kept())
        sender, waits = Sender(outbox, hop, clock, nobody_counts), []
        while outbox.waiting:
            [(due, _)] = outbox.waiting.values()
            waits.append(due - clock.now)
            clock.now = due
            await sender.round()
        minutes = [wait / timedelta(minutes=1) for wait in waits]
        assert minutes[:9] == [0, 1, 1, 2, 4, 8, 16, 32, 60]
        assert set(waits[8:]) == {LATEST}
        assert GIVE_UP <= clock.now - NOW < GIVE_UP + LATEST


async def test_what_was_sent_is_not_sent_again_because_the_outbox_cannot_be_told(
    clock: Clock, reach: Callable[[FakeHop], SmtpHop]
) -> None:
    async with FakeHop() as fake:
        outbox, hop = MemoryOutbox(broken={"done"}), reach(fake)
        await notifier(outbox, hop, clock).tell(kept())
        sender = Sender(outbox, hop, clock, nobody_counts)
        for _ in range(3):
            with pytest.raises(Exception, match="broken on purpose"):
                await sender.round()
        outbox.broken.clear()
        await sender.round()
        assert len(fake.taken) == 1
        assert not outbox.waiting


async def test_a_full_batch_is_followed_at_once(tmp_path: Path, clock: Clock) -> None:
    outbox, hop = MemoryOutbox(), MaildirHop(tmp_path)
    teller = notifier(outbox, hop, clock, per_hour=BATCH + 1)
    for number in range(BATCH + 1):
        await teller.tell(kept(number))
    sender = Sender(outbox, hop, clock, nobody_counts)
    assert [await sender.round(), await sender.round()] == [0.0, LOOK_AGAIN]
    assert not outbox.waiting


async def test_stopping_lets_the_rest_wait(tmp_path: Path, clock: Clock) -> None:
    outbox, hop = MemoryOutbox(), MaildirHop(tmp_path)
    await notifier(outbox, hop, clock).tell(kept())
    sender = Sender(outbox, hop, clock, nobody_counts)
    sender.stop()
    await sender.round()
    assert len(outbox.waiting) == 1


async def test_a_store_in_trouble_does_not_end_the_run(tmp_path: Path, clock: Clock) -> None:
    outbox = MemoryOutbox(broken={"due"})
    teller = notifier(outbox, MaildirHop(tmp_path), clock)
    running = asyncio.create_task(teller.run())
    await asyncio.wait_for(outbox.asked.wait(), 5)
    assert not running.done()
    teller.stop()
    await asyncio.wait_for(running, 5)


async def test_a_hop_that_took_it_without_a_word_may_get_it_twice_and_can_know(
    clock: Clock, reach: Callable[[FakeHop], SmtpHop]
) -> None:
    async with FakeHop({"eod": "taken-then-close"}, faulty=1) as fake:
        outbox, hop = MemoryOutbox(), reach(fake)
        await notifier(outbox, hop, clock).tell(kept())
        sender = Sender(outbox, hop, clock, nobody_counts)
        assert await sender.round() == PAUSE
        clock.now += SOONEST
        assert await sender.round() == LOOK_AGAIN
        first, second = (message_from_bytes(taken.content)["Message-ID"] for taken in fake.taken)
        assert first == second
