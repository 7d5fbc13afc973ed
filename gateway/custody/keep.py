"""From a decided message to the entry under which it is kept: the file before is `decide.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.custody.hours import after_working_time, working_time
from gateway.custody.terms import End, Panel, Terms, written
from gateway.dispose import onward
from gateway.keeping import KeptMail, Kind, State
from gateway.mail import Mail, Raw
from gateway.policy.custody import Escalation, Expires, Reminder
from gateway.policy.logic import day_of
from gateway.policy.model import Policy
from gateway.policy.rule import Rule
from gateway.text.concealing import without_codes
from gateway.verdict import Action, Outcome, RuleOutcome

FIELD_LIMIT = 1_000
"""Characters of a header field in the entry: RFC 5322 section 2.1.1 allows 998 in a line; the message has the rest."""

REASON_LIMIT = 2_000
"""Characters of why a message was kept."""

BLOCK = 1024 * 1024
"""Bytes hashed at once."""

STRICTNESS: Sequence[End] = ("release", "reject", "delete")
"""Ends by strictness: where rules differ, the strictest is taken."""


def kept_mail(policy: Policy, mail: Mail, outcomes: Sequence[Outcome], digest: str) -> KeptMail:
    """The entry of a message that is kept for the recipients of these outcomes. `digest` is that of its bytes.

    There is one entry for a message: if some recipients' copy is held and others' quarantined, all is quarantined.
    """
    recipients = tuple(outcome.recipient for outcome in outcomes)
    envelope = replace(mail.envelope, recipients=recipients)
    kind = Kind.QUARANTINED if any(each.action is Action.QUARANTINE for each in outcomes) else Kind.HELD
    keepers = _keepers(policy, outcomes)
    panels = tuple(_panels(policy, mail, keepers)) if kind is Kind.HELD else ()
    records = _records(outcomes)
    reasons = "; ".join(f"{record.id}: {record.because}" for record in records)
    return KeptMail(
        id=mail.id,
        kind=kind,
        state=State.WAITING,
        received=mail.received,
        expires=_expires(policy, mail, keepers, kind),
        retention=_retention(policy, keepers, kind),
        listener=mail.listener,
        direction=replace(mail, envelope=envelope).strictest_direction.value,
        client=mail.client,
        envelope=envelope,
        header_from=(mail.root.header("From") or "")[:FIELD_LIMIT],
        subject=without_codes((mail.root.header("Subject") or "")[:FIELD_LIMIT]),
        message_id=(mail.root.header("Message-ID") or "")[:FIELD_LIMIT],
        size=mail.size,
        digest=digest,
        rules=tuple(record.id for record in records),
        clauses=tuple(dict.fromkeys(clause for record in records for clause in record.cite)),
        because=reasons[:REASON_LIMIT],
        policy=policy.digest,
        approvers=tuple(dict.fromkeys(name for panel in panels for name in panel.approvers)),
        quorum=max((panel.quorum for panel in panels), default=1),
        terms=written(
            Terms(
                panels=panels,
                end=_end(keepers, kind),
                recipients=onward(outcomes),
                edits=tuple(dict.fromkeys(edit for outcome in outcomes for edit in outcome.edits)),
                text=next((rule.with_.text for rule in keepers if rule.with_.text is not None), None),
            )
        ),
    )


def digest_of(raw: Raw) -> str:
    """The SHA-256 of a message, in hexadecimal."""
    digest = hashlib.sha256()
    for start in range(0, len(raw), BLOCK):
        digest.update(raw[start : start + BLOCK])
    return digest.hexdigest()


def _records(outcomes: Sequence[Outcome]) -> tuple[RuleOutcome, ...]:
    """The rules in force that wanted a recipient not to get it now, each once."""
    found: dict[str, RuleOutcome] = {}
    for outcome in outcomes:
        for record in outcome.rules:
            if record.mode == "enforce" and record.action is not None and record.action >= Action.HOLD:
                found.setdefault(record.id, record)
    return tuple(found.values())


def _keepers(policy: Policy, outcomes: Sequence[Outcome]) -> tuple[Rule, ...]:
    names = {record.id for record in _records(outcomes)}
    return tuple(rule for rule in policy.rules if rule.id.text in names)


def _panels(policy: Policy, mail: Mail, keepers: Sequence[Rule]) -> Iterator[Panel]:
    """One for each rule that holds: its approvers, or the officers where it names none and no other rule does."""
    day = day_of(mail.received)
    named = [rule for rule in keepers if rule.with_.approvers is not None]
    for rule in named or keepers:
        asked = rule.with_
        if asked.approvers is not None:
            approvers = asked.approvers.on(day)
        else:
            approvers = tuple(dict.fromkeys(officer.text.lower() for officer in policy.organisation.officers))
        if not approvers:
            continue
        yield Panel(
            rule=rule.id.text,
            approvers=approvers,
            quorum=asked.quorum,
            remind_at=_moment(policy, mail, asked.remind) if asked.remind is not None else None,
            remind=tuple(each.text.lower() for each in asked.remind.to) if asked.remind is not None else (),
            escalate_at=_moment(policy, mail, asked.escalate) if asked.escalate is not None else None,
            escalate=tuple(each.text.lower() for each in asked.escalate.to) if asked.escalate is not None else (),
        )


def _moment(policy: Policy, mail: Mail, asked: Reminder | Escalation | Expires) -> datetime:
    if asked.working_hours:
        return after_working_time(mail.received, working_time(asked.after), policy.organisation.holidays)
    return mail.received + timedelta(seconds=asked.after)


def _retention(policy: Policy, keepers: Sequence[Rule], kind: Kind) -> str:
    """The class of the rule that wants it kept longest; the kind's own where no rule names one."""
    named = [rule.with_.retention.text for rule in keepers if rule.with_.retention is not None]
    own = "hold" if kind is Kind.HELD else "quarantine"
    return max(named, key=lambda name: policy.retention[name], default=own)


def _expires(policy: Policy, mail: Mail, keepers: Sequence[Rule], kind: Kind) -> datetime:
    """The earliest end that a rule asks for, and no later than the class is kept."""
    longest = mail.received + timedelta(seconds=policy.retention[_retention(policy, keepers, kind)])
    asked = [_moment(policy, mail, rule.with_.expires) for rule in keepers if rule.with_.expires is not None]
    return min([longest, *asked])


def _end(keepers: Sequence[Rule], kind: Kind) -> End:
    """What the strictest of the rules wants; where a rule says nothing, held mail is rejected, other mail deleted."""
    otherwise: End = "reject" if kind is Kind.HELD else "delete"
    ends = [rule.with_.expires.then if rule.with_.expires is not None else otherwise for rule in keepers]
    return max(ends or [otherwise], key=STRICTNESS.index)
