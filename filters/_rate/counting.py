"""How many in a window that slides, and how fast an account usually sends: arithmetic on the numbers of one row."""

from __future__ import annotations

from dataclasses import dataclass

from filters._remembered import Row

BUSY_HOURS = 24
"""Hours with mail that an account's usual pace is the mean of, the later ones counting more."""

LEARNED = 5
"""Hours with mail before which nobody can say what is usual."""

HOUR = 3600.0


def counted(row: Row | None, window: float, now: float) -> float:
    """How many there were in the last `window` seconds.

    The row has the number of a whole window, the count of the one before and its own: of the one before as much
    counts as the sliding window still covers of it, as if it had been spread evenly.
    """
    number, before, here = _at(row, window, now)
    gone = min(max(now / window - number, 0.0), 1.0)
    return before * (1 - gone) + here


def with_more(row: Row | None, window: float, now: float, amount: float) -> Row:
    """The row with `amount` more, now."""
    number, before, here = _at(row, window, now)
    return (number, before, here + amount)


def _at(row: Row | None, window: float, now: float) -> tuple[float, float, float]:
    """The row as it is in the window of `now`."""
    number = float(now // window)
    if row is None or len(row) != 3 or number > row[0] + 1:
        return number, 0.0, 0.0
    was, before, here = row
    if number == was + 1:
        return number, here, 0.0
    return max(number, was), before, here  # a clock that was set back stays in the window it knows


@dataclass(frozen=True, slots=True)
class Pace:
    """How an account sends: so many in the hour number `hour`, `usual` in an hour with mail, `busy` such hours."""

    hour: float = 0.0
    here: float = 0.0
    usual: float = 0.0
    busy: float = 0.0

    @classmethod
    def at(cls, row: Row | None, now: float) -> Pace:
        """The pace as of now: an hour that has ended is part of what is usual."""
        hour = float(now // HOUR)
        if row is None or len(row) != 4:
            return cls(hour)
        pace = cls(*row)
        if hour <= pace.hour:
            return pace
        busy = pace.busy + 1
        usual = pace.usual + (pace.here - pace.usual) / min(busy, BUSY_HOURS)
        return cls(hour, 0.0, usual, busy)

    def with_more(self, amount: float) -> Row:
        """The row with `amount` more."""
        return (self.hour, self.here + amount, self.usual, self.busy)

    def ratio(self, amount: float) -> float:
        """How many times the usual number this hour comes to with `amount` more; 0 while nobody knows what is usual."""
        return (self.here + amount) / max(self.usual, 1.0) if self.busy >= LEARNED else 0.0
