"""Hands a kept message on, once.

It is claimed in the store before anything is sent, so one process of all sends it. If the next hop takes it, it is
released; if it certainly has nothing, the message waits again. Where nobody can know, the claim stays, and people are
told: this never sends again by itself. What is sent is what was kept: the digest is looked at first.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime

import structlog

from gateway import trace
from gateway.custody.keep import digest_of
from gateway.custody.means import Journal, Means
from gateway.custody.steps import Act, record
from gateway.custody.terms import Terms
from gateway.errors import HopError, StoreUnavailable
from gateway.keeping import KeptMail, Kind, State, Step
from gateway.mail import Direction, Mail, Part, Raw, Span
from gateway.mime.edit import edited
from gateway.mime.parse import parse
from gateway.policy.model import Policy
from gateway.verdict import Action

RELEASE_WITHIN = 300.0
"""Seconds for one attempt: connecting, the envelope, 25 MB over a slow line, and the hop's answer."""

IN_LOOP = 64 * 1024
"""Bytes of a message that is hashed and read on the event loop; more goes to a thread."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Content:
    """A kept message with its bytes, which are those that were kept."""

    raw: Raw
    root: Part


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it: `act` is RELEASED, DEFERRED, REFUSED, STOPPED, UNKNOWN, or None where others were faster.

    `reason` is the hop's answer, or why it was stopped.
    """

    act: Act | None
    reason: str = ""


class Releasing:
    """Attempts, and those that the store could not take down yet."""

    def __init__(self, means: Means, journal: Journal) -> None:
        self._means = means
        self._journal = journal
        self._under_way: set[asyncio.Task[Attempt]] = set()
        self._unsettled: dict[str, tuple[State, Step]] = {}

    async def release(self, kept: KeptMail, terms: Terms, content: Content, actor: str, comment: str) -> Attempt:
        """One attempt. It is brought to its end also if the caller is cancelled.

        Raises StoreUnavailable while nothing has been claimed or sent.
        """
        task = asyncio.create_task(self._attempt(kept, terms, content, actor, comment), name=f"release {kept.id}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Take down what became of attempts while the store could not be written."""
        for id, (state, step) in list(self._unsettled.items()):
            await self._moved(id, state, step)

    async def close(self) -> None:
        """Wait for the attempts that are under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _attempt(self, kept: KeptMail, terms: Terms, content: Content, actor: str, comment: str) -> Attempt:
        mail = mail_of(kept, terms, content, self._means.policy())
        objection = await self._means.rescan(mail)
        if objection is not None:
            act = Act.DEFERRED if objection.action is Action.DEFER else Act.STOPPED
            rules = ", ".join(rule.id for rule in objection.rules if rule.action is objection.action)
            step = self._step(act, actor, f"looked at again: {objection.action.word} by {rules}")
            await self._journal.before(record(kept, step))
            await self._means.mail.note(kept.id, step)
            return Attempt(act, step.comment)
        claim = self._step(Act.RELEASING, actor, comment)
        await self._journal.before(record(kept, claim))
        if not await self._means.mail.move(kept.id, before=State.WAITING, after=State.RELEASING, step=claim):
            return Attempt(None)
        step = await self._sent(mail, kept, terms, content, actor)
        if step.act == Act.UNKNOWN:
            await self._noted(kept.id, step)
        else:
            await self._moved(kept.id, State.RELEASED if step.act == Act.RELEASED else State.WAITING, step)
        await self._journal.after(record(kept, step))
        return Attempt(Act(step.act), step.comment)

    async def _sent(self, mail: Mail, kept: KeptMail, terms: Terms, content: Content, actor: str) -> Step:
        """What the next hop made of it."""
        pieces = _pieces(mail, kept, terms, content, self._means.clock(), self._means.hostname)
        try:
            async with asyncio.timeout(RELEASE_WITHIN):
                answer = await self._means.hand_on(mail, content.raw, pieces)
        except HopError as error:
            return self._step(Act.UNKNOWN, actor, f"the next hop may have it: {error.kind}, {error}")
        except TimeoutError:
            return self._step(Act.UNKNOWN, actor, "the next hop may have it: it did not answer in time")
        except Exception:
            log.exception("release failed", id=kept.id)
            return self._step(Act.UNKNOWN, actor, "the next hop may have it: an error of our own, see the log")
        if answer.accepted:
            return self._step(Act.RELEASED, actor, str(answer))
        return self._step(Act.DEFERRED if answer.temporary else Act.REFUSED, actor, str(answer))

    async def _moved(self, id: str, state: State, step: Step) -> None:
        """Take down what came of a claim. If that cannot be, the claim stays, and it is tried again at each sweep."""
        try:
            await self._means.mail.move(id, before=State.RELEASING, after=state, step=step)
            self._unsettled.pop(id, None)
        except StoreUnavailable as error:
            self._unsettled[id] = state, step
            log.error("release not taken down", id=id, state=state.value, reason=str(error))

    async def _noted(self, id: str, step: Step) -> None:
        try:
            await self._means.mail.note(id, step)
        except StoreUnavailable as error:  # the claim tells the same, and the sweep finds it
            log.error("release not taken down", id=id, state=State.RELEASING.value, reason=str(error))

    def _step(self, act: Act, actor: str, comment: str) -> Step:
        return Step(moment=self._means.clock(), actor=actor, act=act, comment=comment)


async def content_of(means: Means, kept: KeptMail) -> Content:
    """The bytes that were kept, and their parts. Raises StoreUnavailable where they are gone or not the same."""
    raw = await means.mail.raw(kept.id)
    if len(raw) <= IN_LOOP:
        return _content(kept, raw)
    return await asyncio.to_thread(_content, kept, raw)


def _content(kept: KeptMail, raw: Raw) -> Content:
    if digest_of(raw) != kept.digest:
        raise StoreUnavailable(f"the bytes of {kept.id} are not those that were kept")
    return Content(raw, parse(raw))


def mail_of(kept: KeptMail, terms: Terms, content: Content, policy: Policy) -> Mail:
    """The mail that it is when it is looked at again, to those whom it goes on to."""
    return Mail(
        id=kept.id,
        listener=kept.listener,
        received=kept.received,
        client=kept.client,
        envelope=replace(kept.envelope, recipients=terms.recipients),
        inside=kept.direction != Direction.INBOUND,
        domains=frozenset(policy.organisation.domains),
        accounts=policy.accounts,
        raw=content.raw,
        root=content.root,
    )


def _pieces(
    mail: Mail, kept: KeptMail, terms: Terms, content: Content, now: datetime, hostname: str
) -> tuple[bytes | Span, ...]:
    """The message as it leaves: the trace, the field that names its release, then what came, changed as rules ask."""
    action = Action.HOLD if kept.kind is Kind.HELD else Action.QUARANTINE
    head = trace.received(mail, hostname) + trace.decision(kept.policy, action.word) + _release_field(kept, now)
    return (head, *edited(content.raw, content.root, terms.edits))


def _release_field(kept: KeptMail, now: datetime) -> bytes:
    """Names the release. Who decided it is in the audit trail, and nobody else's business."""
    return f"X-Mailwarden-Release: {kept.id}; {format_datetime(now)}\r\n".encode("ascii")
