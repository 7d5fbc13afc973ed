"""What a rule cannot ask of kept mail, each with the reason; the file beside is `combinations.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.policy.combinations import Complaint
from gateway.policy.custody import RECORDS, Escalation, Expires, Reminder
from gateway.policy.rule import WrittenRule
from gateway.schema.nodes import quote
from gateway.schema.scalars import Duration, write_duration
from gateway.verdict import Action

KEPT = frozenset({Action.HOLD, Action.QUARANTINE})
"""Actions after which the gateway has the message."""


def custody_complaints(rule: WrittenRule, retention: Mapping[str, Duration]) -> Iterator[Complaint]:
    """Everything that is wrong with what a rule says of kept mail. `retention` is how long each class is kept."""
    yield from _pointless(rule)
    yield from _approvers(rule)
    yield from _times(rule, retention)
    yield from _never(rule)


def _pointless(rule: WrittenRule) -> Iterator[Complaint]:
    asked = rule.with_
    actions = {rule.then, rule.on_unknown}
    if Action.HOLD not in actions:
        for name, value in (("approvers", asked.approvers), ("remind", asked.remind), ("escalate", asked.escalate)):
            if value is not None:
                yield asked.where, f'"{name}" is for "then: hold"; nobody approves what is not held'
    if asked.expires is not None and not actions & KEPT:
        yield asked.expires.where, '"expires" is for "then: hold" and "then: quarantine"; nothing else is kept'
    # What is refused for some recipients is quarantined for them (`mixed`), so a refusal may have a class too.
    if asked.retention is not None and not actions & {*KEPT, Action.REJECT}:
        yield asked.where, f'"retention" is for mail that is kept; "then: {rule.then.word}" keeps nothing'


def _approvers(rule: WrittenRule) -> Iterator[Complaint]:
    asked = rule.with_
    if asked.quorum < 1:
        yield asked.where, '"quorum" must be at least 1'
    if asked.approvers is None and asked.quorum > 1:
        yield asked.where, '"quorum" needs "approvers": how many of whom?'
    if asked.approvers is not None and asked.quorum > len(asked.approvers.until):
        count = len(asked.approvers.until)
        yield asked.where, f'"quorum" is {asked.quorum} and there are {count} approvers: it could never be approved'
    if asked.remind is not None and asked.approvers is not None:
        for each in asked.remind.to:
            if each.text.lower() not in asked.approvers.until:
                yield asked.remind.where, f"{quote(each.text)} is reminded of what he cannot decide: he is no approver"
    if asked.escalate is not None and not asked.escalate.to:
        yield asked.escalate.where, '"escalate" needs somebody in "to"'


def _times(rule: WrittenRule, retention: Mapping[str, Duration]) -> Iterator[Complaint]:
    asked = rule.with_
    expires = asked.expires
    if expires is not None:
        name = asked.retention.text if asked.retention is not None else _class(rule)
        if expires.after > retention.get(name, expires.after):
            after, kept = write_duration(expires.after), write_duration(retention[name])
            yield expires.where, f'"expires" after {after}, but class {quote(name)} is kept {kept}'
        if expires.then == "reject" and Action.HOLD not in (rule.then, rule.on_unknown):
            yield expires.where, '"expires: {then: reject}" is for held mail: of quarantined mail nobody is told'
    if asked.retention is not None and asked.retention.text in RECORDS:
        yield asked.where, f'class "{asked.retention}" is of audit records, not of mail'
    for name, other in (("remind", asked.remind), ("escalate", asked.escalate), ("expires", expires)):
        if other is not None and other.after <= 0:
            yield other.where, f'"{name}" must be after more than no time'
    for name, other in (("remind", asked.remind), ("escalate", asked.escalate)):
        if other is not None and expires is not None and _too_late(other, expires):
            yield other.where, f'"{name}" comes after "expires": there is nothing left to decide then'


def _class(rule: WrittenRule) -> str:
    return "hold" if Action.HOLD in (rule.then, rule.on_unknown) else "quarantine"


def _too_late(prompt: Reminder | Escalation, expires: Expires) -> bool:
    """True where both are counted by the same clock and it shows."""
    return prompt.working_hours is expires.working_hours and prompt.after >= expires.after


def _never(rule: WrittenRule) -> Iterator[Complaint]:
    if rule.with_.store is None:
        return
    for key, action in (("then", rule.then), ("on_unknown", rule.on_unknown)):
        if action in KEPT:
            yield rule.with_.where, f'"store: never" and "{key}: {action.word}": mail cannot be kept and not be stored'
    if rule.then not in (*KEPT, Action.REJECT, Action.DEFER):
        yield rule.with_.where, '"store: never" is for "then: reject" and "then: defer": what goes on is stored'
