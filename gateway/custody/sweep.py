"""What time asks for, done: the file before is `agenda.py`. Run it every half minute or so, in one process of all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from gateway.custody.agenda import Due, Task, agenda
from gateway.custody.approvals import complete
from gateway.custody.means import Journal, Means
from gateway.custody.settling import Settling
from gateway.custody.steps import CLOCK, Act, last, record
from gateway.custody.telling import Telling
from gateway.custody.terms import Panel, Terms, terms_of
from gateway.errors import StoreUnavailable
from gateway.keeping import KeptMail, Kind, Query, State, Step
from gateway.notices.model import Decision
from gateway.policy.custody import RECORDS

PAGE = 500
"""Entries read at once."""

QUARANTINE_EVERY = timedelta(hours=1)
"""Between two looks at quarantined mail: there may be a hundred thousand, and all that can be due is an end."""

TIDY_EVERY = timedelta(days=1)
"""Between two looks at messages that have ended."""

TROUBLES = 5
"""Messages that cannot be forgotten now, after which the store itself is taken to be in trouble until tomorrow."""

IN_DOUBT_AFTER = timedelta(minutes=10)
"""A claim so old is one that nobody works on: an attempt ends after RELEASE_WITHIN (`releasing.py`)."""

FINAL = tuple(state for state in State if state.final)

log = structlog.get_logger()


class Sweep:
    """One round after the other; what is not due yet is remembered between them."""

    def __init__(self, means: Means, journal: Journal, settling: Settling, telling: Telling) -> None:
        self._means = means
        self._journal = journal
        self._settling = settling
        self._telling = telling
        self._next: dict[str, datetime] = {}
        self._quarantine_at: datetime | None = None
        self._tidy_at: datetime | None = None

    async def run(self) -> None:
        """One round. Trouble with one message does not keep the others waiting. Raises StoreUnavailable."""
        now = self._means.clock()
        await self._held(now)
        async for kept in self._found(Query(states=(State.RELEASING,))):
            await self._doubt(kept, now)
        if self._quarantine_at is None or now >= self._quarantine_at:
            async for kept in self._found(Query(kind=Kind.QUARANTINED, states=(State.WAITING,))):
                if now >= kept.expires:
                    await self._look(kept, now)
            self._quarantine_at = now + QUARANTINE_EVERY
        if self._tidy_at is None or now >= self._tidy_at:
            await self._tidy(now)
            self._tidy_at = now + TIDY_EVERY

    async def _held(self, now: datetime) -> None:
        waiting: dict[str, datetime] = {}
        async for kept in self._found(Query(kind=Kind.HELD, states=(State.WAITING,))):
            waiting[kept.id] = self._next.get(kept.id, now)
            if waiting[kept.id] <= now:
                waiting[kept.id] = await self._look(kept, now)
        self._next = waiting

    async def _found(self, query: Query) -> AsyncIterator[KeptMail]:
        """All entries, read before the first is acted on: acts change what is found."""
        found: list[KeptMail] = []
        while page := await self._means.mail.find(_page(query, len(found))):
            found += page
        for kept in {kept.id: kept for kept in found}.values():
            yield kept

    async def _look(self, kept: KeptMail, now: datetime) -> datetime:
        """Do what is due; when to look again."""
        try:
            terms, steps = terms_of(kept), await self._means.mail.steps(kept.id)
            found = agenda(kept, terms, steps, now)
            for due in found.due:
                await self._do(kept, terms, due, steps)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("sweep failed", id=kept.id)
            return now + QUARANTINE_EVERY
        return found.again

    async def _do(self, kept: KeptMail, terms: Terms, due: Due, steps: Sequence[Step]) -> None:
        match due:
            case Due(Task.ASK):
                await self._telling.asked(kept, terms)
                await self._means.mail.note(kept.id, self._step(Act.ASKED, ", ".join(kept.approvers)))
            case Due(Task.REMIND, Panel() as panel):
                await self._telling.reminded(kept, terms, panel, steps)
                await self._note(kept, self._step(Act.REMINDED, whom=panel.rule))
            case Due(Task.ESCALATE, Panel() as panel):
                for name in panel.escalate:
                    await self._note(kept, self._step(Act.ESCALATED, whom=name))
                await self._telling.escalated(kept, terms, panel)
            case Due(Task.RELEASE):
                vote = last(steps, Act.APPROVED) if complete(terms.panels, steps) else None
                await self._settling.hand_on(kept, terms, vote.actor if vote else CLOCK, vote.comment if vote else "")
            case Due(Task.EXPIRE):
                tried = last(steps, Act.DEFERRED, Act.REFUSED, Act.STOPPED)
                step = self._step(Act.EXPIRED, tried.comment if tried else "")
                told = Decision.EXPIRED if terms.end != "delete" or tried else None
                await self._settling.end(kept, State.EXPIRED, step, told)

    async def _doubt(self, kept: KeptMail, now: datetime) -> None:
        """A claim that nobody works on: what became of it only people can find out."""
        latest = last(await self._means.mail.steps(kept.id), Act.RELEASING, Act.UNKNOWN)
        if latest is None or latest.act == Act.UNKNOWN or now < latest.moment + IN_DOUBT_AFTER:
            return
        await self._note(kept, self._step(Act.UNKNOWN, "a release was begun, and its end is not known"))
        await self._telling.trouble(kept, await self._telling.summary(kept), Act.UNKNOWN)

    async def _tidy(self, now: datetime) -> None:
        """Forget messages that ended long ago and codes without worth, and destroy what content a crash has left."""
        forgotten = troubles = 0
        async for kept in self._found(Query(states=FINAL)):
            try:
                if await self._is_past(kept, now):
                    await self._means.mail.forget(kept.id)
                    forgotten += 1
                else:
                    await self._settling.destroy(kept.id)
            except StoreUnavailable as error:
                log.error("message not forgotten", id=kept.id, reason=str(error))
                troubles += 1
                if troubles == TROUBLES:
                    break
        if forgotten:
            log.info("messages forgotten", count=forgotten)
        await self._means.codes.forget(now)

    async def _is_past(self, kept: KeptMail, now: datetime) -> bool:
        """True if it has been over for as long as its class is kept."""
        stays = timedelta(seconds=self._kept_for(kept.retention))
        if now < kept.received + stays:
            return False
        ended = max((step.moment for step in await self._means.mail.steps(kept.id)), default=kept.received)
        return now >= ended + stays

    def _kept_for(self, retention: str) -> float:
        """Seconds; of a class that the policy does not have any more, as of the one that is kept longest."""
        classes = {name: kept for name, kept in self._means.policy().retention.items() if name not in RECORDS}
        return classes.get(retention, max(classes.values()))

    async def _note(self, kept: KeptMail, step: Step) -> None:
        await self._journal.before(record(kept, step))
        await self._means.mail.note(kept.id, step)

    def _step(self, act: Act, comment: str = "", whom: str = "") -> Step:
        return Step(moment=self._means.clock(), actor=CLOCK, act=act.value, comment=comment, whom=whom)


def _page(query: Query, offset: int) -> Query:
    return replace(query, limit=PAGE, offset=offset)
