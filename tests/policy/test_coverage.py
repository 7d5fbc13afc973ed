"""The list of clauses is whole, and a policy is held against it as it is."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.commands.coverage import coverage_command
from gateway.errors import ConfigurationError
from gateway.policy.coverage import (
    FUNCTIONS,
    SHIPPED,
    Covered,
    State,
    cited,
    counts,
    coverage,
    load_regulations,
    miscited,
)
from gateway.policy.forms import Citation
from gateway.policy.load import load
from gateway.policy.model import Policy

DEFAULT = Path(__file__).parents[2] / "policies" / "default.yaml"

CLASSES: dict[str, tuple[int, int, int, int]] = {
    "haugiang-2021": (5, 4, 10, 2),
    "binhphuoc-2006": (13, 4, 19, 6),
    "khanhhoa-2021": (11, 7, 13, 4),
    "gialai-2022": (22, 26, 30, 13),
    "btnmt-2016": (3, 5, 3, 2),
}
"""Clauses by their main class: enforce, report, assist, out of reach."""


@pytest.mark.parametrize(("name", "numbers"), CLASSES.items(), ids=CLASSES)
def test_the_list_has_every_clause(name: str, numbers: tuple[int, ...]) -> None:
    clauses = load_regulations(SHIPPED).regulations[name].clauses
    counted = Counter(clause.classes[0] for clause in clauses.values())
    assert tuple(counted[each] for each in ("enforce", "report", "assist", "out-of-reach")) == numbers


def test_the_list_can_be_cited_and_read() -> None:
    regulations = load_regulations(SHIPPED).regulations
    assert sum(len(each.clauses) for each in regulations.values()) == 202
    controls = set()
    for name, regulation in regulations.items():
        for number, clause in regulation.clauses.items():
            assert Citation.FORM.fullmatch(f"{name}/{number}"), number
            assert clause.vi.strip()
            assert clause.en.strip()
            assert len(set(clause.classes)) == len(clause.classes)
            controls.update(clause.controls)
    assert all(re.fullmatch("[a-z0-9-]+", control) for control in controls)
    assert set(FUNCTIONS) <= controls


def test_a_policy_without_a_virus_scanner_is_told_of() -> None:
    told = CliRunner().invoke(coverage_command, [str(DEFAULT), "--json"])
    assert told.exit_code == 0
    assert "filter virus: no virus scanner is asked" in told.stderr


REGULATIONS = """
version: 1
regulations:
  law-1:
    title: {vi: Luật, en: Law}
    clauses:
      "1": {classes: [enforce], vi: một, en: one}
      "2": {classes: [enforce, report], vi: hai, en: two}
      "3": {classes: [assist], controls: [log6m], vi: ba, en: three}
      "4": {classes: [out-of-reach], vi: bốn, en: four}
      "5": {classes: [report], controls: [usage-report], vi: năm, en: five}
  law-2:
    title: {vi: Luật, en: Law}
    clauses:
      "1": {classes: [report], vi: một, en: one}
"""

RULES: dict[str, tuple[str, dict[str, tuple[State, tuple[str, ...]]]]] = {
    "a rule in force": ("cite: law-1/1, when: always, then: reject", {"1": (State.ENFORCED, ("one",))}),
    "one that marks": (
        "cite: law-1/1, when: always, then: tag, with: {subject: x}",
        {"1": (State.ENFORCED, ("one",))},
    ),
    "one in shadow": ("cite: law-1/1, when: always, then: reject, mode: shadow", {"1": (State.REPORTED, ("one",))}),
    "one that is off": ("cite: law-1/1, when: always, then: reject, mode: off", {"1": (State.OPEN, ())}),
    "one that counts only": ("cite: law-1/2, when: always, then: accept", {"2": (State.REPORTED, ("one",))}),
    "one that tells somebody": (
        "cite: law-1/2, when: always, then: accept, with: {notify: [a@example.org], text: {vi: x, en: x}}",
        {"2": (State.ASSISTED, ("one",))},
    ),
    "what the gateway does anyway, and a rule beside it": (
        "cite: law-1/5, when: always, then: accept",
        {
            "3": (State.ENFORCED, ("the audit trail and its retention",)),
            "5": (State.REPORTED, ("one", "mailwarden report usage")),
        },
    ),
    "nothing": ("when: always, then: accept", {"1": (State.OPEN, ()), "4": (State.OUT_OF_REACH, ())}),
}


@pytest.fixture
def covered(tmp_path: Path) -> Path:
    (tmp_path / "regulations.yaml").write_text(REGULATIONS)
    return tmp_path


def policy_of(folder: Path, rule: str) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(f"version: 1\nrules:\n  - {{id: one, {rule}}}\n")
    return load(path)


def found(folder: Path, policy: Policy, *names: str) -> dict[str, Covered]:
    known = load_regulations(folder / "regulations.yaml")
    return {each.citation: each for each in coverage(policy, known, frozenset(names))}


@pytest.mark.parametrize(("rule", "told"), RULES.values(), ids=RULES)
def test_what_is_done_about_a_clause(
    covered: Path, rule: str, told: dict[str, tuple[State, tuple[str, ...]]]
) -> None:
    clauses = found(covered, policy_of(covered, rule), "law-1")
    assert len(clauses) == 5
    for number, (state, by) in told.items():
        each = clauses[f"law-1/{number}"]
        assert (each.state, each.by) == (state, by)


def test_clauses_that_are_not_there_are_told_and_unknown_regulations_are_not(covered: Path) -> None:
    policy = policy_of(covered, "cite: [law-1/1, law-1/99, own/1], when: always, then: reject")
    known = load_regulations(covered / "regulations.yaml")
    assert cited(policy) == {"law-1", "own"}
    assert [cite for _, cite in miscited(policy, known)] == ["law-1/99"]
    [counted] = counts(coverage(policy, known, cited(policy))).values()
    assert counted.total() == 5


def test_the_default_policy_cites_what_is_there() -> None:
    assert list(miscited(load(DEFAULT), load_regulations(SHIPPED))) == []


def test_a_wrong_list_is_refused_with_its_place(covered: Path) -> None:
    path = covered / "regulations.yaml"
    path.write_text(REGULATIONS.replace("[assist]", "[asist]").replace("[enforce], vi", "[], vi"))
    with pytest.raises(ConfigurationError) as caught:
        load_regulations(path)
    places = [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]
    assert [place.partition(":")[0] for place in places] == ["7", "9"]
