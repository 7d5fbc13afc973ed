"""What rules say of kept mail, as the gateway then finds it in the policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from gateway.policy.custody import DAY, active_delegates
from gateway.policy.model import Policy

Make = Callable[..., Policy]

HEADS = (
    "lists:\n  heads:\n"
    "    - Head@Example.gov.vn\n"
    "    - {value: acting@example.gov.vn, expires: 2026-11-30}\n"
    "rules: [{id: a, when: always, then: hold, with: {approvers: {in: heads}}}]\n"
)

WRITTEN = {
    "one address": ("approvers: A@example.gov.vn", ("a@example.gov.vn",)),
    "several": ("approvers: [b@example.gov.vn, a@example.gov.vn]", ("b@example.gov.vn", "a@example.gov.vn")),
    "the same twice": ("approvers: [a@example.gov.vn, A@example.gov.vn]", ("a@example.gov.vn",)),
}


@pytest.mark.parametrize(("text", "approvers"), WRITTEN.values(), ids=WRITTEN)
def test_approvers(text: str, approvers: tuple[str, ...], policy: Make) -> None:
    [rule] = policy(f"rules: [{{id: a, when: always, then: hold, with: {{{text}}}}}]").rules
    assert rule.with_.approvers.on(date(2026, 11, 24)) == approvers


def test_an_approver_of_a_list_counts_to_his_last_day(policy: Make) -> None:
    [rule] = policy(HEADS).rules
    assert rule.with_.approvers.on(date(2026, 11, 30)) == ("head@example.gov.vn", "acting@example.gov.vn")
    assert rule.with_.approvers.on(date(2026, 12, 1)) == ("head@example.gov.vn",)


def test_retention_is_what_the_lowest_layer_says_of_each_class(policy: Make) -> None:
    upper = "version: 1\nretention: {phishing: 90d, hold: 5d, quarantine: 10d}\n"
    loaded = policy("version: 1\nextends: [upper.yaml]\nretention: {hold: 3d, own: 1d}\n", upper=upper)
    days = {name: kept / DAY for name, kept in loaded.retention.items()}
    assert days == {"quarantine": 10, "hold": 3, "decision": 366, "evidence": 366, "phishing": 90, "own": 1}


def test_a_rule_may_name_a_class_of_an_upper_layer(policy: Make) -> None:
    rule = "rules: [{id: a, when: always, then: quarantine, with: {retention: phishing}}]"
    upper = "version: 1\nretention: {phishing: 90d}\n"
    assert policy(f"version: 1\nextends: [upper.yaml]\n{rule}", upper=upper).rules[0].with_.retention.text == "phishing"


def test_expiry_may_be_as_long_as_the_class_that_the_rule_names(problems: Callable[..., list[str]]) -> None:
    text = (
        "retention: {long: 20d}\n"
        "rules: [{id: a, when: always, then: hold, with: {retention: long, expires: {after: %s, then: reject}}}]"
    )
    assert problems(text % "20d") == []
    assert len(problems(text % "21d")) == 1


def test_filters_that_look_again_are_those_for_viruses_unless_said(policy: Make) -> None:
    assert policy("rules: []").rescan == ()  # there is no filter of that name here
    assert policy("rescan: [oracle]").rescan == ("oracle",)


def test_a_rule_in_shadow_does_not_say_what_is_stored(policy: Make) -> None:
    rules = "rules:\n- {id: a, when: always, then: reject, with: {store: never}%s}\n- {id: b, when: always, then: hold}"
    assert policy(rules % "").unstored == {"a"}
    assert policy(rules % ", mode: shadow").unstored == frozenset()


def test_a_delegate_acts_from_the_first_day_to_the_last(policy: Make) -> None:
    delegates = policy(
        "organisation: {delegates: ["
        "{approver: A@x.vn, delegate: D@x.vn, from: 2026-11-10, until: 2026-11-12},"
        "{approver: b@x.vn, delegate: d@x.vn, from: 2026-11-12, until: 2026-11-14}]}"
    ).organisation.delegates
    acting = {day: active_delegates(delegates, date(2026, 11, day)).get("d@x.vn", frozenset()) for day in range(9, 16)}
    assert acting == {
        9: frozenset(),
        10: {"a@x.vn"},
        11: {"a@x.vn"},
        12: {"a@x.vn", "b@x.vn"},
        13: {"b@x.vn"},
        14: {"b@x.vn"},
        15: frozenset(),
    }
