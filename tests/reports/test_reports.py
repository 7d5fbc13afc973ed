"""What each report makes of a trail."""

from __future__ import annotations

from typing import Any

from gateway.reports.model import Report
from gateway.reports.people import People
from gateway.reports.signup import signup
from gateway.reports.spam import spam
from gateway.reports.unused import unused
from gateway.reports.usage import usage
from gateway.reports.violations import CASES, EVIDENCE, violations
from gateway.store.pseudonyms import Pseudonyms
from tests.reports.conftest import ACCOUNTS, KEY, NOON, QUARTER, Trail, held, message, months_later, sent


def rows(report: Report, key: str) -> list[tuple[Any, ...]]:
    """The rows of a table of the report."""
    [table] = [table for table in report.tables if table.key == key]
    return list(table.rows)


async def test_usage_counts_by_unit_month_and_account(trail: Trail, people: People) -> None:
    tallies = await trail(
        sent(moment=months_later(-2)),
        sent(id="M1"),
        sent(id="M1", recipient="y@example.org"),
        message(),
        message(recipient="chi@example.gov.vn"),
        message(recipient="nobody@example.gov.vn"),
        sent(account="BINH@example.gov.vn", sender="phong@example.gov.vn"),
        sent(moment=months_later(1)),
    )
    report = usage(tallies, people, QUARTER)
    assert rows(report, "units") == [
        ("finance", 2, 1, 0, 0.0, 0, 1),
        ("office", 2, 2, 2, 1.0, 3, 1),
        ("Tổng / total", 4, 3, 2, 2 / 3, 3, 2),
    ]
    assert rows(report, "accounts") == [
        ("finance", "chi@example.gov.vn", "locked", "2026-03", 0, 1),
        ("office", "an@example.gov.vn", "active", "2026-01", 1, 0),
        ("office", "an@example.gov.vn", "active", "2026-03", 1, 1),
        ("office", "binh@example.gov.vn", "active", "2026-03", 1, 0),
    ]
    assert ("office", "2026-02", 0, 0, 0) in rows(report, "months")
    [chart] = report.charts
    assert (chart.labels, list(chart.series.values())) == (["2026-01", "2026-02", "2026-03"], [[1, 0, 2], [0, 0, 2]])


async def test_usage_of_one_unit(trail: Trail, people: People) -> None:
    report = usage(await trail(sent(), message(recipient="chi@example.gov.vn")), people, QUARTER, "finance")
    assert [row[0] for row in rows(report, "units")] == ["finance", "Tổng / total"]
    assert {row[1] for row in rows(report, "accounts")} == {"chi@example.gov.vn"}


async def test_a_trail_under_pseudonyms_is_counted_by_who_has_the_key(trail: Trail) -> None:
    tallies = await trail(sent(), message(), key=KEY)
    under_key = People(ACCOUNTS, Pseudonyms(KEY).of)
    assert rows(usage(tallies, under_key, QUARTER), "accounts") == [
        ("office", "an@example.gov.vn", "active", "2026-03", 1, 1)
    ]
    assert rows(usage(tallies, People(ACCOUNTS, str), QUARTER), "accounts") == []
    listed = rows(unused(tallies, under_key, QUARTER), "accounts")
    assert "an@example.gov.vn" not in {row[1] for row in listed}


async def test_unused_accounts_with_their_last_use(trail: Trail, people: People) -> None:
    early = months_later(-4)
    tallies = await trail(
        message(), sent(sender="chi@example.gov.vn", moment=early), message(sender="", recipient="dung@example.gov.vn")
    )
    report = unused(tallies, people, QUARTER)
    assert rows(report, "accounts") == [
        ("finance", "chi@example.gov.vn", "person", "locked", early, None),
        ("finance", "dung@example.gov.vn", "person", "active", None, None),
        ("office", "binh@example.gov.vn", "person", "active", None, None),
    ]
    assert rows(report, "units") == [("finance", 2, 2), ("office", 2, 1)]


CITES = {"no-programs": ("test/1", "test/2"), "mark": (), "watch": ("test/1",)}


