"""A circuit breaker: an engine that keeps failing is left alone for a while, then tried with one request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OPENS_AFTER = 5
"""Failures in a row after which an engine is left alone: one lost connection or one bad file is no outage."""

FIRST_PAUSE = 0.5
"""Seconds until an engine that was left alone is tried again; doubled by each trial that fails."""

LONGEST_PAUSE = 2.0
"""Mail flows again within 5 s of an engine's return, also where its first answer takes a second or two, as spamd's."""


class Circuit(StrEnum):
    """Whether requests go through. While half open a single one now and then is, to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(slots=True)
class Breaker:
    """The state of one engine's circuit: `pause` is the time between trials, `closed_again` when the next may be made.
    Times are of any clock that runs evenly; it knows none itself."""

    failures: int = 0
    state: Circuit = Circuit.CLOSED
    pause: float = FIRST_PAUSE
    closed_again: float = 0.0

    def lets_through(self, now: float) -> bool:
        """True if a request may be made now. After a pause one may; the next when it is known how that went, or, where
        it hangs, after another pause: an engine that is back must not wait for a trial that began before."""
        if self.state is Circuit.CLOSED:
            return True
        if now < self.closed_again:
            return False
        self.state, self.closed_again = Circuit.HALF_OPEN, now + LONGEST_PAUSE
        return True

    def succeeded(self) -> None:
        """The engine answered, whatever it said."""
        self.failures, self.pause, self.state = 0, FIRST_PAUSE, Circuit.CLOSED

    def failed(self, now: float) -> None:
        """It did not: no connection, no answer in time, or nonsense."""
        self.failures += 1
        if self.state is Circuit.HALF_OPEN:
            self.pause = min(2 * self.pause, LONGEST_PAUSE)
        elif self.failures < OPENS_AFTER:
            return
        self.state, self.closed_again = Circuit.OPEN, now + self.pause

    def abandoned(self, now: float) -> None:
        """Nobody waited for the answer: that says nothing of the engine, but a trial must be made anew."""
        if self.state is Circuit.HALF_OPEN:
            self.state, self.closed_again = Circuit.OPEN, now
