"""The file of bypasses: written whole and at once, and not believed unless it is exactly what we write.

Who may write there may open the gate. So the file must be a plain one, of the service's own user or of root, closed to
all others; anything else is an error, and then nothing is suspended.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.bypass.model import TEXT_LIMIT, Bypass, as_text, from_text

NAME = "bypass.json"
LOCK = "bypass.lock"

OTHERS = stat.S_IRWXG | stat.S_IRWXO

Sign = tuple[int, int, int, int]
"""What changes with the file: its number, size, and when content and attributes changed."""


def sign_of(folder: Path) -> Sign | None:
    """What the file looks like from outside, None where there is none. Raises OSError."""
    try:
        seen = os.lstat(folder / NAME)
    except FileNotFoundError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def read(folder: Path) -> tuple[Bypass, ...]:
    """What is in the file, also what is over; nothing where there is none.

    Raises OSError, or ValueError for a file that is not as it must be.
    """
    try:
        # A link is not followed, and a pipe is not waited for.
        descriptor = os.open(folder / NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ()
    with open(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise ValueError("it is no plain file")
        if seen.st_uid not in (0, os.geteuid()):
            raise ValueError(f"it belongs to user {seen.st_uid}")
        if seen.st_mode & OTHERS:
            raise ValueError(f"it is open to others ({stat.filemode(seen.st_mode)})")
        return from_text(file.read(TEXT_LIMIT + 1))


def write(folder: Path, bypasses: Sequence[Bypass]) -> None:
    """Put this in the place of what is there; without bypasses there is no file. Raises OSError."""
    path = folder / NAME
    if bypasses:
        draft = path.with_name(f".{NAME}.draft")  # its writer has the lock
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            _give_to_owner(file.fileno(), folder)
            file.write(as_text(bypasses).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    else:
        path.unlink(missing_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Two who change the file do it one after the other. Raises OSError."""
    with open(os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "rb") as file:
        _give_to_owner(file.fileno(), folder)
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _give_to_owner(descriptor: int, folder: Path) -> None:
    """What root makes in the service's folder must be the service's, or the service could not read it."""
    if os.geteuid() == 0:
        owner = os.stat(folder)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
