"""`mailwarden held` and `mailwarden quarantine`: decide on what is kept, message by message or on all that are found.

Each act is done and told before the next is begun, a few at a time: who interrupts it knows what was done, an attempt
that is under way is brought to its end, and the rest waits as before.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from gateway.commands import kept
from gateway.commands.kept import actor, config, in_office, manual, query_of, search
from gateway.commands.terminal import EX_FAILED, EX_OK, as_json, err, progress
from gateway.errors import StoreUnavailable
from gateway.keeping import Kind, State

if TYPE_CHECKING:
    from gateway.custody.steps import Answer
    from gateway.office import Office

AT_ONCE = 8
"""Acts under way: the store writes what they take down together, and the next hop takes several messages at once."""

TROUBLES = 10
"""Acts in a row that the store refuses, after which the rest is not tried: each may take as long as a time-out."""

WITHOUT_EFFECT = ("deferred", "refused", "stopped", "unknown")
"""Acts that were done and have not come to what was wished (`custody/steps.py`)."""

ALL = 1_000_000_000
"""More messages than any store has."""

Decide = Callable[[str], Coroutine[Any, Any, "Answer"]]


def _with_acts(group: click.Group, kind: Kind) -> click.Group:
    _act(group, kind, "release", "Hand it on to its recipients now.")
    _act(group, kind, "delete", "Destroy it.")
    if kind is Kind.HELD:
        _act(group, kind, "approve", "Vote for it; the last vote that is needed hands it on.")
        _act(group, kind, "reject", "Send it back to its sender, with a reason.")
    _act(group, kind, "confirm", "Say that the next hop has a message of which that was not known.")
    _act(group, kind, "reopen", "Say that it has not: the message waits again.")
    return group


def _act(group: click.Group, kind: Kind, name: str, text: str) -> None:
    """Custody's method of that name as a command. Exit code 1 if it did not happen to one of the messages."""

    @click.argument("ids", metavar="[ID...]", nargs=-1)
    @config
    @as_json
    @actor
    @click.option("--comment", default="", help="What is said of it; a rejection needs it.")
    @search
    @click.option("--all", "everything", is_flag=True, help="All that wait, or all of these that are found.")
    @click.option("--yes", is_flag=True, help="Do not ask before deciding on all that are found.")
    def command(
        ids: tuple[str, ...], config: Path, as_json: bool, actor: str, comment: str, everything: bool, yes: bool,
        **asked: Any,
    ) -> None:  # fmt: skip
        if bool(ids) == (everything or any(asked.values())):
            raise click.UsageError("give the ids of messages, or say by options which messages (--all: all that wait)")
        if not ids:
            states = (State.RELEASING,) if name in ("confirm", "reopen") else (State.WAITING,)
            found = in_office(config, lambda office: office.stores.mail.find(query_of(kind, states, ALL, asked)))
            ids = tuple(each.id for each in reversed(found))
            if not yes and ids:
                click.confirm(f"{name} {len(ids):,} messages?", abort=True, err=True)

        async def work(office: Office) -> int:
            decide = getattr(office.custody, name)
            return await _do(name, ids, lambda id: decide(id, actor, comment), as_json)

        done = in_office(config, work) if ids else 0
        if len(ids) != 1:
            err.print(f"{name}: done to {done:,} of {len(ids):,} messages", markup=False, highlight=False)
        sys.exit(EX_OK if done == len(ids) else EX_FAILED)

    example = f"{group.name} {name} -c gateway.yaml --as an@example.gov.vn"
    help = manual(text, f"{example} ID\n  mailwarden {example} --rule spam --until 2026-11-24")
    group.command(name, help=help)(command)


async def _do(name: str, ids: Sequence[str], decide: Decide, as_json: bool) -> int:
    """Decide on each and tell what came of it; to how many it happened. SIGINT ends it behind those under way.

    Raises StoreUnavailable where the store does not answer.
    """
    # A progress bar takes what is written to the terminal; it must not take what goes to a file.
    told: TextIO | None = None if sys.stdout.isatty() else sys.stdout
    done = troubles = 0
    loop, interrupted = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGINT, interrupted.set)
    async for id, answer in _answers(_until(interrupted, progress(name, len(ids))(ids)), decide):
        trouble = answer if isinstance(answer, StoreUnavailable) else None
        act, reason = (None, str(answer)) if isinstance(answer, StoreUnavailable) else (answer.act, answer.reason)
        if as_json:
            click.echo(json.dumps({"id": id, "done": act, "reason": reason}, ensure_ascii=False), told)
        else:
            click.echo(f"{id}: {act or 'nothing done'}{f': {reason}' if reason else ''}", told)
        done += act is not None and act not in WITHOUT_EFFECT
        troubles = troubles + 1 if trouble else 0
        if trouble and (troubles == TROUBLES or len(ids) == 1):
            raise trouble
    loop.remove_signal_handler(signal.SIGINT)
    return done


def _until(interrupted: asyncio.Event, ids: Iterable[str]) -> Iterator[str]:
    for id in ids:
        if interrupted.is_set():
            return
        yield id


async def _answers(ids: Iterable[str], decide: Decide) -> AsyncIterator[tuple[str, Answer | StoreUnavailable]]:
    """Each id with what came of it, in their order; a few are under way at once."""
    under_way: deque[tuple[str, asyncio.Task[Answer]]] = deque()
    for id in ids:
        if len(under_way) == AT_ONCE:
            yield await _came(*under_way.popleft())
        under_way.append((id, asyncio.create_task(decide(id))))
    while under_way:
        yield await _came(*under_way.popleft())


async def _came(id: str, task: asyncio.Task[Answer]) -> tuple[str, Answer | StoreUnavailable]:
    try:
        return id, await task
    except StoreUnavailable as error:
        return id, error


held = _with_acts(kept.held, Kind.HELD)
quarantine = _with_acts(kept.quarantine, Kind.QUARANTINED)
