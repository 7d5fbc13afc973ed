"""`mailwarden trace` and `mailwarden audit`: what happened to a message, and proof that nothing was changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from gateway.commands.kept import config, in_office
from gateway.commands.terminal import EX_FAILED, as_json, out
from gateway.keeping import AuditRecord

if TYPE_CHECKING:
    from gateway.office import Office

since = click.option("--since", type=click.DateTime(), help="Not before this moment.")
until = click.option("--until", type=click.DateTime(), help="Before this moment.")


@click.command()
@config
@as_json
@since
@until
@click.option("--id", default="", help="The id that is in the reply, the header and the log.")
@click.option("--from", "sender", default="", help="The envelope's sender.")
@click.option("--to", "recipient", default="", help="The recipient.")
@click.option("--rule", default="", help="A rule that spoke.")
@click.option("--action", default="", help="What was done: accept, tag, reject, approved, released...")
@click.option("--explain", is_flag=True, help="Tell each rule's answer, also why it did not apply.")
@click.option("--limit", default=200, show_default=True, help="At most so many records.")
def trace(
    config: Path,
    as_json: bool,
    since: datetime | None,
    until: datetime | None,
    explain: bool,
    limit: int,
    **equal: str,
) -> None:
    """Find what happened, in the audit trail, oldest first.

    \b
    Examples:
      mailwarden trace -c gateway.yaml --from an@example.gov.vn --since 2026-03-01
      mailwarden trace -c gateway.yaml --id 01M86S5MR13MPAJZ6C --explain
    """
    wanted = {name: value for name, value in equal.items() if value}

    async def search(office: Office) -> list[AuditRecord]:
        found: list[AuditRecord] = []
        async for record in office.stores.trail.search(since=_aware(since), until=_aware(until), **wanted):
            found.append(record)
            if len(found) == limit:
                break
        return found

    records: Sequence[AuditRecord] = in_office(config, search)
    if as_json:
        for record in records:
            told = {"id": record.id, "moment": record.moment.isoformat(), "event": record.event, **record.facts}
            click.echo(json.dumps(told, ensure_ascii=False))
        return
    table = Table(show_edge=False, pad_edge=False)
    for column in ("when", "id", "event", "action", "from", "to", "rules"):
        table.add_column(column, overflow="fold")
    for record in records:
        facts = record.facts
        cells = (
            f"{record.moment.astimezone():%Y-%m-%d %H:%M:%S}",
            record.id,
            record.event,
            str(facts.get("action", "")),
            str(facts.get("sender", "")),
            str(facts.get("recipient") or ", ".join(facts.get("recipients", ())[:3])),
            ", ".join(facts.get("rules", ())),
        )
        table.add_row(*map(Text, cells))
    out.print(table)
    if explain:
        for record in records:
            if "answers" in record.facts:
                out.print(_answers(record))


def _answers(record: AuditRecord) -> Table:
    """What every rule said of the message for this recipient when it came."""
    facts = record.facts
    title = Text(f"{record.id} to <{facts.get('recipient', '')}>: {facts.get('action', '')}, policy {facts['policy']}")
    if bypassed := facts.get("bypassed"):
        title.append(f", bypassed: {', '.join(bypassed)}", style="bold magenta")
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in ("rule", "asks for", "because"):
        table.add_column(column, overflow="fold")
    for answer in facts["answers"]:
        asked = answer["action"] or "-"
        mode = f" ({answer['mode']})" if answer["mode"] != "enforce" else ""
        table.add_row(Text(answer["rule"]), Text(asked + mode), Text(f"{answer['result']}: {answer['because']}"))
    return table


@click.group()
def audit() -> None:
    """The audit trail as a whole: prove that it is whole, hand it on."""


@audit.command()
@config
def verify(config: Path) -> None:
    """Look for any change or gap in the chain. Exit code 0 if it is whole, 1 if not.

    \b
    Example:
      mailwarden audit verify -c gateway.yaml
    """
    problems: Sequence[str] = in_office(config, lambda office: office.stores.trail.verify())
    for problem in problems:
        click.echo(problem)
    click.echo("the trail is whole" if not problems else f"{len(problems)} places do not fit")
    sys.exit(EX_FAILED if problems else 0)


@audit.command()
@config
@since
@until
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
def export(config: Path, since: datetime | None, until: datetime | None, form: str) -> None:
    """Print the trail as JSON Lines or CSV.

    \b
    Example:
      mailwarden audit export -c gateway.yaml --since 2026-03-01 --format csv > march.csv
    """

    from gateway.store.export import csv_lines, json_lines

    async def print_all(office: Office) -> None:
        rows = office.stores.trail.rows(since=_aware(since), until=_aware(until))
        async for line in (csv_lines if form == "csv" else json_lines)(rows):
            click.echo(line, nl=not line.endswith("\n"))

    in_office(config, print_all)


def _aware(moment: datetime | None) -> datetime | None:
    return moment.astimezone() if moment else None
