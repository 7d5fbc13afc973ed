"""What the rest of the gateway calls: own a message, decide on it, release it, let time do its part.

Every act is a step of the message and a record in the audit trail, the record first: what cannot be remembered is not
done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from gateway.custody.approvals import Reason, Want, Wish, complete, folded, is_own
from gateway.custody.deciding import Deciding
from gateway.custody.keep import digest_of, kept_mail
from gateway.custody.means import Journal, Means
from gateway.custody.releasing import IN_LOOP, Releasing, content_of
from gateway.custody.settling import Settling
from gateway.custody.steps import Act, Answer, last, record, unstored
from gateway.custody.sweep import Sweep
from gateway.custody.telling import Telling
from gateway.custody.terms import terms_of
from gateway.errors import StoreUnavailable
from gateway.keeping import KeptMail, Kind, State, Step
from gateway.mail import Mail, Raw
from gateway.notices.model import Decision
from gateway.policy.model import Policy
from gateway.reply import TAKEN, TROUBLE, Reply
from gateway.verdict import Outcome

HELD = TAKEN.with_text("Held for approval")
"""What the client of held mail hears; the message's id is put behind it. Of a quarantine it hears nothing."""

NOWHERE = Answer(None, "no-such-message")

log = structlog.get_logger()


class Custody:
    """The mail that the gateway answers for. Methods raise StoreUnavailable, and then have done nothing."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._journal = Journal(means.trail)
        self._releasing = Releasing(means, self._journal)
        self._telling = Telling(means)
        self._settling = Settling(means, self._journal, self._releasing, self._telling)
        self._deciding = Deciding(means, self._journal, self._settling, self._telling)
        self._sweep = Sweep(means, self._journal, self._settling, self._telling)

    async def own(self, policy: Policy, mail: Mail, outcomes: Sequence[Outcome]) -> Reply:
        """Keep a message for these recipients: 250 once it is on stable storage, else 451. Nobody is asked yet.

        `policy` is the one that decided. When the client has heard 250, `ask`; if it hears anything else, `withdraw`.
        Never raises StoreUnavailable.
        """
        digest = digest_of(mail.raw) if mail.size <= IN_LOOP else await asyncio.to_thread(digest_of, mail.raw)
        kept = kept_mail(policy, mail, outcomes, digest)
        try:
            await self._journal.before(record(kept, self._step(Act.KEPT, "", kept.because)))
            await self._means.mail.own(kept, mail.raw)
        except StoreUnavailable as error:
            log.error("message not kept", id=mail.id, reason=str(error))
            await self._journal.after(record(kept, self._step(Act.WITHDRAWN, "", str(error))))
            return TROUBLE
        return HELD if kept.kind is Kind.HELD else TAKEN

    async def unstored(self, policy: Policy, mail: Mail, outcomes: Sequence[Outcome]) -> None:
        """Remember mail of which no content may be kept: its digest, its parties and the rules."""
        digest = await asyncio.to_thread(digest_of, mail.raw)
        await self._means.trail.append(unstored(mail, outcomes, digest, policy.digest))

    async def withdraw(self, id: str) -> None:
        """Give up a message whose client was told to send it again. Never raises: what cannot be given up is logged."""
        try:
            if kept := await self._means.mail.get(id):
                step = self._step(Act.WITHDRAWN, "", "the client was told to send it again")
                await self._settling.end(kept, State.DELETED, step, None)
        except StoreUnavailable as error:
            log.error("message not withdrawn: it is here, and its client sends it again", id=id, reason=str(error))

    async def ask(self, id: str) -> None:
        """Ask the approvers of held mail and tell its sender, once; nothing for other mail."""
        kept = await self._means.mail.get(id)
        if kept is None or kept.kind is not Kind.HELD or kept.state is not State.WAITING:
            return
        terms = terms_of(kept)
        if terms.panels and last(await self._means.mail.steps(id), Act.ASKED) is None:
            await self._telling.asked(kept, terms)
            await self._means.mail.note(id, self._step(Act.ASKED, "", ", ".join(kept.approvers)))

    async def approve(self, id: str, actor: str, comment: str = "") -> Answer:
        """The actor's vote for it. The last one that is needed releases it: the answer is then the next hop's."""
        return await self._wished(id, Wish(want=Want.APPROVE, actor=actor, comment=comment))

    async def reject(self, id: str, actor: str, comment: str) -> Answer:
        """It does not go on. Needs a reason, which its sender is told."""
        return await self._wished(id, Wish(want=Want.REJECT, actor=actor, comment=comment))

    async def forward(self, id: str, actor: str, to: str, comment: str = "") -> Answer:
        """Somebody of the organisation is asked in the actor's place."""
        return await self._wished(id, Wish(want=Want.FORWARD, actor=actor, comment=comment, to=to))

    async def by_code(self, secret: str, want: Want, comment: str = "", to: str = "", person: str = "") -> Answer:
        """The same for whoever has a code, in the name of the person it was made for. It counts once.

        `person` is who says that he uses it, where that is known. A wish that is refused uses no code up.
        """
        return await self._deciding.by_code(secret, Wish(want=want, actor=person, comment=comment, to=to))

    async def look(self, secret: str) -> tuple[KeptMail, str] | str:
        """The message of a code and whom it is for, or what is wrong with it. It uses nothing up."""
        return await self._deciding.look(secret)

    async def view(self, id: str, actor: str) -> tuple[KeptMail, Raw] | None:
        """A message with its bytes, for a person; that he looked is remembered (regulations 2.17)."""
        kept = await self._means.mail.get(id)
        if kept is None:
            return None
        content = await content_of(self._means, kept)
        step = self._step(Act.VIEWED, actor)
        await self._journal.before(record(kept, step))
        await self._means.mail.note(id, step)
        return kept, content.raw

    async def release(self, id: str, actor: str, comment: str = "") -> Answer:
        """Hand it on now: quarantined mail, and held mail that is approved or about which there is nobody to ask."""
        kept = await self._means.mail.get(id)
        if kept is None:
            return NOWHERE
        if reason := self._barred(kept, actor):
            return await self._turned_down(kept, Act.RELEASED, actor, comment, reason.value)
        terms = terms_of(kept)
        if kept.kind is Kind.HELD and terms.panels and not complete(terms.panels, await self._means.mail.steps(id)):
            return await self._turned_down(kept, Act.RELEASED, actor, comment, "not-approved")
        return await self._settling.hand_on(kept, terms, folded(actor), comment)

    async def delete(self, id: str, actor: str, comment: str = "") -> Answer:
        """It does not go on, and its content is destroyed. The sender of held mail is told."""
        kept = await self._means.mail.get(id)
        if kept is None:
            return NOWHERE
        if reason := self._barred(kept, actor):
            return await self._turned_down(kept, Act.DELETED, actor, comment, reason.value)
        step = self._step(Act.DELETED, actor, comment)
        return await self._settling.end(kept, State.DELETED, step, Decision.RETURNED)

    async def confirm(self, id: str, actor: str, comment: str = "") -> Answer:
        """A person has found that the next hop has a message of which that was not known."""
        kept = await self._means.mail.get(id)
        step = self._step(Act.CONFIRMED, actor, comment)
        return await self._settling.settle_doubt(kept, State.RELEASED, step) if kept else NOWHERE

    async def reopen(self, id: str, actor: str, comment: str = "") -> Answer:
        """A person has found that it does not: the message waits again, and may be released again."""
        kept = await self._means.mail.get(id)
        step = self._step(Act.REOPENED, actor, comment)
        return await self._settling.settle_doubt(kept, State.WAITING, step) if kept else NOWHERE

    async def sweep(self) -> None:
        """What time asks for, by the clock: reminders, escalations, other attempts, ends, and what was left undone."""
        await self._journal.pay()
        await self._releasing.settle()
        await self._settling.destroy_leftover()
        await self._sweep.run()

    async def close(self) -> None:
        """Bring releases to their end and write what is owed. The stores are closed by whoever opened them."""
        await self._releasing.close()
        await self._releasing.settle()
        await self._settling.destroy_leftover()
        await self._journal.pay()

    async def _wished(self, id: str, wish: Wish) -> Answer:
        kept = await self._means.mail.get(id)
        return await self._deciding.decide(kept, wish) if kept else NOWHERE

    def _barred(self, kept: KeptMail, actor: str) -> Reason | None:
        """Why this person may not end it, or nobody may."""
        if is_own(kept, folded(actor), self._means.roles.domains):
            return Reason.OWN_MAIL
        if kept.state is State.WAITING:
            return None
        return Reason.FINAL if kept.state.final else Reason.RELEASING

    async def _turned_down(self, kept: KeptMail, wish: Act, actor: str, comment: str, reason: str) -> Answer:
        step = self._step(Act.TURNED_DOWN, actor, comment)
        await self._journal.after(record(kept, step, wish=wish.value, reason=reason))
        return Answer(None, reason)

    def _step(self, act: Act, actor: str, comment: str = "") -> Step:
        return Step(moment=self._means.clock(), actor=folded(actor), act=act.value, comment=comment)
