"""`mailwarden held` and `mailwarden quarantine`: see what is kept, and decide on it.

Both work on the store beside a running gateway, and when none runs. Each act is one in the audit trail, in the name of
whoever `--as` says, or of the system's user.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from gateway import logs
from gateway.commands.terminal import EX_FAILED, EX_OK, as_json, err, out, progress
from gateway.config import load_settings
from gateway.keeping import KeptMail, Kind, Query, State
from gateway.metrics import Metrics
from gateway.policy.load import load

if TYPE_CHECKING:
    from gateway.custody.steps import Answer
    from gateway.office import Office

config = click.option(
    "-c",
    "--config",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The service settings, gateway.yaml.",
)
actor = click.option("--as", "actor", default=getpass.getuser, show_default="the system's user", help="Who decides.")
comment = click.option("--comment", default="", help="What is said of it; a rejection needs it.")
ids = click.argument("ids", metavar="ID...", nargs=-1, required=True)


def in_office(path: Path, work: Callable[[Office], Awaitable[Any]]) -> Any:
    """Do something with the stores of these settings. Raises ConfigurationError, StoreUnavailable."""
    from gateway.office import open_office  # its libraries take a second that other commands need not wait

    settings = load_settings(path)
    logs.configure("warning", "console")
    policy = load(settings.policy)

    async def working() -> Any:
        async with open_office(settings, lambda: policy, observe=Metrics().examined) as office:
            return await work(office)

    return asyncio.run(working())


def _group(kind: Kind, text: str) -> click.Group:
    name = "held" if kind is Kind.HELD else "quarantine"
    group = click.Group(name=name, help=text)

    @group.command("list", help=_manual("List what is kept.", f"{name} list -c gateway.yaml --rule no-executables"))
    @config
    @as_json
    @click.option("--from", "sender", default="", help="The envelope's sender.")
    @click.option("--to", "recipient", default="", help="One of the recipients.")
    @click.option("--rule", default="", help="A rule that kept it.")
    @click.option("--text", default="", help="Text in subject, addresses or ids.")
    @click.option("--since", type=click.DateTime(), help="Not before this moment.")
    @click.option("--until", type=click.DateTime(), help="Before this moment.")
    @click.option("--all", "everything", is_flag=True, help="Also what is released, rejected, deleted or expired.")
    @click.option("--limit", default=100, show_default=True, help="At most so many, the newest first.")
    def list_command(
        config: Path, as_json: bool, since: datetime | None, until: datetime | None, everything: bool, **wanted: Any
    ) -> None:
        query = Query(
            kind=kind,
            states=() if everything else (State.WAITING, State.RELEASING),
            since=since.astimezone() if since else None,
            until=until.astimezone() if until else None,
            **wanted,
        )
        found: Sequence[KeptMail] = in_office(config, lambda office: office.stores.mail.find(query))
        if as_json:
            for kept in found:
                click.echo(json.dumps(_plain(asdict(kept)), ensure_ascii=False))
        else:
            out.print(_table(found))

    @group.command(
        "show",
        help=_manual(
            "Show one message, why it is kept and what has happened to it. That somebody read it is remembered.",
            f"{name} show -c gateway.yaml 01M86S5MR13MPAJZ6C",
        ),
    )
    @config
    @as_json
    @actor
    @click.argument("id")
    @click.option("--raw", is_flag=True, help="Print the message's bytes as they are.")
    def show(config: Path, as_json: bool, actor: str, id: str, raw: bool) -> None:

        async def look(office: Office) -> tuple[KeptMail, Sequence[Any], bytes] | None:
            kept = await office.stores.mail.get(id)
            if kept is None or kept.kind is not kind:
                return None
            content = (await office.custody.view(id, actor) or (kept, b""))[1][:] if raw else b""
            return kept, await office.stores.mail.steps(id), content

        found = in_office(config, look)
        if found is None:
            err.print(f"no {kind.value} message {id}", markup=False)
            sys.exit(EX_FAILED)
        kept, steps, content = found
        if raw:
            sys.stdout.buffer.write(content)
        elif as_json:
            told = _plain(asdict(kept)) | {"steps": [_plain(asdict(step)) for step in steps]}
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            out.print(_sheet(kept, steps))

    _act(group, "release", "Hand it on to its recipients now.")
    _act(group, "delete", "Destroy it.")
    if kind is Kind.HELD:
        _act(group, "approve", "Vote for it; the last vote that is needed hands it on.")
        _act(group, "reject", "Send it back to its sender, with a reason.")
    _act(group, "confirm", "Say that the next hop has a message of which that was not known.")
    _act(group, "reopen", "Say that it has not: the message waits again.")
    return group


def _manual(text: str, example: str) -> str:
    return f"{text}\n\n\b\nExample:\n  mailwarden {example}"


def _act(group: click.Group, name: str, text: str) -> None:
    """Custody's method of that name as a command, message by message. Exit code 1 if one did not happen."""

    def command(config: Path, as_json: bool, actor: str, comment: str, ids: tuple[str, ...]) -> None:
        async def each(office: Office) -> list[tuple[str, Answer]]:
            decide = getattr(office.custody, name)
            return [(id, await decide(id, actor, comment)) for id in progress(name)(ids)]

        answers = in_office(config, each)
        for id, answer in answers:
            if as_json:
                click.echo(json.dumps({"id": id, "done": answer.act, "reason": answer.reason}, ensure_ascii=False))
            else:
                click.echo(f"{id}: {answer.act or 'nothing done'}{f': {answer.reason}' if answer.reason else ''}")
        sys.exit(EX_OK if all(answer.act for _, answer in answers) else EX_FAILED)

    manual = _manual(text, f"{group.name} {name} -c gateway.yaml --as an@example.gov.vn ID")
    group.command(name, help=manual)(config(as_json(actor(comment(ids(command))))))


