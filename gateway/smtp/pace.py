"""How long a client may keep us waiting: what the server's sweep looks at, once a second, over all sessions.

One sweep over plain numbers instead of a timer for every wait: a session costs nothing while it waits, and when the
server is under stress the patience with all of them ends at once. Under stress it is not renewed by commands that
bring no mail forward: NOOP every second is no reason to keep a place.
"""

from __future__ import annotations

import time

from gateway.limits import Limits

STRESS_SESSIONS = 200
"""Open sessions from which on patience is short. Postfix shortens its own in the same way when its slots run out."""

STRESS_LASTS = 60.0
"""Seconds that stress outlasts its cause: else the last STRESS_SESSIONS of an attack would get our full patience."""

STRESS_TIMEOUT = 10.0
"""Seconds of patience under stress: Postfix's `smtpd_timeout` under stress."""


class Pace:
    """The clock of one session. The session says what it is doing; `overdue` says whether that takes too long."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._since = self._forward = time.monotonic()
        self._allowed: float = limits.command_timeout
        self._ends = self._since + limits.session_timeout
        self._receiving_since = 0.0
        self._received = 0

    def command(self) -> None:
        """Waiting for the client's next command, or for it to read our reply."""
        self._receiving_since = 0.0
        self._since = time.monotonic()
        if self._allowed == float("inf"):
            self._forward = self._since
        self._allowed = self._limits.command_timeout

    def only(self, seconds: float) -> None:
        """Waiting for something that must come at once (the PROXY header, a TLS handshake)."""
        self._since = self._forward = time.monotonic()
        self._allowed = seconds

    def waiting(self, received: int) -> None:
        """Waiting for more of the content; so many of its bytes have come."""
        self._since = time.monotonic()
        self._receiving_since = self._receiving_since or self._since
        self._received = received
        self._allowed = self._limits.command_timeout

    def working(self) -> None:
        """The client waits for us: it cannot be late, not even by the session's end (RFC 5321 section 6.1)."""
        self._receiving_since = 0.0
        self._allowed = float("inf")

    @property
    def silent(self) -> float:
        """Seconds since we began to wait for the client; 0 while it waits for us."""
        return 0.0 if self._allowed == float("inf") else time.monotonic() - self._since

    def overdue(self, *, stressed: bool) -> bool:
        """True if the client has used up our patience."""
        if self._allowed == float("inf"):
            return False
        now = time.monotonic()
        if stressed:
            since = self._since if self._receiving_since else self._forward
            late = now - since > min(self._allowed, STRESS_TIMEOUT)
        else:
            late = now - self._since > self._allowed
        return late or now > self._ends or self._too_slow(now, stressed=stressed)

    def _too_slow(self, now: float, *, stressed: bool) -> bool:
        """True if the content comes at less than the minimum rate, beyond the grace."""
        if not self._receiving_since:
            return False
        grace = min(self._limits.transfer_grace, STRESS_TIMEOUT) if stressed else self._limits.transfer_grace
        return now - self._receiving_since > grace + self._received / self._limits.transfer_rate
