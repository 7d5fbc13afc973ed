"""`mailwarden bypass`: suspend a rule or a filter for a while, and end it again.

What is done is in the audit trail before it is done. The command writes a file in the state folder; every gateway on
that folder sees it with its next message, and after a restart too.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from gateway import logs
from gateway.bypass import file
from gateway.bypass.effect import concerned, has_effect, without
from gateway.bypass.model import LONGEST, Bypass, Kind, Person
from gateway.bypass.watch import now
from gateway.commands.kept import config
from gateway.commands.terminal import EX_FAILED, as_json, err, out
from gateway.config import Audit, Settings, load_settings
from gateway.errors import ConfigurationError, StoreUnavailable
from gateway.identity import new_id
from gateway.keeping import AuditRecord
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.schema.scalars import parse_duration

LOGIN_UID = Path("/proc/self/loginuid")
"""Who logged in, whoever he has become since: the kernel keeps it where pam_loginuid is in use (proc(5))."""

NOBODY = 2**32 - 1
"""What stands there where nobody has logged in: a service, or a system without it."""


class _Span(click.ParamType[timedelta]):
    """A time such as 30m."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Whatever `parse_duration` reads."""
        try:
            seconds = parse_duration(value)
        except ValueError:
            self.fail(f'{value!r} is not a time such as "30m" or "2h"', param, ctx)
        if seconds > LONGEST.total_seconds():
            self.fail(f"{value} is longer than {LONGEST.total_seconds() / 3600:.0f}h", param, ctx)
        return timedelta(seconds=seconds)