def _table(found: Sequence[KeptMail]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for column in ("id", "received", "from", "to", "subject", "rules", "until"):
        table.add_column(column, overflow="fold")
    for kept in found:
        recipients = [recipient.address for recipient in kept.envelope.recipients]
        more = f" and {len(recipients) - 2} more" if len(recipients) > 2 else ""
        cells = (
            kept.id,
            f"{kept.received.astimezone():%Y-%m-%d %H:%M}",
            kept.envelope.sender or "<>",
            ", ".join(recipients[:2]) + more,
            kept.subject[:60],
            ", ".join(kept.rules),
            f"{kept.expires.astimezone():%Y-%m-%d %H:%M}" if not kept.state.final else kept.state.value,
        )
        table.add_row(*map(Text, cells))
    return table


def _sheet(kept: KeptMail, steps: Sequence[Any]) -> Table:
    sheet = Table.grid(padding=(0, 2))
    rows = {
        "id": kept.id,
        "state": kept.state.value,
        "received": f"{kept.received.astimezone():%Y-%m-%d %H:%M:%S}",
        "until": f"{kept.expires.astimezone():%Y-%m-%d %H:%M}",
        "from": f"{kept.envelope.sender or '<>'} ({kept.header_from})",
        "to": ", ".join(recipient.address for recipient in kept.envelope.recipients[:20]),
        "subject": kept.subject,
        "size": f"{kept.size:,} bytes, sha256 {kept.digest}",
        "kept by": f"{', '.join(kept.rules)} [{', '.join(kept.clauses)}]",
        "because": kept.because,
        "approvers": f"{kept.quorum} of {', '.join(kept.approvers)}" if kept.approvers else "-",
    }
    for name, value in rows.items():
        sheet.add_row(Text(name, style="bold"), Text(value))
    for step in steps:
        who = f"{step.moment.astimezone():%Y-%m-%d %H:%M:%S} {step.actor or '-'}"
        sheet.add_row(Text(step.act, style="cyan"), Text(f"{who} {step.comment}".rstrip()))
    return sheet


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if key != "terms"}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


held = _group(Kind.HELD, "Mail that waits for somebody's approval.")
quarantine = _group(Kind.QUARANTINED, "Mail that is kept from its recipients.")
