"""A decision in words: one JSON object, or a table, for each message. The field names are a contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.mail import Mail
from gateway.verdict import Action, Outcome, RuleOutcome, Truth, Verdict

COLOURS = {
    Action.ACCEPT: "green",
    Action.TAG: "cyan",
    Action.HOLD: "yellow",
    Action.QUARANTINE: "yellow",
    Action.DISCARD: "magenta",
    Action.DEFER: "yellow",
    Action.REJECT: "red",
}


NAMED = 5
"""Recipients named in one line."""


def as_json(file: str, mail: Mail, verdict: Verdict, seconds: float) -> dict[str, Any]:
    """What would happen and why, as plain values."""
    return {
        "file": file,
        "message_id": mail.root.header("Message-ID") or "",
        "direction": mail.strictest_direction.value,
        "action": verdict.action.word,
        "recipients": [_recipient(outcome) for outcome in verdict.outcomes],
        "findings": [
            {"code": f"{report.filter}.{finding.code}"}
            | {name: _plain(value) for name, value in finding.facts().items()}
            | {"detail": finding.detail, "evidence": [asdict(each) for each in finding.evidence]}
            for report in verdict.reports
            for finding in report.findings
        ],
        "unavailable": [
            {"filter": report.filter, "reason": report.reason} for report in verdict.reports if report.failure
        ],
        "bypassed": list(verdict.bypassed),
        "seconds": round(seconds, 6),
    }


def as_table(file: str, mail: Mail, verdict: Verdict) -> RenderableType:
    """The same for a person: who gets it, rule by rule and why, what was found."""
    title = Text.assemble((file, "bold"), "  ", (verdict.action.word.upper(), f"bold {COLOURS[verdict.action]}"))
    title.append(f"  {mail.strictest_direction.value}, from <{mail.envelope.sender}>, {mail.size:,} bytes")
    blocks: list[RenderableType] = [title]
    if verdict.bypassed:
        blocks.append(Text(f"bypassed: {', '.join(verdict.bypassed)}", style="bold magenta"))
    for outcomes in _alike(verdict.outcomes):
        blocks += [Text(f"to {_named(outcomes)}: {outcomes[0].action.word}", style="bold"), _rules(outcomes[0])]
        if outcomes[0].action >= Action.DEFER:
            blocks.append(Text(f"the client hears: {outcomes[0].reply}"))
    for report in verdict.reports:
        for finding in report.findings:
            facts = ", ".join(f"{name}={_plain(value)!r}" for name, value in finding.facts().items())
            blocks.append(Text(f"found {report.filter}.{finding.code}: {facts} {finding.detail}".rstrip()))
        if report.failure:
            blocks.append(Text(f"could not look: {report.filter}: {report.reason}", style="yellow"))
    return Group(*blocks, "")


def _alike(outcomes: tuple[Outcome, ...]) -> list[list[Outcome]]:
    """Recipients with the same outcome for the same reasons, together."""
    groups: dict[tuple[Action, tuple[RuleOutcome, ...]], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.action, outcome.rules), []).append(outcome)
    return list(groups.values())


def _named(outcomes: list[Outcome]) -> str:
    names = ", ".join(f"<{outcome.recipient.address}>" for outcome in outcomes[:NAMED])
    return names + (f" and {len(outcomes) - NAMED} more" if len(outcomes) > NAMED else "")


def _rules(outcome: Outcome) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="")
    table.add_column("rule", no_wrap=True)
    table.add_column("asks for", no_wrap=True)
    table.add_column("because", overflow="fold")
    for rule in outcome.rules:
        asked = rule.action.word if rule.action is not None else "-"
        cited = f" [{', '.join(rule.cite)}]" if rule.action is not None and rule.cite else ""
        table.add_row(
            Text(rule.id),
            Text(asked if rule.mode == "enforce" else f"{asked} ({rule.mode})"),
            Text(f"{rule.result.value}: {rule.because}{cited}"),
            style=_style(rule),
        )
    return table


def _recipient(outcome: Outcome) -> dict[str, Any]:
    reply = outcome.reply
    return {
        "address": outcome.recipient.address,
        "action": outcome.action.word,
        "reply": {"code": reply.code, "enhanced": reply.status, "text": reply.text},
        "rules": [
            {
                "id": rule.id,
                "cite": list(rule.cite),
                "mode": rule.mode,
                "action": rule.action.word if rule.action is not None else None,
                "result": rule.result.value,
                "because": rule.because,
            }
            for rule in outcome.rules
        ],
    }


def _style(rule: RuleOutcome) -> str:
    if rule.result is Truth.NO_MATCH:
        return "dim"
    return COLOURS[rule.action] if rule.action is not None else ""


def _plain(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (frozenset, set)):
        return sorted(map(_plain, value))
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return value
