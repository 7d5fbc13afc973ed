"""Every pack does what its own cases say, each of its rules has a case that it is for, and what it cites is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.policy.coverage import SHIPPED, load_regulations
from gateway.policy.load import load
from gateway.trial import run_cases

FOLDER = Path(__file__).parents[2] / "policies" / "packs"
PACKS = sorted(path for path in FOLDER.glob("*.yaml") if not path.name.endswith(".cases.yaml"))
BY_SUBJECT = {
    "state-secrets",
    "prohibited-content",
    "personal-data",
    "private-mailboxes",
    "text-and-formats",
    "dangerous-files",
    "malware",
    "sender-auth",
    "dns-lists",
}


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
async def test_it_does_what_its_cases_say(path: Path) -> None:
    policy = load(path)
    async with Opener(FileReading()) as opener:
        results = await run_cases(policy, open_mail=opener.open)
    assert [f"{result.where}: {result.name}: {result.failures}" for result in results if result.failures] == []


@pytest.mark.parametrize("name", sorted(BY_SUBJECT - {"prohibited-content"}))
def test_each_rule_has_a_case_that_it_is_for(name: str) -> None:
    policy = load(FOLDER / f"{name}.yaml")
    shown = {rule.text for case in policy.cases for rule in case.expect.rules or ()}
    assert {rule.id.text for rule in policy.rules} - shown == set()


def test_each_clause_on_content_has_a_case_and_lists_of_the_authority_come_empty() -> None:
    policy = load(FOLDER / "prohibited-content.yaml")
    shown = {rule.text for case in policy.cases for rule in case.expect.rules or ()}
    assert {rule.id.text for rule in policy.rules} - shown == {"content-listed"}


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_what_it_cites_is_there(path: Path) -> None:
    regulations = load_regulations(SHIPPED).regulations.items()
    known = {f"{name}/{clause}" for name, each in regulations for clause in each.clauses}
    assert {cite for rule in load(path).rules for cite in rule.cites} - known == set()
