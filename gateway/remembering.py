"""What the audit trail remembers of a message: one record for each recipient (regulations 1.6).

Of mail of which nothing may be stored, custody keeps its own record, without a word of the content. `recall.py` makes
of a record again what a policy can ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum
from typing import Any

from gateway.keeping import AuditRecord, Written
from gateway.mail import Mail, Part
from gateway.text.concealing import without_codes
from gateway.verdict import Finding, Outcome, Report, RuleOutcome, Verdict

TEXT_LIMIT = 500
"""Characters of one foreign value; RFC 5322 lets a subject be as long as it likes."""

FILES_LIMIT = 50
"""Attachments named in one record."""

FINDINGS_LIMIT = 40
"""Findings told with their fields; of the others the number, by code."""

FIELD_LIMIT = 200
"""Characters of one field of a finding: names and domains, of which RFC 1035 allows 253, are mostly far shorter."""

VALUES_LIMIT = 20
"""Values of one field of a finding that holds several."""

KNOWN = 500
"""Sets of answers that are kept in words: a set of a hundred rules takes some 30 kB."""

HEADERS = {"from": "header_from", "reply-to": "reply_to", "subject": "subject", "message-id": "message_id"}
"""The header fields that are remembered, and as which fact."""

_known: dict[tuple[object, ...], Written] = {}


def records(mail: Mail, verdict: Verdict) -> list[AuditRecord]:
    """The decision on a message, recipient by recipient, with every rule's answer."""
    common = {
        "listener": mail.listener,
        "client": mail.client.address,
        "client_name": mail.client.name[:TEXT_LIMIT],
        "helo": mail.client.helo[:TEXT_LIMIT],
        "tls": mail.client.tls,
        "account": mail.client.login,
        "sender": mail.envelope.sender,
        "recipient_count": len(mail.envelope.recipients),
        **_headers(mail.root),
        "size": mail.size,
        "policy": verdict.policy,
        "bypassed": list(verdict.bypassed),
        "files": [
            {"name": part.names[0][:TEXT_LIMIT], "type": part.media_type[:TEXT_LIMIT], "size": part.size}
            for part in mail.root.walk()
            if part.names
        ][:FILES_LIMIT],
        **_findings(verdict.reports),
        "looked": [report.filter for report in verdict.reports if not report.failure],
        "unavailable": {report.filter: report.reason[:TEXT_LIMIT] for report in verdict.reports if report.failure},
    }
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
                "answers": _answers(verdict, outcome.rules),
            },
        )
        for outcome in verdict.outcomes
    ]


def _headers(root: Part) -> dict[str, Any]:
    """The first field of each name. `partial` are the facts of which the message has more than is told here."""
    told: dict[str, str] = {}
    partial = set()
    for header in root.headers:
        if fact := HEADERS.get(header.name.lower()):
            if fact in told:
                partial.add(fact)
                continue
            value = header.value
            told[fact] = without_codes(value[:TEXT_LIMIT]) if fact == "subject" else value[:TEXT_LIMIT]
            if not value or told[fact] != value:  # an empty field is there: "" alone says that it is not
                partial.add(fact)
    return dict.fromkeys(HEADERS.values(), "") | told | {"partial": sorted(partial)}


def _findings(reports: Iterable[Report]) -> dict[str, Any]:
    """What was found, with the fields that policies test; `more_findings` counts what is not told, by code."""
    found = [(f"{report.filter}.{finding.code}", finding) for report in reports for finding in report.findings]
    return {
        "findings": [_finding(code, finding) for code, finding in found[:FINDINGS_LIMIT]],
        "more_findings": Counter(code for code, _ in found[FINDINGS_LIMIT:]),
    }


def _finding(code: str, finding: Finding) -> dict[str, Any]:
    """`cut` names the fields that are longer than what is told."""
    fields, cut = {}, []
    for name, value in finding.facts().items():
        fields[name], whole = _plain(value)
        if not whole:
            cut.append(name)
    return {"code": code, "fields": fields} | ({"cut": cut} if cut else {})


def _plain(value: Any) -> tuple[Any, bool]:
    """The value as JSON has it, within limits, and whether all of it is there."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, (bool, int)):
        return value, True
    if isinstance(value, float) and abs(value) < float("inf"):
        return value, True
    if isinstance(value, (tuple, list, set, frozenset)):
        values = [_plain(each) for each in (value if isinstance(value, (tuple, list)) else sorted(value, key=str))]
        whole = len(values) <= VALUES_LIMIT and all(complete for _, complete in values)
        return [each for each, _ in values[:VALUES_LIMIT]], whole
    text = str(value)
    return text[:FIELD_LIMIT], len(text) <= FIELD_LIMIT


def _asking(outcome: Outcome) -> list[RuleOutcome]:
    return [rule for rule in outcome.rules if rule.action is not None]


def _answers(verdict: Verdict, rules: tuple[RuleOutcome, ...]) -> Written:
    """Every rule's answer. Most mail of a day gets one of a few sets of answers, which are put into words once."""
    # The policy and what is bypassed say ids and modes; a result's words are as many as there are members, which live
    # for ever.
    said = [each for rule in rules for each in (rule.because, id(rule.result), id(rule.action))]
    key = (verdict.policy, verdict.bypassed, *said)
    if (known := _known.get(key)) is None:
        while len(_known) >= KNOWN:
            del _known[next(iter(_known))]
        known = _known[key] = Written([_told(rule) for rule in rules])
    return known


def _told(rule: RuleOutcome) -> dict[str, object]:
    return {
        "rule": rule.id,
        "mode": rule.mode,
        "result": rule.result.value,
        "action": rule.action.word if rule.action is not None else "",
        "because": rule.because[:TEXT_LIMIT],
    }
