"""Layers, dates, digests: what becomes of several files, and of the same file on another day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.mail import Mail
from gateway.policy.logic import Known
from gateway.policy.model import Mixed, Policy
from gateway.policy.rule import Mode
from gateway.verdict import Action, Truth
from tests.policy.filters.sample import Sample

MINISTRY = """\
version: 1
organisation: {domains: [ministry.gov.vn], networks: [10.0.0.0/8], officers: [o@ministry.gov.vn]}
filters: {sample: {limit: 5, words: [a]}}
lists: {partners: ["@a.example"]}
mixed: strictest
rules:
  - {id: first, when: {sender: {in: partners}}, then: reject}
  - {id: second, when: {found: sample.thing}, then: reject}
"""


def layer(text: str, upper: str = "ministry") -> str:
    """A file that extends another."""
    return f"version: 1\nextends: {upper}.yaml\n{text}"


LAYERS = {
    "nothing more": ("", ["first reject enforce", "second reject enforce"]),
    "a rule of its own comes last": (
        "rules: [{id: third, when: always, then: accept}]",
        ["first reject enforce", "second reject enforce", "third accept enforce"],
    ),
    "a rule of the same id takes the place of the upper one": (
        "rules: [{id: third, when: always, then: accept}, {id: first, when: always, then: defer, mode: shadow}]",
        ["first defer shadow", "second reject enforce", "third accept enforce"],
    ),
    "a rule that is off is not asked": (
        "rules: [{id: first, mode: off, when: always, then: accept}]",
        ["second reject enforce"],
    ),
}


@pytest.mark.parametrize(("text", "rules"), LAYERS.values(), ids=LAYERS)
def test_rules_of_layers(text: str, rules: list[str], policy: Callable[..., Policy]) -> None:
    loaded = policy(layer(text), ministry=MINISTRY)
    assert [f"{rule.id} {rule.then.word} {rule.mode}" for rule in loaded.rules] == rules


def test_keys_of_the_organisation_come_from_the_lowest_layer_that_writes_them(policy: Callable[..., Policy]) -> None:
    loaded = policy(layer("organisation: {domains: [Unit.gov.vn]}"), ministry=MINISTRY)
    assert loaded.organisation.domains == {"unit.gov.vn"}
    assert [str(network) for network in loaded.organisation.networks] == ["10.0.0.0/8"]


def test_options_of_filters_come_from_the_lowest_layer_that_writes_them(policy: Callable[..., Policy]) -> None:
    loaded = policy(layer("filters: {sample: {limit: 7}}"), ministry=MINISTRY)
    assert loaded.filters == {"sample": Sample(limit=7, words=frozenset({"a"}))}


def test_a_filter_that_a_rule_needs_has_its_defaults(policy: Callable[..., Policy]) -> None:
    assert policy("rules: [{id: a, when: {found: sample.thing}, then: reject}]").filters == {"sample": Sample()}


def test_a_filter_that_only_a_sleeping_rule_needs_is_not_run(policy: Callable[..., Policy]) -> None:
    assert policy("rules: [{id: a, mode: off, when: {found: sample.thing}, then: reject}]").filters == {}


def test_a_list_of_two_layers_is_one_list_for_the_rules_of_both(
    policy: Callable[..., Policy], mail: Callable[..., Mail]
) -> None:
    loaded = policy(layer('lists: {partners: ["@b.example"]}'), ministry=MINISTRY)
    for sender in ("x@a.example", "x@b.example"):
        assert loaded.rules[0].condition.test(Known(mail(sender=sender))).truth is Truth.MATCH


def test_mixed_comes_from_the_lowest_layer_that_speaks_of_it(policy: Callable[..., Policy]) -> None:
    assert policy(layer(""), ministry=MINISTRY).mixed is Mixed.STRICTEST
    assert policy(layer("mixed: deliver-and-quarantine"), ministry=MINISTRY).mixed is Mixed.DELIVER_AND_QUARANTINE
    assert policy("rules: []").mixed is Mixed.DELIVER_AND_QUARANTINE


def test_a_file_that_is_extended_twice_counts_once(policy: Callable[..., Policy]) -> None:
    loaded = policy(
        "version: 1\nextends: [left.yaml, right.yaml]\n",
        left=layer(""),
        right=layer("rules: [{id: first, when: always, then: tag, with: {subject: x}}]"),
        ministry=MINISTRY,
    )
    assert [f"{rule.id} {rule.then.word}" for rule in loaded.rules] == ["first tag", "second reject"]
    assert [path.name for path in loaded.files] == ["ministry.yaml", "left.yaml", "right.yaml", "policy.yaml"]


def test_layers_may_not_be_endlessly_deep(problems: Callable[..., list[str]]) -> None:
    files = {f"f{i}": layer("", f"f{i + 1}") for i in range(9)}
    assert problems(layer("", "f0"), **files) == ["f6.yaml:2:10: more than 8 files above each other, or 64 in all"]


LOCKED = """\
version: 1
rules:
  - {id: hard, lock: true, when: {direction: inbound}, then: reject}
