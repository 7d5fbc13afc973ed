"""The policy that `make run` starts with does what its own cases say, and each of its rules is shown at work."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.policy.load import load
from gateway.policy.rule import Mode
from gateway.trial import run_cases

DEFAULT = Path(__file__).parents[2] / "policies" / "default.yaml"


async def test_it_does_what_its_cases_say() -> None:
    policy = load(DEFAULT)
    async with Opener(FileReading()) as opener:
        results = await run_cases(policy, open_mail=opener.open)
    assert [f"{result.where}: {result.name}: {result.failures}" for result in results if result.failures] == []


def test_every_rule_in_force_has_a_case_it_is_for_and_there_are_as_many_it_is_not_for() -> None:
    policy = load(DEFAULT)
    shown = [rule.text for case in policy.cases for rule in case.expect.rules or ()]
    assert [rule.id.text for rule in policy.rules if rule.mode is Mode.ENFORCE and rule.id.text not in shown] == []
    passing = [case for case in policy.cases if case.expect.rules == ()]
    assert len(passing) >= sum(rule.mode is Mode.ENFORCE for rule in policy.rules) - 1


def test_every_rule_says_what_it_rests_on_and_what_it_is_for() -> None:
    assert all(rule.cite and rule.title for rule in load(DEFAULT).rules)


def test_it_brings_no_warnings_before_its_dates() -> None:
    assert load(DEFAULT, today=date(2026, 12, 1)).warnings == ()
