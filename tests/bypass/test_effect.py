"""What a policy decides while something of it is suspended."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway import decide
from gateway.bypass.effect import has_effect, unasked, without
from gateway.bypass.model import Bypass, Kind
from gateway.mail import Recipient
from gateway.policy.found import Found
from gateway.policy.load import load
from gateway.policy.logic import ALWAYS, All, Condition, Known, Not, Some
from gateway.policy.model import Policy
from gateway.specimen import specimen
from gateway.verdict import Action, Outcome, Report, Truth
from tests.bypass.test_model import made
from tests.policy.conftest import PLACES, make_mail
from tests.policy.filters.oracle import Infected
from tests.policy.filters.sample import Thing

RULES = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - id: no-viruses
    when: {found: oracle.infected}
    then: reject
  - id: viruses-or-plans
    when: {any: [{found: oracle.infected}, {header: {name: Subject, contains: plan}}]}
    then: quarantine
  - id: viruses-or-marks
    when: {found: [oracle.infected, sample.thing]}
    then: hold
  - id: only-with-a-file
    when: {header: {name: Subject, contains: report}, not: {found: oracle.infected}}
    then: reject
  - id: reports-unless-a-file
    when: {header: {name: Subject, contains: report}}
    unless: {found: oracle.infected}
    then: hold
  - id: closed
    when: {recipient: closed@example.gov.vn}
    then: reject
  - id: secrets
    when: {found: sample.thing}
    then: reject
    with: {store: never}
  - id: locked
    when: {found: oracle.infected, header: {name: Subject, contains: locked}}
    then: reject
    lock: true
  - id: secrets-on-trial
    mode: shadow
    when: {found: sample.thing}
    then: reject
  - {id: allowed, when: {header: {name: Subject, contains: allowed}}, then: reject, lock: true, bypass: allow}
  - {id: forbidden, when: {header: {name: Subject, contains: forbidden}}, then: reject, bypass: refuse}
"""


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    path: Path = tmp_path_factory.mktemp("policy") / "policy.yaml"
    path.write_text(RULES)
    return load(path, places=PLACES)


def bypasses(*labels: str) -> list[Bypass]:
    pairs = (label.split() for label in labels)
    return [made(kind=Kind(kind), name=name) for kind, name in pairs]


def outcome(policy: Policy, subject: str, reports: Iterable[Report], to: str = "b@example.gov.vn") -> Outcome:
    raw = f"Subject: {subject}\r\nFrom: a@example.org\r\n\r\nhello\r\n".encode()
    mail = specimen(policy, raw, sender="a@example.org", recipients=[to])
    [one] = decide.decide(policy, mail, reports).outcomes
    return one


def found(code: str) -> list[Report]:
    """What the filters say: one of them has found something, the others looked and found nothing."""
    seen = {"oracle.infected": Infected(name="x"), "sample.thing": Thing()}
    return [
        Report(name, tuple(each for key, each in seen.items() if key == code and key.startswith(name)))
        for name in ("oracle", "sample")
    ]


BLIND = [Report("oracle", failure="unavailable", reason="broken"), Report("sample")]

INFECTED = "oracle.infected"
CASES: dict[str, tuple[tuple[str, ...], str, str, Action, Action]] = {
    # what is suspended, the subject, what is found ("!": the oracle could not look), the action before and meanwhile
    "nothing": ((), "hello", INFECTED, Action.REJECT, Action.REJECT),
    "a rule": (("rule no-viruses",), "hello", INFECTED, Action.REJECT, Action.QUARANTINE),
    "all rules that hold": (
        ("rule no-viruses", "rule viruses-or-plans", "rule viruses-or-marks"),
        "hello",
        INFECTED,
        Action.REJECT,
        Action.ACCEPT,
    ),
    "a rule, and another one holds": (("rule closed",), "hello", INFECTED, Action.REJECT, Action.REJECT),
    "a filter": (("filter oracle",), "hello", INFECTED, Action.REJECT, Action.ACCEPT),
    "a filter that cannot look": (("filter oracle",), "hello", "!", Action.DEFER, Action.ACCEPT),
    "a filter, and the other branch of the rule holds": (
        ("filter oracle",),
        "the plan",
        INFECTED,
        Action.REJECT,
        Action.QUARANTINE,
    ),
    "a filter whose silence a rule wants": (("filter oracle",), "report", "", Action.REJECT, Action.ACCEPT),
    "a filter that a rule shares with another one": (
        ("filter oracle", "rule secrets"),
        "hello",
        "sample.thing",
        Action.REJECT,
        Action.REJECT,
    ),
    "a filter that a locked rule asks": (("filter oracle",), "locked", INFECTED, Action.REJECT, Action.REJECT),
    "a filter that a locked rule asks and that cannot look": (
        ("filter oracle",),
        "locked",
        "!",
        Action.DEFER,
        Action.DEFER,
    ),
    "a rule on State secrets": (("rule secrets",), "hello", "sample.thing", Action.REJECT, Action.REJECT),
    "the filter of a rule on State secrets": (
        ("filter sample",),
        "hello",
        "sample.thing",
        Action.REJECT,
        Action.REJECT,
    ),
    "a locked rule": (("rule locked",), "locked", INFECTED, Action.REJECT, Action.REJECT),
    "a locked rule that allows it": (("rule allowed",), "allowed", "", Action.REJECT, Action.ACCEPT),
    "a rule that forbids it": (("rule forbidden",), "forbidden", "", Action.REJECT, Action.REJECT),
    "a rule that there is not": (("rule nobody",), "hello", INFECTED, Action.REJECT, Action.REJECT),
}


