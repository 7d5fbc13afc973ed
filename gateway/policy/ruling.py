"""What the rules say of one recipient, and what follows from all of it together; called by `gateway/decide.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.mail import Recipient
from gateway.policy.logic import UNKNOWN, Answer, Condition, Known, Settled
from gateway.policy.rule import Rule, parts_of
from gateway.reply import OK, TAKEN, Reply
from gateway.verdict import Action, Edit, Outcome, RuleOutcome, Truth

ACCEPT = Action.ACCEPT
BYPASSED = "bypassed"
"""The mode of a rule that somebody has suspended, in records."""

UNSETTLED = Answer(UNKNOWN, "it depends on the recipient")


@dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """What one rule says of the message, for one recipient or for all who share its answer. Equal by identity.

    `held` is True where the rule holds and can do what it is for; the record is in `outcome`.
    """

    rule: Rule
    answer: Answer
    held: bool
    outcome: RuleOutcome

    @property
    def in_force(self) -> bool:
        """True if it asks for something and is neither in shadow nor bypassed."""
        return self.rule.enforced and self.outcome.action is not None

    @property
    def action(self) -> Action:
        """What it asks for."""
        return self.outcome.action or ACCEPT

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What it puts on the message, whether it holds or is merely not known not to."""
        changes = self.action in (Action.TAG, Action.HOLD, Action.QUARANTINE)
        return tuple(self.rule.edits(self.answer.findings)) if changes else ()

    @property
    def reply(self) -> Reply:
        """What the client hears of it, in the rule's own words only where these are true."""
        return self.rule.refusal(self.action, matched=self.held)


def ruling_of(rule: Rule, answer: Answer) -> Ruling:
    """The rule's ruling."""
    action, because, held = None, answer.because, answer.truth is Truth.MATCH
    if held:
        action = rule.then
        if rule.with_.strip is not None and not all(parts_of([finding]) for finding in answer.findings):
            # What cannot be taken out stays in: the rule cannot do what it is for.
            held, action = False, max(rule.then, rule.on_unknown)
            because = f"{because}; but not every part to take out is known"
    elif answer.truth is Truth.UNKNOWN:
        action = rule.on_unknown
    mode = BYPASSED if rule.bypassed else rule.mode
    record = RuleOutcome(rule.id.text, rule.cites, mode, answer.truth, action, because)
    return Ruling(rule, answer, held, record)


@dataclass(frozen=True, slots=True)
class Bench:
    """The rules for the recipients of one direction: what is settled is ruled once, the rest by what they differ in.

    Recipients of whom every open question is answered alike get the same row of rulings, the same object, so that all
    that follows from it can be shared too.
    """

    settled: tuple[Ruling, ...]
    left: tuple[tuple[int, Condition], ...]
    leaves: tuple[Condition, ...]
    rows: dict[tuple[Answer, ...], tuple[Ruling, ...]]

    @classmethod
    def of(cls, rules: Sequence[Rule], conditions: Sequence[Condition]) -> Bench:
        """The bench for rules and what is left to ask of each."""
        answers = [each.answer if isinstance(each, Settled) else UNSETTLED for each in conditions]
        pairs = zip(rules, answers, strict=True)
        settled = tuple(ruling_of(rule, answer) for rule, answer in pairs)
        left = tuple((index, each) for index, each in enumerate(conditions) if not isinstance(each, Settled))
        return cls(settled, left, tuple(dict.fromkeys(leaf for _, each in left for leaf in each.leaves)), {})

    def row(self, known: Known) -> tuple[Ruling, ...]:
        """The ruling of each rule for one recipient."""
        answers = tuple([leaf.test(known) for leaf in self.leaves])
        if answers not in self.rows:
            row = list(self.settled)
            for index, condition in self.left:
                row[index] = ruling_of(row[index].rule, condition.test(known))
            self.rows[answers] = tuple(row)
        return self.rows[answers]


def outcome_of(rulings: Iterable[Ruling], recipient: Recipient) -> Outcome:
    """The strongest action in force, the reply of the first rule that asks for it, and everything that rules add."""
    rulings = tuple(rulings)
    in_force = [ruling for ruling in rulings if ruling.in_force]
    strongest = max(in_force, key=lambda ruling: ruling.action, default=None)
    action = strongest.action if strongest else ACCEPT
    reply = OK if action.delivers else TAKEN
    if strongest and action >= Action.DEFER:
        reply = strongest.reply
    asked = [ruling.rule.with_ for ruling in in_force if ruling.held]
    kept = action <= Action.QUARANTINE  # now, or when it is released
    redirects = [Recipient(with_.redirect.text) for with_ in asked if with_.redirect is not None]
    copies = [address.text for with_ in asked for address in with_.bcc] if kept else []
    edits = [edit for ruling in in_force for edit in ruling.edits] if kept else []
    # A deferred message comes again, and would bring each notice again.
    notify = [notified.text for with_ in asked for notified in with_.notify] if action is not Action.DEFER else []
    return Outcome(
        recipient=recipient,
        action=action,
        reply=reply,
        rules=tuple(ruling.outcome for ruling in rulings),
        edits=tuple(dict.fromkeys(edits)),
        deliver_to=tuple(dict.fromkeys(redirects)) or (recipient,),
        copies=tuple(dict.fromkeys(copies)),
        notify=tuple(dict.fromkeys(notify)),
    )


def same_for(recipient: Recipient, outcome: Outcome) -> Outcome:
    """The same outcome for another recipient, who gets the message in person unless a rule redirects it."""
    own = outcome.deliver_to == (outcome.recipient,)
    return Outcome(
        recipient=recipient,
        action=outcome.action,
        reply=outcome.reply,
        rules=outcome.rules,
        edits=outcome.edits,
        deliver_to=(recipient,) if own else outcome.deliver_to,
        copies=outcome.copies,
        notify=outcome.notify,
    )
