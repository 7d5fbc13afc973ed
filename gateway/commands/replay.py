"""`mailwarden replay`: whose decision a new policy changes, over old mail or over what the audit trail remembers."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway import replay
from gateway.commands.terminal import EX_FAILED, EX_OK, EX_UNDECIDED, out, progress
from gateway.commands.trails import people_of, trail_of
from gateway.config import Settings, load_settings
from gateway.explain import COLOURS
from gateway.extract.opener import Opener
from gateway.keeping import AuditRecord
from gateway.limits import FileReading
from gateway.metrics import Metrics
from gateway.policy.load import load
from gateway.policy.logic import HOME_ZONE
from gateway.policy.model import Policy
from gateway.replay import Change, Tally
from gateway.replay_trail import TrailReplay
from gateway.reports.people import People
from gateway.reports.tallies import Span
from gateway.schema.scalars import parse_duration

PARTIES = ("sender", "recipient", "account")
PSEUDONYM = "~"
"""How a pseudonym begins; no address does that a policy's directory or list would have."""

POLICY_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

Show = Callable[[Change], None]


@click.command("replay")
@click.argument("source", metavar="[DIR|MBOX]", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("-p", "--policy", "new", required=True, type=POLICY_FILE, help="The policy to try.")
@click.option("--against", "old", required=True, type=POLICY_FILE, help="The policy it is compared with.")
@click.option("--since", default="", help="Replay the audit trail from then on: 7d, 12h, or a day such as 2026-03-01.")
@click.option("-c", "--config", type=POLICY_FILE, help="With --since: the service settings, gateway.yaml.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each change.")
@click.option("--examples", default=10, show_default=True, help="Changes shown one by one.")
def replay_command(
    source: Path | None, new: Path, old: Path, since: str, config: Path | None, as_json: bool, examples: int
) -> None:
    """Show whose decision a new policy changes, by rule. Nothing is sent or kept.

    Over messages (DIR or MBOX), or over the audit trail (--since): then what the recorded facts do not decide is
    counted by rule, as unknown.

    Exit code 0 if no decision changes, 1 if one does, 3 if none is seen to but some cannot be told.

    \b
    Examples:
      mailwarden replay -p new.yaml --against policies/default.yaml /var/mail/archive.mbox
      mailwarden replay -p new.yaml --against policies/default.yaml --since 7d -c gateway.yaml
    """
    if (source is None) == (not since):
        raise click.UsageError("either DIR|MBOX or --since says what is replayed")
    policies = load(old), load(new)
    tally = Tally(examples)

    def seen(change: Change) -> None:
        tally.add(change)
        if as_json:
            words = {"before": change.before.word, "after": change.after.word}
            click.echo(json.dumps(asdict(change) | words))

    if source is not None:
        asyncio.run(_over_mail(*policies, source, seen))
        if not as_json:
            out.print(_changes(tally))
        sys.exit(EX_FAILED if tally.total else EX_OK)
    if config is None:
        raise click.UsageError("--since needs -c gateway.yaml: whose audit trail?")
    settings = load_settings(config)
    told = _over_trail(settings, TrailReplay(*policies), Span(_moment(since), datetime.now(UTC)), seen)
    _tell_trail(told, tally, as_json)
    sys.exit(EX_FAILED if tally.total else EX_UNDECIDED if told.findings.undecided else EX_OK)


async def _over_mail(old: Policy, new: Policy, source: Path, seen: Show) -> None:
    observe = Metrics().examined
    async with Opener(FileReading()) as opener:
        for name, raw in progress("messages")(replay.messages(source)):
            for change in await replay.changes(old, new, name, raw, observe=observe, open_mail=opener.open):
                seen(change)


def _over_trail(settings: Settings, replaying: TrailReplay, span: Span, seen: Show) -> TrailReplay:
    trail = trail_of(settings)
    people = people_of(settings, replaying.old)
    for record in progress("records", trail.count(span))(trail.records(span)):
        for change in replaying.see(_unveiled(record, people)):
            seen(change)
    return replaying


def _unveiled(record: AuditRecord, people: People) -> AuditRecord:
    """The record with the addresses of the directory in the place of their pseudonyms, and without other pseudonyms."""
    facts = {name: fact for name, fact in record.facts.items() if not _is_pseudonym(fact)}
    for name in PARTIES:
        if name not in facts and (account := people.of(str(record.facts.get(name, "")))):
            facts[name] = account.address
    return replace(record, facts=facts)


def _is_pseudonym(fact: Any) -> bool:
    return isinstance(fact, str) and fact.startswith(PSEUDONYM)


def _moment(since: str) -> datetime:
    try:
        return datetime.now(UTC) - timedelta(seconds=parse_duration(since))
    except ValueError:
        pass
    try:
        return datetime.combine(date.fromisoformat(since), time(), HOME_ZONE)
    except ValueError:
        raise click.BadParameter(f"{since!r} is neither a time such as 7d nor a day", param_hint="--since") from None


def _changes(tally: Tally) -> RenderableType:
    """What changes: in numbers by rule, then a few changes one by one."""
    if not tally.total:
        return Text("no decision changes", style="green")
    numbers = _table(("change", "rule", "times"), ((step, rule, str(count)) for step, rule, count in tally.by_rule))
    shown = _table(("message", "from", "to", "before", "after"), ())
    for each in tally.shown:
        cells = (each.file, each.sender, each.recipient, each.before.word, each.after.word)
        shown.add_row(*map(Text, cells), style=COLOURS[each.after])
    return Group(Text(f"{tally.total} decisions change", style="bold"), numbers, "", shown)


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _tell_trail(told: TrailReplay, tally: Tally, as_json: bool) -> None:
    findings = told.findings
    missing = [(each.rule, each.missing, count) for each, count in findings.missing.most_common()]
    if as_json:
        for rule, what, count in missing:
            click.echo(json.dumps({"unknown": {"rule": rule, "missing": what, "records": count}}))
        totals = {
            "records": findings.records,
            "changes": tally.total,
            "undecided": findings.undecided,
            "other_policies": findings.other_policies,
        }
        click.echo(json.dumps({"total": totals}))
        return
    if findings.undecided and not tally.total:
        out.print(Text("no decision is seen to change, but not all of them can be told", style="yellow"))
    else:
        out.print(_changes(tally))
    for line in _remarks(told):
        out.print(Text(line))
    if missing:
        rows = ((rule, what, str(count)) for rule, what, count in missing)
        out.print(_table(("rule", "unknown from the trail", "records"), rows))


def _remarks(told: TrailReplay) -> Iterator[str]:
    findings = told.findings
    yield f"{findings.records} records looked at, {findings.undecided} of them cannot be decided from the trail"
    if findings.other_policies:
        yield f"{findings.other_policies} were decided by another policy than {told.old.digest}"
    old, new = told.old.organisation, told.new.organisation
    if (old.domains, old.networks) != (new.domains, new.networks):
        yield "domains or networks of the two policies differ: each record keeps the direction that it had"
