"""A policy held against the regulations that it cites: which clause is carried out, how, and by which rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from gateway.policy.model import Policy, Version
from gateway.policy.rule import Bilingual, Mode, Rule
from gateway.schema.nodes import decode
from gateway.schema.reader import load as read
from gateway.verdict import Action

Class = Literal["enforce", "report", "assist", "out-of-reach"]

SHIPPED = Path(__file__).parents[2] / "policies" / "regulations.yaml"
"""The list of clauses that comes with the gateway."""


class State(StrEnum):
    """What is done about a clause, the most first. OPEN: something could be done, and nothing is."""

    ENFORCED = "enforced"
    REPORTED = "reported"
    ASSISTED = "assisted"
    OPEN = "open"
    OUT_OF_REACH = "out of reach"


STRENGTH = tuple(State)

FUNCTIONS: Mapping[str, tuple[State, str]] = {
    "usage-report": (State.REPORTED, "mailwarden report usage"),
    "inactivity": (State.REPORTED, "mailwarden report unused"),
    "log6m": (State.ENFORCED, "the audit trail and its retention"),
    "evidence": (State.REPORTED, "mailwarden report violations, trace, audit export"),
    "incident24": (State.ASSISTED, "mailwarden report violations"),
}
"""Controls that the gateway serves whatever the policy says: how, and by what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause: what can be done about it, the best first, and what it says."""

    classes: tuple[Class, ...]
    controls: tuple[str, ...] = ()
    vi: str
    en: str

    def __post_init__(self) -> None:
        if not self.classes:
            raise ValueError("a clause has one class at least")


@dataclass(frozen=True, slots=True, kw_only=True)
class Regulation:
    """One regulation with its clauses."""

    title: Bilingual
    clauses: Mapping[str, Clause]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regulations:
    """The file of regulations, by the names under which rules cite them."""

    version: Version
    regulations: Mapping[str, Regulation]


@dataclass(frozen=True, slots=True)
class Covered:
    """One clause, by its citation: what is done about it, and by which rules or functions."""

    citation: str
    clause: Clause
    state: State
    by: tuple[str, ...]


def load_regulations(path: Path) -> Regulations:
    """The regulations of a file. Raises ConfigurationError, OSError."""
    return read(decode(path.read_bytes(), str(path)), str(path), Regulations)


def coverage(policy: Policy, regulations: Regulations, names: frozenset[str]) -> list[Covered]:
    """Each clause of the regulations of these names, in their order."""
    return [
        _covered(policy, f"{name}/{number}", clause)
        for name, regulation in regulations.regulations.items()
        if name in names
        for number, clause in regulation.clauses.items()
    ]


def cited(policy: Policy) -> frozenset[str]:
    """The names of the regulations that the policy cites."""
    return frozenset(cite.partition("/")[0] for rule in policy.rules for cite in rule.cites)


def miscited(policy: Policy, regulations: Regulations) -> Iterator[tuple[Rule, str]]:
    """Citations of clauses that their regulation does not have; of regulations that are not listed nothing is known."""
    for rule in policy.rules:
        for cite in rule.cites:
            name, _, number = cite.partition("/")
            regulation = regulations.regulations.get(name)
            if regulation is not None and number not in regulation.clauses:
                yield rule, cite


def counts(found: list[Covered]) -> dict[str, Counter[State]]:
    """How many clauses of each regulation are in which state."""
    counted: dict[str, Counter[State]] = {}
    for each in found:
        counted.setdefault(each.citation.partition("/")[0], Counter())[each.state] += 1
    return counted


def _covered(policy: Policy, citation: str, clause: Clause) -> Covered:
    serving = [(_done_by(rule), rule.id.text) for rule in policy.rules if citation in rule.cites]
    serving += [FUNCTIONS[control] for control in clause.controls if control in FUNCTIONS]
    if not serving:
        state = State.OUT_OF_REACH if clause.classes[0] == "out-of-reach" else State.OPEN
        return Covered(citation, clause, state, ())
    best = min((state for state, _ in serving), key=STRENGTH.index)
    return Covered(citation, clause, best, tuple(dict.fromkeys(name for _, name in serving)))


def _done_by(rule: Rule) -> State:
    """A rule that changes what happens to mail enforces; one in shadow, or that lets mail pass, is there to be counted;
    with a notice it helps people."""
    if rule.mode is Mode.ENFORCE and rule.then is not Action.ACCEPT:
        return State.ENFORCED
    return State.ASSISTED if rule.mode is Mode.ENFORCE and rule.with_.notify else State.REPORTED
