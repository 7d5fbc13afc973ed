"""What one listener's sessions share: its settings, the policy of the moment, the spool, the next hop, the counters."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import structlog

from gateway.config import Listener, ListenerDirection
from gateway.custody.custody import Custody
from gateway.limits import Limits
from gateway.mail import Direction, Mail
from gateway.notices.applied import Affair
from gateway.observer import Observer
from gateway.origin import within
from gateway.pipeline import OpenMail
from gateway.policy.model import Policy
from gateway.smtp.reservation import Reservations
from gateway.spool import Spool
from gateway.verdict import Verdict

log = structlog.get_logger()


class Turns(asyncio.Semaphore):
    """As many large pieces as may be worked on in one round of the event loop; the others wait for the next ones.

    A hundred clients who send large messages would else make rounds so long that every small message waits.
    """

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await asyncio.sleep(0)  # the turn lasts until the next round, however soon the work was done
        finally:
            self.release()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Handed to each session by the server that accepted it.

    `policy` gives the policy in force now: a session asks once a transaction, so a reload never splits one. `large`
    lets only a few large messages be read at once, so that small mail never waits behind them; `turns` does
    the same for the pieces in which they come. `announce` tells whom rules want told of a message.
    """

    listener: Listener
    limits: Limits
    hostname: str
    help_url: str
    deadline: float
    policy: Callable[[], Policy]
    spool: Spool
    reservations: Reservations
    custody: Custody
    remember: Callable[[Mail, Verdict], Awaitable[None]]
    announce: Callable[[Affair], Coroutine[Any, Any, None]]
    observer: Observer
    open_mail: OpenMail
    tls: ssl.SSLContext | None = None
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    turns: Turns = field(default_factory=lambda: Turns(4))
    errands: set[asyncio.Task[None]] = field(default_factory=set)

    def errand(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something after the client has its answer. Its trouble is logged; the sweep does it again."""
        task = asyncio.get_running_loop().create_task(_logged(work))
        self.errands.add(task)
        task.add_done_callback(self.errands.discard)

    def trusts(self, address: str) -> bool:
        """True if this peer is believed about other clients (XCLIENT, XFORWARD, PROXY, the topmost Received)."""
        return within(address, self.listener.trusted)

    @property
    def direction(self) -> Direction | None:
        """The listener's role, None where the organisation's domains and networks decide for each message."""
        role = self.listener.direction
        return None if role is ListenerDirection.BY_ORGANISATION else Direction(role.value)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("errand failed")
