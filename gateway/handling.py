"""One message's way through the gateway, whichever front end it came by: from its envelope to the answer to its end.

A front end is a subclass: it takes the content in, and says how the message goes on. Made by MAIL, dropped by the
answer: nothing in it is ever reset.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import structlog

from gateway import decide, dispose, lasting, reply, seal, trace
from gateway.canary import Canary
from gateway.config import Listener, ListenerDirection
from gateway.custody.custody import Custody
from gateway.errors import HopError, Refused, StoreUnavailable
from gateway.identity import new_id
from gateway.limits import Limits
from gateway.mail import Client, Direction, Envelope, Mail, Part, Raw, Recipient, Span, Transaction
from gateway.mime.parse import parse
from gateway.notices.applied import Affair
from gateway.notices.original import Original, original_of_envelope, original_of_mail, original_without_content
from gateway.observer import Observer
from gateway.origin import handed_in_inside
from gateway.pipeline import Observe, OpenMail, judge
from gateway.policy.model import Policy
from gateway.reply import Reply
from gateway.spool import IN_MEMORY, Spool, SpoolFull
from gateway.verdict import Action, Finding, Outcome, Truth, Verdict

LOOKING = 0.5
"""Share of the deadline that the filters may use; the rest is the next hop's."""

LOGGED = 20
"""Addresses and rules in a log line: a line stays under 8 kB."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What the messages of one listener share: its settings, the policy of the moment, the spool, the counters.

    `policy` gives the policy in force now: it is asked once a message, so a reload never splits one. `large`
    lets only a few large messages be read at once, so that small mail never waits behind them. `announce` tells
    whom rules want told of a message, `tell` other workers what filters learn from it. `canary_of` knows our own
    canaries.
    """

    listener: Listener
    limits: Limits
    hostname: str
    help_url: str
    deadline: float
    policy: Callable[[], Policy]
    spool: Spool
    custody: Custody
    remember: Callable[[Mail, Verdict], Awaitable[None]]
    announce: Callable[[Affair], Coroutine[Any, Any, None]]
    observer: Observer
    open_mail: OpenMail
    canary_of: Callable[[Raw], Canary | None] = seal.nobody_seals
    tell: lasting.Tell = lasting.alone
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    errands: set[asyncio.Task[None]] = field(default_factory=set)

    def errand(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something after the client has its answer. Its trouble is logged; the sweep does it again."""
        task = asyncio.get_running_loop().create_task(_logged(work))
        self.errands.add(task)
        task.add_done_callback(self.errands.discard)

    @property
    def direction(self) -> Direction | None:
        """The listener's role, None where the organisation's domains and networks decide for each message."""
        role = self.listener.direction
        return None if role is ListenerDirection.BY_ORGANISATION else Direction(role.value)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("errand failed")


class Handling(ABC):
    """A message under way. `policy` is the one in force when it began, to its end."""

    extra: ClassVar[tuple[str, ...]] = ()
    """Attributes of the front end's own that stand in the log line."""

    def __init__(self, reception: Reception, client: Client, envelope: Envelope) -> None:
        self.reception = reception
        self.policy = reception.policy()
        self.id = new_id()
        self.refused: list[tuple[str, Reply, tuple[str, ...]]] = []
        self.facts = Transaction(
            id=self.id,
            listener=reception.listener.name,
            received=datetime.now(UTC),
            client=client,
            envelope=envelope,
            inside=self.inside(client, envelope),
            domains=self.policy.organisation.domains,
            accounts=self.policy.accounts,
        )
        self._spooled = reception.spool.new()
        self._refusals: list[Outcome] = []
        self._logged = False

    @property
    def envelope(self) -> Envelope:
        """The sender and the recipients taken so far."""
        return self.facts.envelope

    def inside(self, client: Client, envelope: Envelope) -> bool:
        """True if the organisation itself hands the message in."""
        return handed_in_inside(
            client,
            envelope.sender,
            listener_direction=self.reception.direction,
            domains=self.policy.organisation.domains,
            networks=self.policy.organisation.networks,
        )

    @abstractmethod
    async def send(self, recipients: Sequence[Recipient], raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
        """Have the message go on, to these recipients, as these pieces. Raises HopError."""

    @abstractmethod
    def trace(self, mail: Mail, policy: str, action: str) -> bytes:
        """The fields that are put on top of what goes on."""

    def learn(self, root: Part) -> None:  # noqa: B027
        """What the content tells about who sent it, where the front end believes it."""

    def check_sender(self, size: int) -> None:
        """May this sender send a message that is said to have so many octets? Raises Refused."""
        if size > self.reception.limits.message_size:
            raise Refused(reply.TOO_BIG)
        if not self.reception.spool.has_room(size):
            self.reception.observer.shed("spool")
            raise Refused(reply.NO_ROOM)
        self._refuse_if(decide.at_envelope(self.policy, self.facts, None), "")

    def check_recipient(self, recipient: Recipient) -> None:
        """May this recipient get it, by the policy? Raises Refused."""
        if max(len(self.envelope.recipients), len(self.refused)) >= self.reception.limits.recipients:
            raise Refused(reply.TOO_MANY_RECIPIENTS)
        self._refuse_if(decide.at_envelope(self.policy, self.facts, recipient), recipient.address)

    def take_recipient(self, recipient: Recipient) -> None:
        """One more recipient."""
        sender, taken, parameters = self.envelope.sender, self.envelope.recipients, self.envelope.parameters
        self.facts = replace(self.facts, envelope=Envelope(sender, (*taken, recipient), parameters))

    async def settle(self) -> Reply:
        """Decide and carry out. Returns the answer to the final dot; never raises, whatever breaks."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        mail: Mail | None = None
        verdict: Verdict | None = None
        disposal = decide.Disposal()
        trouble, added = "", 0.0
        try:
            async with asyncio.timeout_at(started + self.reception.deadline):
                if self.reception.canary_of(await self._spooled.finish()) is not None:
                    return await self._answer_canary(started)
                mail, verdict = await self._judged(started, self.reception.observer.examined)
                disposal = decide.fold(self.policy, verdict)
                if not disposal.unstored:
                    await self.reception.remember(mail, verdict)
                added = loop.time() - started
                answer = await dispose.carry_out(
                    self.policy,
                    mail,
                    verdict,
                    disposal,
                    send=self.send,
                    keeper=self.reception.custody,
                    trace=self.trace,
                )
                if disposal.own and answer.accepted:
                    self.reception.errand(self.reception.custody.ask(self.id))
        except Refused as error:
            answer = error.reply
        except HopError as error:
            log.warning("next hop failed", id=self.id, stage="data", kind=error.kind, detail=error.detail)
            answer, trouble = error.reply, "next-hop"
        except TimeoutError:
            answer, trouble = reply.DEADLINE, "deadline"
        except StoreUnavailable as error:
            log.error("store unavailable", id=self.id, reason=str(error))
            answer, trouble = reply.TROUBLE, "store"
        except Exception:
            log.exception("message failed", id=self.id)
            answer, trouble = reply.TROUBLE, "bug"
        if mail is not None:
            reports = verdict.reports if verdict is not None else ()
            await lasting.answered(self.policy.filters, mail, answer, reports, self.reception.tell)
        if disposal.unstored:
            await self._wipe()
        if mail is not None and verdict is not None and any(outcome.notify for outcome in verdict.outcomes):
            await self._announce(mail, verdict, dispose.carried_out(verdict, disposal, answer), disposal)
        seconds = loop.time() - started
        answer = answer.about(self.id, "" if answer.accepted else self.reception.help_url)
        if verdict is not None:
            self.reception.observer.judged(
                self.reception.listener.name,
                self.facts.strictest_direction,
                verdict,
                size=self._spooled.size,
                seconds=seconds,
                added=added or seconds,
            )
        if answer.temporary and (trouble := trouble or _trouble_of(verdict, disposal)):
            self.reception.observer.put_off(trouble)
        self._log(answer, verdict, seconds)
        return answer

    async def close(self) -> None:
        """The message is over, one way or another: give everything back."""
        if self.refused and not self._logged:
            self._log(self.refused[-1][1], None, 0.0)
        if early := self._to_be_told(()):
            self._tell(original_of_envelope(self.facts, early), early, ())
        self._spooled.close()

    async def keep(self, data: bytes, size: int) -> Reply | None:
        """Write to the spool, which has `size` octets then; a reply if that cannot be: all of it is given up."""
        if size > self.reception.limits.message_size:
            self.reception.observer.protocol_error("size")
            self._spooled.close()
            return reply.TOO_BIG
        try:
            await self._spooled.write(data)
        except SpoolFull as error:
            log.warning("spool full", id=self.id, reason=str(error))
            self.reception.observer.shed("spool")
            self._spooled.close()
            return reply.NO_ROOM
        return None

    def turned_down(self, answer: Reply) -> Reply:
        """The answer to a content that is not even looked at, logged like any other."""
        answer = answer.about(self.id, self.reception.help_url)
        self._log(answer, None, 0.0)
        return answer

    def _refuse_if(self, outcome: Outcome, address: str) -> None:
        if outcome.action >= Action.DEFER:
            matched = tuple(
                rule.id for rule in outcome.rules if rule.action is outcome.action and rule.mode == "enforce"
            )
            answer = outcome.reply.about(self.id, self.reception.help_url)
            self.refused.append((address, answer, matched))
            self.reception.observer.refused(outcome)
            if outcome.notify:
                self._refusals.append(outcome)
            raise Refused(answer)

    async def _answer_canary(self, started: float) -> Reply:
        """Decide, and do nothing of it: a canary is nobody's mail (`selfprobe.py`). It is not handed on and not kept;
        it is in no count, memory, report, notice or audit record."""
        self._logged = True
        _, verdict = await self._judged(started, lambda _report: None)
        return seal.answer(verdict)

    async def _judged(self, started: float, observe: Observe) -> tuple[Mail, Verdict]:
        raw = await self._spooled.finish()
        root = await self._read(raw)
        if trace.hops(root) >= self.reception.limits.hops or (
            trace.own_passes(root, self.reception.hostname) >= trace.OWN_PASSES
        ):
            self.reception.observer.protocol_error("loop")
            raise Refused(reply.LOOP)
        self.learn(root)
        mail = Mail.of(self.facts, raw, root)
        deadline = started + self.reception.deadline * LOOKING
        return mail, await judge(
            self.policy,
            mail,
            deadline=deadline,
            observe=observe,
            open_mail=self.reception.open_mail,
        )

    async def _read(self, raw: Raw) -> Part:
        """The message's structure; a large one is read in a thread, and few at once."""
        if len(raw) <= IN_MEMORY:
            return parse(raw)
        async with self.reception.large:
            return await asyncio.to_thread(parse, raw)

    async def _wipe(self) -> None:
        """Nothing of the content may last. Its digest has been taken by now; the file has had no name at any time."""
        try:
            await self._spooled.wipe()
        except OSError as error:
            log.error("spool not wiped", id=self.id, reason=str(error))

    async def _announce(
        self, mail: Mail, verdict: Verdict, done: tuple[Outcome, ...], disposal: decide.Disposal
    ) -> None:
        """Have people told of what was done, as rules want it. Never raises: a notice changes no answer."""
        if not (done := tuple(outcome for outcome in done if outcome.notify)):
            return
        told = self._to_be_told(done)
        try:
            if disposal.unstored:
                original = original_without_content(mail, told)
            elif len(mail.raw) <= IN_MEMORY:
                original = original_of_mail(mail, told)
            else:
                original = await asyncio.to_thread(original_of_mail, mail, told)
            self._tell(original, told, () if disposal.unstored else verdict.findings)
        except Exception:
            log.exception("nobody is told", id=self.id)

    def _to_be_told(self, done: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """What was done, and what was refused before the content came; the latter is told once."""
        early, self._refusals = tuple(self._refusals), []
        return (*early, *done)

    def _tell(self, original: Original, outcomes: tuple[Outcome, ...], findings: tuple[Finding, ...]) -> None:
        affair = Affair(policy=self.policy, original=original, outcomes=outcomes, findings=findings)
        self.reception.errand(self.reception.announce(affair))

    def _log(self, answer: Reply, verdict: Verdict | None, seconds: float) -> None:
        self._logged = True
        facts = self.facts
        rules = dict.fromkeys(rule.id for rule, _ in verdict.asked) if verdict else {}
        log.info(
            "message",
            id=self.id,
            listener=facts.listener,
            direction=facts.strictest_direction.value,
            client=facts.client.address,
            helo=facts.client.helo,
            login=facts.client.login,
            sender=facts.envelope.sender,
            recipients=[recipient.address for recipient in facts.envelope.recipients[:LOGGED]],
            recipient_count=len(facts.envelope.recipients),
            refused=[(address, answer.code, matched) for address, answer, matched in self.refused[:LOGGED]],
            size=self._spooled.size,
            action=(verdict.action if verdict else _refusal_of(answer)).word,
            rules=list(rules)[:LOGGED],
            findings=sorted({finding.code for finding in verdict.findings})[:LOGGED] if verdict else [],
            unavailable=[report.filter for report in verdict.reports if report.failure] if verdict else [],
            policy=self.policy.digest,
            bypassed=list(self.policy.bypassed),
            reply=str(answer),
            seconds=round(seconds, 4),
            **{name: getattr(self, name) for name in self.extra},
        )


def _refusal_of(answer: Reply) -> Action:
    """What a refusal without a verdict comes to: before the content was judged, or because it could not be."""
    return Action.DEFER if answer.temporary else Action.REJECT


def _trouble_of(verdict: Verdict | None, disposal: decide.Disposal) -> str:
    """Why a message comes again that was brought to its end: ours, or "" where a rule or the next hop wants it so."""
    if disposal.own and not disposal.deliver:
        return "store"
    asked = verdict.asked if verdict is not None and disposal.reply is not None else ()
    deferring = [rule for rule, action in asked if action is Action.DEFER and rule.mode == "enforce"]
    return "unknown" if deferring and all(rule.result is Truth.UNKNOWN for rule in deferring) else ""
