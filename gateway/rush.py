"""When a queue at the door is more than a burst: only then is somebody turned away.

Whoever waits at the door costs nothing. So a burst, or what has gathered while a worker was replaced, is let in bit by
bit, as fast as mail is decided, and nobody is refused. But a queue that never empties only makes everybody wait: those
who come last are then told to come again, and the others are served at once.
"""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE = 3.0
"""Seconds for which a queue may stand before those are turned away who are too many. Clients wait minutes for a
greeting (RFC 5321 section 4.5.3.2.1), but in a queue that grows the seconds become minutes."""

AT_START = 10.0
"""Seconds from the beginning on in which all wait: they came while nobody was there."""

RELIEF = 1.0
"""Seconds without anybody too many after which it is over."""


@dataclass(slots=True)
class Rush:
    """The queue at one door, as of the moments (in seconds) at which it was looked at; open since `opened`."""

    opened: float
    _standing_since: float | None = None
    _turned_away: float = float("-inf")

    def emptied(self, now: float) -> None:
        """All who waited have been let in."""
        if now - self._turned_away > RELIEF:
            self._standing_since = None

    def stands(self, now: float) -> bool:
        """As many as may come now have been let in, and there may be more: true if they are to be turned away."""
        if self._standing_since is None:
            self._standing_since = now
        if now - self._standing_since <= PATIENCE or now - self.opened <= AT_START:
            return False
        self._turned_away = now
        return True
