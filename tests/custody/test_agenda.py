"""What is due for a message that waits, and when to look again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.custody.agenda import ASK_AFTER, GIVE_UP, LOOK_AGAIN, RETRY, Due, Task, agenda
from gateway.custody.terms import End, Panel, Terms
from gateway.keeping import KeptMail, Kind, Step
from tests.custody.conftest import START, step, waiting

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PANEL = Panel(
    rule="many",
    approvers=("a@example.gov.vn", "b@example.gov.vn"),
    remind_at=START + 2 * HOUR,
    escalate_at=START + 4 * HOUR,
    escalate=("boss@example.gov.vn",),
)
HELD, KEPT = waiting(), waiting(kind=Kind.QUARANTINED, approvers=())
ASKED, VOTE = step("asked", ""), step("approved", "a", "a", at=START + HOUR)
REMINDED = Step(moment=START + 2 * HOUR, actor="clock", act="reminded", whom="many")
ABOVE = step("escalated", "clock", "boss", at=START + 4 * HOUR)
ASK, RELEASE, EXPIRE = Due(Task.ASK), Due(Task.RELEASE), Due(Task.EXPIRE)
REMIND, ESCALATE = Due(Task.REMIND, PANEL), Due(Task.ESCALATE, PANEL)


def tried(act: str, at: timedelta) -> Step:
    return step(act, "a", at=START + at)


CASES: dict[str, tuple[KeptMail, End, tuple[Step, ...], timedelta, tuple[Due, ...]]] = {
    "just kept: the edge asks": (HELD, "reject", (), timedelta(0), ()),
    "nobody was asked: a crash": (HELD, "reject", (), ASK_AFTER, (ASK,)),
    "asked": (HELD, "reject", (ASKED,), HOUR, ()),
    "the reminder's time": (HELD, "reject", (ASKED,), 2 * HOUR, (REMIND,)),
    "reminded": (HELD, "reject", (ASKED, REMINDED), 3 * HOUR, ()),
    "the escalation's time": (HELD, "reject", (ASKED, REMINDED), 4 * HOUR, (ESCALATE,)),
    "nobody looked for a day: both": (HELD, "reject", (ASKED,), DAY, (REMIND, ESCALATE)),
    "escalated": (HELD, "reject", (ASKED, REMINDED, ABOVE), 5 * HOUR, ()),
    "its end, and nobody decided": (HELD, "reject", (ASKED,), 3 * DAY, (EXPIRE,)),
    "its end, and it is deleted": (HELD, "delete", (ASKED,), 3 * DAY, (EXPIRE,)),
    "its end, and it goes on": (HELD, "release", (ASKED,), 3 * DAY, (RELEASE,)),
    "its end, and it could not go on": (HELD, "release", (ASKED, tried("deferred", 3 * DAY)), 3 * DAY, ()),
    "and is tried again": (HELD, "release", (ASKED, tried("deferred", 3 * DAY)), 3 * DAY + RETRY, (RELEASE,)),
    "until that is enough": (HELD, "release", (ASKED, tried("deferred", 4 * DAY)), 3 * DAY + GIVE_UP, (EXPIRE,)),
    "approved, and a crash before it was sent": (HELD, "reject", (ASKED, VOTE), HOUR, (RELEASE,)),
    "approved, and deferred by the hop": (HELD, "reject", (ASKED, VOTE, tried("deferred", HOUR)), HOUR, ()),
    "and is tried again then": (HELD, "reject", (ASKED, VOTE, tried("deferred", HOUR)), HOUR + RETRY, (RELEASE,)),
    "approved, and refused by the hop": (HELD, "reject", (ASKED, VOTE, tried("refused", HOUR)), 2 * DAY, ()),
    "approved, and stopped by what looked again": (
        HELD, "reject", (ASKED, VOTE, tried("stopped", HOUR)), 2 * DAY, (),
    ),
    "approved does not expire with its decision": (
        HELD, "reject", (ASKED, VOTE, tried("deferred", 3 * DAY)), 3 * DAY + RETRY, (RELEASE,),
    ),
    "approved and never taken ends": (
        HELD, "reject", (ASKED, VOTE, tried("refused", HOUR)), 3 * DAY + GIVE_UP, (EXPIRE,),
    ),
    "quarantined": (KEPT, "delete", (), 2 * DAY, ()),
    "quarantined to its end": (KEPT, "delete", (), 3 * DAY, (EXPIRE,)),
    "quarantined, and a release was deferred": (KEPT, "delete", (tried("deferred", HOUR),), 2 * DAY, ()),
}  # fmt: skip


@pytest.mark.parametrize(("kept", "end", "steps", "after", "due"), CASES.values(), ids=CASES)
def test_what_is_due(
    kept: KeptMail, end: End, steps: tuple[Step, ...], after: timedelta, due: tuple[Due, ...]
) -> None:
    terms = Terms(panels=(PANEL,) if kept.kind is Kind.HELD else (), end=end)
    now = START + after
    found = agenda(kept, terms, steps, now)
    assert found.due == due
    assert now <= found.again <= now + LOOK_AGAIN


MOMENTS = st.integers(0, 20 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
STEPS = st.lists(st.sampled_from([ASKED, VOTE, REMINDED, ABOVE, tried("deferred", DAY), tried("refused", DAY)]))


@given(MOMENTS, STEPS, st.sampled_from(["reject", "release", "delete"]))
def test_nothing_comes_due_before_it_is_looked_at_again(now: datetime, steps: list[Step], end: End) -> None:
    terms = Terms(panels=(PANEL,), end=end)
    found = agenda(HELD, terms, steps, now)
    moments = [now + (found.again - now) * part / 8 for part in range(1, 8)] if not found.due else []
    assert all(agenda(HELD, terms, steps, moment).due == () for moment in moments)


@given(STEPS, st.sampled_from(["reject", "release", "delete"]))
def test_every_message_ends(steps: list[Step], end: End) -> None:
    assert agenda(HELD, Terms(panels=(PANEL,), end=end), steps, START + 8 * DAY).due == (EXPIRE,)
