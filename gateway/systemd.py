"""What systemd and we tell each other: the sockets that it opened for us, that we are ready, that we are alive.

Protocols: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3). Without systemd nothing of this happens. What it says
is in environment variables, which are removed once they are read: our children are not meant.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable

FIRST = 3
"""The number of the first descriptor that is handed over: SD_LISTEN_FDS_START."""

LINGER = 2.0
"""Seconds that sessions may go on at a stop where systemd has the sockets: a client that is about to hand in a message
is not cut off, and those who wait in the queue meanwhile do not notice."""

ROUNDS_OF_WATCHDOG = 3
"""How often it hears of us in the time within which it must (sd_watchdog_enabled(3) recommends two at the least)."""


def inherited() -> list[tuple[str, socket.socket]]:
    """The listening sockets that systemd opened for this process, each with the name that its unit gives it ("" for
    none). A second call finds none. Raises OSError for a descriptor that is no socket."""
    count, names = _taken("LISTEN_FDS"), _taken("LISTEN_FDNAMES")
    if _taken("LISTEN_PID") != str(os.getpid()) or not count.isdigit():
        return []
    named = names.split(":") if names else []
    found = []
    for number in range(int(count)):
        os.set_inheritable(FIRST + number, False)
        listening = socket.socket(fileno=FIRST + number)
        found.append((named[number] if number < len(named) else "", listening))
    return found


class Notifier:
    """Tells systemd how we are. `watchdog` is within how many seconds it must hear that we are alive, 0 for never."""

    def __init__(self) -> None:
        self._address = _taken("NOTIFY_SOCKET")
        microseconds, whose = _taken("WATCHDOG_USEC"), _taken("WATCHDOG_PID")
        ours = microseconds.isdigit() and whose in ("", str(os.getpid()))
        self.watchdog = int(microseconds) / 1e6 if ours else 0.0

    def ready(self, status: str) -> None:
        """Mail is taken, from now on or again; `status` is for people."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """The policy is being loaded; `ready` says when it is in force. The clock's reading is what
        `Type=notify-reload` wants."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str) -> None:
        """The end has begun."""
        self._tell("STOPPING=1", f"STATUS={status}")

    def alive(self) -> None:
        """We are not stuck."""
        self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """What we are doing, for people."""
        self._tell(f"STATUS={text}")

    def _tell(self, *lines: str) -> None:
        """Send it off, or lose it: mail does not wait for whoever may not be listening."""
        if self._address:
            # An address that begins with "@" is an abstract one: unix(7).
            address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
                sending.setblocking(False)
                sending.sendto("\n".join(lines).encode(), address)


@contextlib.asynccontextmanager
async def watched(notifier: Notifier, stuck: Callable[[], str]) -> AsyncIterator[None]:
    """Tell systemd's watchdog that we are alive, as long as the event loop runs and `stuck` says nothing."""

    async def tell() -> None:
        while True:
            if not stuck():
                notifier.alive()
            await asyncio.sleep(notifier.watchdog / ROUNDS_OF_WATCHDOG)

    task = asyncio.create_task(tell(), name="watchdog") if notifier.watchdog else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()


def _taken(name: str) -> str:
    return os.environ.pop(name, "")
