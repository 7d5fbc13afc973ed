"""`mailwarden services`: the catalogue of outside services, and what the audit trail suggests for it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from gateway.commands.kept import config
from gateway.commands.terminal import EX_FAILED, EX_OK, as_json, err, out
from gateway.commands.trails import trail_of
from gateway.config import load_settings
from gateway.errors import ConfigurationError, Problem
from gateway.mail import domain_of
from gateway.policy.logic import HOME_ZONE
from gateway.reports.period import span_of
from gateway.reports.strangers import Stranger, strangers
from gateway.services import SHIPPED, Catalogue, Known, read_catalogue

MONTH = timedelta(days=30)
"""The period that is looked through where nobody says otherwise."""

more = click.option(
    "--more",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that adds to the catalogue, as `more_services` names it; may be given more than once.",
)


@click.group()
def services() -> None:
    """The catalogue of outside services: list, show, check an address, suggest what is missing.

    \b
    Examples:
      mailwarden services list --category gambling
      mailwarden services check no-reply@mail.shopee.vn
      mailwarden services suggest -c gateway.yaml
    """


@services.command("list")
@more
@click.option("--category", help="Of this category only.")
@as_json
def list_command(files: tuple[Path, ...], category: str | None, as_json: bool) -> None:
    """Every service, with its category and the domains it sends from.

    \b
    Example:
      mailwarden services list --category gambling
    """
    found = {
        name: service
        for name, service in sorted(_catalogue(files).services.items())
        if category in (None, service.category)
    }
    if as_json:
        for name, service in found.items():
            click.echo(json.dumps({"id": name} | asdict(service), ensure_ascii=False))
        return
    table = _table("service", "category", "name", "sends from")
    for name, service in found.items():
        sends = ", ".join(origin.domain for origin in service.sends_from) or ", ".join(service.web)
        table.add_row(*map(Text, (name, service.category, service.name, sends)))
    out.print(table)


@services.command()
@click.argument("name")
@more
@as_json
def show(name: str, files: tuple[Path, ...], as_json: bool) -> None:
    """Everything the catalogue says of one service.

    \b
    Example:
      mailwarden services show github
    """
    service = _catalogue(files).services.get(name)
    if service is None:
        raise click.BadParameter(f"no service {name!r}; `mailwarden services list` has them", param_hint="NAME")
    if as_json:
        click.echo(json.dumps({"id": name} | asdict(service), ensure_ascii=False))
        return
    out.print(Text(f"{service.name}: {service.category}, {service.country or 'country unknown'}"))
    out.print(Text(f"sites: {', '.join(service.web) or 'none'}; registers by {service.register}"))
    for origin in service.sends_from:
        out.print(Text(f"sends from {origin.domain}: {origin.mail}, confidence {origin.confidence}"))
    if service.note:
        out.print(Text(service.note))


@services.command()
@click.argument("address")
@more
def check(address: str, files: tuple[Path, ...]) -> None:
    """Whose mail from ADDRESS, or from a domain, would be taken to be. Exit code 1 where nobody is known.

    \b
    Example:
      mailwarden services check no-reply@mail.shopee.vn
    """
    catalogue = _catalogue(files)
    domain = domain_of(address) or address.lower().rstrip(".")
    known = catalogue.known(domain)
    out.print(Text(_told(domain, known, catalogue)))
    sys.exit(EX_OK if known or catalogue.is_official(domain) else EX_FAILED)


@services.command()
@config
@more
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day; thirty days ago if left out.")
@click.option("--least", default=1, show_default=True, help="Messages from which a domain is worth a line.")
@as_json
def suggest(config: Path, files: tuple[Path, ...], first: datetime | None, least: int, as_json: bool) -> None:
    """Domains whose sign-up mail came and that the catalogue does not know, as entries to put into it.

    \b
    Example:
      mailwarden services suggest -c gateway.yaml --least 3
    """
    today = datetime.now(UTC).astimezone(HOME_ZONE).date()
    span = span_of(first.date() if first else today - MONTH, today)
    catalogue = _catalogue(files)
    with err.status("reading the audit trail"):
        found = [
            each
            for each in strangers(trail_of(load_settings(config)).found(span, "signup"))
            if each.messages >= least and catalogue.known(each.domain) is None
        ]
    if as_json:
        for each in found:
            click.echo(json.dumps(_plain(each), ensure_ascii=False))
        return
    click.echo("# Look at each before you put it under `services:` of a file that `more_services` names.")
    for each in found:
        kinds = ", ".join(f"{kind} {count}" for kind, count in each.kinds.most_common())
        click.echo(f"  # {each.messages} to {len(each.recipients)} addresses, last {each.last:%Y-%m-%d}: {kinds}")
        click.echo(each.entry())


def _catalogue(files: tuple[Path, ...]) -> Catalogue:
    try:
        return read_catalogue((SHIPPED, *files))
    except ValueError as error:
        raise ConfigurationError((Problem(str(files[-1]) if files else str(SHIPPED), 1, 1, str(error)),)) from None


def _told(domain: str, known: Known | None, catalogue: Catalogue) -> str:
    if catalogue.is_official(domain):
        return f"{domain}: an official body; its mail is official use"
    if known is not None:
        service, origin = known.service, known.origin
        return f"{domain}: {service.name} ({known.id}), {service.category}; sends {origin.mail}, {origin.confidence}"
    if domain in catalogue.personal:
        return f"{domain}: a provider of private mailboxes; who writes from there is a person"
    return f"{domain}: not in the catalogue"


def _plain(each: Stranger) -> dict[str, object]:
    return {
        "domain": each.domain,
        "category": each.category,
        "mail": each.mail,
        "messages": each.messages,
        "recipients": len(each.recipients),
        "kinds": dict(each.kinds),
        "first": each.first.isoformat(),
        "last": each.last.isoformat(),
    }


def _table(*columns: str) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
