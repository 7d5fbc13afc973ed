"""Whose decision a new policy changes, told from the audit trail: what recorded facts decide, and what they do not.

The file before is `recall.py`. What a rule said is taken from the record where the rule is the same as then; another
rule is asked of the recorded facts; and what these cannot answer is counted, rule by rule, instead of being guessed.
Mail that was refused at MAIL or RCPT left no record and is not here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gateway.keeping import AuditRecord
from gateway.policy import conditions as ask
from gateway.policy.model import Policy
from gateway.policy.rule import Mode, Rule
from gateway.recall import Recalled
from gateway.replay import Change
from gateway.verdict import Action, Truth


@dataclass(frozen=True, slots=True)
class Undecided:
    """A rule, `+` in the new policy or `-` in the old one, that a record cannot answer, and what is not recorded."""

    rule: str
    missing: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a policy makes of a record: the strongest action that is certain, who asks for it, and what is open.

    `unanswered` has the rules whose answer is not known, with what would have to be known.
    """

    action: Action
    asking: frozenset[str]
    unanswered: tuple[tuple[Rule, str], ...]


@dataclass(slots=True)
class Findings:
    """What a replay of the trail comes to, besides the changes themselves."""

    records: int = 0
    other_policies: int = 0
    """Records that were decided by another policy than the old one, or while something of it was bypassed: asked of the
    facts for both policies."""
    undecided: int = 0
    missing: Counter[Undecided] = field(default_factory=Counter)


@dataclass(frozen=True)
class TrailReplay:
    """Compares two policies over the records of a trail, one after the other."""

    old: Policy
    new: Policy
    findings: Findings = field(default_factory=Findings)

    def see(self, record: AuditRecord) -> Iterator[Change]:
        """The change for one record of the event `message`, if there is one and if it can be told."""
        recorded = _answers(record)
        own = record.facts.get("policy") == self.old.digest and not record.facts.get("bypassed")
        self.findings.records += 1
        self.findings.other_policies += not own
        before = _opinion(self.old, Recalled.of(record, self.old), recorded if own else {})
        kept = {name: recorded[name] for name in self._same & recorded.keys()} if own else {}
        after = _opinion(self.new, Recalled.of(record, self.new, self._changed), kept)
        if missing := _open(before, after, self._alike):
            self.findings.undecided += 1
            self.findings.missing.update(missing)
        elif before.action is not after.action:
            yield Change(
                file=record.id,
                message_id=str(record.facts.get("message_id", "")),
                sender=str(record.facts.get("sender", "")),
                recipient=str(record.facts.get("recipient", "")),
                before=before.action,
                after=after.action,
                gone=tuple(sorted(before.asking - after.asking)),
                come=tuple(sorted(after.asking - before.asking)),
            )

    @cached_property
    def _changed(self) -> frozenset[str]:
        """Filters that the new policy sets otherwise."""
        return frozenset(name for name, each in self.new.filters.items() if self.old.filters.get(name) != each)

    @cached_property
    def _same(self) -> frozenset[str]:
        """Rules that both policies have, with the same question and the same sources of its answer."""
        then = {rule.id: rule for rule in self.old.rules}
        return frozenset(
            rule.id.text
            for rule in self.new.rules
            if rule.id in then
            and rule.condition == then[rule.id].condition
            and not rule.filters & self._changed
            and (self.old.accounts == self.new.accounts or not _asks_accounts(rule))
        )

    @cached_property
    def _alike(self) -> frozenset[str]:
        """Those of them that also ask for the same."""
        then = {rule.id.text: (rule.then, rule.mode) for rule in self.old.rules}
        alike = {rule.id.text for rule in self.new.rules if then.get(rule.id.text) == (rule.then, rule.mode)}
        return self._same & alike


def _answers(record: AuditRecord) -> dict[str, Truth]:
    """What the rules said then, by rule."""
    return {each["rule"]: Truth(each["result"]) for each in record.facts.get("answers", ())}


def _asks_accounts(rule: Rule) -> bool:
    return any(isinstance(leaf, (ask.AccountIs, ask.RecipientAccountIs)) for leaf in rule.condition.leaves)


def _opinion(policy: Policy, recalled: Recalled, recorded: Mapping[str, Truth]) -> Opinion:
    action, asking, unanswered = Action.ACCEPT, set(), []
    for rule in policy.rules:
        if rule.mode is not Mode.ENFORCE:
            continue
        truth = recorded.get(rule.id.text)
        if truth is None:
            answer = recalled.answer(rule.condition)
            truth = answer.truth
            if truth is Truth.UNKNOWN and answer.waits:
                unanswered.append((rule, ", ".join(answer.waits)))
                continue
        if truth is not Truth.NO_MATCH:
            asked = rule.then if truth is Truth.MATCH else rule.on_unknown
            action = max(action, asked)
            asking.add(rule.id.text)
    return Opinion(action, frozenset(asking), tuple(unanswered))


def _open(before: Opinion, after: Opinion, alike: frozenset[str]) -> list[Undecided]:
    """The rules that leave it open whether the decision changes; none if it can be told.

    A rule that is weaker than what is certain changes nothing. One that is alike in both policies says the same in
    both: it matters only where they differ without it.
    """
    low, high = min(before.action, after.action), max(before.action, after.action)
    found = []
    for sign, opinion in (("-", before), ("+", after)):
        for rule, missing in opinion.unanswered:
            shared = rule.id.text in alike
            matters = low < high and rule.then > low if shared else rule.then > opinion.action
            if matters and not (shared and sign == "-"):
                found.append(Undecided(f"{sign} {rule.id}", missing))
    return found
