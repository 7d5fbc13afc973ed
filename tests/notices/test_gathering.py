"""Notices that are put together: one summary for each person and rule, past restarts, crashes and other processes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import StoreUnavailable
from gateway.notices import gathering
from gateway.notices.gathering import MOST_RECIPIENTS, MOST_SOURCES, Gathering
from gateway.notices.guard import Fate
from gateway.notices.model import Gather, KeptRecipient, MessageNotice, NoticeKind, OfficerAlert
from gateway.smtp.maildir import MaildirHop
from gateway.verdict import Action
from tests.notices.conftest import NOW, TEXT, MemoryOutbox, foreign
from tests.notices.test_notifier import Clock, notifier

HOUR = timedelta(hours=1)


def notice(number: int = 1, source: str = "shopee", *, after: float = 0.0, **changes: Any) -> MessageNotice:
    """A notice of a kept message that is not told alone, so many minutes after the first."""
    values: dict[str, Any] = {
        "to": "dung@example.gov.vn",
        "moment": NOW + timedelta(minutes=after),
        "original": foreign(id=str(number)),
        "text": TEXT,
        "gather": Gather("bombing", ("gialai-2022/11.5",), HOUR, source),
    }
    return KeptRecipient(**values | changes)


async def take(into: Gathering, *taken: MessageNotice) -> None:
    for each in taken:
        assert each.gather is not None
        await into.take(each, each.gather)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gathered.sqlite"


async def test_one_summary_says_how_many_of_whom(file: Path) -> None:
    each = Gathering(file)
    await take(each, notice(1), notice(2, "tiki"), notice(3, after=59), notice(4, "", after=1))
    assert await each.over(NOW + timedelta(minutes=59)) == []
    [summary] = await each.over(NOW + HOUR)
    assert (summary.to, summary.of, summary.rule) == ("dung@example.gov.vn", NoticeKind.KEPT_RECIPIENT, "bombing")
    assert (summary.clauses, summary.text) == (("gialai-2022/11.5",), TEXT)
    assert (summary.total, summary.sources, summary.others) == (4, (("shopee", 2), ("", 1), ("tiki", 1)), 0)
    assert (summary.since, summary.until) == (NOW, NOW + HOUR)
    await each.forget(summary)
    assert await each.over(NOW + 2 * HOUR) == []


async def test_each_person_rule_and_kind_has_its_own(file: Path) -> None:
    each, first = Gathering(file), notice(1)
    assert first.gather is not None
    alert = OfficerAlert(
        **{name: getattr(first, name) for name in ("moment", "original", "text", "gather")},
        to="officer@example.gov.vn",
        action=Action.QUARANTINE,
    )
    other = replace(first, gather=replace(first.gather, rule="other"))
    await take(each, first, replace(first, to="Dung@Example.gov.vn"), replace(first, to="em@example.gov.vn"), other)
    await take(each, alert)
    assert sorted((one.to, one.rule, one.total) for one in await each.over(NOW + HOUR)) == [
        ("Dung@Example.gov.vn", "bombing", 2),
        ("dung@example.gov.vn", "other", 1),
        ("em@example.gov.vn", "bombing", 1),
        ("officer@example.gov.vn", "bombing", 1),
    ]


async def test_what_comes_when_the_time_is_over_begins_another(file: Path) -> None:
    each = Gathering(file)
    await take(each, notice(1), notice(2, after=60), notice(3, after=61))
    [first, second] = await each.over(NOW + 2 * HOUR)
    assert (first.total, second.total, second.since) == (1, 2, NOW + HOUR)
    assert first.id != second.id


async def test_several_processes_make_one_summary_and_it_outlives_them(file: Path) -> None:
    others = [Gathering(file) for _ in range(3)]
    await asyncio.gather(*(take(others[number % 3], notice(number)) for number in range(30)))
    [one] = await Gathering(file).over(NOW + HOUR)
    [other] = await others[0].over(NOW + HOUR + timedelta(seconds=2))
    assert (one.total, one.id) == (30, other.id)  # so the outbox takes it once, whoever asks
    assert file.stat().st_mode & 0o777 == 0o600


async def test_nothing_is_without_bounds(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_OPEN", 3)
    each = Gathering(file)
    recipients = tuple(f"u{number}@example.gov.vn" for number in range(MOST_RECIPIENTS + 5))
    for number in range(MOST_SOURCES + 7):
        await take(each, notice(number, f"{number:03}" * 100, original=foreign(recipients=recipients)))
    for number in range(3):
        await take(each, notice(number, after=1, to=f"{number}@example.gov.vn"))
    [early] = await each.over(NOW + timedelta(minutes=1))  # told before its time, not lost
    assert (early.total, len(early.sources), early.others) == (MOST_SOURCES + 7, MOST_SOURCES, 7)
    assert max(len(name) for name, _ in early.sources) == 100
    assert len(early.recipients) == MOST_RECIPIENTS


MOMENTS = {
    "a clock that is set back by a minute": (NOW - timedelta(minutes=1), 0),
    "a clock that is set back by a day": (NOW - timedelta(days=1), 1),
}


@pytest.mark.parametrize(("now", "told"), MOMENTS.values(), ids=MOMENTS)
async def test_clock(now: datetime, told: int, file: Path) -> None:
    each = Gathering(file)
    await take(each, notice(1))
    found = await each.over(now)
    assert len(found) == told
    assert all(one.since <= one.until for one in found)


async def test_a_file_that_is_none_of_ours_is_put_aside(file: Path) -> None:
    file.write_text("notes " * 500)
    with pytest.raises(StoreUnavailable):
        await Gathering(file).over(NOW)
    await take(Gathering(file), notice(1))
    assert len(await Gathering(file).over(NOW + HOUR)) == 1
    assert file.with_suffix(".broken").read_text().startswith("notes")


async def test_who_is_told_hears_it_once_and_late(file: Path, tmp_path: Path) -> None:
    outbox, clock, hop = MemoryOutbox(), Clock(), MaildirHop(tmp_path / "mail")
    teller = notifier(outbox, hop, clock, Gathering(file), per_hour=1)
    fates = [await teller.tell(notice(number, f"s{number}.example")) for number in range(40)]
    assert fates == [Fate.GATHERED] * 40
    assert await teller.tell(notice(1)) is Fate.DUPLICATE
    assert await teller.tell(notice(1, to="a@example.com")) is Fate.STRANGER
    await teller.tell_summaries()
    assert not outbox.waiting
    clock.now += HOUR
    outbox.broken.add("put")
    await teller.tell_summaries()
    outbox.broken.clear()
    for again in (teller, notifier(outbox, hop, clock, Gathering(file))):
        await again.tell_summaries()
    assert [letter.kind for _, letter in outbox.waiting.values()] == ["gathered-summary"]
