"""Notices that wait to be sent: what an outbox promises. `outbox_folder.py` keeps a file for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

MOST_WAITING = 10_000
"""Notices that wait: at about 10 kB each no more than 100 MB, whatever a flood brings."""

BATCH = 100
"""Notices taken out at once."""

REMEMBERED = timedelta(days=7)
"""How long the id of what was sent is known, so that a process that starts anew does not tell it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notice as it is to be sent: `id` is `Notice.id`, `created` an aware datetime."""

    id: str
    kind: str
    to: str
    created: datetime
    message: bytes


class Outbox(Protocol):
    """Letters on their way. What `put` has returned from survives a crash and a power cut, until it is `done`.

    Every method raises StoreUnavailable where the store cannot be used.
    """

    async def put(self, letter: Letter) -> bool:
        """Keep it, due at once; False if this id waits already or was done within `REMEMBERED`.

        Raises StoreUnavailable also where `MOST_WAITING` wait.
        """
        ...

    async def due(self, now: datetime) -> Sequence[Letter]:
        """Letters whose time has come, `BATCH` at most, the longest due first; none while another process sends."""
        ...

    async def failed(self, id: str, again: datetime) -> None:
        """It was not sent; it is due again then."""
        ...

    async def done(self, id: str) -> None:
        """Its way is over: it is not due again, and its id is remembered."""
        ...

    async def close(self) -> None:
        """End the store's work; another process may send then."""
        ...
