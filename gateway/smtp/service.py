"""What one SMTP listener's sessions share, beyond what all front ends do: the next hop, TLS, whose word is believed."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from types import TracebackType

from gateway.handling import Reception
from gateway.origin import within
from gateway.smtp.reservation import Reservations


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
class Service(Reception):
    """Handed to each session by the server that accepted it.

    `turns` does for the pieces in which large messages come what `large` does for the whole ones.
    """

    reservations: Reservations
    tls: ssl.SSLContext | None = None
    turns: Turns = field(default_factory=lambda: Turns(4))

    def trusts(self, address: str) -> bool:
        """True if this peer is believed about other clients (XCLIENT, XFORWARD, PROXY, the topmost Received)."""
        return within(address, self.listener.trusted)
