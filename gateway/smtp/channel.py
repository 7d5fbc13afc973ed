"""One client's connection: its bytes in, our replies out, and the time it may keep us waiting.

`session.py` gives it the commands. aiosmtpd keeps the transport, the dispatch by verb and the PROXY protocol's grammar;
reading, replying and waiting are ours, since its own are unbounded and tell a client what went wrong inside.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import ClassVar, cast

import structlog
from aiosmtpd.proxy_protocol import get_proxy
from aiosmtpd.smtp import SMTP

from gateway import reply
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

UNSENT = 16 * 1024
"""Octets of replies that wait for the client's next pause: a client that pipelines without end must read, too."""

STAGES = {"EHLO": "helo", "HELO": "helo", "MAIL": "mail", "RCPT": "rcpt", "DATA": "data"}

log = structlog.get_logger()


class Channel(SMTP):
    """The connection of a session. `incoming` is the transaction under way, None between two."""

    commands: ClassVar[list[str]] = []

    def __init_subclass__(cls) -> None:
        cls.commands = [name for name in dir(cls) if name.startswith("smtp_")]

    def __dir__(self) -> list[str]:
        """What aiosmtpd looks for among all names of each new session."""
        return self.commands

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
        self._seen = Client()  # the peer, or behind a balancer the client that its PROXY header names
        self._stage = "connect"
        self._errors = 0
        self._idle_commands = 0
        self._ending = False

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
        self._use(stream)
        self.client = self._seen = Client(
            address=self._peer,
            port=peer[1] if isinstance(peer, tuple) else 0,
            login=self.service.listener.login,
        )

    def _use(self, transport: asyncio.Transport) -> None:
        """Read from and write to this one: at the start, and after STARTTLS."""
        self._wire.set_transport(transport)
        # Our replies are sent when the kernel has them: else a deaf client's would outlive its session, socket and all.
        transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        self._wire.feed_data(data)

    def eof_received(self) -> bool:
        """The client sends no more; it may still read our answer, unless TLS forbids half-closing."""
        self._wire.feed_eof()
        return not self.client.tls

    def connection_lost(self, error: Exception | None) -> None:
        """The client has gone. What it handed over in whole is still brought to its end."""
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
    def trusted(self) -> bool:
        """True if who speaks is believed about other clients. A balancer's word is not its clients' word."""
        return self.service.trusts(self._seen.address)

    @property
    def task(self) -> asyncio.Task[None]:
        """What runs until the session is over, and with it the message it has taken."""
        return cast("asyncio.Task[None]", self._handler_coroutine)

    def _reset_timeout(self, duration: float | None = None) -> None:
        """aiosmtpd's timer for each session: one sweep over all of them does its work (`door.py`)."""

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
        if len(self._out) > UNSENT or (self._out and not self._wire.has_line):
            await self._flush_now()
        if self._wire.has_line:
            await asyncio.sleep(0)  # a client that has sent a thousand commands must not hold the loop for all of them

    async def _flush_now(self) -> None:
        if self.transport is None:
            raise EOFError
        self.pace.command()  # a client that does not read its replies is as slow as one that sends nothing
        self._writer.write(bytes(self._out))
        self._out.clear()
        await self._writer.drain()

    async def _drop_transaction(self) -> None:
        if self.incoming is not None:
            incoming, self.incoming = self.incoming, None
            await incoming.close()

    async def _read_proxy_header(self) -> None:
        """PROXY protocol, version 1 or 2, from a trusted peer: the client is who the balancer says."""
        self.pace.only(self.service.limits.proxy_header)
        header = await get_proxy(self._wire) if self.service.trusts(self._peer) else None
        if header is None or not header.valid:
            self.service.observer.protocol_error("proxy")
            raise EOFError("no valid PROXY header")
        if header.src_addr:
            self.client = self._seen = replace(self._seen, address=str(header.src_addr), port=header.src_port or 0)
