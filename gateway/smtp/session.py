"""A client's SMTP session: commands in, replies out. From here a newcomer follows a message.

The next file is `gateway/mail.py`: what `incoming.py`, which this session drives, makes of the client's words. aiosmtpd
keeps the connection, the dispatch by verb and the PROXY protocol's grammar; reading, replies and every command that
carries mail are ours.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

import structlog
from aiosmtpd.proxy_protocol import get_proxy
from aiosmtpd.smtp import SMTP

from gateway import reply
from gateway.config import AccountSource
from gateway.errors import Refused
from gateway.mail import Client
from gateway.reply import Reply
from gateway.smtp import syntax
from gateway.smtp.door import Door
from gateway.smtp.incoming import Incoming
from gateway.smtp.pace import Pace
from gateway.smtp.service import Service
from gateway.smtp.wire import LineTooLong, Wire

LINE_LIMIT = 4096
"""Octets of a command line: RFC 5321 section 4.5.3.1.4 asks for 512; DSN and SMTPUTF8 parameters add to it."""

IDLE_COMMANDS = 100
"""Commands in a row that bring no mail forward (Postfix: smtpd_junk_command_limit)."""

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")
STAGES = {"EHLO": "helo", "HELO": "helo", "MAIL": "mail", "RCPT": "rcpt", "DATA": "data"}

log = structlog.get_logger()


class Session(SMTP):
    """One connection. Hands each transaction to an `Incoming`; a new MAIL makes a new one."""

    def __init__(self, service: Service, door: Door) -> None:
        super().__init__(
            None,
            hostname=service.hostname,
            ident="Mailwarden",
            timeout=service.limits.session_timeout,
            loop=asyncio.get_running_loop(),
        )
        self.service = service
        self.pace = Pace(service.limits)
        self.client = Client()
        self.incoming: Incoming | None = None
        self._door = door
        self._wire = Wire()
        self._out = bytearray()
        self._peer = ""
        self._forwarded: dict[str, str] = {}
        self._stage = "connect"
        self._errors = 0
        self._idle_commands = 0
        self._messages = 0
        self._ending = False

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected; aiosmtpd starts `_handle_client`."""
        stream = cast(asyncio.Transport, transport)
        peer = stream.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else "127.0.0.1"  # a unix socket's peer is this machine
        if (refusal := self._door.admit(self)) is not None:
            stream.set_protocol(asyncio.Protocol())
            stream.write(refusal.encode())
            stream.close()
            return
        super().connection_made(stream)
        self._wire.set_transport(stream)
        self.client = Client(
            address=self._peer,
            port=peer[1] if isinstance(peer, tuple) else 0,
            login=self.service.listener.login,
        )

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        self._wire.feed_data(data)

    def eof_received(self) -> bool:
        """The client sends no more; it may still read our answer, unless TLS forbids half-closing."""
        self._wire.feed_eof()
        return not self.client.tls

    def connection_lost(self, error: Exception | None) -> None:
        """The client has gone. What it handed over in whole is still brought to its end."""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self._wire.feed_eof()
        self.transport = None

    def expire(self) -> None:
        """The client has used up our patience: say so if it reads at all, and close."""
        self.service.observer.protocol_error("timeout")
        self.dismiss(reply.TOO_SLOW)

    def dismiss(self, farewell: Reply) -> None:
        """Close from our side, between two commands."""
        self._ending = True
        if self.transport is not None:
            transport = cast(asyncio.Transport, self.transport)
            if transport.get_write_buffer_size():
                transport.abort()
            else:
                transport.write(bytes(self._out) + farewell.encode())
                self._out.clear()
                transport.close()
        self._wire.feed_eof()

    @property
    def peer(self) -> str:
        """The address of whoever is connected to us."""
        return self._peer

    @property
    def task(self) -> asyncio.Task[None]:
        """What runs until the session is over, and with it the message it has taken."""
        return cast("asyncio.Task[None]", self._handler_coroutine)

    def _timeout_cb(self) -> None:
        """aiosmtpd's own timer: the sweep over all sessions does its work."""

    # The session's side.

    async def _handle_client(self) -> None:
        try:
            if self.service.listener.proxy_protocol:
                await self._read_proxy_header()
            self._say(Reply(220, "", f"{self.service.hostname} ESMTP Mailwarden"))
            while not self._ending:
                await self._flush()
                await self._next_command()
                if self._door.closing and self.incoming is None:
                    self.dismiss(reply.SHUTTING_DOWN)
            await self._flush_now()
        except (EOFError, ConnectionError):
            pass
        except Exception:
            log.exception("session failed", listener=self.service.listener.name)
        finally:
            await self._drop_transaction()
            if self.transport is not None:
                self.transport.close()
            self._door.leave(self)

    async def _next_command(self) -> None:
        verb = ""
        self.pace.command()
        try:
            line = await self._wire.line(LINE_LIMIT)
            verb, argument = syntax.command(line)
            self._stage = STAGES.get(verb, "other")
            method = self._smtp_methods.get(verb)
            if method is None:
                raise Refused(reply.UNKNOWN_COMMAND)
            if self.service.listener.tls_required and not self.client.tls and verb in ("MAIL", "RCPT", "DATA"):
                raise Refused(reply.NEEDS_TLS)
            await method(argument)
        except LineTooLong:
            self.service.observer.protocol_error("long_line")
            self._say(reply.LINE_TOO_LONG)
        except Refused as refusal:
            self._say(refusal.reply)
        except (EOFError, ConnectionError):
            raise
        except Exception:
            log.exception("command failed", listener=self.service.listener.name, verb=verb[:16])
            self._say(reply.TROUBLE)
        self._count(verb)

    def _count(self, verb: str) -> None:
        """End a session that only errs or only idles."""
        self._idle_commands = 0 if verb in ("MAIL", "RCPT", "DATA") else self._idle_commands + 1
        if self._errors > self.service.limits.errors or self._idle_commands > IDLE_COMMANDS:
            self._say(reply.TOO_MANY_ERRORS)
            self._ending = True

    def _say(self, answer: Reply) -> None:
        """Queue a reply; they leave together when no further command waits (RFC 2920 section 3.2)."""
        self._out += answer.encode()
        self.service.observer.replied(self._stage, answer.code)
        if 500 <= answer.code <= 504 or answer.code == 555:
            self._errors += 1
            self.service.observer.protocol_error("sequence" if answer.code == 503 else "syntax")

    async def _flush(self) -> None:
        if self._out and not self._wire.has_line:
            await self._flush_now()

    async def _flush_now(self) -> None:
        if self.transport is None:
            raise EOFError
        self.pace.command()  # a client that does not read its replies is as slow as one that sends nothing
        self._writer.write(bytes(self._out))
        self._out.clear()
        await self._writer.drain()

    async def _read_proxy_header(self) -> None:
        """PROXY protocol, version 1 or 2, from a trusted peer: the client is who the balancer says."""
        self.pace.only(self.service.limits.proxy_header)
        header = await get_proxy(self._wire) if self.service.trusts(self._peer) else None
        if header is None or not header.valid:
            self.service.observer.protocol_error("proxy")
            raise EOFError("no valid PROXY header")
        if header.src_addr:
            self.client = replace(self.client, address=str(header.src_addr), port=header.src_port or 0)

    async def _drop_transaction(self) -> None:
        if self.incoming is not None:
            incoming, self.incoming = self.incoming, None
            await incoming.close()

    def _transaction_client(self) -> Client:
        """The client of the next transaction: what XFORWARD says goes before what we see ourselves."""
        known = {name.lower(): value for name, value in self._forwarded.items()}
        return replace(
            self.client,
            address=known.get("addr", self.client.address),
            port=int(known.get("port") or 0) if "addr" in known else self.client.port,
            name=known.get("name", self.client.name),
            helo=known.get("helo", self.client.helo),
            protocol=known.get("proto", self.client.protocol) or "SMTP",
        )

    # The commands (RFC 5321 section 4.1.1; the names are aiosmtpd's dispatch).

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
        if self.service.trusts(self._peer):
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
        self.incoming = Incoming(self.service, client, envelope, trusted=self.service.trusts(self._peer))
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
        self._wire.clear()
        await self._flush_now()
        self.pace.only(self.service.limits.tls_handshake)
        transport = await self.loop.start_tls(
            cast(asyncio.Transport, self.transport),
            self,
            self.service.tls,
            server_side=True,
            ssl_handshake_timeout=self.service.limits.tls_handshake,
        )
        if transport is None:
            raise EOFError
        self._wire.clear()
        self._wire.set_transport(transport)
        self.transport = transport
        self._writer = asyncio.StreamWriter(transport, self, None, self.loop)
        self.client = Client(
            address=self.client.address, port=self.client.port, login=self.service.listener.login, tls=True
        )
        self._forwarded = {}

    async def smtp_XFORWARD(self, argument: str) -> None:
        """XFORWARD, from trusted peers: who the client of the next transaction really is (Postfix XFORWARD_README)."""
        if not self.service.trusts(self._peer):
            raise Refused(reply.NOT_AUTHORISED)
        if self.incoming is not None:
            raise Refused(reply.BAD_SEQUENCE)
        self._forwarded |= syntax.attributes(argument, syntax.XFORWARD_ATTRIBUTES)
        self._say(reply.OK)

    async def smtp_XCLIENT(self, argument: str) -> None:
        """XCLIENT, from trusted peers: the session begins anew as that client (Postfix XCLIENT_README)."""
        if not self.service.trusts(self._peer):
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
