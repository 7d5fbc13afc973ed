"""What is written down of a message when it is kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.custody.keep import digest_of, kept_mail
from gateway.custody.terms import Panel, Terms, terms_of
from gateway.keeping import KeptMail, Kind, State
from gateway.mail import Envelope, Recipient
from gateway.policy.rule import Bilingual
from gateway.verdict import AddHeader
from tests.custody.conftest import LETTER, START, letter, owned, policy_of

BASE = """version: 1
organisation:
  domains: [example.gov.vn]
  officers: [Officer@example.gov.vn]
  holidays: [2026-11-25]
lists:
  heads: [a@example.gov.vn, {value: b@example.gov.vn, expires: 2026-11-23}]
retention: {long: 60d, short: 2d}
rules:
"""


def kept_by(folder: Path, rules: str, **mail: Any) -> KeptMail:
    """The entry of a letter under these rules."""
    lines = "".join(f"  - {{{line.strip()}}}\n" for line in rules.strip().splitlines())
    policy = policy_of(folder, BASE + lines)
    message = letter(**mail)
    return kept_mail(policy, message, owned(policy, message), digest_of(message.raw))


PEOPLE: dict[str, tuple[str, list[tuple[str, tuple[str, ...], int]]]] = {
    "its approvers": (
        "id: a, when: always, then: hold, with: {approvers: [c@example.gov.vn, d@example.gov.vn], quorum: 2}",
        [("a", ("c@example.gov.vn", "d@example.gov.vn"), 2)],
    ),
    "those of a list who count on the day": (
        "id: a, when: always, then: hold, with: {approvers: {in: heads}}",
        [("a", ("a@example.gov.vn",), 1)],
    ),
    "the officers where no rule names any": (
        "id: a, when: always, then: hold\nid: b, when: always, then: hold",
        [("a", ("officer@example.gov.vn",), 1), ("b", ("officer@example.gov.vn",), 1)],
    ),
    "those of each rule that names some": (
        "id: a, when: always, then: hold, with: {approvers: c@example.gov.vn}\n"
        "id: b, when: always, then: hold\n"
        "id: c, when: always, then: hold, with: {approvers: d@example.gov.vn}",
        [("a", ("c@example.gov.vn",), 1), ("c", ("d@example.gov.vn",), 1)],
    ),
    "not those of a rule in shadow": (
        "id: a, when: always, then: hold, with: {approvers: c@example.gov.vn}\n"
        "id: b, when: always, mode: shadow, then: hold, with: {approvers: d@example.gov.vn}",
        [("a", ("c@example.gov.vn",), 1)],
    ),
    "those of a rule that could not look": (
        "id: a, when: {found: sample.thing}, then: reject, on_unknown: hold, with: {approvers: c@example.gov.vn}",
        [("a", ("c@example.gov.vn",), 1)],
    ),
    "nobody in a quarantine": (
        "id: a, when: always, then: quarantine\nid: b, when: always, then: hold, with: {approvers: c@example.gov.vn}",
        [],
    ),
}


@pytest.mark.parametrize(("rules", "panels"), PEOPLE.values(), ids=PEOPLE)
def test_who_decides(rules: str, panels: list[tuple[str, tuple[str, ...], int]], tmp_path: Path) -> None:
    kept = kept_by(tmp_path, rules)
    assert [(each.rule, each.approvers, each.quorum) for each in terms_of(kept).panels] == panels
    assert set(kept.approvers) == {name for _, names, _ in panels for name in names}


DAYS, HOURS = timedelta(days=1), timedelta(hours=1)

ENDS: dict[str, tuple[str, timedelta, str, str]] = {
    "held mail": ("id: a, when: always, then: hold", 7 * DAYS, "reject", "hold"),
    "quarantined mail": ("id: a, when: always, then: quarantine", 30 * DAYS, "delete", "quarantine"),
    "as the rule says": (
        "id: a, when: always, then: hold, with: {expires: {after: 4h, then: release}}", 4 * HOURS, "release", "hold",
    ),
    # Tuesday 09:00; Wednesday is a holiday.
    "in working hours": (
        "id: a, when: always, then: hold, with: {expires: {after: 2d, then: reject, working_hours: yes}}",
        3 * DAYS, "reject", "hold",
    ),
    "as long as its class is kept": (
        "id: a, when: always, then: quarantine, with: {retention: long}", 60 * DAYS, "delete", "long",
    ),
    "never longer than that, in working hours either": (
        "id: a, when: always, then: hold, "
        "with: {retention: short, expires: {after: 2d, then: reject, working_hours: yes}}",
        2 * DAYS, "reject", "short",
    ),
    "the earliest and the strictest of two rules": (
        "id: a, when: always, then: hold, with: {expires: {after: 4h, then: release}}\n"
        "id: b, when: always, then: hold, with: {expires: {after: 5h, then: delete}}",
        4 * HOURS, "delete", "hold",
    ),
    "a rule that says nothing does not release": (
        "id: a, when: always, then: hold, with: {expires: {after: 4h, then: release}}\n"
        "id: b, when: always, then: hold",
        4 * HOURS, "reject", "hold",
    ),
    "the longest class of two rules": (
        "id: a, when: always, then: quarantine, with: {retention: short}\n"
        "id: b, when: always, then: quarantine, with: {retention: long}",
        60 * DAYS, "delete", "long",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "after", "end", "retention"), ENDS.values(), ids=ENDS)
def test_how_long(rules: str, after: timedelta, end: str, retention: str, tmp_path: Path) -> None:
    kept = kept_by(tmp_path, rules)
    assert (kept.expires - START, terms_of(kept).end, kept.retention) == (after, end, retention)


def test_reminder_and_escalation_are_moments(tmp_path: Path) -> None:
    [panel] = terms_of(
        kept_by(
            tmp_path,
            "id: a, when: always, then: hold, with: {approvers: [c@example.gov.vn], "
            "remind: {after: 2h, to: c@example.gov.vn}, "
            "escalate: {after: 9h, to: Boss@example.gov.vn, working_hours: yes}}",
        )
    ).panels
    assert panel == Panel(
        rule="a",
        approvers=("c@example.gov.vn",),
        remind_at=START + 2 * HOURS,
        remind=("c@example.gov.vn",),
        escalate_at=START + 2 * DAYS,
        escalate=("boss@example.gov.vn",),
    )


def test_everything_of_the_message_is_kept(tmp_path: Path) -> None:
    envelope = Envelope(
        "an@example.gov.vn",
        (Recipient("x@example.org", ("NOTIFY=NEVER",)), Recipient("dung@example.gov.vn")),
        ("BODY=8BITMIME", "RET=HDRS"),
    )
    rules = (
        "id: a, cite: gialai-2022/11.6, when: {direction: outbound}, then: hold, "
        "with: {approvers: c@example.gov.vn, text: {vi: Chờ, en: Wait}}\n"
        "id: b, when: always, then: tag, with: {headers: {X-A: a}, bcc: archive@example.gov.vn}"
    )
    kept = kept_by(tmp_path, rules, envelope=envelope)
    assert kept.envelope == Envelope(envelope.sender, envelope.recipients[:1], envelope.parameters)
    assert (kept.kind, kept.state, kept.direction) == (Kind.HELD, State.WAITING, "outbound")
    assert (kept.subject, kept.header_from) == ("Hello", "an@example.gov.vn")
    assert (kept.size, kept.digest) == (len(LETTER), digest_of(LETTER))
    assert (kept.rules, kept.clauses) == (("a",), ("gialai-2022/11.6",))
    assert kept.because.startswith("a: ")
    terms = terms_of(kept)
    assert terms == Terms(
        panels=terms.panels,
        end="reject",
        recipients=(envelope.recipients[0], Recipient("archive@example.gov.vn")),
        edits=(AddHeader("X-A", "a"),),
        text=Bilingual(vi="Chờ", en="Wait"),
    )


def test_held_for_one_and_quarantined_for_another_is_quarantined(tmp_path: Path) -> None:
    rules = "id: a, when: {direction: outbound}, then: hold\nid: b, when: {direction: internal}, then: quarantine"
    kept = kept_by(tmp_path, rules, to=["x@example.org", "dung@example.gov.vn"])
    assert kept.kind is Kind.QUARANTINED
    assert kept.rules == ("a", "b")
    assert len(kept.envelope.recipients) == 2


def test_refused_for_some_is_kept_by_the_rule_that_refuses(tmp_path: Path) -> None:
    rules = "id: a, when: {recipient: x@example.org}, then: reject, with: {retention: long}"
    kept = kept_by(tmp_path, rules, to=["x@example.org", "dung@example.gov.vn"])
    assert (kept.kind, kept.rules, kept.retention) == (Kind.QUARANTINED, ("a",), "long")
    assert [each.address for each in kept.envelope.recipients] == ["x@example.org"]


def test_a_header_field_without_end_does_not_fill_the_entry(tmp_path: Path) -> None:
    raw = b"Subject: " + b"x" * 100_000 + b"\r\nFrom: " + b"y" * 100_000 + b"\r\n\r\n"
    kept = kept_by(tmp_path, "id: a, when: always, then: hold", raw=raw)
    assert max(len(kept.subject), len(kept.header_from)) <= 1_000
