"""What a rule's `notify` asks to be told of a message, once it is known what became of it: who hears what, each once.

The file before is `gateway/dispose.py`, which says what was done; the file after is `notifier.py`. Of held mail the
sender and the approvers hear from `gateway/custody/telling.py`, step by step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum

import structlog

from gateway.keeping import KeptMail, Kind
from gateway.mail import domain_of
from gateway.notices.model import AppliedRecipient, AppliedSender, Gather, KeptRecipient, Notice, OfficerAlert
from gateway.notices.original import Original
from gateway.notices.sender import Clock
from gateway.policy.model import Policy
from gateway.policy.rule import Bilingual, Rule
from gateway.verdict import Action, Finding, Outcome, Truth

MOST_RECIPIENTS = 50
"""Recipients of one message who are told one by one; the others of mail that is kept find it in their digest."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Affair:
    """One message that rules want people told of: `outcomes` say for each recipient what was done, by `policy`, and
    `findings` what was found, as far as people may hear of it."""

    policy: Policy
    original: Original
    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def source(self) -> str:
        """The service that a filter has named as the message's, else its sender's domain, "" for the null sender."""
        named = (finding.facts().get("service") for finding in self.findings)
        return next((name for name in named if isinstance(name, str) and name), domain_of(self.original.sender))


@dataclass(frozen=True, slots=True)
class Announcer:
    """Tells of affairs. `find` gives the entry of a kept message."""

    tell: Callable[[Notice], Awaitable[object]]
    find: Callable[[str], Awaitable[KeptMail | None]]
    clock: Clock

    async def announce(self, affair: Affair) -> None:
        """One notice for each person. Raises StoreUnavailable where the message was kept and cannot be looked up."""
        is_kept = any(outcome.action.owns for outcome in affair.outcomes)
        kept = await self.find(affair.original.id) if is_kept else None
        for notice in applied(affair, kept, self.clock()):
            await self.tell(notice)


class _Role(IntEnum):
    """In which capacity somebody is told; who is several things hears of the last."""

    RECIPIENT = 0
    SENDER = 1
    OFFICER = 2


@dataclass(slots=True)
class _Person:
    address: str
    role: _Role
    action: Action
    gather: Gather | None = None
    texts: dict[Bilingual, None] = field(default_factory=dict)
    recipients: dict[str, None] = field(default_factory=dict)


def applied(affair: Affair, kept: KeptMail | None, moment: datetime) -> list[Notice]:
    """The notices, at most one for each person, besides those that rules want gathered; `kept` is the message's entry
    where it was kept."""
    original = affair.original
    if original.bare and not original.sender and not original.marker:
        return []  # without its header nobody knows whether it is a notice of ours
    if kept is not None:
        original = replace(original, held=kept.kind is Kind.HELD, expires=kept.expires)
    asked = frozenset(kept.approvers) if kept is not None else frozenset()
    persons = _persons(affair, original)
    recipients = [person for person in persons if person.role is _Role.RECIPIENT]
    if len(recipients) > MOST_RECIPIENTS:
        log.warning("recipients not told", id=original.id, told=MOST_RECIPIENTS, of=len(recipients))
        left = {person.address for person in recipients[MOST_RECIPIENTS:]}
        persons = [person for person in persons if person.address not in left]
    found = (_notice(person, original, moment) for person in persons if person.address.lower() not in asked)
    return [notice for notice in found if notice is not None]


def _persons(affair: Affair, original: Original) -> list[_Person]:
    rules = {rule.id.text: rule for rule in affair.policy.rules}
    officers = [officer.text for officer in affair.policy.organisation.officers]
    persons: dict[tuple[str, str], _Person] = {}
    for outcome in affair.outcomes:
        for rule in _telling(outcome, rules):
            gather = _gather(rule, affair)
            for notified in rule.with_.notify:
                match notified.text:
                    case word if word not in outcome.notify:
                        continue
                    case "recipient":
                        role, addresses = _Role.RECIPIENT, [outcome.recipient.address]
                    case "sender":
                        role, addresses = _Role.SENDER, [original.sender]
                    case "officer":
                        role, addresses = _Role.OFFICER, officers
                    case address:
                        role, addresses = _Role.OFFICER, [address]
                for address in filter(None, addresses):
                    key = address.lower(), gather.rule if gather is not None else ""
                    person = persons.setdefault(key, _Person(address, role, outcome.action, gather))
                    person.role, person.action = max(person.role, role), max(person.action, outcome.action)
                    person.texts[rule.with_.text] = None
                    person.recipients[outcome.recipient.address] = None
    return list(persons.values())


def _telling(outcome: Outcome, rules: dict[str, Rule]) -> Iterator[Rule]:
    """The rules in force that matched and have somebody to tell; `outcome.notify` has the words of those that held."""
    if outcome.notify:
        for record in outcome.rules:
            matched = record.mode == "enforce" and record.result is Truth.MATCH
            if matched and (rule := rules.get(record.id)) is not None and rule.with_.notify:
                yield rule


def _gather(rule: Rule, affair: Affair) -> Gather | None:
    """With what the rule's notices are put together; None where each message is told of."""
    every = rule.with_.summary
    return Gather(rule.id.text, rule.cites, timedelta(seconds=every), affair.source) if every is not None else None


def _notice(person: _Person, original: Original, moment: datetime) -> Notice | None:
    text, to, action, gather = _joined(person.texts), person.address, person.action, person.gather
    occasion = gather.rule if gather is not None else ""
    if person.role is _Role.OFFICER:
        about = replace(original, recipients=tuple(filter(None, person.recipients)))
        return OfficerAlert(
            to=to, moment=moment, occasion=occasion, original=about, text=text, gather=gather, action=action
        )
    if person.role is _Role.SENDER:
        if action is Action.HOLD or action >= Action.DEFER:  # custody tells him, or his own server does
            return None
        return AppliedSender(to=to, moment=moment, original=original, text=text, action=action)
    about = replace(original, recipients=(to,)) if gather is not None else original
    if action.owns:
        return KeptRecipient(to=to, moment=moment, occasion=occasion, original=about, text=text, gather=gather)
    return AppliedRecipient(
        to=to, moment=moment, occasion=occasion, original=about, text=text, gather=gather, action=action
    )


def _joined(texts: Iterable[Bilingual]) -> Bilingual:
    """What each of the rules says, one below the other."""
    each: Sequence[Bilingual] = tuple(texts)
    return Bilingual(vi="\n".join(text.vi for text in each), en="\n".join(text.en for text in each))
