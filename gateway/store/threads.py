"""Blocking work of a store, done off the event loop and answered within a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from gateway.errors import StoreUnavailable

Args = ParamSpec("Args")
Result = TypeVar("Result")

WORKERS = 4
"""Threads: they wait for the disk most of the time, and four waits at once keep one disk busy."""

ANSWER_WITHIN = 15.0
"""Seconds for one answer of the store: a message is decided within 60, and a disk that hangs must not hold it longer.

It is three times PATIENCE: behind a write that waits for a lock, and again for its own.
"""

PATIENCE = 5.0
"""Seconds that a read or write waits for another process to let go of the file; peers' defaults are 5 to 30."""


class Threads:
    """A few threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="store")

    async def run(self, work: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
        """What `work` returns or raises. Raises StoreUnavailable if it takes too long; the work goes on unheard."""
        running = self._pool.submit(work, *args, **kwargs)
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                return await asyncio.wrap_future(running)
        except TimeoutError as error:
            raise StoreUnavailable("the disk does not answer in time") from error

    def close(self) -> None:
        """Take no more work; what runs is finished."""
        self._pool.shutdown(wait=False, cancel_futures=True)