async def test_violations_by_clause_rule_and_account(trail: Trail, people: People) -> None:
    tallies = await trail(
        held("no-programs", id="M1"),
        held("no-programs", id="M2", moment=months_later(-1)),
        held("no-programs", id="M3", direction="outbound", sender="binh@example.gov.vn", recipient="x@example.org"),
        held("watch", "shadow", id="M4", action="accept"),
        held("mark", id="M5", clauses=[]),
        held("gone", id="M6", recipient="nobody@example.gov.vn"),
        message(id="M7", event="unstored", answers=None, rules=["watch"], action="reject"),
        message(id="M8"),
    )
    report = violations(tallies, people, CITES, QUARTER)
    assert rows(report, "clauses") == [
        (("test/1",), "enforce", 4),
        (("test/1",), "shadow", 1),
        (("test/2",), "enforce", 3),
        (("test/9",), "enforce", 1),
    ]
    both = ("test/1", "test/2")
    an, binh = ("office", "an@example.gov.vn", "inbound"), ("office", "binh@example.gov.vn", "outbound")
    assert rows(report, "groups") == [
        (("test/1",), "watch", "shadow", *an, "accept", 1, NOON, NOON, ("M4",)),
        (("test/1",), "watch", "enforce", *an, "reject", 1, NOON, NOON, ("M7",)),
        (both, "no-programs", "enforce", *an, "reject", 2, months_later(-1), NOON, ("M2", "M1")),
        (both, "no-programs", "enforce", *binh, "reject", 1, NOON, NOON, ("M3",)),
        (("test/9",), "gone", "enforce", "", "", "inbound", "reject", 1, NOON, NOON, ("M6",)),
    ]
    first = rows(report, "cases")[0]
    assert first[:2] == (months_later(-1), "M2")
    assert first[-1] == "found <b>it</b>"
    assert {row[4] for row in rows(violations(tallies, people, CITES, QUARTER, "finance"), "groups")} == set()


async def test_evidence_is_named_up_to_a_limit_and_the_newest_cases_stay(trail: Trail, people: People) -> None:
    many = [held("no-programs", id=f"M{number:04}") for number in range(CASES + 5)]
    report = violations(await trail(*many), people, CITES, QUARTER)
    [group] = rows(report, "groups")
    assert (group[7], len(group[-1])) == (CASES + 5, EVIDENCE)
    [table] = [table for table in report.tables if table.key == "cases"]
    assert (len(table.rows), table.more) == (CASES, 5)
    assert list(table.rows)[-1][1] == f"M{CASES + 4:04}"


def seen(service: str, kind: str = "verification", category: str = "social") -> dict[str, Any]:
    return {"code": f"signup.{kind}", "fields": {"service": service, "category": category, "confidence": 0.9}}


async def test_signup_by_unit_service_and_category(trail: Trail, people: People) -> None:
    other = {"code": "attachments.attachment", "fields": {"name": "x"}}
    tallies = await trail(
        message(findings=[seen("facebook"), seen("facebook"), other]),
        message(findings=[seen("facebook")], recipient="binh@example.gov.vn", action="hold", moment=months_later(-1)),
        message(findings=[seen("shop", "welcome", "commerce")], recipient="chi@example.gov.vn"),
        message(findings=[{"code": "signup.newsletter", "fields": {}}], recipient="nobody@example.gov.vn"),
        message(findings=[other]),
        sent(findings=[seen("list.example", "subscription_request", "")], action="reject"),
    )
    report = signup(tallies, people, QUARTER)
    assert rows(report, "services") == [
        ("", "", "", "newsletter", 1, 0, 0, NOON),
        ("finance", "shop", "commerce", "welcome", 1, 0, 1, NOON),
        ("office", "facebook", "social", "verification", 2, 1, 2, NOON),
        ("office", "list.example", "", "subscription_request", 1, 1, 1, NOON),
    ]
    assert len(rows(report, "accounts")) == 5
    mine = rows(signup(tallies, people, QUARTER, "office"), "accounts")
    assert [row[1] for row in mine] == ["an@example.gov.vn", "an@example.gov.vn", "binh@example.gov.vn"]


async def test_spam_by_day_rule_and_source(trail: Trail) -> None:
    tallies = await trail(
        held("spam-high", sender="a@one.example"),
        held("spam-high", sender="b@one.example", moment=months_later(-1)),
        held("spam-low", sender="c@two.example", action="tag", client="192.0.2.2"),
        message(),
        sent(),
    )
    report = spam(tallies, ("spam-high", "spam-low"), QUARTER)
    assert dict(rows(report, "actions"))["reject"] == 2
    assert [(row[0], row[-1]) for row in rows(report, "days")] == [("2026-02-08", 1), ("2026-03-10", 3)]
    assert [(row[0], row[-1]) for row in rows(report, "spam_days")] == [("2026-02-08", 1), ("2026-03-10", 2)]
    assert rows(report, "rules") == [("spam-high", 2), ("spam-low", 1)]
    assert rows(report, "domains") == [("one.example", 2), ("two.example", 1)]
    assert rows(report, "clients") == [("192.0.2.1", 2), ("192.0.2.2", 1)]
    assert [chart.series["reject"][-22] for chart in report.charts] == [1, 1]


async def test_without_rules_on_spam_the_report_says_so(trail: Trail) -> None:
    report = spam(await trail(message()), (), QUARTER)
    assert "spam filter" in report.notes[-1].en
    assert rows(report, "spam_days") == []
