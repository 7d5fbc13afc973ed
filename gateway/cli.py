"""The commands. Each is a few lines around a function of the gateway; `mailwarden COMMAND --help` shows examples."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import sys
import time
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import click
from click.shell_completion import get_completion_class

from gateway import __version__, explain
from gateway.commands.acts import held, quarantine
from gateway.commands.bypass import as_bypassed, bypass
from gateway.commands.coverage import coverage_command
from gateway.commands.doctor import doctor
from gateway.commands.learn import learn
from gateway.commands.lexicon import lexicon
from gateway.commands.probe import probe
from gateway.commands.replay import replay_command
from gateway.commands.report import report
from gateway.commands.serve import serve, worker
from gateway.commands.services import services
from gateway.commands.terminal import EX_CONFIG, EX_FAILED, EX_OK, EX_UNAVAILABLE, out, progress
from gateway.commands.trail import audit, trace
from gateway.config import Settings, load_settings
from gateway.errors import ConfigurationError, StoreUnavailable
from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.mail import Client
from gateway.metrics import Metrics
from gateway.pipeline import judge
from gateway.policy.catalogue import find_filters
from gateway.policy.load import load
from gateway.policy.model import Policy, PolicyFile
from gateway.schema.jsonschema import schema_of
from gateway.specimen import specimen
from gateway.trial import CaseResult, run_cases


class Commands(click.Group):
    """A command's mistakes in files end here: every problem on a line of its own, exit code 78."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except ConfigurationError as error:
            _give_up(error)
        except StoreUnavailable as error:
            click.echo(f"mailwarden: the store cannot be used: {error}", err=True)
            sys.exit(EX_UNAVAILABLE)


def _give_up(error: ConfigurationError) -> NoReturn:
    for problem in error.problems:
        click.echo(str(problem), err=True)
    click.echo(f"{len(error.problems)} problem{'s' * (len(error.problems) != 1)}", err=True)
    sys.exit(EX_CONFIG)


POLICIES = click.argument(
    "policies",
    metavar="POLICY...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mailwarden")
def main() -> None:
    """Mailwarden: a mail policy gateway. It stands on the mail relay and does what the body's written rules say."""


@main.command()
@POLICIES
def check(policies: tuple[Path, ...]) -> None:
    """Validate policies and print every problem as path:line:column. Exit code 0, or 78 if there is one.

    \b
    Example:
      mailwarden check policies/default.yaml
    """
    problems: list[Any] = []
    for path in policies:
        try:
            policy = load(path)
        except ConfigurationError as error:
            problems += error.problems
            continue
        for warning in policy.warnings:
            click.echo(f"{warning} [warning]", err=True)
        click.echo(f"{path}: ok, {len(policy.rules)} rules, {len(policy.cases)} cases, digest {policy.digest}")
    if problems:
        _give_up(ConfigurationError(tuple(problems)))


@main.command()
@POLICIES
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write the results as JUnit XML.")
def test(policies: tuple[Path, ...], junit: Path | None) -> None:
    """Run the policies' own cases. Exit code 0, or 1 if one fails.

    \b
    Example:
      mailwarden test policies/default.yaml --junit results.xml
    """
    loaded = [(path, load(path)) for path in policies]
    results: list[CaseResult] = []
    for path, policy in loaded:
        done = asyncio.run(_cases(policy, path))
        results += done
        for result in done:
            for failure in result.failures:
                click.echo(f"{result.where}: {result.name}: {failure}")
        failed = sum(bool(result.failures) for result in done)
        click.echo(f"{path}: {len(done) - failed} passed, {failed} failed")
    if junit is not None:
        junit.write_bytes(_junit(results))
    sys.exit(EX_FAILED if any(result.failures for result in results) else EX_OK)


async def _cases(policy: Policy, path: Path) -> list[CaseResult]:
    async with Opener(FileReading()) as opener:
        return await run_cases(policy, open_mail=opener.open, progress=progress(f"cases of {path}"))


@main.command("explain")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "-p",
    "--policy",
    "policy_path",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The policy to decide by.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--from", "sender", help="Envelope sender (default: read from the header).")