exceptions:
  - {rule: hard, when: {sender: a@example.org}, approved_by: x, reason: y, expires: 2027-01-01}
"""


def test_a_locked_rule_takes_exceptions_of_its_own_file(
    policy: Callable[..., Policy], mail: Callable[..., Mail]
) -> None:
    [rule] = policy(layer("", "locked"), locked=LOCKED).rules
    answer = rule.condition.test(Known(mail(), {}, mail().strictest_direction))
    assert answer.truth is Truth.NO_MATCH
    assert answer.because == "exception approved by x until 2027-01-01: it counts until 2027-01-01; " + (
        "sender is 'a@example.org' (a@example.org)"
    )


DAYS = {
    "before its end": (date(2026, 12, 31), Truth.NO_MATCH, []),
    "two weeks before its end": (date(2027, 1, 18), Truth.NO_MATCH, ["the exception from a expires on 2027-01-31"]),
    "on its last day": (date(2027, 1, 31), Truth.NO_MATCH, ["the exception from a expires on 2027-01-31"]),
    "after its end": (
        date(2027, 2, 1),
        Truth.MATCH,
        ["the exception from a expired on 2027-01-31 and does not count"],
    ),
    "long before its end": (
        date(2025, 1, 1),
        Truth.NO_MATCH,
        ["the exception from a lasts until 2027-01-31, more than a year"],
    ),
}


@pytest.mark.parametrize(("day", "truth", "warnings"), DAYS.values(), ids=DAYS)
def test_an_exception_counts_to_its_end(
    day: date, truth: Truth, warnings: list[str], policy: Callable[..., Policy], mail: Callable[..., Mail]
) -> None:
    loaded = policy(
        "rules: [{id: a, when: always, then: reject}]\n"
        "exceptions: [{rule: a, when: {listener: inbound}, approved_by: x, basis: y, expires: 2027-01-31}]\n",
        today=day,
    )
    received = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    assert loaded.rules[0].condition.test(Known(mail(received=received))).truth is truth
    assert [warning.message for warning in loaded.warnings] == warnings


def test_days_end_at_midnight_in_vietnam(policy: Callable[..., Policy], mail: Callable[..., Mail]) -> None:
    [rule] = policy(
        "lists: {x: [{value: a@example.org, expires: 2026-11-24}]}\n"
        "rules: [{id: a, when: {sender: {in: x}}, then: reject}]"
    ).rules
    last, after = datetime(2026, 11, 24, 16, 59, tzinfo=UTC), datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
    assert rule.condition.test(Known(mail(received=last))).truth is Truth.MATCH
    assert rule.condition.test(Known(mail(received=after))).truth is Truth.NO_MATCH


WARNINGS = {
    "an expired entry": (
        "lists: {x: [{value: y, expires: 2026-11-23}]}",
        ['2:13: "y" in list x expired on 2026-11-23 and does not count'],
    ),
    "accounts without a directory": (
        "rules: [{id: a, when: always, unless: {any: [{recipient_account: {state: none}}]}, then: reject}]",
        ["2:9: rule a asks for accounts, and the organisation has no directory"],
    ),
    "an officer who is nobody": (
        "rules: [{id: a, when: always, then: hold, with: {notify: officer, text: {vi: a, en: a}}}]",
        [
            "2:9: rule a holds mail that nobody can approve: it has no approvers, nor officers",
            "2:9: rule a notifies the officer, and the organisation has no officers",
        ],
    ),
    "approvers of whom too few count": (
        "lists: {heads: [a@example.gov.vn, {value: b@example.gov.vn, expires: 2026-11-23}]}\n"
        "rules: [{id: a, when: always, then: hold, with: {approvers: {in: heads}, quorum: 2}}]",
        [
            '2:35: "b@example.gov.vn" in list heads expired on 2026-11-23 and does not count',
            "3:9: rule a needs 2 approvers, and 1 of them count today",
        ],
    ),
    "a delegate whose time is over": (
        "organisation: {delegates: [{approver: a@example.gov.vn, delegate: b@example.gov.vn, "
        "from: 2026-11-01, until: 2026-11-23}]}",
        ["2:28: b@example.gov.vn acts for a@example.gov.vn no longer since 2026-11-23"],
    ),
}


@pytest.mark.parametrize(("text", "warnings"), WARNINGS.values(), ids=WARNINGS)
def test_warnings(text: str, warnings: list[str], policy: Callable[..., Policy]) -> None:
    loaded = policy(text)
    assert [str(warning).partition("policy.yaml:")[2] for warning in loaded.warnings] == warnings


BASE = "rules: [{id: a, when: always, then: reject}]"

DIGESTS = {
    "another layout": ("rules:\n  - id: a   # remark\n    when: 'always'\n    then: reject\n", True),
    "cases": (f"{BASE}\ntests: [{{name: x, given: {{from: a@b.c, to: a@b.c}}, expect: {{action: reject}}}}]", True),
    "another action": ("rules: [{id: a, when: always, then: defer}]", False),
    "another order": ("rules: [{then: reject, id: a, when: always}]", False),
    "another file above": (layer(BASE), False),
}


@pytest.mark.parametrize(("text", "same"), DIGESTS.values(), ids=DIGESTS)
def test_the_digest_tells_what_decides(text: str, same: bool, policy: Callable[..., Policy]) -> None:
    digest = policy(BASE).digest
    assert len(digest) == 12
    assert (policy(text, ministry=MINISTRY).digest == digest) is same


def test_the_digest_tells_of_the_directory(policy: Callable[..., Policy], tmp_path: Path) -> None:
    digests = set()
    for state in ("active", "locked"):
        (tmp_path / "accounts.csv").write_text(f"address,state\nA@example.gov.vn,{state}\n")
        loaded = policy("organisation: {directory: accounts.csv}")
        assert loaded.accounts["a@example.gov.vn"].state == state
        assert tmp_path / "accounts.csv" in loaded.files
        digests.add(loaded.digest)
    assert len(digests) == 2


def test_cases_come_from_the_file_and_the_one_beside_it(policy: Callable[..., Policy]) -> None:
    case = "{name: %s, given: {from: a@b.c, to: a@b.c}, expect: {action: reject}}"
    loaded = policy(
        f"extends: [ministry.yaml]\n{BASE}\ntests: [{case % 'within'}]",
        ministry=f"version: 1\ntests: [{case % 'above'}]\n",
        **{"policy.cases": f"- {case % 'beside'}\n"},
    )
    assert [each.name for each in loaded.cases] == ["within", "beside"]
    assert [path.name for path in loaded.files] == ["ministry.yaml", "policy.yaml", "policy.cases.yaml"]


def test_a_rule_knows_its_place_and_its_defaults(policy: Callable[..., Policy], tmp_path: Path) -> None:
    [rule] = policy(BASE).rules
    assert str(rule.where) == f"{tmp_path}/policy.yaml:2:9"
    assert (rule.mode, rule.on_unknown, rule.cites, rule.lock) == (Mode.ENFORCE, Action.DEFER, (), False)
