"""One mail transaction of a client, from MAIL to the answer to its final dot. Made by MAIL, dropped by its reply.

Nothing in it is ever reset: the next MAIL makes a new one (RFC 5321 section 4.1.1.5).
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from gateway import decide, dispose, reply, trace
from gateway.config import AccountSource, LineEndings
from gateway.errors import HopError, Refused, StoreUnavailable
from gateway.identity import new_id
from gateway.mail import Client, Envelope, Mail, Part, Raw, Recipient, Transaction
from gateway.mime.parse import parse
from gateway.notices.applied import Affair
from gateway.notices.original import Original, original_of_envelope, original_of_mail, original_without_content
from gateway.origin import handed_in_inside
from gateway.pipeline import judge
from gateway.reply import Reply
from gateway.smtp.data import DataDecoder
from gateway.smtp.pace import Pace
from gateway.smtp.service import Service
from gateway.smtp.syntax import declared_size
from gateway.smtp.wire import Wire
from gateway.spool import IN_MEMORY, SpoolFull
from gateway.verdict import Action, Outcome, Verdict

LOOKING = 0.5
"""Share of the deadline that the filters may use; the rest is the next hop's."""

LOGGED = 20
"""Addresses and rules in a log line: a line stays under 8 kB."""

SMALL_PIECE = 64 * 1024
"""Bytes of content that are taken in at once; larger pieces, 0.2 ms of work each, take turns."""

AT_ONCE = nullcontext()

log = structlog.get_logger()


class Endless(Refused):
    """The content has gone on for twice the limit: its end is not waited for, the session must close."""