@click.option("--rcpt", "recipients", multiple=True, help="Envelope recipient, may be repeated.")
@click.option("--client", "address", default="", help="The client's IP address.")
@click.option("--user", "login", default="", help="The authenticated user.")
@click.option("--helo", default="", help="The client's HELO name.")
@click.option("--listener", default="specimen", show_default=True, help="The listener it came in by.")
@click.option(
    "-c",
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The service settings: then what is bypassed at the moment is, here too.",
)
def explain_command(
    files: tuple[str, ...],
    policy_path: Path,
    as_json: bool,
    sender: str | None,
    recipients: tuple[str, ...],
    address: str,
    login: str,
    helo: str,
    listener: str,
    config: Path | None,
) -> None:
    """Tell what would happen to messages and why, rule by rule, also why not. Nothing is sent or kept.

    \b
    Examples:
      mailwarden explain -p policies/default.yaml letter.eml
      mailwarden explain -p policies/default.yaml --from a@example.org --rcpt b@example.gov.vn - < letter.eml
    """
    if address:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise click.BadParameter(f"{address!r} is not an IP address", param_hint="--client") from None
    client = Client(address=address, login=login, helo=helo)
    policy = load(policy_path)
    if config is not None:
        policy = as_bypassed(policy, load_settings(config))
    asyncio.run(_explain(policy, files, as_json, sender, recipients, client, listener))


async def _explain(
    policy: Policy,
    files: tuple[str, ...],
    as_json: bool,
    sender: str | None,
    recipients: tuple[str, ...],
    client: Client,
    listener: str,
) -> None:
    loop = asyncio.get_running_loop()
    observe = Metrics().examined
    async with Opener(FileReading()) as opener:
        for file in files if as_json else progress("messages")(files):
            started = time.perf_counter()
            with click.open_file(file, "rb") as opened:
                raw = opened.read()
            mail = specimen(policy, raw, sender=sender, recipients=recipients, client=client, listener=listener)
            deadline = loop.time() + 60
            verdict = await judge(policy, mail, deadline=deadline, observe=observe, open_mail=opener.open)
            if as_json:
                click.echo(json.dumps(explain.as_json(file, mail, verdict, time.perf_counter() - started)))
            else:
                out.print(explain.as_table(file, mail, verdict))


@main.command()
@click.argument("what", type=click.Choice(["policy", "settings"]), default="policy")
def schema(what: str) -> None:
    """Print the JSON Schema of policy files (or of gateway.yaml), for editors.

    \b
    Example:
      mailwarden schema > policy.schema.json
    """
    click.echo(json.dumps(schema_of(Settings if what == "settings" else PolicyFile), indent=2, ensure_ascii=False))


@main.command()
@click.argument("names", metavar="[FILTER]...", nargs=-1)
def filters(names: tuple[str, ...]) -> None:
    """List the filters, their options and what they can find, from their own documentation.

    \b
    Examples:
      mailwarden filters
      mailwarden filters attachments
    """
    kinds = find_filters()
    for name in names:
        if name not in kinds:
            raise click.BadParameter(f"no filter {name!r}; there are {', '.join(kinds)}", param_hint="FILTER")
    for name in names or kinds:
        click.echo(kinds[name].manual)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the shell's completion script.

    \b
    Example:
      mailwarden completion bash > /etc/bash_completion.d/mailwarden
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "mailwarden", "_MAILWARDEN_COMPLETE").source())


for command in (serve, worker, replay_command, report, coverage_command, doctor, services, lexicon, learn):
    main.add_command(command)
for command in (held, quarantine, trace, audit, bypass, probe):
    main.add_command(command)


def _junit(results: list[CaseResult]) -> bytes:
    failed = sum(bool(result.failures) for result in results)
    suite = ElementTree.Element("testsuite", name="mailwarden", tests=str(len(results)), failures=str(failed))
    for result in results:
        case = ElementTree.SubElement(suite, "testcase", classname=result.where, name=result.name)
        for failure in result.failures:
            ElementTree.SubElement(case, "failure", message=failure)
    return bytes(ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))
