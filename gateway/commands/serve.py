"""The command `serve`: the gateway as a service, in one process or several."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from pathlib import Path

import click
import uvloop

from gateway import logs
from gateway.commands.terminal import EX_CONFIG, EX_UNAVAILABLE
from gateway.config import Settings, load_settings
from gateway.errors import ConfigurationError, StoreUnavailable
from gateway.systemd import LINGER, Notifier, inherited

MOST_WORKERS = 64
"""More cores than a mail relay has; the stores have one writer at a time, whose turn they all wait for."""

CONFIG = click.option(
    "-c",
    "--config",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The service settings, gateway.yaml.",
)


@click.command()
@CONFIG
@click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    default=1,
    show_default=True,
    help="Processes that take mail, best one for each core; more than one are looked after by a supervisor.",
)
def serve(config: Path, workers: int) -> None:
    """Run the gateway.

    SIGTERM drains and stops; SIGHUP reloads the policy (it is also reloaded when its files change). With several
    workers SIGUSR2 replaces them one after the other, with the settings and the program that are installed now, and
    refuses nobody meanwhile; one that dies or hangs is replaced too.

    Started by systemd it says when it is ready, reloading and stopping (Type=notify-reload), serves its watchdog, and
    takes the sockets of a socket unit, by the listener's name (FileDescriptorName=) or by address. Then a stop and
    start keeps clients waiting for a moment and refuses nobody.

    \b
    Examples:
      mailwarden serve -c /etc/mailwarden/gateway.yaml
      mailwarden serve -c /etc/mailwarden/gateway.yaml --workers 4
    """
    settings = load_settings(config)
    notifier = Notifier()
    logs.configure(settings.log.level, settings.log.format)
    logs.settle()
    _take_all_descriptors()
    try:
        if workers > 1:
            from gateway.supervisor import supervise

            sys.exit(asyncio.run(supervise(config, settings, workers, inherited(), notifier)))
        _serve_alone(settings, notifier)
    except OSError as error:
        click.echo(f"mailwarden: cannot start: {error}", err=True)
        sys.exit(EX_UNAVAILABLE)


def _serve_alone(settings: Settings, notifier: Notifier) -> None:
    from gateway import alone  # its libraries take a second that other commands, and a supervisor, need not wait
    from gateway.app import Gateway
    from gateway.policy.load import load
    from gateway.sockets import open_sockets

    policy = load(settings.policy)
    given = inherited()
    gateway = Gateway(settings, policy, sockets=open_sockets(settings, given))
    uvloop.run(alone.serve(gateway, notifier, LINGER if given else 0.0))


@click.command(hidden=True)
@CONFIG
@click.option("--workers", type=int, required=True)
@click.option("--channel", type=int, required=True, help="The descriptor of the way to the supervisor.")
def worker(config: Path, workers: int, channel: int) -> None:
    """One of several workers: `serve --workers` starts it, nobody else can.

    \b
    Example:
      mailwarden worker -c /etc/mailwarden/gateway.yaml --workers 4 --channel 7
    """
    from gateway import worker

    _take_all_descriptors()
    way = socket.socket(fileno=channel)
    try:
        worker.run(config, workers, way)
    except ConfigurationError as error:
        worker.refused(way, [str(problem) for problem in error.problems])
        sys.exit(EX_CONFIG)
    except (OSError, StoreUnavailable) as error:
        worker.refused(way, [f"mailwarden: cannot start: {error}"])
        sys.exit(EX_UNAVAILABLE)


def _take_all_descriptors() -> None:
    """Every session has a socket: use as many as the system grants, not the lower number it begins with."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
