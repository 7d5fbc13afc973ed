"""`mailwarden probe`: sends the canaries once through a gateway that runs, and tells how they fared."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from gateway import logs
from gateway.canary import Probe
from gateway.commands.kept import config
from gateway.commands.terminal import EX_FAILED, EX_OK, EX_UNAVAILABLE, as_json, err, out
from gateway.config import Settings, load_settings

if TYPE_CHECKING:
    from gateway.selfprobe import Prober, Result


@click.command()
@config
@as_json
def probe(config: Path, as_json: bool) -> None:
    """Send a clean letter, a virus test file, a spam test line and a secrecy mark through the running gateway, once.

    They go in by a listener of its own as any mail does, and are given up when it has decided: nobody gets one. What
    should become of each is in the settings under `probe`; without them the clean letter should pass, and the others
    be stopped where a rule in force asks the filter that knows them.

    Exit code 0 if each fared as expected, 1 if not, 69 if there is no gateway to ask.

    \b
    Example:
      mailwarden probe -c gateway.yaml
    """
    logs.configure("warning", "console")
    settings = load_settings(config)
    if (prober := _prober(settings)) is None:
        err.print("there is nothing to send canaries to: no gateway has run on this state folder as this user, or no")
        err.print("listener speaks SMTP without proxy_protocol")
        sys.exit(EX_UNAVAILABLE)
    sys.exit(EX_OK if asyncio.run(_round(prober, as_json)) else EX_FAILED)


def _prober(settings: Settings) -> Prober | None:
    from gateway.selfprobe import prober_outside  # its libraries take a second that other commands need not wait

    return prober_outside(settings, settings.probe or Probe())


async def _round(prober: Prober, as_json: bool) -> bool:
    """True if each canary fared as expected."""
    good = True
    async for result in prober.round():
        good = good and result.good
        if as_json:
            click.echo(json.dumps(asdict(result), ensure_ascii=False))
        else:
            out.print(_line(result))
    return good


def _line(result: Result) -> Text:
    mark = ("ok  ", "green") if result.good else ("FAIL", "bold red")
    wanted = "" if result.good else f", expected {result.expected}"
    detail = f": {result.detail}" if result.detail else ""
    return Text.assemble(mark, f" {result.canary}: {result.outcome}{wanted}{detail} ({result.seconds:.2f} s)")
