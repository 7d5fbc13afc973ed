from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.notices.guard import Audience, Fate, Guard, refusal
from gateway.notices.marker import mark
from gateway.notices.model import ANSWERS, FloodSummary, KeptRecipient, MessageNotice, Notice, NoticeKind
from gateway.notices.throttle import MOST_WINDOWS, WINDOW, Limits, Throttle
from gateway.policy.load import load
from tests.notices.conftest import AUDIENCE, KEY, NOW, foreign, notices, original

ADDRESSEES: dict[str, tuple[str, Fate | None]] = {
    "one of ours": ("dung@example.gov.vn", None),
    "one of ours, loudly": ("DUNG@EXAMPLE.GOV.VN", None),
    "in a subdomain of ours": ("dung@ubnd.example.gov.vn", None),
    "an officer elsewhere": ("Officer@soc.example.net", None),
    "a machine that the policy names": ("no-reply@example.net", None),
    "a stranger": ("a@example.com", Fate.STRANGER),
    "a domain that ends like ours": ("a@badexample.gov.vn", Fate.STRANGER),
    "the null address": ("", Fate.UNWRITABLE),
    "no domain": ("postmaster", Fate.UNWRITABLE),
    "a header behind it": ("a@example.gov.vn\r\nBcc: b@example.com", Fate.UNWRITABLE),
    "two addresses": ("a@example.com,b@example.gov.vn", Fate.UNWRITABLE),
    "two at signs": ("a@example.com@example.gov.vn", Fate.UNWRITABLE),
    "a quoted local part": ('"a b"@example.gov.vn', Fate.UNWRITABLE),
    "an address in UTF-8": ("dũng@example.gov.vn", Fate.UNWRITABLE),
    "an endless address": ("a" * 300 + "@example.gov.vn", Fate.UNWRITABLE),
    "the mail system": ("MAILER-DAEMON@example.gov.vn", Fate.MACHINE),
    "who wants no reply": ("no-reply@example.gov.vn", Fate.MACHINE),
    "who wants no reply, with a tag": ("noreply+17@example.gov.vn", Fate.MACHINE),
    "a bounce address": ("bounces-17=a@example.gov.vn", Fate.MACHINE),
    "a list's owner": ("owner-tin@example.gov.vn", Fate.MACHINE),
    "a list's commands": ("tin-request@example.gov.vn", Fate.MACHINE),
    "a name that begins like a machine's": ("bouncer@example.gov.vn", None),
}


@pytest.mark.parametrize(("to", "fate"), ADDRESSEES.values(), ids=ADDRESSEES)
def test_who_may_be_told(to: str, fate: Fate | None) -> None:
    assert refusal(KeptRecipient(to=to, moment=NOW, original=foreign()), AUDIENCE) is fate


MESSAGES: dict[str, tuple[dict[str, Any], Fate | None, Fate | None]] = {
    "a person's mail from inside": ({}, None, None),
    "internal mail": ({"direction": "internal"}, None, None),
    "from outside, with a sender of ours": ({"direction": "inbound"}, Fate.STRANGER, None),
    "the null sender": ({"sender": ""}, Fate.UNANSWERABLE, None),
    "automatic or list mail": ({"unanswerable": "Auto-Submitted"}, Fate.UNANSWERABLE, None),
    "a notice of ours": (
        {"sender": "", "recipients": ("b@example.com",), "marker": mark(KEY, "a" * 40, "b@example.com", NOW)},
        Fate.OWN,
        Fate.OWN,
    ),
    "a forged mark keeps nobody uninformed": ({"marker": "a; t=1; mac=b"}, Fate.UNANSWERABLE, None),
}


@pytest.mark.parametrize(("changes", "answer", "other"), MESSAGES.values(), ids=MESSAGES)
def test_what_may_be_told_of(changes: dict[str, Any], answer: Fate | None, other: Fate | None) -> None:
    for notice in notices(original(**changes)).values():
        if isinstance(notice, MessageNotice):
            assert refusal(notice, AUDIENCE) is (answer if isinstance(notice, ANSWERS) else other), notice.kind


def test_the_audience_is_who_the_policy_names(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        """
version: 1
organisation: {domains: [example.gov.vn], officers: [Officer@soc.example.net]}
rules:
  - id: big
    cite: a/1
    when: {direction: inbound, size: "> 10 MB"}
    then: quarantine
    with: {notify: [recipient, Watch@example.net], text: {vi: a, en: b}}
    on_unknown: defer
"""
    )
    audience = Audience.of(load(tmp_path / "policy.yaml"), KEY, ["Chief@example.org"])
    assert audience.domains == {"example.gov.vn"}
    assert audience.named == {"officer@soc.example.net", "watch@example.net", "chief@example.org"}


