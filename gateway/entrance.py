"""Takes connections from a listening socket, which other processes may share, as fast as they can be served.

Whoever is not let in yet (`intake.py`) waits in the queue, for this process or another that has time. When the queue
does not empty any more (`rush.py`), the rest of it is told so at once, for the price of three system calls each.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import Callable

import structlog

from gateway.intake import Intake
from gateway.rush import Rush

FEW = 16
"""Connections let in in one round of the event loop: who is first leaves some to the others."""

MANY = 4096
"""Connections turned away in one round: as many as may wait (`sockets.BACKLOG`)."""

PAUSE = 0.05
"""Seconds until the next look at the queue where nobody more may come now, or the system has no descriptor or memory
for one more connection."""

NO_MEANS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What accept(2) says then."""

log = structlog.get_logger()


class Entrance:
    """An open door. `factory` makes the protocol of each connection; `refuse` says a last word to those who are too
    many."""

    def __init__(
        self,
        listening: socket.socket,
        factory: Callable[[], asyncio.BaseProtocol],
        intake: Intake,
        refuse: Callable[[socket.socket], None],
    ) -> None:
        self._listening = listening
        self._factory = factory
        self._intake = intake
        self._refuse = refuse
        self._rush = Rush(time.monotonic())
        self._beginning: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._open()

    def close(self) -> None:
        """Take no more. Who waits in the queue waits for the other processes that share the socket, if there are any;
        it is closed in this one."""
        asyncio.get_running_loop().remove_reader(self._listening)
        if self._pause is not None:
            self._pause.cancel()
        self._listening.close()

    def _open(self) -> None:
        self._pause = None
        asyncio.get_running_loop().add_reader(self._listening, self._take)

    def _take(self) -> None:
        now = time.monotonic()
        for _ in range(FEW):
            if not self._intake.admits(now):
                self._rest(now)
                return
            if (taken := self._accepted()) is None:
                self._rush.emptied(now)
                return
            self._begin(taken)

    def _rest(self, now: float) -> None:
        """Those who may not come now: they wait, or hear that they are too many."""
        if not self._rush.stands(now):
            self._wait()
            return
        for _ in range(MANY):
            if (taken := self._accepted()) is None:
                return
            with contextlib.suppress(OSError), taken:
                self._refuse(taken)

    def _accepted(self) -> socket.socket | None:
        """The next in the queue; None if there is nobody, or nobody can be taken."""
        while True:
            try:
                taken, _ = self._listening.accept()
            except ConnectionAbortedError:  # its client has gone: accept(2)
                continue
            except BlockingIOError:
                return None
            except OSError as error:
                log.error("connection not taken", reason=str(error))
                if error.errno in NO_MEANS:
                    self._wait()
                return None
            taken.setblocking(False)
            return taken

    def _begin(self, taken: socket.socket) -> None:
        task = asyncio.get_running_loop().create_task(_connected(self._factory, taken))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listening)
        self._pause = loop.call_later(PAUSE, self._open)


async def _connected(factory: Callable[[], asyncio.BaseProtocol], taken: socket.socket) -> None:
    """Make a transport of the connection. Its client may have gone by now."""
    try:
        await asyncio.get_running_loop().connect_accepted_socket(factory, taken)
    except OSError:
        taken.close()
