"""One mail transaction of an SMTP client, from MAIL to the answer to its final dot.

What becomes of it is in `gateway/handling.py`, which all front ends share; here are the wire and the next hop.
Nothing in it is ever reset: the next MAIL makes a new one (RFC 5321 section 4.1.1.5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

import structlog

from gateway import reply, trace
from gateway.config import AccountSource, LineEndings
from gateway.errors import HopError, Refused
from gateway.handling import Handling
from gateway.mail import Client, Envelope, Mail, Part, Raw, Recipient, Span
from gateway.reply import Reply
from gateway.smtp.data import DataDecoder
from gateway.smtp.pace import Pace
from gateway.smtp.service import Service
from gateway.smtp.syntax import declared_size
from gateway.smtp.wire import Wire

SMALL_PIECE = 64 * 1024
"""Bytes of content that are taken in at once; larger pieces, 0.2 ms of work each, take turns."""

AT_ONCE = nullcontext()

log = structlog.get_logger()


class Endless(Refused):
    """The content has gone on for twice the limit: its end is not waited for, the session must close."""


class Incoming(Handling):
    """A client's transaction.

    `trusted`: the peer is believed about other clients, so also its topmost Received field.
    """

    def __init__(self, service: Service, client: Client, envelope: Envelope, *, trusted: bool) -> None:
        super().__init__(service, client, envelope)
        self.service = service
        self.trusted = trusted
        self._reservation = service.reservations.reserve(self.facts)

    def begin(self) -> None:
        """May this sender send? Raises Refused."""
        self.check_sender(declared_size(self.envelope.parameters))

    async def add(self, recipient: Recipient) -> None:
        """May this recipient get it, by the policy and by the next hop? Raises Refused."""
        self.check_recipient(recipient)
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
        self.take_recipient(recipient)

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
                    raise Endless(self.turned_down(reply.TOO_BIG))
                if refusal is None:
                    refusal = await self.keep(data, size)
        pace.working()
        wire.unread(decoder.rest)
        if decoder.tainted and self.service.listener.line_endings is LineEndings.REFUSE:
            self.service.observer.protocol_error("bare_line_ending")
            refusal = refusal or reply.BARE_LINE_ENDING
        if refusal is not None:
            raise Refused(self.turned_down(refusal))

    async def send(self, recipients: Sequence[Recipient], raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
        """The next hop's answer to the message. Raises HopError."""
        return await self._reservation.send(recipients, raw, pieces)

    def trace(self, mail: Mail, policy: str, action: str) -> bytes:
        """We have received it and pass it on: a Received field, and what was decided."""
        return trace.received(mail, self.service.hostname) + trace.decision(policy, action)

    def learn(self, root: Part) -> None:
        """The login that a trusted peer has written into the topmost Received field, by setting."""
        if self.service.listener.account is AccountSource.RECEIVED and self.trusted and not self.facts.client.login:
            client = replace(self.facts.client, login=trace.authenticated_user(root))
            self.facts = replace(self.facts, client=client, inside=self.inside(client, self.envelope))

    async def close(self) -> None:
        """The transaction is over, one way or another: give everything back."""
        await super().close()
        await self._reservation.give_up()
