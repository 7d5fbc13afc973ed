"""The files of kept mail: for each message its bytes, ID.eml, and its entry with all steps, ID.json.

These are the truth; the index can be made anew from them. A message is kept from the instant at which its ID.json has
its name on stable storage. Until then there are drafts (`*.tmp`), which whoever opens the store alone removes.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import StoreUnavailable
from gateway.keeping import KeptMail
from gateway.mail import Raw
from gateway.store.database import sync_folder
from gateway.store.entry import file_bytes

ID = re.compile(r"[0-9A-Za-z]{1,64}")
"""What an id may be: it names files, so no dot, no slash, nothing that a file system reads in its own way."""

SHARD = 5
"""Letters of the id that name its folder: ids begin with the time, so one folder is filled for about nine hours, and
the messages of one batch share an fsync of it."""

BLOCK = 1024 * 1024
"""Bytes read and written at once."""


def valid_id(id: str) -> bool:
    """True for an id that may name a file."""
    return ID.fullmatch(id) is not None


@dataclass(frozen=True, slots=True)
class Draft:
    """A file whose content is on stable storage and whose name is not its own yet."""

    path: Path
    name: Path


class MailFiles:
    """A folder of kept mail. Methods raise OSError as the disk does, unless they say more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._durable: set[Path] = set()
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)

    def draft(self, kept: KeptMail, raw: Raw) -> list[Draft]:
        """The message and its entry, written and synced, to be published together.

        Raises StoreUnavailable, and leaves nothing, if the disk refuses, if there is such a message, or if the bytes
        are not those that the entry describes.
        """
        shard = self._shard(kept.id)
        message = Draft(shard / f"{kept.id}.eml.tmp", shard / f"{kept.id}.eml")
        try:
            self._make(shard)
            descriptor = _create(message.path)  # exclusive: whoever else keeps this id now is refused
        except FileExistsError as error:
            raise StoreUnavailable(f"{kept.id} is being kept") from error
        except OSError as error:
            raise StoreUnavailable(f"the disk: {error.strerror}") from error
        try:
            if message.name.exists() or self._entry(kept.id).exists():
                raise StoreUnavailable(f"{kept.id} is kept already")
            digest = _write(descriptor, (raw[at : at + BLOCK] for at in range(0, len(raw), BLOCK)))
            if (digest, len(raw)) != (kept.digest, kept.size):
                raise StoreUnavailable(f"the bytes of {kept.id} are not what its entry says")
            return [message, self.draft_entry(kept.id, file_bytes(kept, ()))]
        except (OSError, StoreUnavailable) as error:
            self.withdraw([message])
            if isinstance(error, OSError):
                raise StoreUnavailable(f"the disk: {error.strerror or error}") from error
            raise

    def draft_entry(self, id: str, content: bytes) -> Draft:
        """A new entry for a message, written and synced."""
        name = self._entry(id)
        draft = Draft(name.with_suffix(f".json.{secrets.token_hex(4)}.tmp"), name)
        descriptor = _create(draft.path)
        try:
            _write(descriptor, [content])
        except OSError:
            self.withdraw([draft])
            raise
        return draft

    def publish(self, drafts: Iterable[Draft]) -> None:
        """Give drafts their names, in order and for good; each folder is synced once."""
        folders = set()
        for draft in drafts:
            draft.path.rename(draft.name)
            folders.add(draft.name.parent)
        for folder in folders:
            sync_folder(folder)

    def withdraw(self, drafts: Iterable[Draft]) -> None:
        """Remove drafts. Never raises: what stays is removed by the next one who opens the store alone."""
        for draft in drafts:
            with suppress(OSError):
                draft.path.unlink(missing_ok=True)

    def entry(self, id: str) -> bytes:
        """The entry's file."""
        return self._entry(id).read_bytes()

    def read(self, id: str, digest: str) -> bytes:
        """The message. It is all read before it is returned, so what was checked is what is used.

        Raises StoreUnavailable where it is gone or is not what it was.
        """
        try:
            content = self._message(id).read_bytes()
        except FileNotFoundError as error:
            raise StoreUnavailable(f"the bytes of {id} are gone") from error
        except OSError as error:
            raise StoreUnavailable(f"the disk: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreUnavailable(f"the bytes of {id} are not what they were")
        return content

    def wipe(self, id: str) -> None:
        """Overwrite the message and remove it, for good; nothing if it is gone.

        Overwriting reaches the blocks on ordinary disks; a copying file system or an SSD may keep old ones, which only
        disk encryption answers.
        """
        message = self._message(id)
        with suppress(FileNotFoundError):
            descriptor = os.open(message, os.O_WRONLY | os.O_CLOEXEC)
            size = os.fstat(descriptor).st_size
            _write(descriptor, (bytes(min(BLOCK, size - at)) for at in range(0, size, BLOCK)))
            message.unlink()
            sync_folder(message.parent)

    def remove(self, id: str) -> None:
        """Remove a message and its entry, the entry first: it is what makes the message kept."""
        for path in (self._entry(id), self._message(id), self._message(id).with_suffix(".eml.tmp")):
            path.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            sync_folder(self._shard(id))

    def ids(self) -> Iterator[str]:
        """The ids of all kept messages."""
        for shard in os.scandir(self.folder):
            if shard.is_dir(follow_symlinks=False):
                for file in os.scandir(shard):
                    id, suffix = os.path.splitext(file.name)
                    if suffix == ".json" and valid_id(id):
                        yield id

    def sweep(self) -> None:
        """Remove what never became kept mail: drafts, and messages without an entry. Only for who is alone."""
        kept = set(self.ids())
        for path in [*self.folder.glob("*/*.tmp"), *self.folder.glob("*/*.eml")]:
            if path.suffix == ".tmp" or path.stem not in kept:
                path.unlink()

    def _make(self, shard: Path) -> None:
        if shard not in self._durable:
            shard.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self.folder)
            self._durable.add(shard)

    def _shard(self, id: str) -> Path:
        if not valid_id(id):
            raise ValueError(f"{id!r} is not an id")
        return self.folder / id[:SHARD]

    def _entry(self, id: str) -> Path:
        return self._shard(id) / f"{id}.json"

    def _message(self, id: str) -> Path:
        return self._shard(id) / f"{id}.eml"


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _write(descriptor: int, blocks: Iterable[bytes]) -> str:
    """Write, sync, close; the SHA-256 of what was written.

    A failed fsync is final: the kernel may have dropped the pages and would call a second one a success
    (https://lwn.net/Articles/752063/).
    """
    digest = hashlib.sha256()
    try:
        for block in blocks:
            digest.update(block)
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return digest.hexdigest()
