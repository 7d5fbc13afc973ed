"""`mailwarden doctor`: proves that the gate can close, and says what to do where it cannot."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.text import Text

from gateway import logs
from gateway.commands.kept import config
from gateway.commands.terminal import EX_FAILED, EX_OK, as_json, err, out
from gateway.config import Settings, load_settings
from gateway.extract.opener import Opener
from gateway.policy.load import load

COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@click.command()
@config
@as_json
@click.option(
    "--postfix",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of Postfix's configuration; the usual one if left out.",
)
def doctor(config: Path, as_json: bool, postfix: Path | None) -> None:
    """Check the whole installation: would the gate close, and will mail flow?

    Sends a virus test file, a spam test line, a program and a document with a secrecy mark through the policy,
    without delivering them; looks at engines, store, disk, next hop, addresses, DNS, Postfix's settings and the
    clock. It may be run while the service runs, best as its user.

    Exit code 0, or 1 if a check failed (warnings do not count).

    \b
    Example:
      mailwarden doctor -c gateway.yaml
    """
    logs.configure("warning", "console")
    sys.exit(asyncio.run(_examine(load_settings(config), postfix, as_json)))


async def _examine(settings: Settings, postfix: Path | None, as_json: bool) -> int:
    from gateway.doctor.checkup import checkup  # its libraries take a second that other commands need not wait
    from gateway.doctor.model import Patient, State

    failed = False
    async with Opener(settings.reading) as opener:
        patient = Patient(
            settings=settings,
            policy=load(settings.policy),
            now=datetime.now(UTC),
            open_mail=opener.open,
            postfix=postfix,
        )
        with err.status("looking"):
            async for line in checkup(patient):
                failed = failed or line.state is State.FAIL
                if as_json:
                    click.echo(json.dumps(asdict(line), ensure_ascii=False))
                    continue
                out.print(Text.assemble((f"{line.state:<4}", COLOURS[line.state]), f" {line.about}: {line.seen}"))
                if line.advice:
                    out.print(Text(f"     -> {line.advice}", style="dim"))
    return EX_FAILED if failed else EX_OK
