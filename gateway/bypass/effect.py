"""A policy and bypasses in, the policy without what is suspended out. Pure; everything else goes on as it does.

- A rule that is suspended is still asked and recorded, with the mode `bypassed`, and changes nothing.
- Of a filter that is suspended nothing is asked: it does not run, so it cannot be found wanting. A question for its
  findings is settled so that it never helps a rule to hold: "no", and "yes" where the rule says "not" (also in
  `unless`). So no rule falls back on its `on_unknown`, and one that wants something *not* to be found refuses nobody.
- Rules that may not be suspended (`Rule.bypassable`) are as they were, with all their filters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gateway.bypass.model import Bypass, Kind
from gateway.policy.found import Found
from gateway.policy.logic import All, Answer, Condition, Not, Settled, Some
from gateway.policy.model import Policy
from gateway.policy.rule import Mode, Rule
from gateway.verdict import Truth


def without(policy: Policy, bypasses: Iterable[Bypass]) -> Policy:
    """The policy as it is while these count; the policy itself where none has an effect on it."""
    effective = [each for each in bypasses if has_effect(policy, each)]
    if not effective:
        return policy
    names = {kind: frozenset(each.name for each in effective if each.kind is kind) for kind in Kind}
    return replace(
        policy,
        rules=tuple(_rule(rule, names[Kind.RULE], names[Kind.FILTER]) for rule in policy.rules),
        bypassed=tuple(each.label for each in effective),
        whole=policy,
    )


def has_effect(policy: Policy, bypass: Bypass) -> bool:
    """True if there is a rule that it suspends, or that asks its filter, and that may be suspended."""
    return any(rule.bypassable for rule in concerned(policy, bypass.kind, bypass.name))


def concerned(policy: Policy, kind: Kind, name: str) -> Iterator[Rule]:
    """The rule of that name, or the rules that ask the filter of that name; those in force only."""
    for rule in policy.rules:
        if rule.mode is Mode.ENFORCE and (rule.id.text == name if kind is Kind.RULE else name in rule.filters):
            yield rule


def _rule(rule: Rule, rules: frozenset[str], filters: frozenset[str]) -> Rule:
    if rule.mode is Mode.ENFORCE and not rule.bypassable:
        return rule
    if rule.filters & filters:
        rule = replace(rule, condition=unasked(rule.condition, filters, Truth.NO_MATCH))
    return replace(rule, bypassed=True) if rule.id.text in rules else rule


def unasked(condition: Condition, filters: frozenset[str], settled: Truth) -> Condition:
    """The condition with every question for the findings of these filters settled, by the answer that does not help it
    to hold: `settled`, which is NO_MATCH for the whole and MATCH within a denial."""
    match condition:
        case All(conditions):
            return All(tuple(unasked(each, filters, settled) for each in conditions))
        case Some(conditions):
            return Some(tuple(unasked(each, filters, settled) for each in conditions))
        case Not(inner, label):
            opposite = Truth.MATCH if settled is Truth.NO_MATCH else Truth.NO_MATCH
            return Not(unasked(inner, filters, opposite), label)
        case Found(codes):
            left = tuple((name, code) for name, code in codes if name not in filters)
            if len(left) == len(codes):
                return condition
            if left and settled is Truth.NO_MATCH:
                return replace(condition, codes=left)
            gone = dict.fromkeys(f"filter {name} is bypassed" for name, _ in codes if name in filters)
            return Settled(Answer(settled, "; ".join(gone)))
    return condition