def told(**changes: Any) -> Notice:
    values: dict[str, Any] = {"to": "dung@example.gov.vn", "moment": NOW, "original": foreign()}
    return KeptRecipient(**values | changes)


def test_each_notice_is_told_once() -> None:
    guard = Guard(Limits())
    sequence = [
        ("the first", told(), None),
        ("again", told(), Fate.DUPLICATE),
        ("later, in capitals", told(to="Dung@Example.gov.vn", moment=NOW + timedelta(hours=2)), Fate.DUPLICATE),
        ("to another", told(to="em@example.gov.vn"), None),
        ("of another message", told(original=foreign(id="2")), None),
        ("on another occasion", told(occasion="2"), None),
        ("of another kind", notices(foreign())["released-recipient"], None),
    ]
    for what, notice, fate in sequence:
        assert guard.check(notice, AUDIENCE) is fate, what


def test_what_was_not_told_after_all_may_be_tried_again() -> None:
    guard = Guard(Limits())
    assert guard.check(told(), AUDIENCE) is None
    guard.forget(told())
    assert guard.check(told(), AUDIENCE) is None


def flood(count: int, to: str = "dung@example.gov.vn", start: int = 0) -> list[Notice]:
    return [told(to=to, original=foreign(id=str(number))) for number in range(start, start + count)]


def test_a_flood_becomes_one_summary() -> None:
    guard = Guard(Limits(per_hour=20))
    fates = [guard.check(notice, AUDIENCE) for notice in flood(1000)]
    assert fates == [None] * 20 + [Fate.THROTTLED] * 980
    assert guard.check(flood(1, start=999)[0], AUDIENCE) is Fate.DUPLICATE  # counted once
    assert guard.check(flood(1, to="em@example.gov.vn")[0], AUDIENCE) is None  # others are not touched
    assert guard.summaries(NOW + timedelta(minutes=59)) == []
    [summary] = guard.summaries(NOW + WINDOW)
    assert (summary.to, summary.of, summary.suppressed) == ("dung@example.gov.vn", NoticeKind.KEPT_RECIPIENT, 980)
    assert (summary.since, summary.until) == (NOW, NOW + WINDOW)
    assert guard.summaries(NOW + WINDOW) == []
    assert guard.check(summary, AUDIENCE) is None
    assert guard.check(told(original=foreign(id="new"), moment=NOW + WINDOW), AUDIENCE) is None


def test_summaries_and_digests_are_not_throttled() -> None:
    guard = Guard(Limits(per_hour=1))
    summaries = [
        FloodSummary(
            to="a@example.gov.vn", moment=NOW, occasion=str(number), of=kind, suppressed=1, since=NOW, until=NOW
        )
        for number, kind in enumerate(NoticeKind)
    ]
    assert [guard.check(summary, AUDIENCE) for summary in summaries] == [None] * len(summaries)


SEQUENCES = {
    "a quiet hour after another": ([(0, 2), (60, 2), (120, 2)], [2, 2, 2]),
    "the window begins with the first notice": ([(0, 1), (59, 5), (61, 5)], [1, 2, 3]),
    "nothing is saved up": ([(0, 0), (600, 9)], [0, 3]),
    "a clock that is set back by a day": ([(2000, 9), (0, 9)], [3, 3]),
}


@pytest.mark.parametrize(("steps", "admitted"), SEQUENCES.values(), ids=SEQUENCES)
def test_throttle(steps: list[tuple[int, int]], admitted: list[int]) -> None:
    throttle = Throttle(Limits(per_hour=3))
    for (minutes, count), expected in zip(steps, admitted, strict=True):
        notice = told(moment=NOW + timedelta(minutes=minutes))
        assert sum(throttle.admit(notice) for _ in range(count)) == expected


def test_an_approver_is_not_cut_off_by_a_flood_of_other_notices() -> None:
    throttle = Throttle(Limits(per_hour=3, per_hour_at_work=5))
    request = notices(original())["approval-request"]
    assert sum(throttle.admit(told()) for _ in range(9)) == 3
    assert sum(throttle.admit(request) for _ in range(9)) == 5


def test_a_throttle_remembers_only_so_many() -> None:
    throttle = Throttle(Limits(per_hour=1))
    first = told(to="first@example.gov.vn")
    assert [throttle.admit(first), throttle.admit(first)] == [True, False]
    base = told()
    for number in range(MOST_WINDOWS):
        assert throttle.admit(replace(base, to=f"u{number}@example.gov.vn"))
    assert [summary.to for summary in throttle.summaries(NOW)] == ["first@example.gov.vn"]  # closed early, not lost