class Incoming:
    """A client's transaction. `policy` is the one in force when it began, to its end.

    `trusted`: the peer is believed about other clients, so also its topmost Received field.
    """

    def __init__(self, service: Service, client: Client, envelope: Envelope, *, trusted: bool) -> None:
        self.service = service
        self.policy = service.policy()
        self.trusted = trusted
        self.id = new_id()
        self.refused: list[tuple[str, Reply, tuple[str, ...]]] = []
        self.facts = Transaction(
            id=self.id,
            listener=service.listener.name,
            received=datetime.now(UTC),
            client=client,
            envelope=envelope,
            inside=self._inside(client, envelope),
            domains=self.policy.organisation.domains,
            accounts=self.policy.accounts,
        )
        self._spooled = service.spool.new()
        self._reservation = service.reservations.reserve(self.facts)
        self._refusals: list[Outcome] = []
        self._logged = False

    @property
    def envelope(self) -> Envelope:
        """The sender and the recipients taken so far."""
        return self.facts.envelope

    def _inside(self, client: Client, envelope: Envelope) -> bool:
        return handed_in_inside(
            client,
            envelope.sender,
            listener_direction=self.service.direction,
            domains=self.policy.organisation.domains,
            networks=self.policy.organisation.networks,
        )

    def begin(self) -> None:
        """May this sender send? Raises Refused."""
        size = declared_size(self.envelope.parameters)
        if size > self.service.limits.message_size:
            raise Refused(reply.TOO_BIG)
        if not self.service.spool.has_room(size):
            self.service.observer.shed("spool")
            raise Refused(reply.NO_ROOM)
        self._refuse_if(decide.at_envelope(self.policy, self.facts, None), "")

    async def add(self, recipient: Recipient) -> None:
        """May this recipient get it, by the policy and by the next hop? Raises Refused."""
        if max(len(self.envelope.recipients), len(self.refused)) >= self.service.limits.recipients:
            raise Refused(reply.TOO_MANY_RECIPIENTS)
        self._refuse_if(decide.at_envelope(self.policy, self.facts, recipient), recipient.address)
        try:
            async with asyncio.timeout(self.service.deadline):  # a hop may be late with each of its replies
                answer = await self._reservation.add(recipient)
        except HopError as error:
            log.warning("next hop failed", id=self.id, stage="rcpt", kind=error.kind, detail=error.detail)
            raise Refused(error.reply.about(self.id)) from None
        except TimeoutError:
            raise Refused(reply.DEADLINE.about(self.id)) from None
        if not answer.accepted:
            self.refused.append((recipient.address, answer, ()))
            raise Refused(answer)
        sender, taken, parameters = self.envelope.sender, self.envelope.recipients, self.envelope.parameters
        self.facts = replace(self.facts, envelope=Envelope(sender, (*taken, recipient), parameters))

    async def receive(self, wire: Wire, pace: Pace) -> None:
        """Take the content, to the final dot. Raises Refused (the content was read to its end), Endless or EOFError."""
        decoder = DataDecoder(strict=self.service.listener.line_endings is LineEndings.REFUSE)
        limit = self.service.limits.message_size
        size = 0
        refusal: Reply | None = None
        while not decoder.finished:
            pace.waiting(size)
            chunk = await wire.chunk()
            async with self.service.turns if len(chunk) > SMALL_PIECE else AT_ONCE:
                data = decoder.feed(chunk)
                size += len(data)
                if size > 2 * limit:
                    raise Endless(self._turned_down(reply.TOO_BIG))
                if refusal is None:
                    refusal = await self._keep(data, size, limit)
        pace.working()
        wire.unread(decoder.rest)
        if decoder.tainted and self.service.listener.line_endings is LineEndings.REFUSE:
            self.service.observer.protocol_error("bare_line_ending")
            refusal = refusal or reply.BARE_LINE_ENDING
        if refusal is not None:
            raise Refused(self._turned_down(refusal))

    async def settle(self) -> Reply:
        """Decide and carry out. Returns the answer to the final dot; never raises, whatever breaks."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        mail: Mail | None = None
        verdict: Verdict | None = None
        disposal = decide.Disposal()
        try:
            async with asyncio.timeout_at(started + self.service.deadline):
                mail, verdict = await self._judged(started)
                disposal = decide.fold(self.policy, verdict)
                if not disposal.unstored:
                    await self.service.remember(mail, verdict)
                answer = await dispose.carry_out(
                    self.policy,
                    mail,
                    verdict,
                    disposal,
                    send=self._reservation.send,
                    keeper=self.service.custody,
                    hostname=self.service.hostname,
                )
                if disposal.own and answer.accepted:
                    self.service.errand(self.service.custody.ask(self.id))
        except Refused as error:
            answer = error.reply
        except HopError as error:
            log.warning("next hop failed", id=self.id, stage="data", kind=error.kind, detail=error.detail)
            answer = error.reply
        except TimeoutError:
            answer = reply.DEADLINE
        except StoreUnavailable as error:
            log.error("store unavailable", id=self.id, reason=str(error))
            answer = reply.TROUBLE
        except Exception:
            log.exception("message failed", id=self.id)
            answer = reply.TROUBLE
        if disposal.unstored:
            await self._wipe()
        if mail is not None and verdict is not None and any(outcome.notify for outcome in verdict.outcomes):
            await self._announce(mail, dispose.carried_out(verdict, disposal, answer), disposal)
        seconds = loop.time() - started
        answer = answer.about(self.id, "" if answer.accepted else self.service.help_url)
        if verdict is not None:
            self.service.observer.judged(
                self.service.listener.name,
                self.facts.strictest_direction,
                verdict,
                size=self._spooled.size,
                seconds=seconds,
            )
        self._log(answer, verdict, seconds)
        return answer

    async def close(self) -> None:
        """The transaction is over, one way or another: give everything back."""
        if self.refused and not self._logged:
            self._log(self.refused[-1][1], None, 0.0)
        if early := self._to_be_told(()):
            self._tell(original_of_envelope(self.facts, early), early)
        self._spooled.close()
        await self._reservation.give_up()

    def _turned_down(self, answer: Reply) -> Reply:
        """The answer to a content that is not even looked at, logged like any other."""
        answer = answer.about(self.id, self.service.help_url)
        self._log(answer, None, 0.0)
        return answer

    def _refuse_if(self, outcome: Outcome, address: str) -> None:
        if outcome.action >= Action.DEFER:
            matched = tuple(
                rule.id for rule in outcome.rules if rule.action is outcome.action and rule.mode == "enforce"
            )
            answer = outcome.reply.about(self.id, self.service.help_url)
            self.refused.append((address, answer, matched))
            if outcome.notify:
                self._refusals.append(outcome)
            raise Refused(answer)

    async def _keep(self, data: bytes, size: int, limit: int) -> Reply | None:
        """Write to the spool; a reply if that cannot be, and then what was written is given up at once."""
        if size > limit:
            self.service.observer.protocol_error("size")
            self._spooled.close()
            return reply.TOO_BIG
        try:
            await self._spooled.write(data)
        except SpoolFull as error:
            log.warning("spool full", id=self.id, reason=str(error))
            self.service.observer.shed("spool")
            self._spooled.close()
            return reply.NO_ROOM
        return None

    async def _judged(self, started: float) -> tuple[Mail, Verdict]:
        raw = await self._spooled.finish()
        root = await self._read(raw)
        if trace.hops(root) >= self.service.limits.hops or (
            trace.own_passes(root, self.service.hostname) >= trace.OWN_PASSES
        ):
            self.service.observer.protocol_error("loop")
            raise Refused(reply.LOOP)
        if self.service.listener.account is AccountSource.RECEIVED and self.trusted and not self.facts.client.login:
            client = replace(self.facts.client, login=trace.authenticated_user(root))
            self.facts = replace(self.facts, client=client, inside=self._inside(client, self.envelope))
        mail = Mail.of(self.facts, raw, root)
        deadline = started + self.service.deadline * LOOKING
        return mail, await judge(
            self.policy,
            mail,
            deadline=deadline,
            observe=self.service.observer.examined,
            open_mail=self.service.open_mail,
        )

    async def _read(self, raw: Raw) -> Part:
        """The message's structure; a large one is read in a thread, and few at once."""
        if len(raw) <= IN_MEMORY:
            return parse(raw)
        async with self.service.large:
            return await asyncio.to_thread(parse, raw)

    async def _wipe(self) -> None:
        """Nothing of the content may last. Its digest has been taken by now; the file has had no name at any time."""
        try:
            await self._spooled.wipe()
        except OSError as error:
            log.error("spool not wiped", id=self.id, reason=str(error))

    async def _announce(self, mail: Mail, done: tuple[Outcome, ...], disposal: decide.Disposal) -> None:
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
            self._tell(original, told)
        except Exception:
            log.exception("nobody is told", id=self.id)

    def _to_be_told(self, done: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """What was done, and what was refused before the content came; the latter is told once."""
        early, self._refusals = tuple(self._refusals), []
        return (*early, *done)

    def _tell(self, original: Original, outcomes: tuple[Outcome, ...]) -> None:
        affair = Affair(policy=self.policy, original=original, outcomes=outcomes)
        self.service.errand(self.service.announce(affair))

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
            reply=str(answer),
            seconds=round(seconds, 4),
        )


def _refusal_of(answer: Reply) -> Action:
    """What a refusal without a verdict comes to: before the content was judged, or because it could not be."""
    return Action.DEFER if answer.temporary else Action.REJECT
