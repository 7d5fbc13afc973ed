"""Opens the stores of the embedded family in a folder, and closes them.

    FOLDER/mail/SHARD/ID.eml, ID.json   kept mail, the truth
    FOLDER/index-NUMBER.db              its index, made anew when it is lost
    FOLDER/trail.db, trail.head         the audit trail, and its head in a second place
    FOLDER/*.lock                       who has it open, and who writes
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import StoreUnavailable
from gateway.store.chain import Head
from gateway.store.codes import EmbeddedCodes
from gateway.store.files import Draft, MailFiles
from gateway.store.index import MailIndex
from gateway.store.locks import FileLock
from gateway.store.mail import EmbeddedMail
from gateway.store.pseudonyms import Pseudonyms
from gateway.store.threads import PATIENCE, Threads
from gateway.store.trail import EmbeddedTrail
from gateway.store.trail_file import TrailFile
from gateway.store.writer import Turn, Writer


@dataclass(frozen=True, slots=True)
class Stores:
    """Kept mail, the audit trail and the codes, open. Any number of processes may have the same folder open."""

    mail: EmbeddedMail
    trail: EmbeddedTrail
    codes: EmbeddedCodes
    threads: Threads
    locks: tuple[FileLock, ...]

    async def close(self) -> None:
        """Finish what was begun and let go of the files."""
        await asyncio.gather(self.mail.close(), self.trail.close())
        self.threads.close()
        for lock in self.locks:
            lock.close()


async def open_store(
    folder: Path, *, pseudonyms: Pseudonyms | None = None, head: Path | None = None, patience: float = PATIENCE
) -> Stores:
    """Open the stores in a folder, which is made if it is not there. Who is alone removes what crashes left behind.

    `head` is the second place of the trail's head, best on another disk; `patience` the seconds that a write waits for
    another process. Raises StoreUnavailable.
    """
    threads = Threads()
    try:
        files, locks = await threads.run(_folder, folder, patience)
    except (OSError, StoreUnavailable) as error:
        threads.close()
        raise StoreUnavailable(f"{folder} cannot be used: {error}") from error
    opened, writing_mail, writing_trail = locks
    index = MailIndex(folder, files, patience)
    file = TrailFile(folder / "trail.db", head or folder / "trail.head", patience)
    mail_writer = Writer[Draft](index.database, writing_mail, index, "mail")
    trail_writer = Writer[Head](file.database, writing_trail, file, "trail")
    stores = Stores(
        EmbeddedMail(files, index, mail_writer, threads),
        EmbeddedTrail(file, trail_writer, threads, pseudonyms),
        EmbeddedCodes(index.database, mail_writer, threads),
        threads,
        locks,
    )
    try:
        # Without a limit: an index made anew takes half a minute for each 100,000 messages.
        await trail_writer.mend(within=None)
        await mail_writer.mend(within=None)
        if opened.try_alone():
            await mail_writer.run(lambda turn: _tidy(files, index, turn), within=None)
        await threads.run(opened.share)
        stores.trail.begin()
    except BaseException:
        await stores.close()
        raise
    return stores


def _folder(folder: Path, patience: float) -> tuple[MailFiles, tuple[FileLock, FileLock, FileLock]]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    opened, mail, trail = (FileLock(folder / f"{name}.lock", patience) for name in ("open", "mail", "trail"))
    return MailFiles(folder / "mail"), (opened, mail, trail)


def _tidy(files: MailFiles, index: MailIndex, turn: Turn[Draft]) -> None:
    files.sweep()
    index.forget_unowned(turn.connection)
    index.adopt(turn.connection)
    index.sweep()
