"""What time asks for: reminders, escalations, another attempt, an end. Nothing here has an effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.custody.approvals import complete, satisfied
from gateway.custody.steps import Act, last
from gateway.custody.terms import Panel, Terms
from gateway.keeping import KeptMail, Kind, Step

ASK_AFTER = timedelta(minutes=2)
"""A message that was kept so long ago and of which nobody was asked was left by a crash: the client has its answer, or
the message has been withdrawn."""

RETRY = timedelta(minutes=15)
"""Between two attempts to hand on approved mail. RFC 5321 section 4.5.4.1 wants 30 minutes for a queue; an approval
is waited for by people, and the hop is our own."""

GIVE_UP = timedelta(days=5)
"""How long the next hop is tried (RFC 5321 section 4.5.4.1: four to five days)."""

LOOK_AGAIN = timedelta(hours=1)
"""After that a message is looked at whatever was due: another process may have acted on it."""


class Task(StrEnum):
    """What is to be done."""

    ASK = "ask"
    REMIND = "remind"
    ESCALATE = "escalate"
    RELEASE = "release"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to do, for the panel that it is about."""

    task: Task
    panel: Panel | None = None


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is due now, in order, and when to look again."""

    due: tuple[Due, ...]
    again: datetime


def agenda(kept: KeptMail, terms: Terms, steps: Sequence[Step], now: datetime) -> Agenda:
    """What is due for a message that waits."""
    over = now >= kept.expires
    if complete(terms.panels, steps) or (over and terms.end == "release"):
        due, then = _going_on(kept, steps, now)
    elif over:
        due, then = (Due(Task.EXPIRE),), now
    else:
        due = tuple(_asking(kept, terms, steps, now))
        moments = (panel.remind_at for panel in terms.panels), (panel.escalate_at for panel in terms.panels)
        coming = [moment for each in moments for moment in each if moment is not None and moment > now]
        then = min([kept.expires, *coming, *([kept.received + ASK_AFTER] if not _asked(kept, terms, steps) else [])])
    return Agenda(due, max(now, min(then, now + LOOK_AGAIN)))


def _going_on(kept: KeptMail, steps: Sequence[Step], now: datetime) -> tuple[tuple[Due, ...], datetime]:
    """A message that may go on: what became of the last attempt, and how long it has been tried."""
    approved, tried = last(steps, Act.APPROVED), last(steps, Act.DEFERRED, Act.REFUSED, Act.STOPPED)
    give_up = (max(kept.expires, approved.moment) if approved else kept.expires) + GIVE_UP
    if now >= give_up:
        return (Due(Task.EXPIRE),), now
    if tried is None:
        return (Due(Task.RELEASE),), now
    if tried.act != Act.DEFERRED:  # the answer will be the same: a person has to see to it
        return (), give_up
    if now < tried.moment + RETRY:
        return (), tried.moment + RETRY
    return (Due(Task.RELEASE),), now


def _asking(kept: KeptMail, terms: Terms, steps: Sequence[Step], now: datetime) -> Iterator[Due]:
    if not _asked(kept, terms, steps):
        if now >= kept.received + ASK_AFTER:
            yield Due(Task.ASK)
        return
    for panel in terms.panels:
        if satisfied(panel, steps):
            continue
        if panel.remind_at is not None and now >= panel.remind_at and not _done(steps, Act.REMINDED, panel.rule):
            yield Due(Task.REMIND, panel)
        escalated = all(_done(steps, Act.ESCALATED, name) for name in panel.escalate)
        if panel.escalate_at is not None and now >= panel.escalate_at and not escalated:
            yield Due(Task.ESCALATE, panel)


def _asked(kept: KeptMail, terms: Terms, steps: Sequence[Step]) -> bool:
    return kept.kind is not Kind.HELD or not terms.panels or last(steps, Act.ASKED) is not None


def _done(steps: Sequence[Step], act: Act, whom: str) -> bool:
    return any(step.act == act and step.whom == whom for step in steps)