@pytest.mark.parametrize(("labels", "subject", "codes", "before", "meanwhile"), CASES.values(), ids=CASES)
def test_what_is_decided(
    policy: Policy, labels: tuple[str, ...], subject: str, codes: str, before: Action, meanwhile: Action
) -> None:
    effective = without(policy, bypasses(*labels))
    reports = BLIND if codes == "!" else found(codes)
    assert outcome(policy, subject, reports).action is before
    assert outcome(effective, subject, reports).action is meanwhile


def test_a_rule_is_asked_and_recorded_all_the_same(policy: Policy) -> None:
    effective = without(policy, bypasses("rule no-viruses"))
    [record] = [each for each in outcome(effective, "x", found(INFECTED)).rules if each.id == "no-viruses"]
    assert (record.mode, record.result.value, record.action) == ("bypassed", "match", Action.REJECT)


def test_a_filter_is_not_asked_and_every_record_says_why(policy: Policy) -> None:
    effective = without(policy, bypasses("filter oracle"))
    mail = specimen(policy, b"Subject: hello\r\n\r\nx\r\n", sender="a@example.org", recipients=["b@example.gov.vn"])
    assert set(decide.needed(policy, mail)) == {"oracle", "sample"}
    assert decide.needed(effective, mail) == ("sample",)
    verdict = decide.decide(effective, mail, [Report("sample")])
    told = {each.id: each.because for each in verdict.outcomes[0].rules}
    assert told["no-viruses"] == "filter oracle is bypassed"
    assert verdict.bypassed == ("filter oracle",)


def test_a_refusal_before_the_content_too(policy: Policy) -> None:
    mail = specimen(policy, b"\r\n", sender="a@example.org", recipients=["closed@example.gov.vn"])
    closed = Recipient("closed@example.gov.vn")
    assert decide.at_envelope(policy, mail, closed).action is Action.REJECT
    assert decide.at_envelope(without(policy, bypasses("rule closed")), mail, closed).action is Action.ACCEPT


def test_what_has_no_effect_is_not_told(policy: Policy) -> None:
    labels = ("rule no-viruses", "rule secrets", "rule secrets-on-trial", "rule nobody", "filter spam")
    effective = without(policy, bypasses(*labels))
    assert effective.bypassed == ("rule no-viruses",)
    assert [has_effect(policy, each) for each in bypasses(*labels)] == [True, False, False, False, False]
    assert without(policy, bypasses("rule secrets")) is policy


def test_the_policy_stays_the_same_policy(policy: Policy) -> None:
    effective = without(policy, bypasses("rule no-viruses", "filter oracle"))
    assert (effective.digest, effective.whole, effective.filters) == (policy.digest, policy, policy.filters)
    assert effective.unstored == policy.unstored


LEAVES = some.sampled_from(
    [
        Found((("oracle", "infected"),)),
        Found((("sample", "thing"),)),
        Found((("oracle", "infected"), ("sample", "thing"))),
        Found((("oracle", "infected"),), min_count=2),
        ALWAYS,
    ]
)
CONDITIONS = some.recursive(
    LEAVES,
    lambda inner: (
        some.lists(inner, min_size=1, max_size=3).map(lambda each: All(tuple(each)))
        | some.lists(inner, min_size=1, max_size=3).map(lambda each: Some(tuple(each)))
        | inner.map(Not)
    ),
    max_leaves=8,
)
ORACLE = [Report("oracle"), Report("oracle", (Infected(),)), Report("oracle", (Infected(), Infected()))]
SAMPLE = [Report("sample"), Report("sample", (Thing(),)), Report("sample", failure="unavailable", reason="away")]


@given(CONDITIONS, some.sampled_from(SAMPLE))
def test_what_holds_without_the_filter_holds_whatever_it_would_have_said(condition: Condition, sample: Report) -> None:
    """So a bypass lets pass and never stops; and a rule waits for another filter only if it might hold."""
    mail = make_mail()
    meanwhile = unasked(condition, frozenset({"oracle"}), Truth.NO_MATCH)
    assert "oracle" not in {name for leaf in meanwhile.leaves if isinstance(leaf, Found) for name, _ in leaf.codes}
    truth = meanwhile.test(Known(mail, {"sample": sample})).truth
    said = {condition.test(Known(mail, {"sample": sample, "oracle": each})).truth for each in ORACLE}
    if truth is Truth.MATCH:
        assert said == {Truth.MATCH}
    if truth is Truth.UNKNOWN:
        assert Truth.NO_MATCH not in said
    if said == {Truth.MATCH} and len(condition.leaves) == 1:
        assert truth is Truth.MATCH
