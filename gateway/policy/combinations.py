"""What in a rule cannot go together, each with the reason: a rule that promises what cannot be done is no rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.mail import Direction
from gateway.policy.catalogue import testable_fields
from gateway.policy.rule import SUBJECT_TAG_LIMIT, With, WrittenRule, placeholders
from gateway.policy.when import directions_of, finding_names
from gateway.schema.nodes import quote
from gateway.schema.shapes import Position
from gateway.verdict import Action

STRUCTURE = frozenset({"mime-version", "content-type", "content-transfer-encoding", "content-disposition"})
"""Header fields that say how the body is to be read (RFC 2045 section 3); a gateway that sets them breaks mail."""

KEPT = STRUCTURE | {"received", "return-path", "from", "date"}
"""Header fields that may not be taken out: those, the trace (RFC 5321 section 4.4), and what every message must have
(RFC 5322 section 3.6)."""

ADDED = STRUCTURE | {"received", "return-path", "from", "date", "to", "cc", "subject", "sender", "message-id"}
"""Header fields that a message has once (RFC 5322 section 3.6), or that tell where it was; they are not added."""

SUMMARY = (300.0, 86_400.0)
"""Seconds that a summary may be of: less is hardly fewer notices, and after more nobody can act on it."""

_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")  # RFC 3463 section 2
_CLOSING = (421, 521)  # RFC 5321 section 3.8, RFC 7504: these end the session, not the message

Complaint = tuple[Position, str]


def complaints(rule: WrittenRule) -> Iterator[Complaint]:
    """Everything that is wrong with a rule whose single keys are right."""
    yield from _reply(rule)
    yield from _words(rule)
    yield from _changes(rule)
    yield from _headers(rule.with_)
    yield from _placeholders(rule)
    yield from _notices(rule)
    yield from _summary(rule)
    yield from _unknown(rule)


def _reply(rule: WrittenRule) -> Iterator[Complaint]:
    reply = rule.with_.reply
    if reply is None:
        return
    wanted = {Action.REJECT: 5, Action.DEFER: 4}.get(rule.then)
    if wanted is None:
        yield reply.where, f'"reply" is for "then: reject" and "then: defer"; {quote(rule.then.word)} refuses nothing'
        return
    if reply.code // 100 != wanted:
        yield reply.where, f'"then: {rule.then.word}" needs a {wanted}xx code, not {reply.code}'
    if reply.code in _CLOSING:
        yield reply.where, f"code {reply.code} closes the session; it is not the answer to one message"
    if not _STATUS.fullmatch(reply.status):
        yield reply.where, f'status {quote(reply.status)} is not of the form "{wanted}.7.1"'
    elif int(reply.status[0]) != reply.code // 100:
        yield reply.where, f"status {quote(reply.status)} and code {reply.code} are not of one class"


def _words(rule: WrittenRule) -> Iterator[Complaint]:
    # Of held mail the sender and the approvers are told (`gateway/custody/`).
    told = rule.then in (Action.REJECT, Action.DEFER, Action.HOLD) or rule.with_.notify or rule.with_.strip
    if rule.with_.text is not None and not told:
        yield rule.with_.where, '"text" is told to nobody: the rule does not refuse, hold, notify or strip'
    if rule.with_.notify and rule.with_.text is None:
        yield rule.with_.where, '"notify" needs "text": what is the notice to say?'


def _changes(rule: WrittenRule) -> Iterator[Complaint]:
    asked, do = rule.with_, rule.then.word
    actions = {rule.then, rule.on_unknown}
    if asked.changes_message and not actions & {Action.TAG, Action.HOLD, Action.QUARANTINE}:
        if rule.then is Action.ACCEPT:
            yield asked.where, '"then: accept" leaves the message as it is; "then: tag" is for what changes it'
        else:
            yield asked.where, f'"then: {do}" delivers nothing, so there is nothing to change'
    if asked.changes_delivery and rule.then not in (Action.ACCEPT, Action.TAG):
        yield asked.where, f'"redirect" and "bcc" deliver at once, "then: {do}" does not'
    if rule.then is Action.TAG and not (asked.changes_message or asked.changes_delivery or asked.notify):
        yield rule.where, '"then: tag" needs "with": what is to be put on the message?'
    if asked.strip is not None and not finding_names(rule.when):
        yield asked.where, '"strip: found" needs "found" in "when": there is nothing to take out'
    if asked.strip is not None and asked.text is None:
        yield asked.where, '"strip" needs "text": what is to stand in the place of the part?'
    if len(asked.subject) > SUBJECT_TAG_LIMIT or "\n" in asked.subject:
        yield asked.where, f'"subject" must be one line of at most {SUBJECT_TAG_LIMIT} characters'


def _headers(asked: With) -> Iterator[Complaint]:
    for name, value in asked.headers.items():
        if name.text.lower() in ADDED:
            yield asked.where, f"header {quote(name.text)} cannot be added: a message has it once, or it is the trace"
        if "\n" in value or not value.strip():
            yield asked.where, f"header {quote(name.text)} must have a value of one line"
    for name in asked.remove_headers:
        if name.text.lower() in KEPT:
            yield asked.where, f"header {quote(name.text)} cannot be removed: mail cannot be read or traced without it"


def _placeholders(rule: WrittenRule) -> Iterator[Complaint]:
    kinds = [testable_fields(found.cls) for found in finding_names(rule.when)]
    for name, value in rule.with_.headers.items():
        if (wanted := placeholders(value)) and not any(set(wanted) <= set(known) for known in kinds):
            fields = ", ".join(f"{{{each}}}" for each in wanted)
            yield rule.with_.where, f'header {quote(name.text)}: no finding in "when" has {fields}'


def _notices(rule: WrittenRule) -> Iterator[Complaint]:
    told = {notified.text for notified in rule.with_.notify}
    directions = directions_of(rule.when)
    if told and rule.then is Action.DEFER:
        yield rule.with_.where, '"notify" with "then: defer" would tell the same again at each attempt'
    if "sender" in told and rule.then is Action.REJECT:
        yield rule.with_.where, '"notify: sender" of a refused message: its own server tells the sender'
    elif "sender" in told and Direction.INBOUND in directions:
        yield (
            rule.with_.where,
            '"notify: sender" needs "direction: [outbound, internal]": '
            "the sender of inbound mail may be forged, and a stranger would get the notice",
        )
    if "recipient" in told and Direction.OUTBOUND in directions:
        yield (
            rule.with_.where,
            '"notify: recipient" needs "direction: [inbound, internal]": we send no notices to strangers',
        )


def _summary(rule: WrittenRule) -> Iterator[Complaint]:
    if (every := rule.with_.summary) is None:
        return
    told = {notified.text for notified in rule.with_.notify}
    if not told:
        yield rule.with_.where, '"summary" needs "notify": who is to be told?'
    if "sender" in told:
        yield rule.with_.where, '"summary" is not for "notify: sender": who sends a message must hear what became of it'
    if not SUMMARY[0] <= every <= SUMMARY[1]:
        yield rule.with_.where, '"summary" must be from 5m to 1d'


def _unknown(rule: WrittenRule) -> Iterator[Complaint]:
    if rule.on_unknown is Action.DISCARD:
        yield rule.where, '"on_unknown: discard" would throw away what nobody has looked at'
    if rule.on_unknown is Action.ACCEPT and not rule.because.strip():
        yield rule.where, '"on_unknown: accept" needs "because": why may mail pass that nobody has looked at?'
    if rule.on_unknown is Action.TAG and not rule.with_.changes_message:
        yield rule.where, '"on_unknown: tag" needs "with": what is to be put on the message?'
