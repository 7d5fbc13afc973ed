"""Summaries of a trail: what reports count, month by month, account by account, and what they leave out."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import StoreUnavailable
from gateway.keeping import AuditRecord
from gateway.mail import Direction
from gateway.reports.tallies import Span
from gateway.store.open import open_store
from gateway.store.summaries import PAGE, Summaries
from tests.store.families import START, record

SPAN = Span(START, START + timedelta(days=1))


def answer(rule: str, result: str = "match", mode: str = "enforce") -> dict[str, str]:
    return {"rule": rule, "result": result, "mode": mode, "action": "tag", "because": 'it is "rules":[] so'}


def message(**changes: Any) -> AuditRecord:
    """A message's record as the gateway writes it."""
    facts = {"account": "", "answers": [], "rules": [], "action": "accept", "client": "192.0.2.1", "findings": []}
    return record(**facts | changes)


def outbound(**changes: Any) -> AuditRecord:
    return message(**{"direction": "outbound", "sender": "an@example.gov.vn", "recipient": "x@example.org"} | changes)


async def written(folder: Path, *records: AuditRecord) -> Summaries:
    """A trail with these records, closed; the last half of them came in a piece of their own."""
    stores = await open_store(folder)
    for each in records:
        await stores.trail.append([each])
    await stores.close()
    return Summaries(folder)


async def test_a_message_to_many_is_sent_once_and_what_is_refused_is_not_sent(tmp_path: Path) -> None:
    late = START + timedelta(hours=2)
    trail = await written(
        tmp_path,
        outbound(id="M1"),
        outbound(id="M1", recipient="y@example.org", moment=late),
        outbound(id="M2", direction="internal"),
        outbound(id="M3", action="reject"),
        outbound(id="M4", action="defer"),
        outbound(id="M5", action="hold"),
        outbound(id="M6", account="binh@example.gov.vn"),
        outbound(id="M7", moment=SPAN.until),
        outbound(id="M8", event="decision", action="released"),
        message(id="M9"),
    )
    found = sorted(trail.sent(SPAN))
    assert [(each.account, each.sender, each.messages) for each in found] == [
        ("", "an@example.gov.vn", 3),
        ("binh@example.gov.vn", "an@example.gov.vn", 1),
    ]
    assert found[0].last == late


async def test_bounces_and_what_is_kept_are_not_received(tmp_path: Path) -> None:
    trail = await written(
        tmp_path,
        message(id="M1"),
        message(id="M2", recipient="Mot@Example.gov.vn", action="tag"),
        message(id="M3", sender=""),
        message(id="M4", action="quarantine"),
        outbound(id="M5", direction="internal", recipient="hai@example.gov.vn"),
        outbound(id="M6"),
    )
    found = sorted((each.recipient, each.messages) for each in trail.received(SPAN))
    assert found == [("hai@example.gov.vn", 1), ("mot@example.gov.vn", 2)]


async def test_the_last_use_is_found_whoever_logged_in(tmp_path: Path) -> None:
    hours = [START + timedelta(hours=number) for number in range(4)]
    trail = await written(
        tmp_path,
        outbound(moment=hours[0]),
        outbound(moment=hours[1], account="an@example.gov.vn", sender="phong@example.gov.vn"),
        message(moment=hours[2], recipient="an@example.gov.vn"),
        message(moment=hours[3], recipient="an@example.gov.vn", action="reject"),
    )
    assert trail.last_used("AN@example.gov.vn") == (hours[1], hours[2])
    assert trail.last_used("nobody@example.gov.vn") == (None, None)


async def test_a_day_begins_at_midnight_in_vietnam(tmp_path: Path) -> None:
    last_minute = START.replace(hour=16, minute=59)
    trail = await written(
        tmp_path,
        message(moment=last_minute),
        message(moment=last_minute + timedelta(minutes=1)),
        message(moment=last_minute, action="reject"),
        outbound(moment=last_minute),
    )
    assert [tuple(each) for each in trail.daily(SPAN, Direction.INBOUND)] == [
        (date(2026, 3, 1), "accept", 1),
        (date(2026, 3, 1), "reject", 1),
        (date(2026, 3, 2), "accept", 1),
    ]


async def test_rules_count_where_they_held_in_force(tmp_path: Path) -> None:
    trail = await written(
        tmp_path,
        message(sender="a@one.example", rules=["spam"], answers=[answer("spam"), answer("other")]),
        message(sender="b@one.example", client="192.0.2.2", rules=["spam"], answers=[answer("spam")]),
        message(sender="c@two.example", rules=["spam"], answers=[answer("spam")]),
        message(rules=["spam"], answers=[answer("spam", mode="shadow")]),
        message(rules=["spam"], answers=[answer("spam", result="unknown")]),
        message(answers=[answer("spam", result="no-match")]),
        message(subject='"mode":"enforce","result":"match","rule":"spam"'),
    )
    [day] = trail.daily(SPAN, Direction.INBOUND, ["spam"])
    assert day.messages == 3
    assert trail.by_rule(SPAN, Direction.INBOUND, ["spam", "other", "none"]) == [3, 1, 0]
    assert trail.sources(SPAN, Direction.INBOUND, ["spam"], "domain", 1) == [("one.example", 2)]
    assert trail.sources(SPAN, Direction.INBOUND, ["spam"], "client", 9) == [("192.0.2.1", 2), ("192.0.2.2", 1)]


async def test_every_rule_that_held_is_a_hit_with_its_mode(tmp_path: Path) -> None:
    trail = await written(
        tmp_path,
        message(id="M1", rules=["a", "b"], answers=[answer("a"), answer("b", mode="shadow"), answer("c", "unknown")]),
        message(id="M2", answers=[answer("a", "no-match")], subject='"rules":[],"sender":'),
        record(id="M3", event="unstored", rules=["secret"], sender="a@example.org"),
        record(id="M4", event="decision", rules=["a"]),
    )
    hits = [(hit.rule, hit.mode, hit.record.id) for hit in trail.hits(SPAN)]
    assert hits == [("a", "enforce", "M1"), ("b", "shadow", "M1"), ("secret", "enforce", "M3")]


async def test_findings_are_found_by_their_filter(tmp_path: Path) -> None:
    trail = await written(
        tmp_path,
        message(id="M1", findings=[{"code": "signup.verification", "fields": {}}]),
        message(id="M2", findings=[{"code": "signups.other", "fields": {}}]),
        message(id="M3", subject='"code":"signup.'),
    )
    assert [each.id for each in trail.found(SPAN, "signup")] == ["M1"]


async def test_pages_are_read_to_the_end_and_in_order(tmp_path: Path) -> None:
    stores = await open_store(tmp_path)
    moments = [START + timedelta(seconds=number % 7) for number in range(2 * PAGE + 3)]
    await stores.trail.append([message(id=f"M{number}", moment=each) for number, each in enumerate(moments)])
    trail = Summaries(tmp_path)
    assert trail.count(SPAN) == 2 * PAGE + 3
    fresh = [each.id for each in trail.records(SPAN)]
    await stores.close()
    settled = [each.moment for each in trail.records(SPAN)]
    assert len(set(fresh)) == len(settled) == 2 * PAGE + 3
    assert settled == sorted(moments)


async def test_a_trail_that_is_not_there_is_said_to_be_gone(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="gone"):
        Summaries(tmp_path).newest()
    trail = await written(tmp_path)
    assert trail.newest() is None
