"""`mailwarden learn`: show the spam filter mails that are spam, or that are not."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import click

from gateway import replay
from gateway.commands.terminal import EX_FAILED, EX_OK, EX_UNAVAILABLE, progress
from gateway.errors import Unavailable
from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.mail import Mail
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.specimen import specimen

BATCH = 200
"""Mails that are learned in one step: after a crash all steps that were done are kept."""

PATIENCE = 60.0
"""Seconds for the opening of one mail, as in the gateway."""


class Learnt(Protocol):
    """What came of some mails."""

    @property
    def new(self) -> int:
        """Mails the filter had not learned."""
        ...

    @property
    def changed(self) -> int:
        """Mails it had learned as the other kind."""
        ...

    @property
    def known(self) -> int:
        """Mails it had learned as this kind."""
        ...


@runtime_checkable
class Learner(Protocol):
    """A filter that learns from examples."""

    def learn(self, mails: Iterable[Mail], kind: Literal["spam", "ham"]) -> Learnt:
        """Take the mails, which have been read, as examples. Raises ValueError, OSError."""
        ...


@click.command("learn")
@click.argument("kind", type=click.Choice(["spam", "ham"]))
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "-p",
    "--policy",
    "policy_path",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The policy whose spam filter learns; its option `learned` names the file.",
)
def learn(kind: Literal["spam", "ham"], paths: tuple[Path, ...], policy_path: Path) -> None:
    """Show the spam filter mails: files, folders of them, mbox files. A mail counts once; shown later as the other kind
    it changes sides. A running gateway takes what was learned into account with its next message.

    \b
    Examples:
      mailwarden learn -p policy.yaml spam /var/mail/junk.mbox
      mailwarden learn -p policy.yaml ham Maildir/cur letter.eml
    """
    policy = load(policy_path)
    learners = [(name, each) for name, each in policy.filters.items() if isinstance(each, Learner)]
    if not learners:
        raise click.UsageError(f"{policy_path} has no filter that learns: name filters.spam with the option learned")
    unread = 0
    for name, learner in learners:
        found = (message for path in paths for message in replay.messages(path))
        try:
            unread += asyncio.run(_taught(policy, name, learner, kind, found))
        except (ValueError, OSError) as error:
            click.echo(f"mailwarden: {name}: {error}", err=True)
            sys.exit(EX_UNAVAILABLE)
    sys.exit(EX_FAILED if unread else EX_OK)


async def _taught(
    policy: Policy, name: str, learner: Learner, kind: Literal["spam", "ham"], found: Iterator[tuple[str, bytes]]
) -> int:
    """Tells what was learned. The number of mails that could not be read."""
    new = changed = known = unread = 0
    async with Opener(FileReading()) as opener:
        messages = iter(progress("messages")(found))
        while batch := list(islice(messages, BATCH)):
            mails = [mail async for mail in _opened(policy, opener, batch)]
            learnt = learner.learn(mails, kind)
            new, changed, known = new + learnt.new, changed + learnt.changed, known + learnt.known
            unread += len(batch) - len(mails)
    click.echo(
        f"{name}: {new} learned as {kind}, {changed} changed sides, {known} known already"
        + (f", {unread} could not be read" if unread else "")
    )
    return unread


async def _opened(policy: Policy, opener: Opener, batch: Iterable[tuple[str, bytes]]) -> AsyncIterator[Mail]:
    for name, raw in batch:
        mail = specimen(policy, raw)
        try:
            deadline = asyncio.get_running_loop().time() + PATIENCE
            yield replace(mail, opened=await opener.open(mail, deadline=deadline))
        except Unavailable as error:
            click.echo(f"mailwarden: {name}: {error}", err=True)
