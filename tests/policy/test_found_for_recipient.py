"""Findings that concern one recipient: each recipient of a message has an answer of its own, then and in replay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from filters.signup import Bombing, Newsletter
from gateway import decide
from gateway.mail import Mail
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.recall import Recalled
from gateway.remembering import records
from gateway.specimen import specimen
from gateway.verdict import Finding, Report, Truth

AN, BINH, CHI = "an@example.gov.vn", "binh@example.gov.vn", "Chi@example.gov.vn"
YES, NO = Truth.MATCH, Truth.NO_MATCH

Asked = Callable[[str], Policy]


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    def of(condition: str) -> Policy:
        (tmp_path / "policy.yaml").write_text(
            "version: 1\norganisation: {domains: [example.gov.vn]}\n"
            f"rules: [{{id: r, when: {condition}, then: discard, on_unknown: defer}}]\n"
        )
        return load(tmp_path / "policy.yaml")

    return of


def mail(policy: Policy, *to: str) -> Mail:
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    return specimen(policy, b"Subject: x\r\n\r\nhi", sender="a@b.example", recipients=to, received=moment)


def bombed(recipient: str, services: int = 12) -> Bombing:
    return Bombing(recipient=recipient, services=services, window=3600.0)


NEWS = Newsletter(
    service="b.example",
    known=False,
    category="unknown",
    confidence=0.9,
    language="vi",
    tier="T2",
    authenticated="unknown",
    domains=("b.example",),
)

CASES: dict[str, tuple[str, list[Finding], list[Truth]]] = {
    "one of three": ("{found: signup.bombing}", [bombed(BINH)], [NO, YES, NO]),
    "letters are as they came": ("{found: signup.bombing}", [bombed(CHI)], [NO, NO, YES]),
    "each by its own finding": (
        "{found: signup.bombing, where: {services: '> 20'}}",
        [bombed(AN, 30), bombed(BINH, 12)],
        [YES, NO, NO],
    ),
    "nobody": ("{found: signup.bombing}", [NEWS], [NO, NO, NO]),
    "who is not": ("{direction: inbound, not: {found: signup.bombing}}", [bombed(AN)], [NO, YES, YES]),
    "beside a finding that is for all": ("{found: [signup.bombing, signup.newsletter]}", [NEWS, bombed(AN)], [YES] * 3),
    "several that are wanted": (
        "{found: [signup.bombing, signup.newsletter], min_count: 2}",
        [NEWS, bombed(AN)],
        [YES, NO, NO],
    ),
}


@pytest.mark.parametrize(("condition", "found", "expected"), CASES.values(), ids=CASES)
def test_each_recipient(condition: str, found: list[Finding], expected: list[Truth], asked: Asked) -> None:
    policy = asked(condition)
    together = mail(policy, AN, BINH, CHI)
    verdict = decide.decide(policy, together, (Report("signup", tuple(found)),))
    assert [outcome.rules[0].result for outcome in verdict.outcomes] == expected
    for recipient, truth in zip((AN, BINH, CHI), expected, strict=True):
        [alone] = decide.decide(policy, mail(policy, recipient), (Report("signup", tuple(found)),)).outcomes
        assert alone.rules[0].result is truth
    remembered = [Recalled.of(record, policy) for record in records(together, verdict)]
    assert [each.answer(policy.rules[0].condition).truth for each in remembered] == expected


def test_a_filter_that_could_not_look_leaves_it_open_for_all(asked: Asked) -> None:
    policy = asked("{found: signup.bombing}")
    report = Report("signup", failure="unavailable", reason="down")
    verdict = decide.decide(policy, mail(policy, AN, BINH), (report,))
    assert {outcome.rules[0].result for outcome in verdict.outcomes} == {Truth.UNKNOWN}
    assert decide.needed(policy, mail(policy, AN, BINH)) == ("signup",)
