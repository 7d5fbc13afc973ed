"""The embedded destination: each message a file in a maildir (https://cr.yp.to/proto/maildir.html).

For a site without a mail server behind the gateway. The file before is `gateway/smtp/hop.py`.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.errors import HopError
from gateway.mail import Raw, Recipient, Span, Transaction
from gateway.reply import BAD_ADDRESS, HOP_LOST, NO_ROOM, RECIPIENT_OK, TAKEN, TROUBLE, Reply
from gateway.smtp.dots import slices

_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # would begin another header line, or is no UTF-8
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class MaildirHop:
    """A maildir, made at the first message where it is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, transaction: Transaction) -> MaildirDelivery:
        """A delivery for this transaction. Nothing is written yet."""
        return MaildirDelivery(self._path, transaction)

    async def close(self) -> None:
        """Nothing is kept open."""


class MaildirDelivery:
    """One message. The file is byte for byte the message, below a Return-Path and a Delivered-To per recipient."""

    def __init__(self, path: Path, transaction: Transaction) -> None:
        self.accepted: tuple[Recipient, ...] = ()
        self._path = path
        self._sender = transaction.envelope.sender
        self._over = False

    async def add(self, recipients: Sequence[Recipient]) -> list[Reply]:
        """Takes every recipient that can stand in a header line."""
        if self._over:
            raise HopError(HOP_LOST, kind="closed", detail="the delivery is over")
        good = [not _CONTROL.search(self._sender + recipient.address) for recipient in recipients]
        self.accepted += tuple(recipient for recipient, fine in zip(recipients, good, strict=True) if fine)
        return [RECIPIENT_OK if fine else BAD_ADDRESS for fine in good]

    async def send(self, raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
        """TAKEN once the message is on stable storage, NO_ROOM where the disk is full; HopError for other trouble.

        A cancelled call may still store the message: the thread that writes it runs on.
        """
        if not self.accepted or self._over:
            raise ValueError("no recipient was accepted")
        self._over = True
        lines = [f"Return-Path: <{self._sender}>", *(f"Delivered-To: {one.address}" for one in self.accepted), ""]
        head = "\r\n".join(lines).encode()
        try:
            await asyncio.to_thread(store, self._path, slices(raw, [head, *pieces]))
        except OSError as error:
            if error.errno in _NO_ROOM:
                return NO_ROOM
            raise HopError(TROUBLE, kind="unreachable", detail=str(error)) from error
        return TAKEN

    async def abandon(self) -> None:
        """Nothing was written."""
        self._over = True


def store(maildir: Path, blocks: Iterator[bytes]) -> Path:
    """Writes one message and returns its file in new/, which is complete and on stable storage. Raises OSError.

    The file gets its name in new/ only when its content is safe, and the call returns only when the name is too. Where
    that fails the message counts as not stored, and no file is left.
    """
    prepare(maildir)
    name = unique_name()
    draft, final = maildir / "tmp" / name, maildir / "new" / name
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            for block in blocks:
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(final)
        sync_folder(final.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        final.unlink(missing_ok=True)
        raise
    return final


def prepare(maildir: Path) -> None:
    """Makes the folders of a maildir that are missing. Raises OSError."""
    for folder in (maildir, maildir / "tmp", maildir / "new", maildir / "cur"):
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Puts the names in a folder on stable storage. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unique_name() -> str:
    """Time, chance and host, as the maildir page asks; chance alone makes it unique, whatever the clock does."""
    host = socket.gethostname().replace("/", "\\057").replace(":", "\\072")
    return f"{int(time.time())}.R{secrets.token_hex(12)}P{os.getpid()}.{host}"
