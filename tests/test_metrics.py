"""Labels are closed sets: what filters say beyond them is counted as other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

import pytest

from filters.secret_marks import LevelWord
from gateway.mail import Direction, Recipient
from gateway.metrics import LEVELS, OTHER, Metrics
from gateway.reading import Reason
from gateway.reply import OK
from gateway.verdict import Action, Finding, Outcome, Report, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Uninspectable(Finding):
    """Something that could not be looked into."""

    code: ClassVar[str] = "uninspectable"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Finding):
    """A sign-up."""

    code: ClassVar[str] = "verification"
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking(Finding):
    """A secrecy marking."""

    code: ClassVar[str] = "marking"
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain(Finding):
    """A finding without such a field."""

    code: ClassVar[str] = "plain"


def verdict(*reports: Report) -> Verdict:
    outcome = Outcome(recipient=Recipient("b@example.gov.vn"), action=Action.HOLD, reply=OK)
    return Verdict(policy="x", outcomes=(outcome,), reports=reports)


SIGN_UP = "signup_total"
MARKS = "secret_marks_total"

SAID = {
    "a known category": (Report("signup", (Verification(category="social"),)), SIGN_UP, "category", "social", 1),
    "twice in one message": (
        Report("signup", (Verification(category="forum"), Verification(category="forum"))),
        SIGN_UP,
        "category",
        "forum",
        1,
    ),
    "a word of its own": (Report("signup", (Verification(category="b@evil.example"),)), SIGN_UP, "category", OTHER, 1),
    "a finding without the field": (Report("signup", (Plain(),)), SIGN_UP, "category", OTHER, 0),
    "another filter with the field": (
        Report("spam", (Verification(category="social"),)),
        SIGN_UP,
        "category",
        "social",
        0,
    ),
    "a marking": (Report("secret_marks", (Marking(level="tối mật"),)), MARKS, "level", "toi-mat", 1),
    "an unknown level": (Report("secret_marks", (Marking(level="9"),)), MARKS, "level", OTHER, 1),
}


@pytest.mark.parametrize(("report", "name", "label", "word", "count"), SAID.values(), ids=SAID)
def test_what_filters_say_is_counted_with_what_was_done(
    report: Report, name: str, label: str, word: str, count: int
) -> None:
    metrics = Metrics()
    metrics.judged("inbound", Direction.INBOUND, verdict(report), size=1, seconds=0.1, added=0.1)
    labels = {label: word, "action": "hold"}
    assert (metrics.registry.get_sample_value(f"mailwarden_{name}", labels) or 0) == count


@pytest.mark.parametrize(("reason", "label"), [*((each, each.value) for each in Reason), ("<script>", OTHER)])
def test_why_something_could_not_be_looked_into(reason: str, label: str) -> None:
    metrics = Metrics()
    metrics.examined(Report("any", (Uninspectable(reason=reason), Plain())))
    assert metrics.registry.get_sample_value("mailwarden_uninspectable_total", {"reason": label}) == 1


def test_every_level_of_the_filter_has_its_label() -> None:
    assert set(LEVELS) == set(get_args(LevelWord))


def test_a_kind_of_notice_that_is_none_is_another() -> None:
    metrics = Metrics()
    metrics.noticed("a-stranger@example.org", "sent")
    assert metrics.registry.get_sample_value("mailwarden_notices_total", {"kind": OTHER, "result": "sent"}) == 1
