"""Mail that the gateway keeps: a policy that keeps every second message, the commands, and what is in the store."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.keeping import KeptMail, Query, State
from gateway.store.open import open_store
from tests.reliability.process import ROOT
from tests.reliability.sink import identified

HALF = """version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - id: odd
    when: {header: {name: Message-ID, matches: "[13579]@example"}}
    then: quarantine
"""
"""Keeps the messages with odd numbers (`sink.py`) and lets the others pass."""


@dataclass(frozen=True)
class Told:
    """What a command came to."""

    code: int | None
    output: str
    errors: str


async def begun(folder: Path, *words: str) -> Process:
    """A process of `mailwarden WORDS -c gateway.yaml`."""
    command = (sys.executable, "-m", "gateway", *words, "-c", str(folder / "gateway.yaml"))
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE)


async def ended(process: Process, answer: bytes = b"") -> Told:
    """What it came to; `answer` is what a person types."""
    output, errors = await process.communicate(answer)
    return Told(process.returncode, output.decode(), errors.decode())


async def run(folder: Path, *words: str, answer: bytes = b"") -> Told:
    """Run `mailwarden WORDS` to its end."""
    return await ended(await begun(folder, *words), answer)


async def entries(folder: Path, *states: State) -> Sequence[KeptMail]:
    """What the store of the gateway in that folder has in these states, or in any."""
    stores = await open_store(folder / "state" / "store")
    try:
        return await stores.mail.find(Query(states=states, limit=1_000_000))
    finally:
        await stores.close()


async def contents_of(state: Path) -> list[tuple[int, str]]:
    """The number and digest of each message that waits in the store of that state folder, as `sink.py` knows them."""
    stores = await open_store(state / "store")
    try:
        waiting = await stores.mail.find(Query(states=(State.WAITING,), limit=1_000_000))
        found = [identified((await stores.mail.raw(each.id))[:]) for each in waiting]
    finally:
        await stores.close()
    assert None not in found
    return [each for each in found if each is not None]
