"""How the trial tells what happened: tables of letters, of what people did and were told, and notices in full."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from arrived import Notice
from letters import Letter
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gateway.explain import COLOURS
from gateway.keeping import AuditRecord
from gateway.verdict import Action

REASON_LIMIT = 180
"""Characters of a rule's reason in the table; `mailwarden trace --explain` has them all."""

NAMED = 3
"""Lines of a list that are shown, such as recipients."""

_ID = re.compile(r"\[id ([0-9A-Z]+)\]")
_RULE = re.compile(r"\[([a-z0-9-]+)\] \[id ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the client heard of a letter, for each recipient that was refused at once and at the end; what the audit
    trail says of it, and which notices arrived."""

    letter: Letter
    heard: tuple[str, ...]
    records: list[AuditRecord] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The id in the last reply, "" where there is none."""
        found = _ID.search(self.heard[-1])
        return found[1] if found else ""

    @property
    def colour(self) -> str:
        """By the worst of what was heard."""
        return {"2": "green", "4": "yellow"}.get(max(line[0] for line in self.heard), "red")

    @property
    def steps(self) -> list[AuditRecord]:
        """What happened to it after it was kept."""
        return [record for record in self.records if record.event == "decision"]


def letters_table(outcomes: Sequence[Outcome]) -> Table:
    """The letters, what their senders heard, and why."""
    table = Table(show_lines=True, title="What became of the letters", title_justify="left")
    for column, ratio in (("letter", 4), ("from, to", 4), ("what the sender hears", 6), ("which rule, and why", 6)):
        table.add_column(column, ratio=ratio, overflow="fold")
    for outcome in outcomes:
        heard = Text("\n".join(outcome.heard), style=outcome.colour)
        table.add_row(
            escape(outcome.letter.story), escape(_people(outcome.letter)), heard, Text("\n").join(_reasons(outcome))
        )
    return table


def kept_table(outcomes: Sequence[Outcome]) -> Table:
    """The letters that were kept: what was done with each, and who was told."""
    title = "What was kept, what people did with it, and who was told"
    table = Table(show_lines=True, title=title, title_justify="left")
    for column, ratio in (("letter", 4), ("what happened", 7), ("who was told", 8)):
        table.add_column(column, ratio=ratio, overflow="fold")
    for outcome in outcomes:
        if outcome.steps or outcome.notices:
            told = Text("\n").join(_told(notice) for notice in outcome.notices)
            done = Text("\n").join(_step(record) for record in outcome.steps)
            table.add_row(escape(f"{outcome.letter.story}\n{outcome.id}"), done, told)
    return table


def notice_panels(outcomes: Iterable[Outcome], root: Path) -> Iterator[Panel]:
    """The first notice of each title, as a mail program shows its English half."""
    shown: set[str] = set()
    for outcome in outcomes:
        for notice in outcome.notices:
            title = _title(notice)
            if title not in shown:
                shown.add(title)
                where = notice.path.relative_to(root) if notice.path.is_relative_to(root) else notice.path
                head = f"{title} - to {notice.to}"
                text = Text("\n".join(_shortened(notice.english.strip().splitlines())))
                yield Panel(text, title=escape(head), title_align="left", subtitle=escape(str(where)))


def _shortened(lines: Iterable[str]) -> Iterator[str]:
    """The lines, of a long list only the first ones."""
    listed = 0
    for line in lines:
        listed = listed + 1 if line.startswith("- ") else 0
        if listed <= NAMED:
            yield line
        elif listed == NAMED + 1:
            yield "- ..."


def _people(letter: Letter) -> str:
    more = [f"and {len(letter.to) - NAMED} more"] if len(letter.to) > NAMED else []
    return "\n".join([letter.sender, *(f"-> {recipient}" for recipient in letter.to[:NAMED]), *more])


def _reasons(outcome: Outcome) -> Iterator[Text]:
    """Each rule that asked for something, once; those in shadow, which are only counted, by their names."""
    asked = {
        answer["rule"]: answer
        for record in outcome.records
        for answer in record.facts.get("answers", ())
        if answer["action"]
    }
    early = [rule[1] for line in outcome.heard if (rule := _RULE.search(line)) and rule[1] not in asked]
    enforced = [answer for answer in asked.values() if answer["mode"] == "enforce"]
    for answer in enforced:
        because = answer["because"]
        reason = because if len(because) <= REASON_LIMIT else f"{because[:REASON_LIMIT]}..."
        word = answer["action"]
        yield Text.assemble((answer["rule"], "bold"), ": ", (word, COLOURS[Action[word.upper()]]), f"; {reason}")
    for rule in dict.fromkeys(early):
        yield Text.assemble((rule, "bold"), ": ", ("reject", "red"), "; before the content was sent")
    if "Bare CR or LF" in outcome.heard[-1]:
        yield Text("no rule: the gateway itself refuses bare line feeds (SMTP smuggling)")
    elif not enforced and not early:
        yield Text("no rule forbids or changes anything")
    if shadow := [name for name, answer in asked.items() if answer["mode"] == "shadow"]:
        yield Text(f"in shadow: {', '.join(shadow)}", style="dim")


def _step(record: AuditRecord) -> Text:
    facts = record.facts
    if facts["action"] == "kept":  # why is in the other table
        return Text("kept", style="bold")
    by = f" by {facts['actor']}" if facts["actor"] else ""
    said = f": {facts['comment']}" if facts["comment"] else ""
    return Text.assemble((str(facts["action"]), "bold"), f"{by}{said}")


def _told(notice: Notice) -> Text:
    return Text.assemble((notice.to, "bold"), f"\n  {_title(notice)}")


def _title(notice: Notice) -> str:
    """The English title: behind the Vietnamese one, before the letter's own subject."""
    return notice.title.partition(" / ")[2].partition(":")[0]
