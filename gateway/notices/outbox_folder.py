"""An outbox in a folder: `waiting/ID` are letters, whose modification time says when they are due; `sent/ID` are empty.

A letter waits from the instant at which it has its name on stable storage; until then it is a draft, and a crash loses
what nobody was promised. It is sent again only if the crash comes between the next hop's answer and `done`.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from gateway.errors import StoreUnavailable
from gateway.notices.outbox import BATCH, MOST_WAITING, REMEMBERED, Letter

STALE = timedelta(hours=1)
"""Age at which a draft belongs to no process that is still writing it; and how often the folders are swept."""

P = ParamSpec("P")
R = TypeVar("R")

_ID = re.compile(r"[0-9a-f]{40}")

log = structlog.get_logger()


class FolderOutbox:
    """Several processes may put; the one that has the lock sends. Raises OSError if the folder cannot be made."""

    def __init__(self, folder: Path) -> None:
        self._waiting, self._sent, self._drafts = (folder / name for name in ("waiting", "sent", "drafts"))
        for each in (folder, self._waiting, self._sent, self._drafts):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(each.parent)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._alone = False
        self._swept: datetime | None = None

    async def put(self, letter: Letter) -> bool:
        """Write, sync, give it its name, sync the folder. Raises ValueError for an id that may name no file."""
        return await _in_thread(self._put, letter)

    async def due(self, now: datetime) -> Sequence[Letter]:
        """Read those whose time has come; none while another process has the lock."""
        return await _in_thread(self._due, now)

    async def failed(self, id: str, again: datetime) -> None:
        """Set its time. A power cut may forget it, and then it is tried sooner."""
        await _in_thread(self._failed, id, again)

    async def done(self, id: str) -> None:
        """Move it to what is sent, and empty it: it may hold a code."""
        await _in_thread(self._done, id)

    async def close(self) -> None:
        """Give up the lock. Nothing may be called after."""
        os.close(self._lock)

    def _put(self, letter: Letter) -> bool:
        if not _ID.fullmatch(letter.id):
            raise ValueError(f"{letter.id!r} is not an id")
        if (self._sent / letter.id).exists():
            return False
        if sum(1 for _ in os.scandir(self._waiting)) >= MOST_WAITING:
            raise StoreUnavailable(f"{MOST_WAITING} notices wait already")
        draft = self._drafts / f"{letter.id}.{secrets.token_hex(4)}"
        try:
            _write(draft, _content(letter))
            os.utime(draft, (letter.created.timestamp(),) * 2)
            os.link(draft, self._waiting / letter.id)  # unlike a rename it never takes another's place
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        _sync(self._waiting)
        return True

    def _due(self, now: datetime) -> list[Letter]:
        if not self._may_send():
            return []
        if self._swept is None or abs(now - self._swept) >= STALE:
            self._sweep(now)
        names = [entry for entry in os.scandir(self._waiting) if _ID.fullmatch(entry.name)]
        ready = sorted((due, entry.name) for entry in names if (due := entry.stat().st_mtime) <= now.timestamp())
        return [letter for _, id in ready[:BATCH] for letter in self._read(id)]

    def _read(self, id: str) -> Iterator[Letter]:
        try:
            yield _letter(id, (self._waiting / id).read_bytes())
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            log.error("notice cannot be read and is given up", notice=id, problem=str(error))
            self._done(id)

    def _failed(self, id: str, again: datetime) -> None:
        with suppress(FileNotFoundError):
            os.utime(self._waiting / id, (again.timestamp(),) * 2)

    def _done(self, id: str) -> None:
        with suppress(FileNotFoundError):
            due = os.stat(self._waiting / id).st_mtime
            os.rename(self._waiting / id, self._sent / id)
            os.truncate(self._sent / id, 0)
            os.utime(self._sent / id, (due, due))
        _sync(self._sent)
        _sync(self._waiting)

    def _may_send(self) -> bool:
        if not self._alone:
            with suppress(BlockingIOError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._alone = True
        return self._alone

    def _sweep(self, now: datetime) -> None:
        for folder, age in ((self._sent, REMEMBERED), (self._drafts, STALE)):
            for entry in os.scandir(folder):
                with suppress(FileNotFoundError):
                    if now.timestamp() - entry.stat().st_mtime > age.total_seconds():
                        os.unlink(entry.path)
        self._swept = now


async def _in_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except OSError as error:
        raise StoreUnavailable(f"the disk: {error.strerror or error}") from error


def _content(letter: Letter) -> bytes:
    """One line of JSON, then the message."""
    about = {"kind": letter.kind, "to": letter.to, "created": letter.created.astimezone(UTC).isoformat()}
    return json.dumps(about).encode() + b"\n" + letter.message


def _letter(id: str, content: bytes) -> Letter:
    head, _, message = content.partition(b"\n")
    about = json.loads(head)
    created = datetime.fromisoformat(about["created"])
    return Letter(id=id, kind=about["kind"], to=about["to"], created=created, message=message)


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
