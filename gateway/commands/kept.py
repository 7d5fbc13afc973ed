"""`mailwarden held` and `mailwarden quarantine`: see what is kept. `acts.py` has the commands that decide on it.

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
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.table import Table
from rich.text import Text

from gateway import logs
from gateway.commands.terminal import EX_FAILED, as_json, err, out
from gateway.config import load_settings
from gateway.keeping import KeptMail, Kind, Query, State
from gateway.metrics import Metrics
from gateway.policy.load import load

if TYPE_CHECKING:
    from gateway.office import Office

config = click.option(
    "-c",
    "--config",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The service settings, gateway.yaml.",
)
F = TypeVar("F", bound=Callable[..., None])

actor = click.option("--as", "actor", default=getpass.getuser, show_default="the system's user", help="Who decides.")


def in_office(path: Path, work: Callable[[Office], Awaitable[Any]]) -> Any:
    """Do something with the stores of these settings. Raises ConfigurationError, StoreUnavailable."""
    from gateway.extract.opener import Opener
    from gateway.office import open_office  # its libraries take a second that other commands need not wait

    settings = load_settings(path)
    logs.configure("warning", "console")
    policy = load(settings.policy)

    async def working() -> Any:
        async with (
            Opener(settings.reading) as opener,
            open_office(settings, lambda: policy, observer=Metrics(), open_mail=opener.open) as office,
        ):
            return await work(office)

    return asyncio.run(working())


def search(command: F) -> F:
    """The options by which kept mail is searched, for `query_of`."""
    for option in (
        click.option("--until", type=click.DateTime(), help="Before this moment."),
        click.option("--since", type=click.DateTime(), help="Not before this moment."),
        click.option("--text", default="", help="Text in subject, addresses or ids."),
        click.option("--rule", default="", help="A rule that kept it."),
        click.option("--to", "recipient", default="", help="One of the recipients."),
        click.option("--from", "sender", default="", help="The envelope's sender."),
    ):
        command = option(command)
    return command


def query_of(kind: Kind, states: tuple[State, ...], limit: int, asked: dict[str, Any]) -> Query:
    """What these options ask for. Moments without a zone are the machine's."""
    span = {name: asked[name].astimezone() if asked[name] else None for name in ("since", "until")}
    return Query(kind=kind, states=states, limit=limit, **asked | span)


def manual(text: str, example: str) -> str:
    """The help of a command, with an example."""
    return f"{text}\n\n\b\nExample:\n  mailwarden {example}"


def _group(kind: Kind, text: str) -> click.Group:
    name = "held" if kind is Kind.HELD else "quarantine"
    group = click.Group(name=name, help=text)

    @group.command("list", help=manual("List what is kept.", f"{name} list -c gateway.yaml --rule no-executables"))
    @config
    @as_json
    @search
    @click.option("--all", "everything", is_flag=True, help="Also what is released, rejected, deleted or expired.")
    @click.option("--limit", default=100, show_default=True, help="At most so many, the newest first.")
    def list_command(config: Path, as_json: bool, everything: bool, limit: int, **asked: Any) -> None:
        query = query_of(kind, () if everything else (State.WAITING, State.RELEASING), limit, asked)
        found: Sequence[KeptMail] = in_office(config, lambda office: office.stores.mail.find(query))
        if as_json:
            for kept in found:
                click.echo(json.dumps(_plain(asdict(kept)), ensure_ascii=False))
        else:
            out.print(_table(found))

    @group.command(
        "show",
        help=manual(
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

    return group


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
