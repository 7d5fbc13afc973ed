"""Whom custody tells what: the approvers that they are asked, the sender of every step, officers of what only people
can settle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gateway.custody.approvals import Roles, Want, is_own, votes_of
from gateway.custody.codes import issue
from gateway.custody.means import Means
from gateway.custody.releasing import Content, content_of
from gateway.custody.steps import CLOCK, Act
from gateway.custody.terms import Panel, Terms
from gateway.errors import StoreUnavailable
from gateway.keeping import KeptMail, Kind, Step
from gateway.notices.model import (
    ApprovalEscalation,
    ApprovalReminder,
    ApprovalRequest,
    DecidedSender,
    Decision,
    HeldSender,
    OfficerAlert,
    ReleasedRecipient,
)
from gateway.notices.original import Original, original_of, original_with_content
from gateway.policy.custody import active_delegates
from gateway.policy.logic import day_of
from gateway.policy.model import Policy
from gateway.policy.rule import Bilingual
from gateway.verdict import Action

TROUBLE: Mapping[Act, Bilingual] = {
    Act.UNKNOWN: Bilingual(
        vi=(
            "Máy chủ kế tiếp có thể đã nhận thư này nhưng không xác nhận. Đề nghị kiểm tra trên máy chủ đó, sau đó xác "
            "nhận là đã gửi (confirm) hoặc mở lại (reopen). Hệ thống không tự gửi lại."
        ),
        en=(
            "The next server may have taken this message without saying so. Please look there, then either confirm "
            "that it has it or reopen the message. It is not sent again by itself."
        ),
    ),
    Act.REFUSED: Bilingual(
        vi="Thư đã được duyệt nhưng máy chủ kế tiếp từ chối nhận. Thư đang chờ xử lý.",
        en="The message has been approved, and the next server refuses it. It waits for somebody to see to it.",
    ),
    Act.STOPPED: Bilingual(
        vi="Thư đã được duyệt nhưng bị chặn khi quét lại trước lúc gửi. Thư đang chờ xử lý.",
        en="The message has been approved, and was stopped when scanned again. It waits for somebody to see to it.",
    ),
}
"""What officers are told of a release that only people can settle."""

MOST_RECIPIENTS = 50
"""Recipients who are told of a release one by one."""


def may_be_asked(policy: Policy) -> frozenset[str]:
    """Everybody whom the policy lets decide on held mail, in small letters, wherever their mailboxes are."""
    delegates = {delegate.delegate.text.lower() for delegate in policy.organisation.delegates}
    asked = [rule.with_ for rule in policy.rules]
    approvers = {name for with_ in asked if with_.approvers is not None for name in with_.approvers.until}
    above = {each.text.lower() for with_ in asked if with_.escalate is not None for each in with_.escalate.to}
    return frozenset(delegates | approvers | above)


@dataclass(frozen=True, slots=True)
class Telling:
    """Makes notices of what happens, with a code for each who is asked, and hands them on."""

    means: Means

    async def asked(self, kept: KeptMail, terms: Terms) -> None:
        """Approval is wanted: each approver and each delegate gets a code, the sender hears that it waits."""
        original, roles = await self.summary(kept), self.means.roles
        await self._ask(kept, terms, original, ApprovalRequest, dict(self._first(kept, terms, (), roles)))
        await self.means.tell(
            HeldSender(
                to=kept.envelope.sender,
                moment=self.means.clock(),
                original=original,
                text=terms.text,
                approvers=kept.approvers,
                until=kept.expires,
            )
        )

    async def reminded(self, kept: KeptMail, terms: Terms, panel: Panel, steps: Sequence[Step]) -> None:
        """Those who have not answered hear of it again, or those of them whom the rule names."""
        people = dict(self._first(kept, terms, steps, self.means.roles))
        named = panel.remind or people
        wanted = {name: own for name, own in people.items() if own is panel and name in named}
        await self._ask(kept, terms, await self.summary(kept), ApprovalReminder, wanted)

    async def escalated(self, kept: KeptMail, terms: Terms, panel: Panel) -> None:
        """Those above are asked, and told who was asked before."""
        people = {name: panel for name in panel.escalate if not is_own(kept, name, self.means.roles.domains)}
        escalation = partial(ApprovalEscalation, asked=panel.approvers)
        await self._ask(kept, terms, await self.summary(kept), escalation, people)

    async def forwarded(self, kept: KeptMail, terms: Terms, step: Step, seats: Iterable[str]) -> None:
        """Somebody is asked in the place of an approver, of whom the step tells."""
        held = set(seats)
        panel = next(panel for panel in terms.panels if held & set(panel.approvers))
        await self._ask(kept, terms, await self.summary(kept), ApprovalRequest, {step.whom: panel}, step.actor)

    async def decided(
        self, kept: KeptMail, terms: Terms, original: Original, decision: Decision, actor: str, comment: str
    ) -> None:
        """The sender of held mail hears what became of it."""
        await self.means.tell(
            DecidedSender(
                to=kept.envelope.sender,
                moment=self.means.clock(),
                original=original,
                text=terms.text if decision is not Decision.APPROVED else None,  # what it says is not so any more
                decision=decision,
                actor="" if actor == CLOCK else actor,
                comment=comment,
            )
        )

    async def released(self, kept: KeptMail, terms: Terms, original: Original, actor: str, comment: str) -> None:
        """The sender of held mail hears that it was sent, the recipients of quarantined mail that it comes.

        Without the rule's text, which speaks of mail that waits.
        """
        if kept.kind is Kind.HELD:
            await self.decided(kept, terms, original, Decision.APPROVED, actor, comment)
            return
        for recipient in kept.envelope.recipients[:MOST_RECIPIENTS]:
            await self.means.tell(
                ReleasedRecipient(
                    to=recipient.address,
                    moment=self.means.clock(),
                    original=original,
                    comment=comment,
                )
            )

    async def trouble(self, kept: KeptMail, original: Original, act: Act) -> None:
        """The officers hear that a person has to settle it."""
        now = self.means.clock()
        for officer in self.means.policy().organisation.officers:
            await self.means.tell(
                OfficerAlert(
                    to=officer.text,
                    moment=now,
                    occasion=f"{act} {now.isoformat()}",
                    original=original,
                    text=TROUBLE[act],
                    action=Action.HOLD if kept.kind is Kind.HELD else Action.QUARANTINE,
                )
            )

    async def summary(self, kept: KeptMail) -> Original:
        """The summary of a message; without its files where its bytes cannot be read."""
        try:
            return await self.original(kept, await content_of(self.means, kept))
        except StoreUnavailable:  # people are told all the same
            return original_of(kept)

    async def original(self, kept: KeptMail, content: Content) -> Original:
        """The summary of a message whose bytes are at hand."""
        return await asyncio.to_thread(original_with_content, kept, content.root, content.raw)

    def _first(
        self, kept: KeptMail, terms: Terms, steps: Sequence[Step], roles: Roles
    ) -> Iterator[tuple[str, Panel]]:
        """Who may act on a seat without a vote, each with the first panel in which he may; delegates too."""
        acting = active_delegates(roles.delegates, day_of(self.means.clock()))
        seen: set[str] = set()
        for panel in terms.panels:
            votes = votes_of(panel, steps)
            for seat in panel.approvers:
                if seat in votes or is_own(kept, seat, roles.domains):
                    continue
                for name in (seat, *sorted(each for each, approvers in acting.items() if seat in approvers)):
                    if name not in seen and name not in votes.values() and not is_own(kept, name, roles.domains):
                        seen.add(name)
                        yield name, panel

    async def _ask(
        self,
        kept: KeptMail,
        terms: Terms,
        original: Original,
        kind: Callable[..., ApprovalRequest],
        people: Mapping[str, Panel],
        giver: str = "",
    ) -> None:
        """A code and a notice for each. Raises StoreUnavailable if the codes cannot be kept: nobody is asked then."""
        issued = {name: issue(kept.id, list(Want), name, kept.expires) for name in people}
        await self.means.codes.put([code for _, code in issued.values()])
        for name, panel in people.items():
            secret, code = issued[name]
            await self.means.tell(
                kind(
                    to=code.person,
                    moment=self.means.clock(),
                    occasion=giver or panel.rule,
                    original=original,
                    text=terms.text,
                    link=self.means.link(secret),
                    code=secret,
                    others=tuple(other for other in panel.approvers if other != name),
                    quorum=panel.quorum,
                    until=kept.expires,
                )
            )
