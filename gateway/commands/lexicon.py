"""`mailwarden lexicon`: what the lexicons see in a text, and which of their phrases misled, by what people released."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from gateway.commands.kept import config
from gateway.commands.terminal import as_json, err, out
from gateway.commands.trails import trail_of
from gateway.config import load_settings
from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.metrics import Metrics
from gateway.pipeline import examine
from gateway.policy.catalogue import find_filters
from gateway.policy.load import load
from gateway.policy.logic import HOME_ZONE
from gateway.policy.model import Policy
from gateway.reports.period import span_of
from gateway.reports.released import fates
from gateway.reports.terms import FILTER, Term, misleading
from gateway.specimen import specimen
from gateway.verdict import Filter, Report

MONTH = timedelta(days=30)
"""The period that is looked through where nobody says otherwise."""

FAINTEST = 0.01
"""Of a lexicon's own threshold: what is shown of a text that would not be flagged."""

PATIENCE = 60.0
"""Seconds for reading one file."""


@click.group()
def lexicon() -> None:
    """The lexicons of prohibited content: see their hits in a text, learn which phrases misled.

    \b
    Examples:
      mailwarden lexicon test "Nạp 100k tặng 300k, tài xỉu nổ hũ"
      mailwarden lexicon suggest -c gateway.yaml
    """


@lexicon.command("test")
@click.argument("what", metavar="FILE|TEXT", nargs=-1, required=True)
@click.option(
    "-p",
    "--policy",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the filter's options from this policy: its own lexicons, say.",
)
@as_json
def test_command(what: tuple[str, ...], path: Path | None, as_json: bool) -> None:
    """Show what the lexicons find in each file (a letter, a text, a document) or text, also below the threshold.

    A score of 1 flags, 2 is strong. Reporting (law, courts, news) divides what the phrases come to.

    \b
    Examples:
      mailwarden lexicon test letter.eml bang-gia.docx
      mailwarden lexicon test "Bán pháo nổ, ship toàn quốc, LH 0912345678" --json
    """
    policy = load(path) if path else Policy(digest="", rules=(), filters={})
    asyncio.run(_test(what, policy, _filter(policy), as_json))


async def _test(what: tuple[str, ...], policy: Policy, judge: Filter, as_json: bool) -> None:
    loop = asyncio.get_running_loop()
    async with Opener(FileReading()) as opener:
        for each in what:
            mail = specimen(policy, _letter(each))
            deadline = loop.time() + PATIENCE
            [report] = await examine(
                {FILTER: judge}, mail, deadline=deadline, observe=Metrics().examined, open_mail=opener.open
            )
            for line in _as_json(each, report) if as_json else _as_text(each, report):
                if isinstance(line, Text):
                    out.print(line)
                else:
                    click.echo(line)


def _filter(policy: Policy) -> Filter:
    """The policy's own filter, or one with its defaults, that also reports what is below the threshold."""
    used: Any = policy.filters.get(FILTER) or find_filters()[FILTER].make({})
    faint: Filter = replace(used, threshold=FAINTEST)
    return faint


def _letter(what: str) -> bytes:
    """A letter as it is, a text as the body of one, anything else as a file attached to one."""
    path = Path(what) if len(what) < 1_000 else None
    if path is None or not path.is_file():
        return _made(what)
    content = path.read_bytes()
    if path.suffix.lower() == ".eml":
        return content
    if path.suffix.lower() == ".txt":
        return _made(content.decode("utf-8", "replace"))
    return _made("", path.name, content)


def _made(text: str, name: str = "", content: bytes = b"") -> bytes:
    letter = EmailMessage(policy=SMTP.clone(cte_type="8bit"))
    letter.set_content(text, cte="base64")
    if name:
        letter.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return bytes(letter)


def _as_text(what: str, report: Report) -> Iterator[Text]:
    yield Text(what if len(what) <= 60 else f"{what[:59]}…", style="bold")
    if report.failure:
        yield Text(f"  could not look: {report.reason}")
    elif not report.findings:
        yield Text("  nothing")
    for finding in report.findings:
        facts = finding.facts()
        state = facts["strength"] if facts["score"] >= 1 else "below the threshold"
        yield Text(f"  {facts['category']} {facts['score']:g} ({state}) in {facts['zone']}: {finding.detail}")
        for seen in finding.evidence:
            yield Text(f"    {seen.part or '-'} at {seen.offset}: …{seen.excerpt}…")


def _as_json(what: str, report: Report) -> Iterator[str]:
    for finding in report.findings:
        places = [{"part": seen.part, "offset": seen.offset, "excerpt": seen.excerpt} for seen in finding.evidence]
        told = {"what": what} | finding.facts() | {"detail": finding.detail, "evidence": places}
        yield json.dumps(told, ensure_ascii=False)


@lexicon.command()
@config
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day; thirty days ago if left out.")
@click.option("--least", default=2, show_default=True, help="Released messages from which a phrase is worth a line.")
@as_json
def suggest(config: Path, first: datetime | None, least: int, as_json: bool) -> None:
    """Phrases that spoke in mail which people released: candidates for a lower weight, `near` or `unless_near`.

    The trail keeps the lexicon's phrases, never the mail's words: what stood around them, the reviewer knows.

    \b
    Example:
      mailwarden lexicon suggest -c gateway.yaml --from 2027-01-01
    """
    today = datetime.now(UTC).astimezone(HOME_ZONE).date()
    span = span_of(first.date() if first else today - MONTH, today)
    trail = trail_of(load_settings(config))
    with err.status("reading the audit trail"):
        known = fates(trail.decisions(span))
        found = [term for term in misleading(trail.found(span, FILTER), known) if len(term.released) >= least]
    for term in found:
        click.echo(json.dumps(_plain(term), ensure_ascii=False) if as_json else _line(term))


def _line(term: Term) -> str:
    refused = len(term.refused)
    advice = "give it an `unless_near`, or take it out" if not refused else "give it less weight, or a `near`"
    return f"{term.category}: {term.phrase}: released {len(term.released)}, refused {refused}: {advice}"


def _plain(term: Term) -> dict[str, object]:
    return {
        "category": term.category,
        "phrase": term.phrase,
        "released": len(term.released),
        "refused": len(term.refused),
        "share": round(term.share, 3),
    }
