"""A client's SMTP session: commands in, replies out. From here a newcomer follows a message.

The next file is `gateway/mail.py`: what `incoming.py`, which this session drives, makes of the client's words. The
connection itself is in `channel.py`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

from gateway import reply
from gateway.config import AccountSource
from gateway.errors import Refused
from gateway.mail import Client
from gateway.reply import Reply
from gateway.smtp import syntax
from gateway.smtp.channel import Channel
from gateway.smtp.door import Door
from gateway.smtp.incoming import Endless, Incoming
from gateway.smtp.service import Service

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")


class Session(Channel):
    """The commands of RFC 5321 section 4.1.1 and of the extensions. A new MAIL makes a new `Incoming`.

    The methods' names are aiosmtpd's dispatch.
    """

    def __init__(self, service: Service, door: Door) -> None:
        super().__init__(service, door)
        self._forwarded: dict[str, str] = {}
        self._messages = 0

    async def smtp_HELO(self, argument: str) -> None:
        """HELO: the session without extensions."""
        await self._greet(argument, "SMTP")
        self._say(Reply(250, "", self.service.hostname))

    async def smtp_EHLO(self, argument: str) -> None:
        """EHLO: what we offer. XFORWARD and XCLIENT are shown to trusted peers only."""
        await self._greet(argument, "ESMTP")
        offers = [f"SIZE {self.service.limits.message_size}", *EXTENSIONS]
        if self.service.tls is not None and not self.client.tls:
            offers.append("STARTTLS")
        if self.trusted:
            offers.append("XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE")
            offers.append("XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT")
        self._say(Reply(250, "", "\n".join([self.service.hostname, *offers])))

    async def _greet(self, argument: str, protocol: str) -> None:
        name = syntax.helo_name(argument)
        await self._drop_transaction()
        self.client = replace(self.client, helo=name, protocol=protocol)

    async def smtp_MAIL(self, argument: str) -> None:
        """MAIL: a new transaction."""
        if not self.client.helo or self.incoming is not None:
            raise Refused(reply.BAD_SEQUENCE)
        if self._messages >= self.service.limits.messages_per_session:
            self._ending = True
            raise Refused(reply.TOO_BUSY)
        client, envelope = self._transaction_client(), syntax.mail_from(argument)
        self.incoming = Incoming(self.service, client, envelope, trusted=self.trusted)
        try:
            self.incoming.begin()
        except Refused:
            await self._drop_transaction()
            raise
        self._say(reply.SENDER_OK)

    async def smtp_RCPT(self, argument: str) -> None:
        """RCPT: one more recipient, if the policy and the next hop take it."""
        if self.incoming is None:
            raise Refused(reply.BAD_SEQUENCE)
        utf8 = "SMTPUTF8" in (item.upper() for item in self.incoming.envelope.parameters)
        recipient = syntax.rcpt_to(argument, utf8=utf8)
        self.pace.working()
        await self.incoming.add(recipient)
        self._say(reply.RECIPIENT_OK)

    async def smtp_DATA(self, argument: str) -> None:
        """DATA: the content, and the answer to it. After the final dot nothing the client does changes the outcome."""
        if argument:
            raise Refused(reply.BAD_ARGUMENT)
        if self.incoming is None:
            raise Refused(reply.BAD_SEQUENCE)
        if not self.incoming.envelope.recipients:
            raise Refused(reply.NO_VALID_RECIPIENTS)
        self._say(reply.START_DATA)
        await self._flush_now()
        self._stage = "message"
        self.service.observer.message_started(self.service.listener.name)
        try:
            await self.incoming.receive(self._wire, self.pace)
            self._say(await self.incoming.settle())
        except Refused as refusal:
            self._ending = isinstance(refusal, Endless)
            raise
        except Exception:
            self._ending = True  # the rest of the message may still come, and is never to be obeyed
            raise
        finally:
            self.service.observer.message_ended(self.service.listener.name)
            self._messages += 1
            self._forwarded = {}
            await self._drop_transaction()

    async def smtp_RSET(self, argument: str) -> None:
        """RSET: the transaction is over, and with it what XFORWARD said of its client."""
        if argument:
            raise Refused(reply.BAD_ARGUMENT)
        self._forwarded = {}
        await self._drop_transaction()
        self._say(reply.OK)

    async def smtp_NOOP(self, argument: str) -> None:
        """NOOP."""
        self._say(reply.OK)

    async def smtp_QUIT(self, argument: str) -> None:
        """QUIT."""
        self._ending = True
        self._say(reply.GOODBYE)

    async def smtp_HELP(self, argument: str) -> None:
        """HELP."""
        self._say(reply.HELP)

    async def smtp_VRFY(self, argument: str) -> None:
        """VRFY: never tells who exists (RFC 5321 section 7.3)."""
        if not argument:
            raise Refused(reply.BAD_ARGUMENT)
        self._say(reply.CANNOT_VERIFY)

    async def smtp_EXPN(self, argument: str) -> None:
        """EXPN: not offered."""
        raise Refused(reply.NOT_OFFERED)

    async def smtp_AUTH(self, argument: str) -> None:
        """AUTH: not offered; the mail server in front authenticates."""
        raise Refused(reply.NOT_OFFERED)

    async def smtp_STARTTLS(self, argument: str) -> None:
        """STARTTLS (RFC 3207): afterwards nothing that was said before counts, neither facts nor bytes."""
        if argument:
            raise Refused(reply.BAD_ARGUMENT)
        if self.client.tls or self.incoming is not None:
            raise Refused(reply.BAD_SEQUENCE)
        if self.service.tls is None:
            raise Refused(reply.TLS_UNAVAILABLE)
        self._say(reply.READY_FOR_TLS)
        await self._flush_now()
        self.pace.only(self.service.limits.tls_handshake)
        # Here, and not after the handshake: what has come by then was sent behind it, encrypted.
        self._wire.clear()
        try:
            transport = await self.loop.start_tls(
                cast(asyncio.Transport, self.transport),
                self,
                self.service.tls,
                server_side=True,
                ssl_handshake_timeout=self.service.limits.tls_handshake,
            )
        except OSError as error:  # also ssl.SSLError
            self.service.observer.protocol_error("tls")
            raise EOFError("the TLS handshake failed") from error
        if transport is None:
            raise EOFError
        self._use(transport)
        self.transport = transport
        self._writer = asyncio.StreamWriter(transport, self, None, self.loop)
        self.client = replace(self._seen, tls=True)
        self._forwarded = {}

    async def smtp_XFORWARD(self, argument: str) -> None:
        """XFORWARD, from trusted peers: who the client of the next transaction really is (Postfix XFORWARD_README)."""
        if not self.trusted:
            raise Refused(reply.NOT_AUTHORISED)
        if self.incoming is not None:
            raise Refused(reply.BAD_SEQUENCE)
        self._forwarded |= syntax.attributes(argument, syntax.XFORWARD_ATTRIBUTES)
        self._say(reply.OK)

    async def smtp_XCLIENT(self, argument: str) -> None:
        """XCLIENT, from trusted peers: the session begins anew as that client (Postfix XCLIENT_README)."""
        if not self.trusted:
            raise Refused(reply.NOT_AUTHORISED)
        if self.incoming is not None:
            raise Refused(reply.BAD_SEQUENCE)
        given = syntax.attributes(argument, syntax.XCLIENT_ATTRIBUTES)
        login = given.get("LOGIN", self.client.login) if self.service.listener.account is AccountSource.XCLIENT else ""
        self.client = replace(
            self.client,
            address=given.get("ADDR", self.client.address),
            port=int(given.get("PORT") or 0),
            name=given.get("NAME", self.client.name),
            helo=given.get("HELO", ""),
            login=login or self.service.listener.login,
        )
        self._forwarded = {}
        self._say(Reply(220, "", f"{self.service.hostname} ESMTP Mailwarden"))

    def _transaction_client(self) -> Client:
        """The client of the next transaction: what XFORWARD says goes before what we see ourselves."""
        if not self._forwarded:
            return self.client
        known = {name.lower(): value for name, value in self._forwarded.items()}
        return replace(
            self.client,
            address=known.get("addr", self.client.address),
            port=int(known.get("port") or 0) if "addr" in known else self.client.port,
            name=known.get("name", self.client.name),
            helo=known.get("helo", self.client.helo),
            protocol=known.get("proto", self.client.protocol) or "SMTP",
        )
