"""The report on rules and their false alarms, and the phrases that misled."""

from __future__ import annotations

from dataclasses import replace

from gateway.keeping import AuditRecord
from gateway.reports.released import fates
from gateway.reports.rules import rules
from gateway.reports.terms import misleading
from tests.reports.conftest import QUARTER, Trail, held, message


def step(id: str, action: str) -> AuditRecord:
    """What became of a kept message."""
    return replace(message(), id=id, event="decision", facts={"action": action, "rules": ["a"]})


def named(id: str, record: AuditRecord) -> AuditRecord:
    return replace(record, id=id)


def spoke(id: str, *terms: str) -> AuditRecord:
    finding = {"code": "content.prohibited", "fields": {"category": "gambling", "terms": list(terms)}}
    return named(id, message(findings=[finding]))


async def test_the_share_is_of_what_people_decided_on(trail: Trail) -> None:
    found = await trail(
        *(named(id, held("a")) for id in ("1", "2", "3", "4")),
        named("1", held("a", recipient="b@example.gov.vn")),
        named("5", held("b", mode="shadow")),
        step("1", "kept"),
        step("1", "released"),
        step("2", "rejected"),
        step("3", "expired"),
        step("3", "released"),
    )
    [table] = rules(found, QUARTER).tables
    assert list(table.rows) == [("a", "enforce", 4, 1, 1, 0.5), ("b", "shadow", 1, 0, 0, None)]


async def test_phrases_of_released_mail_are_told_and_those_first_that_misled_most(trail: Trail) -> None:
    found = await trail(
        spoke("1", "nổ hũ", "lô đề"),
        spoke("2", "nổ hũ"),
        spoke("3", "tài xỉu"),
        spoke("4", "kèo"),
        step("1", "released"),
        step("2", "deleted"),
        step("3", "deleted"),
    )
    terms = misleading(found.found(QUARTER, "content"), fates(found.decisions(QUARTER)))
    assert [(one.phrase, len(one.released), len(one.refused)) for one in terms] == [("lô đề", 1, 0), ("nổ hũ", 1, 1)]
