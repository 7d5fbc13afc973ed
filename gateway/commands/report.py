"""`mailwarden report`: what the gateway did in a period, from the audit trail and the directory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table as Sheet
from rich.text import Text

from gateway.commands.kept import config
from gateway.commands.terminal import as_json, err, out
from gateway.commands.trails import people_of, trail_of
from gateway.config import load_settings
from gateway.policy.load import load
from gateway.policy.logic import HOME_ZONE
from gateway.policy.model import Policy
from gateway.reports.as_csv import csv_lines
from gateway.reports.as_lines import json_lines
from gateway.reports.cells import written
from gateway.reports.model import Report, Table
from gateway.reports.people import People
from gateway.reports.period import first_day, last_day, span_of
from gateway.reports.rules import rules
from gateway.reports.signup import signup
from gateway.reports.spam import spam, spam_rules
from gateway.reports.tallies import Span
from gateway.reports.unused import unused
from gateway.reports.usage import usage
from gateway.reports.violations import violations

if TYPE_CHECKING:
    from gateway.store.summaries import Summaries

WHOLE = frozenset({"spam", "rules"})
"""Reports that are not told by units."""

HALF_A_YEAR = timedelta(days=183)
"""The period of the list of unused mailboxes, where nobody says otherwise."""

ROWS = 50
"""Rows of a table that a terminal shows; the other forms have all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is made of."""

    tallies: Summaries
    people: People
    policy: Policy
    span: Span
    unit: str


REPORTS: dict[str, Callable[[Asked], Report]] = {
    "usage": lambda asked: usage(asked.tallies, asked.people, asked.span, asked.unit),
    "spam": lambda asked: spam(asked.tallies, spam_rules(asked.policy), asked.span),
    "signup": lambda asked: signup(asked.tallies, asked.people, asked.span, asked.unit),
    "violations": lambda asked: violations(asked.tallies, asked.people, _cites(asked.policy), asked.span, asked.unit),
    "rules": lambda asked: rules(asked.tallies, asked.span),
    "unused": lambda asked: unused(asked.tallies, asked.people, asked.span, asked.unit),
}


@click.command()
@click.argument("kind", type=click.Choice(list(REPORTS)))
@config
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day; the month's, or half a year.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="The last day; today if left out.")
@click.option("--unit", default="", help="Of one unit of the directory only.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "html"]), default="table", show_default=True
)
@as_json
@click.option("--table", "key", default="", help="For csv: which of the report's tables; the first if left out.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file, not to the terminal."
)
def report(
    kind: str,
    config: Path,
    first: datetime | None,
    last: datetime | None,
    unit: str,
    form: str,
    as_json: bool,
    key: str,
    output: Path | None,
) -> None:
    """Report on a period, by days of Asia/Ho_Chi_Minh.

    \b
    usage       messages of each account and unit by month, share of accounts in use
    spam        volumes, actions and top sources by day
    signup      mail from services that official addresses were used with
    violations  rules that held, by clause, unit and account, with the ids of the evidence
    rules       how often each rule held, and how often what it kept was released: its false alarms
    unused      accounts that neither sent nor received

    \b
    Examples:
      mailwarden report usage -c gateway.yaml --from 2026-01-01 --to 2026-06-30 --format html -o usage.html
      mailwarden report violations -c gateway.yaml --unit van-phong --format csv --table cases > cases.csv
    """
    settings = load_settings(config)
    policy = load(settings.policy)
    people = people_of(settings, policy)
    if unit and (kind in WHOLE or unit not in people.units):
        known = "" if kind in WHOLE else f"; there are {', '.join(filter(None, people.units)) or 'none'}"
        raise click.BadParameter(f"{kind} is not told for {unit!r}{known}", param_hint="--unit")
    asked = Asked(
        tallies=trail_of(settings), people=people, policy=policy, span=_span(kind, first, last), unit=unit
    )
    with err.status(f"reading the audit trail for {kind}"):  # nothing is shown where nobody looks on
        made = REPORTS[kind](asked)
    if as_json:
        text = "".join(f"{line}\n" for line in json_lines(made))
    elif form == "csv":
        text = "".join(csv_lines(_chosen(made, key)))
    elif form == "html":
        from gateway.reports.as_html import html  # its library takes a tenth of the time to start any command

        organisation = ", ".join(sorted(policy.organisation.domains))
        text = html(made, organisation=organisation, made=datetime.now(UTC))
    else:
        if output is not None:
            raise click.BadParameter("a table is for the terminal; use --format csv or html, or --json")
        _show(made)
        return
    if output is not None:
        output.write_bytes(text.encode())
    else:
        sys.stdout.buffer.write(text.encode())


def _span(kind: str, first: datetime | None, last: datetime | None) -> Span:
    end = last.date() if last else datetime.now(UTC).astimezone(HOME_ZONE).date()
    start = first.date() if first else _usual_start(kind, end)
    if start > end:
        raise click.BadParameter(f"{start} is after {end}", param_hint="--from")
    return span_of(start, end)


def _usual_start(kind: str, end: date) -> date:
    return end - HALF_A_YEAR if kind == "unused" else end.replace(day=1)


def _cites(policy: Policy) -> dict[str, tuple[str, ...]]:
    return {rule.id.text: rule.cites for rule in policy.rules}


def _chosen(made: Report, key: str) -> Table:
    for table in made.tables:
        if key in ("", table.key):
            return table
    known = ", ".join(table.key for table in made.tables)
    raise click.BadParameter(f"{made.key} has no table {key!r}; there are {known}", param_hint="--table")


def _show(made: Report) -> None:
    out.print(Text(f"{made.title.vi} / {made.title.en}", style="bold"))
    out.print(Text(f"{first_day(made.span)} – {last_day(made.span)}{f', {made.unit}' if made.unit else ''}"))
    for table in made.tables:
        rows = list(table.rows)
        title = Text(f"{table.title.vi} / {table.title.en}", style="bold")
        sheet = Sheet(title=title, title_justify="left", show_edge=False, pad_edge=False)
        for column in table.columns:
            right = column.kind in ("number", "share")
            sheet.add_column(column.key, justify="right" if right else "left", overflow="fold")
        for row in rows[:ROWS]:
            sheet.add_row(*(Text(written(value)) for value in row))
        out.print()
        out.print(sheet)
        if (left := max(0, len(rows) - ROWS) + table.more):
            out.print(Text(f"and {left:,} more: --format csv --table {table.key}"))
    for note in made.notes:
        out.print(Text(f"{note.vi} / {note.en}", style="dim"))