def _completed(kind: Kind) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """The names of the policy that begin so, for the shell."""

    def names(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        with suppress(ConfigurationError, OSError, TypeError):  # a shell's completion has nobody to complain to
            policy = load(load_settings(Path(context.params["config"])).policy)
            known = [rule.id.text for rule in policy.rules] if kind is Kind.RULE else policy.filters
            return [name for name in known if name.startswith(begun)]
        return []

    return names


@click.command()
@config
@as_json
@click.option("--rule", metavar="NAME", shell_complete=_completed(Kind.RULE), help="The rule to suspend.")
@click.option("--filter", metavar="NAME", shell_complete=_completed(Kind.FILTER), help="The filter not to ask.")
@click.option("--for", "span", type=_Span(), help="For how long, such as 30m; 24h at most.")
@click.option("--reason", default="", help="Why; it is kept in the audit trail.")
@click.option("--list", "listing", is_flag=True, help="Show what is suspended now.")
@click.option("--end", is_flag=True, help="End it now: that rule or filter, or all where none is named.")
def bypass(
    config: Path,
    as_json: bool,
    rule: str | None,
    filter: str | None,
    span: timedelta | None,
    reason: str,
    listing: bool,
    end: bool,
) -> None:
    """Break the glass: suspend one rule or one filter for a while.

    A rule that is suspended is still asked and recorded, and changes nothing. A filter that is suspended is not asked,
    and no rule holds or waits for it. Who did it, when and why is in the audit trail; mail that passes meanwhile has
    the field X-Mailwarden-Bypass; the metric mailwarden_bypasses counts them. It ends by itself.

    Rules with `lock` or `store: never` cannot be suspended unless the policy says `bypass: allow`, and go on asking
    their filters.

    \b
    Examples:
      mailwarden bypass -c gateway.yaml --filter virus --for 30m --reason "clamd does not start, ticket 4711"
      mailwarden bypass -c gateway.yaml --list
      mailwarden bypass -c gateway.yaml --filter virus --end
    """
    settings = load_settings(config)
    if rule and filter:
        raise click.UsageError("--rule or --filter, one at a time")
    wanted = (Kind.RULE, rule) if rule else (Kind.FILTER, filter) if filter else None
    begins = not (listing or end)
    if (listing and (end or wanted or span or reason)) or (end and span):
        raise click.UsageError("--list stands alone, and --end needs no --for")
    if begins and not (wanted and span and reason.strip()):
        raise click.UsageError("say what to suspend (--rule or --filter), --for how long, and for what --reason")
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        if listing:
            counting = _counting(settings.state)
            _print(counting, as_json)
            if not counting:
                err.print("nothing is suspended")
        elif end:
            ended = _end(settings, wanted, reason)
            _print(ended, as_json)
            err.print("ended" if ended else "nothing was suspended")
        elif wanted and span:
            _print([_begin(settings, load(settings.policy), *wanted, span, reason)], as_json)
    except (OSError, ValueError) as error:
        path = settings.state / file.NAME
        err.print(f"{path} cannot be used: {error}; --end without a name removes it", markup=False, highlight=False)
        sys.exit(EX_FAILED)


def as_bypassed(policy: Policy, settings: Settings) -> Policy:
    """The policy as a gateway with these settings has it now, for commands that tell what would happen."""
    try:
        return without(policy, _counting(settings.state))
    except (OSError, ValueError) as error:
        err.print(f"{settings.state / file.NAME} cannot be used: {error}; nothing is bypassed", markup=False)
        return policy


def _begin(settings: Settings, policy: Policy, kind: Kind, name: str, span: timedelta, reason: str) -> Bypass:
    moment = now().replace(microsecond=0)
    try:
        made = Bypass(
            id=new_id(), kind=kind, name=name, begins=moment, ends=moment + span, by=_person(), reason=reason.strip()
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _check(policy, made)
    with file.alone(settings.state):
        others = [each for each in _counting(settings.state) if each.label != made.label]
        _remember(settings, [made.record("begun", moment, by=made.by, comment=made.reason)])
        file.write(settings.state, [*others, made])
    for rule in concerned(policy, kind, name):
        if not rule.bypassable:
            err.print(f"rule {rule.id} still asks {name}: it cannot be suspended", markup=False, highlight=False)
    return made


def _check(policy: Policy, wanted: Bypass) -> None:
    """There must be something that it can suspend."""
    if has_effect(policy, wanted):
        return
    if rules := [rule.id.text for rule in concerned(policy, wanted.kind, wanted.name)]:
        raise click.UsageError(
            f"{wanted.label} cannot be suspended: {', '.join(rules)} must stay in force (lock, store: never or bypass: "
            "refuse in the policy)"
        )
    what = "there is no such rule in force" if wanted.kind is Kind.RULE else "no rule in force asks it"
    raise click.UsageError(f"{wanted.label} cannot be suspended: {what}")


def _end(settings: Settings, wanted: tuple[Kind, str] | None, reason: str) -> list[Bypass]:
    """What was ended. All of it, where nothing is named, also where the file is not as it must be."""
    with file.alone(settings.state):
        try:
            counting = _counting(settings.state)
        except (OSError, ValueError) as error:
            if wanted is not None:
                raise
            err.print(f"removed unread: {error}", markup=False, highlight=False)
            counting = []
        ended = [each for each in counting if wanted in (None, (each.kind, each.name))]
        file.write(settings.state, [each for each in counting if each not in ended])  # closing waits for nothing
    if ended:
        person, moment = _person(), now()
        _remember(settings, [each.record("ended", moment, by=person, comment=reason.strip()) for each in ended])
    return ended


def _counting(state: Path) -> list[Bypass]:
    moment = now()
    return [each for each in file.read(state) if each.counts(moment)]


def _person() -> Person:
    """Who runs this, by the system's word and not by his own."""
    uid, session = os.getuid(), ""
    with suppress(OSError, ValueError):
        login = int(LOGIN_UID.read_text())
        session = _name_of(login) if login != NOBODY else ""
    return Person(actor=_name_of(uid), uid=uid, session=session)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _remember(settings: Settings, records: Sequence[AuditRecord]) -> None:
    """Write it to the audit trail. Raises StoreUnavailable where no mail passes without it either (`audit: defer`)."""

    logs.configure("warning", "console")

    async def append() -> None:
        from gateway.store.open import open_store  # its libraries take a second that other commands need not wait
        from gateway.store.pseudonyms import Pseudonyms

        key = settings.pseudonym_key.encode()
        stores = await open_store(settings.state / "store", pseudonyms=Pseudonyms(key) if key else None)
        try:
            await stores.trail.append(records)
        finally:
            await stores.close()

    try:
        asyncio.run(append())
    except StoreUnavailable as error:
        if settings.audit is Audit.DEFER:
            raise
        err.print(f"not in the audit trail: {error}", markup=False, highlight=False)


def _print(bypasses: Sequence[Bypass], as_json: bool) -> None:
    if as_json:
        for each in bypasses:
            told = asdict(each) | {"begins": each.begins.isoformat(), "ends": each.ends.isoformat()}
            click.echo(json.dumps(told, ensure_ascii=False))
        return
    if not bypasses:
        return
    table = Table(show_edge=False, pad_edge=False)
    for column in ("what", "since", "until", "by", "reason"):
        table.add_column(column, overflow="fold")
    for each in bypasses:
        by = f"{each.by.actor} ({each.by.session})" if each.by.session else each.by.actor
        table.add_row(*map(Text, (each.label, _shown(each.begins), _shown(each.ends), by, each.reason)))
    out.print(table)


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
