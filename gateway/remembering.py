"""What the audit trail remembers of a message: one record for each recipient (regulations 1.6).

Of mail of which nothing may be stored, custody keeps its own record, without a word of the content.
"""

from __future__ import annotations

from gateway.keeping import AuditRecord
from gateway.mail import Mail
from gateway.verdict import Outcome, RuleOutcome, Verdict

TEXT_LIMIT = 500
"""Characters of one foreign value; RFC 5322 lets a subject be as long as it likes."""

FILES_LIMIT = 50
"""Attachments named in one record."""


def records(mail: Mail, verdict: Verdict) -> list[AuditRecord]:
    """The decision on a message, recipient by recipient, with every rule's answer."""
    common = {
        "listener": mail.listener,
        "client": mail.client.address,
        "helo": mail.client.helo[:TEXT_LIMIT],
        "tls": mail.client.tls,
        "account": mail.client.login,
        "sender": mail.envelope.sender,
        "header_from": (mail.root.header("From") or "")[:TEXT_LIMIT],
        "reply_to": (mail.root.header("Reply-To") or "")[:TEXT_LIMIT],
        "subject": (mail.root.header("Subject") or "")[:TEXT_LIMIT],
        "message_id": (mail.root.header("Message-ID") or "")[:TEXT_LIMIT],
        "size": mail.size,
        "policy": verdict.policy,
        "files": [
            {"name": part.names[0][:TEXT_LIMIT], "type": part.media_type[:TEXT_LIMIT], "size": part.size}
            for part in mail.root.walk()
            if part.names
        ][:FILES_LIMIT],
        "findings": sorted({f"{report.filter}.{each.code}" for report in verdict.reports for each in report.findings}),
        "unavailable": {report.filter: report.reason[:TEXT_LIMIT] for report in verdict.reports if report.failure},
    }
    told: dict[tuple[RuleOutcome, ...], list[dict[str, object]]] = {}
    return [
        AuditRecord(
            id=mail.id,
            moment=mail.received,
            event="message",
            facts=common
            | {
                "recipient": outcome.recipient.address,
                "direction": mail.direction(outcome.recipient).value,
                "action": outcome.action.word,
                "rules": [rule.id for rule in _asking(outcome)],
                "clauses": sorted({clause for rule in _asking(outcome) for clause in rule.cite}),
                "answers": told.setdefault(outcome.rules, [_told(rule) for rule in outcome.rules]),
            },
        )
        for outcome in verdict.outcomes
    ]


def _asking(outcome: Outcome) -> list[RuleOutcome]:
    return [rule for rule in outcome.rules if rule.action is not None]


def _told(rule: RuleOutcome) -> dict[str, object]:
    return {
        "rule": rule.id,
        "mode": rule.mode,
        "result": rule.result.value,
        "action": rule.action.word if rule.action is not None else "",
        "because": rule.because[:TEXT_LIMIT],
    }
