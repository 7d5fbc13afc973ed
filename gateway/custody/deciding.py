"""What people wish done with held mail: looked at by `approvals.py`, written down, carried out."""

from __future__ import annotations

import structlog

from gateway.custody import codes
from gateway.custody.approvals import Follows, Ruling, Wish, complete, folded, rule_on
from gateway.custody.means import Journal, Means
from gateway.custody.settling import Settling
from gateway.custody.steps import Act, Answer, record
from gateway.custody.telling import Telling
from gateway.custody.terms import terms_of
from gateway.keeping import KeptMail, State, Step
from gateway.notices.model import Decision

log = structlog.get_logger()


class Deciding:
    """Takes wishes. Methods raise StoreUnavailable."""

    def __init__(self, means: Means, journal: Journal, settling: Settling, telling: Telling) -> None:
        self._means = means
        self._journal = journal
        self._settling = settling
        self._telling = telling

    async def decide(self, kept: KeptMail, wish: Wish) -> Answer:
        """Do what a person wishes, if he may."""
        return await self._follow(kept, wish, await self._ruling(kept, wish))

    async def by_code(self, secret: str, wish: Wish) -> Answer:
        """Do what the holder of a code wishes, in the name of the person it was made for, once.

        The wish's actor is who says that he uses it, "" where that is not known. A refused wish uses no code up.
        """
        code, found = await self._looked_up(secret, wish.want.value, wish.actor)
        if code is None:
            return Answer(None, found)
        kept, person, digest = code
        own = Wish(want=wish.want, actor=person, comment=wish.comment, to=wish.to)
        ruling = await self._ruling(kept, own)
        redeemed = ruling.follows is Follows.REFUSED or await self._means.codes.redeem(digest, self._means.clock())
        return await self._follow(kept, own, ruling) if redeemed else Answer(None, codes.Fault.USED.value)

    async def look(self, secret: str) -> tuple[KeptMail, str] | str:
        """The message of a code and whom it is for, or what is wrong with it. Uses nothing up."""
        code, found = await self._looked_up(secret)
        return code[:2] if code is not None else found

    async def _looked_up(
        self, secret: str, act: str = "", person: str = ""
    ) -> tuple[tuple[KeptMail, str, str] | None, str]:
        """The code's message, person and digest; or nothing, and what is wrong with it."""
        code = await self._means.codes.peek(codes.digest(secret))
        found = codes.fault(code, act=act, now=self._means.clock(), person=person)
        kept = await self._means.mail.get(code.message) if code is not None and found is None else None
        if code is None or kept is None:
            word = (found or codes.Fault.UNKNOWN).value
            log.warning("code refused", reason=word, act=act)
            return None, word
        return (kept, code.person, code.digest), ""

    async def _ruling(self, kept: KeptMail, wish: Wish) -> Ruling:
        steps = await self._means.mail.steps(kept.id)
        panels = terms_of(kept).panels
        return rule_on(kept, panels, steps, wish, now=self._means.clock(), roles=self._means.roles)

    async def _follow(self, kept: KeptMail, wish: Wish, ruling: Ruling) -> Answer:
        terms = terms_of(kept)
        match ruling.follows:
            case Follows.REFUSED:
                reason = ruling.reason.value if ruling.reason is not None else ""
                step = self._step(Act.TURNED_DOWN, wish)
                await self._journal.after(record(kept, step, wish=wish.want.value, reason=reason))
                return Answer(None, reason)
            case Follows.REJECTED:
                step = self._step(Act.REJECTED, wish, ruling.seats[0])
                return await self._settling.end(kept, State.REJECTED, step, Decision.RETURNED)
            case Follows.FORWARDED:
                step = self._step(Act.FORWARDED, wish, folded(wish.to))
                await self._note(kept, step)
                await self._telling.forwarded(kept, terms, step, ruling.seats)
                return Answer(Act.FORWARDED)
            case Follows.APPROVED | Follows.RECORDED:
                for seat in ruling.seats:
                    await self._note(kept, self._step(Act.APPROVED, wish, seat))
                # Others may have voted at the same time: the steps say whether it is enough, the claim who sends.
                if complete(terms.panels, await self._means.mail.steps(kept.id)):
                    return await self._settling.hand_on(kept, terms, folded(wish.actor), wish.comment)
                return Answer(Act.APPROVED, "more-approvals-needed")

    async def _note(self, kept: KeptMail, step: Step) -> None:
        await self._journal.before(record(kept, step))
        await self._means.mail.note(kept.id, step)

    def _step(self, act: Act, wish: Wish, whom: str = "") -> Step:
        return Step(
            moment=self._means.clock(), actor=folded(wish.actor), act=act.value, comment=wish.comment, whom=whom
        )
