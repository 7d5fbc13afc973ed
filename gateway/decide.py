"""Reports and rules in, a verdict out: what happens to a message for each recipient, and why.

The file before is a filter, `filters/attachments.py`, whose findings are decided on here; the file after is
`gateway/dispose.py`, which carries the verdict out. Everything here is pure: the same mail, reports and policy give the
same verdict. Every rule is asked for every recipient and recorded, also where it did not hold; the strongest action of
the rules in force is taken, and what they add is added up in the order of the policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gateway.mail import Direction, Mail, Recipient, Transaction
from gateway.policy.logic import MATCH, Known, Scope
from gateway.policy.model import Mixed, Policy
from gateway.policy.ruling import Bench, Ruling, outcome_of, ruling_of, same_for
from gateway.reply import RECIPIENT_OK, SENDER_OK, TAKEN, Reply
from gateway.verdict import Action, Outcome, Report, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposal:
    """What to do with a whole message, where one reply has to do for all its recipients.

    `own` must be on stable storage, then `deliver` may go on; `reply` is the answer, None where it is the next hop's.
    `unstored` are outcomes by which no content of the message may be kept anywhere; then nothing else is to be done.
    """

    deliver: tuple[Outcome, ...] = ()
    own: tuple[Outcome, ...] = ()
    discard: tuple[Outcome, ...] = ()
    unstored: tuple[Outcome, ...] = ()
    reply: Reply | None = None


def at_envelope(policy: Policy, transaction: Transaction, recipient: Recipient | None) -> Outcome:
    """What can be said before the content is sent, of this recipient or (None) at MAIL: a refusal, or nothing yet.

    Only what is certain counts. What is unknown may be known later, and a weaker action needs the whole mail.
    """
    if recipient is not None:
        direction: Direction | None = transaction.direction(recipient)
    else:
        direction = None if transaction.inside else Direction.INBOUND
    known = Known(transaction, {}, direction, recipient)
    answers = [(rule, rule.condition.test(known)) for rule in policy.early]
    if held := [ruling_of(rule, answer) for rule, answer in answers if answer.truth is MATCH]:
        return outcome_of(held, recipient or Recipient(""))
    yes = SENDER_OK if recipient is None else RECIPIENT_OK
    return Outcome(recipient=recipient or Recipient(""), action=Action.ACCEPT, reply=yes)


def needed(policy: Policy, mail: Mail) -> tuple[str, ...]:
    """The filters without which some rule, enforced or in shadow, cannot be answered for some recipient."""
    waits: set[str] = set()
    first, *others = mail.envelope.recipients
    known = Known(mail, {}, mail.direction(first), first)
    for rule in policy.rules:
        if not waits.issuperset(rule.filters):
            waits.update(rule.condition.test(known).waits)
    if others and not all(waits.issuperset(rule.filters) for rule in policy.rules):
        rows = {row for _, row in _rows(policy, mail, ())}
        waits.update(name for row in rows for ruling in row for name in ruling.answer.waits)
    return tuple(name for name in policy.filters if name in waits)


def decide(policy: Policy, mail: Mail, reports: Iterable[Report]) -> Verdict:
    """The verdict on a mail that has been looked at. A needed filter without a report could not look."""
    reports = tuple(reports)
    shared: dict[tuple[Ruling, ...], Outcome] = {}
    outcomes = []
    for recipient, row in _rows(policy, mail, reports):
        if row not in shared:
            shared[row] = outcome_of(row, recipient)
        outcomes.append(same_for(recipient, shared[row]))
    return Verdict(policy=policy.digest, outcomes=tuple(outcomes), reports=reports, bypassed=policy.bypassed)


def fold(policy: Policy, verdict: Verdict) -> Disposal:
    """One disposal for all: there is one reply after the final dot (RFC 5321 section 4.1.1.4), and no bounce of ours.

    Where a rule wants nothing stored, its refusal is the answer for all and nothing is owned. Else: deferred for
    one is deferred for all. Refused for some: those are quarantined and the others served, unless the policy wants
    the strictest answer for all.
    """
    outcomes = verdict.outcomes
    if unstored := tuple(outcome for outcome in outcomes if _unstored(policy, outcome)):
        return Disposal(unstored=unstored, reply=max(unstored, key=lambda outcome: outcome.action).reply)
    deferred = [outcome for outcome in outcomes if outcome.action is Action.DEFER]
    refused = [outcome for outcome in outcomes if outcome.action is Action.REJECT]
    if deferred:
        return Disposal(reply=deferred[0].reply)
    if refused:
        if len(refused) == len(outcomes) or policy.mixed is Mixed.STRICTEST:
            return Disposal(reply=refused[0].reply)
        outcomes = tuple(
            replace(each, action=Action.QUARANTINE, reply=TAKEN) if each.action is Action.REJECT else each
            for each in outcomes
        )
    own = tuple(outcome for outcome in outcomes if outcome.action.owns)
    deliver = tuple(outcome for outcome in outcomes if outcome.action.delivers)
    discard = tuple(outcome for outcome in outcomes if outcome.action is Action.DISCARD)
    return Disposal(deliver=deliver, own=own, discard=discard, reply=None if deliver else TAKEN)


def _unstored(policy: Policy, outcome: Outcome) -> bool:
    """True if a rule that refuses this recipient wants the content kept nowhere."""
    if not policy.unstored or outcome.action < Action.DEFER:
        return False
    return any(rule.id in policy.unstored and (rule.action or Action.ACCEPT) >= Action.DEFER for rule in outcome.rules)


def _rows(policy: Policy, mail: Mail, reports: Iterable[Report]) -> Iterator[tuple[Recipient, tuple[Ruling, ...]]]:
    """Every rule's ruling for each recipient. What is settled for the message or a direction is not asked again."""
    looked = {report.filter: report for report in reports}
    if len(mail.envelope.recipients) == 1:  # nobody to share with: most mail
        [recipient] = mail.envelope.recipients
        known = Known(mail, looked, mail.direction(recipient), recipient)
        yield recipient, tuple([ruling_of(r, r.condition.test(known)) for r in policy.rules])
        return
    known = Known(mail, looked)
    for_message = [rule.condition.narrow(known, Scope.MESSAGE) for rule in policy.rules]
    benches: dict[Direction, Bench] = {}
    for recipient in mail.envelope.recipients:
        direction = mail.direction(recipient)
        if direction not in benches:
            known = Known(mail, looked, direction)
            left = [condition.narrow(known, Scope.DIRECTION) for condition in for_message]
            benches[direction] = Bench.of(policy.rules, left)
        yield recipient, benches[direction].row(Known(mail, looked, direction, recipient))
