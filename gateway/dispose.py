"""Carries a verdict out and says what the client is to hear.

The file before is `gateway/decide.py`, which made the verdict; with this one a message has gone the whole way. Where
it is relayed, the answer is the next hop's own answer: nobody is told 250 for what nobody holds. Whom rules want told
of it is read from `carried_out` by `gateway/notices/applied.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from gateway.decide import Disposal
from gateway.mail import Mail, Raw, Recipient, Span
from gateway.mime.edit import edited
from gateway.policy.model import Policy
from gateway.reply import Reply
from gateway.trace import BYPASS, bypassed, claims_bypass
from gateway.verdict import Action, Edit, Outcome, RemoveHeader, Verdict

Send = Callable[[Sequence[Recipient], Raw, Sequence[bytes | Span]], Awaitable[Reply]]
"""How the front end hands a message on: to these recipients, these pieces. Raises HopError."""

Trace = Callable[[Mail, str, str], bytes]
"""The fields that the front end puts on top of what it hands on: of this mail, by this policy, with this action."""


class Keeper(Protocol):
    """Who owns mail that is held or quarantined (`custody/custody.py`)."""

    async def own(self, policy: Policy, mail: Mail, outcomes: Sequence[Outcome]) -> Reply:
        """Keep it for these recipients: accepted once it is on stable storage."""
        ...

    async def unstored(self, policy: Policy, mail: Mail, outcomes: Sequence[Outcome]) -> None:
        """Remember mail of which no content may be kept. Raises StoreUnavailable."""
        ...

    async def withdraw(self, id: str) -> None:
        """Give up a message that was owned. Never raises."""
        ...


async def carry_out(
    policy: Policy, mail: Mail, verdict: Verdict, disposal: Disposal, *, send: Send, keeper: Keeper, trace: Trace
) -> Reply:
    """Do what was decided. Returns the reply to the end of data; raises HopError if the next hop fails.

    What must be owned is owned first; if the others' copy is then not taken, it is given up, since its client will
    send it again.
    """
    if disposal.unstored:
        await keeper.unstored(policy, mail, disposal.unstored)
    if disposal.own:
        owned = await keeper.own(policy, mail, disposal.own)
        if not owned.accepted or not disposal.deliver:
            return owned
    elif disposal.reply is not None:
        return disposal.reply
    try:
        answer = await send(
            onward(disposal.deliver), mail.raw, _pieces(mail, verdict, disposal.deliver, trace)
        )
    except BaseException:
        if disposal.own:
            await keeper.withdraw(mail.id)
        raise
    if disposal.own and not answer.accepted:
        await keeper.withdraw(mail.id)
    return answer


def carried_out(verdict: Verdict, disposal: Disposal, answer: Reply) -> tuple[Outcome, ...]:
    """What was done, once the client has its answer: outcomes whose action is what became of the message.

    Nothing where the message comes again, or where the next hop has refused it: what rules asked for did not happen.
    """
    if answer.temporary:
        return ()
    if disposal.unstored:
        return tuple(replace(outcome, action=Action.REJECT) for outcome in disposal.unstored)
    if answer.accepted:
        quarantined = any(outcome.action is Action.QUARANTINE for outcome in disposal.own)
        kept = Action.QUARANTINE if quarantined else Action.HOLD  # there is one entry for a message (`custody/keep.py`)
        own = tuple(replace(outcome, action=kept) for outcome in disposal.own)
        return (*disposal.deliver, *own, *disposal.discard)
    if disposal.own or disposal.deliver or disposal.discard:
        return ()
    return tuple(replace(outcome, action=Action.REJECT) for outcome in verdict.outcomes)


def onward(outcomes: Sequence[Outcome]) -> tuple[Recipient, ...]:
    """Everybody who gets the message, once each, in the order they were named; rules' blind copies last."""
    named = [recipient for outcome in outcomes for recipient in outcome.deliver_to]
    copies = [Recipient(address) for outcome in outcomes for address in outcome.copies]
    return tuple({recipient.address: recipient for recipient in reversed([*named, *copies])}.values())[::-1]


def _pieces(mail: Mail, verdict: Verdict, outcomes: Sequence[Outcome], trace: Trace) -> tuple[bytes | Span, ...]:
    """The message as it leaves: trace fields on top, then what came, edited where rules ask for it."""
    edits: dict[Edit, None] = dict.fromkeys(edit for outcome in outcomes for edit in outcome.edits)
    if claims_bypass(mail.root):
        edits[RemoveHeader(BYPASS)] = None
    action = max(outcome.action for outcome in outcomes)
    top = trace(mail, verdict.policy, action.word) + bypassed(verdict.bypassed)
    return (top, *edited(mail.raw, mail.root, tuple(edits)))
