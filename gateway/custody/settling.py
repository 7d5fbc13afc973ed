"""The ends of a message's way: handed on, rejected, deleted, expired; its content is destroyed, people are told."""

from __future__ import annotations

from dataclasses import replace

import structlog

from gateway.custody.approvals import Reason, folded, is_own
from gateway.custody.means import Journal, Means
from gateway.custody.releasing import Content, Releasing, content_of, mail_of
from gateway.custody.steps import CLOCK, Act, Answer, last, record
from gateway.custody.telling import TROUBLE, Telling
from gateway.custody.terms import Terms, terms_of
from gateway.errors import StoreUnavailable
from gateway.keeping import KeptMail, Kind, State, Step
from gateway.lasting import Deed
from gateway.notices.model import Decision

log = structlog.get_logger()


class Settling:
    """Ends messages. Methods raise StoreUnavailable, and then have done nothing."""

    def __init__(self, means: Means, journal: Journal, releasing: Releasing, telling: Telling) -> None:
        self._means = means
        self._journal = journal
        self._releasing = releasing
        self._telling = telling
        self._leftover: set[str] = set()

    async def hand_on(self, kept: KeptMail, terms: Terms, actor: str, comment: str) -> Answer:
        """One attempt to release a message that may go on."""
        try:
            content = await content_of(self._means, kept)
        except StoreUnavailable:
            now = await self._means.mail.get(kept.id)
            if now is None or now.state is State.WAITING:
                raise
            return Answer(None, await self._state_as_reason(kept.id))  # somebody else was faster
        original = await self._telling.original(kept, content)
        attempt = await self._releasing.release(kept, terms, content, actor, comment)
        if attempt.act is None:
            return Answer(None, await self._state_as_reason(kept.id))
        if attempt.act is Act.RELEASED:
            if actor != CLOCK:
                await self._teach(kept, terms, content, "released")
            await self.destroy(kept.id)
            await self._telling.released(kept, terms, original, actor, comment)
        elif attempt.act is Act.UNKNOWN or (attempt.act in TROUBLE and kept.kind is Kind.HELD):
            await self._telling.trouble(kept, original, attempt.act)
        return Answer(attempt.act, attempt.reason)

    async def end(self, kept: KeptMail, state: State, step: Step, told: Decision | None) -> Answer:
        """It does not go on. The sender of held mail is told this decision, if any."""
        original = await self._telling.summary(kept) if told is not None and kept.kind is Kind.HELD else None
        content = await self._lesson(kept) if step.act == Act.DELETED else None
        await self._journal.before(record(kept, step))
        if not await self._means.mail.move(kept.id, before=State.WAITING, after=state, step=step):
            return await self._too_late(kept, step)
        if content is not None:
            await self._teach(kept, terms_of(kept), content, "deleted")
        await self.destroy(kept.id)
        if told is not None and original is not None:
            await self._telling.decided(kept, terms_of(kept), original, told, step.actor, step.comment)
        return Answer(Act(step.act))

    async def settle_doubt(self, kept: KeptMail, state: State, step: Step) -> Answer:
        """A person has found out whether the next hop has it."""
        if is_own(kept, folded(step.actor), self._means.roles.domains):
            return Answer(None, Reason.OWN_MAIL.value)
        latest = last(await self._means.mail.steps(kept.id), Act.RELEASING, Act.UNKNOWN)
        if kept.state is not State.RELEASING or latest is None or latest.act != Act.UNKNOWN:
            return Answer(None, "not-in-doubt")  # an attempt that is under way is nobody else's to settle
        original = await self._telling.summary(kept)
        await self._journal.before(record(kept, step))
        if not await self._means.mail.move(kept.id, before=State.RELEASING, after=state, step=step):
            return await self._too_late(kept, step)
        if state.final:
            await self.destroy(kept.id)
            await self._telling.released(kept, terms_of(kept), original, step.actor, step.comment)
        return Answer(Act(step.act))

    async def destroy(self, id: str) -> None:
        """Destroy the content of a message whose way is over; if it cannot be now, at the next sweep. Never raises."""
        try:
            await self._means.mail.discard_content(id)
            self._leftover.discard(id)
        except (StoreUnavailable, ValueError) as error:
            # ValueError: its end could not be taken down yet (`releasing.py`), so it still counts as needed.
            self._leftover.add(id)
            log.error("content not destroyed yet", id=id, reason=str(error))

    async def destroy_leftover(self) -> None:
        """Destroy what could not be destroyed when its message ended."""
        for id in tuple(self._leftover):
            await self.destroy(id)

    async def _lesson(self, kept: KeptMail) -> Content | None:
        """The content of a message that a person deletes, if a filter learns from it."""
        if not self._means.lessons.wanted(kept, "deleted"):
            return None
        try:
            return await content_of(self._means, kept)
        except StoreUnavailable:  # it is to go all the same
            return None

    async def _teach(self, kept: KeptMail, terms: Terms, content: Content, deed: Deed) -> None:
        """Have filters learn from what a person did, as long as the content is there."""
        if self._means.lessons.wanted(kept, deed):
            mail = mail_of(kept, terms, content, self._means.policy())
            await self._means.lessons.teach(kept, mail, deed)

    async def _too_late(self, kept: KeptMail, step: Step) -> Answer:
        """Somebody else was faster: what was written down before the act did not happen."""
        reason = await self._state_as_reason(kept.id)
        await self._journal.after(record(kept, replace(step, act=Act.TURNED_DOWN.value), wish=step.act, reason=reason))
        return Answer(None, reason)

    async def _state_as_reason(self, id: str) -> str:
        kept = await self._means.mail.get(id)
        return (Reason.FINAL if kept is None or kept.state.final else Reason.RELEASING).value
