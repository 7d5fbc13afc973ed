"""Locks between processes that open the same store: flock(2), which the kernel lets go when a process dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.errors import StoreUnavailable

POLL = 0.001
"""Seconds between two tries: flock has no time-out of its own, and a batch takes a few of these."""


class FileLock:
    """One lock file. Each object has a descriptor of its own, so two in one process exclude each other too."""

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_alone(self) -> bool:
        """Take it exclusively if nobody else has it."""
        with suppress(BlockingIOError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def share(self) -> None:
        """Take it together with others, or make an exclusive lock a shared one. Raises StoreUnavailable."""
        self._wait(fcntl.LOCK_SH)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have it exclusively for a while. Raises StoreUnavailable when others keep it too long."""
        self._wait(fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def _wait(self, kind: int) -> None:
        until = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    raise StoreUnavailable(f"{self._path.name} is held by another process") from error
            time.sleep(POLL)
