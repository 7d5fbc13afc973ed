"""How many notices of one kind one address gets in an hour, and what it did not get. Time is passed in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.notices.model import (
    ApprovalRequest,
    DecidedSender,
    FloodSummary,
    Notice,
    NoticeKind,
    OfficerAlert,
)

WINDOW = timedelta(hours=1)
"""From the first notice on; then a new one begins."""

MOST_WINDOWS = 50_000
"""Windows remembered, about 10 MB; beyond that the oldest are closed early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Notices an hour, for each address and kind.

    The first is where a flood of registrations to one mailbox counts as an attack (regulations 2.1: 20 an hour); the
    second is for those whose work it is: officers, approvers, and senders who wait for a decision.
    """

    per_hour: int = 20
    per_hour_at_work: int = 60

    def of(self, notice: Notice) -> int:
        """The limit for such a notice."""
        at_work = isinstance(notice, (ApprovalRequest, DecidedSender, OfficerAlert))
        return self.per_hour_at_work if at_work else self.per_hour


@dataclass(slots=True)
class _Window:
    to: str
    kind: NoticeKind
    since: datetime
    told: int = 0
    suppressed: int = 0


class Throttle:
    """One window for each address and kind that has had a notice within the hour."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._windows: dict[tuple[str, NoticeKind], _Window] = {}  # oldest first: a window is put in when it begins
        self._closed: deque[FloodSummary] = deque(maxlen=MOST_WINDOWS)

    def admit(self, notice: Notice) -> bool:
        """True if the notice may go now; else it counts as suppressed."""
        self._close(notice.moment)
        key = (notice.to.lower(), notice.kind)
        window = self._windows.setdefault(key, _Window(notice.to, notice.kind, notice.moment))
        if window.told >= self._limits.of(notice):
            window.suppressed += 1
            return False
        window.told += 1
        return True

    def summaries(self, now: datetime) -> list[FloodSummary]:
        """One for each window that is over and in which something was suppressed. Each is given once."""
        self._close(now)
        found = list(self._closed)
        self._closed.clear()
        return found

    def _close(self, now: datetime) -> None:
        while self._windows:
            oldest = next(iter(self._windows.values()))
            # A clock that was set back would leave a window open for as long as it was wrong.
            if abs(now - oldest.since) < WINDOW and len(self._windows) < MOST_WINDOWS:
                return
            del self._windows[oldest.to.lower(), oldest.kind]
            if oldest.suppressed:
                self._closed.append(_summary(oldest, now))


def _summary(window: _Window, now: datetime) -> FloodSummary:
    return FloodSummary(
        to=window.to,
        moment=now,
        occasion=f"{window.kind} {window.since.isoformat()}",
        of=window.kind,
        suppressed=window.suppressed,
        since=window.since,
        until=min(now, window.since + WINDOW),
    )
