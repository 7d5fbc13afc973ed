"""How many clients may come in a second: all, until work waits for its turn; then as many as are done with.

How long work waits shows in how late a task is that does nothing, through the event loop, a thread and back: every
piece of every message goes this way. Next hops and engines that are slow do not show in it, and need not: who waits for
them costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

LOOK_EVERY = 0.1
"""Seconds between two such tasks."""

LATE = 0.25
"""Seconds from which on there is too much: a message takes some four turns, and is delayed by a second then. A hundred
clients that hand in small mail without a pause, which is what Postfix has at most (default_process_limit), stay below
it."""

RUNNING = 2
"""Looks in a row that must have been late: a pause of the machine is no load."""

OF_THE_DONE, OF_THE_DONE_LATE = 0.8, 0.5
"""Clients let in for each that is done with, while there is too much; and while it is four times too much."""

LEAST = 10.0
"""Clients a second that are let in however late it is."""

ALWAYS = 10
"""Messages under way below which whoever comes is let in: so few are not why it is late, but another process."""

GROWTH = 1.05
"""What the rate grows by with each look that is in time: half as much again in a second."""

FREE = 10.0
"""How many times the clients that are done with may come before there is no limit any more."""

MEMORY = 10.0
"""Looks over which the rate of those that are done with is averaged: a second."""


@dataclass(slots=True)
class Intake:
    """`rate` is how many clients may come in a second, None for all. One for all doors of a process."""

    rate: float | None = None
    _done: float = 0.0
    _late: int = 0
    _credit: float = 0.0
    _filled: float = 0.0
    _room: int = 0

    def looked(self, elapsed: float, done: int, under_way: int) -> None:
        """So many seconds after the last look, in which so many clients were done with, the task that does nothing has
        been done again; so many messages are under way."""
        self._room = ALWAYS - under_way
        waited = elapsed - LOOK_EVERY
        self._done += (done / elapsed - self._done) * min(1.0, elapsed / (MEMORY * LOOK_EVERY))
        self._late = self._late + 1 if waited > LATE else 0
        if self._late >= RUNNING:
            share = OF_THE_DONE_LATE if waited > 4 * LATE else OF_THE_DONE
            self.rate = max(LEAST, share * self._done)
        elif self.rate is not None and not self._late:
            self.rate *= GROWTH
            if self.rate > FREE * max(self._done, LEAST):
                self.rate = None

    def admits(self, now: float) -> bool:
        """True if one more may come now, which then counts as let in."""
        if self.rate is None:
            return True
        if self._room > 0:
            self._room -= 1
            return True
        self._credit = min(self._credit + (now - self._filled) * self.rate, 1.0 + self.rate * LOOK_EVERY)
        self._filled = now
        if self._credit < 1.0:
            return False
        self._credit -= 1.0
        return True
