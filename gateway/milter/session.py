"""One connection of an MTA: its commands in, our answers out; several messages, one after the other.

The file after is `gateway/milter/incoming.py`: one message. An MTA has one connection for each of its SMTP sessions.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping, Sequence

import structlog

from gateway.config import AccountSource
from gateway.errors import Refused
from gateway.handling import Reception
from gateway.mail import Envelope, Recipient
from gateway.milter.answers import Accept, Answer, Continue, Discard, Negotiated, Progress, Said, Skip
from gateway.milter.commands import (
    Abort,
    Body,
    Command,
    Connect,
    Data,
    EndOfBody,
    EndOfHeaders,
    HeaderField,
    Helo,
    Macros,
    MailFrom,
    Negotiate,
    Quit,
    QuitNewConnection,
    RcptTo,
    Unknown,
)  # fmt: skip
from gateway.milter.facts import WANTED, Told, client_of, is_local, refusal_by_mta, text
from gateway.milter.flags import NEWEST, OLDEST, Actions, Steps
from gateway.milter.incoming import Incoming, address_of
from gateway.milter.wire import Decoder, MilterError, packet
from gateway.reply import Reply

NEEDED = (
    Actions.ADD_HEADERS | Actions.CHANGE_BODY | Actions.ADD_RECIPIENT | Actions.DELETE_RECIPIENT
    | Actions.CHANGE_HEADERS
)  # fmt: skip
"""Without these a decision could not be carried out. Every version has them."""

STEPS = (
    Steps.NO_UNKNOWN | Steps.NO_DATA | Steps.NO_REPLY_HELO | Steps.NO_REPLY_HEADER | Steps.NO_REPLY_EOH
    | Steps.NO_REPLY_BODY | Steps.SKIP | Steps.REFUSED_RECIPIENTS | Steps.LEADING_SPACE
)  # fmt: skip
"""The content comes without a wait for answers: about it there is one, at the end."""

UNANSWERED: Mapping[type[Command], Steps] = {
    Connect: Steps.NO_REPLY_CONNECT,
    Helo: Steps.NO_REPLY_HELO,
    Data: Steps.NO_REPLY_DATA,
    Unknown: Steps.NO_REPLY_UNKNOWN,
    HeaderField: Steps.NO_REPLY_HEADER,
    EndOfHeaders: Steps.NO_REPLY_EOH,
    Body: Steps.NO_REPLY_BODY,
}
"""The commands that the MTA does not wait for an answer to where that was agreed on; it waits for all others."""

PROGRESS = 10.0
"""Seconds between two signs of life: Postfix waits 300 s for each (milter_content_timeout), Sendmail 5 min."""

IDLE = 7210.0
"""Seconds between two messages: the MTA's own client may dawdle; libmilter's default (smfi_settimeout)."""

WRITING = 60.0
"""Seconds that an MTA may take to read what we have written."""

BACKLOG = 16 * 1024
"""Octets written and not yet read by the MTA that nobody waits for: less than those at which the transport wants to be
waited for."""

CHUNK = 64 * 1024
"""Octets read at once."""

log = structlog.get_logger()


class Session:
    """The session. `turned_away`: the answer to all its clients, where there is no room for it."""

    def __init__(
        self,
        reception: Reception,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        turned_away: Reply | None = None,
    ) -> None:
        self.reception = reception
        self.turned_away = turned_away
        self.incoming: Incoming | None = None
        self._reader = reader
        self._writer = writer
        self._decoder = Decoder()
        self._told = Told()
        self._connect: Connect | None = None
        self._helo = b""
        self._steps = Steps(0)
        self._unanswered: frozenset[type[Command]] = frozenset()
        self._agreed = False
        self._content = False
        self._content_since = 0.0
        self._content_size = 0
        self._last_whole = 0.0
        self._ending = False
        self._acks = _acknowledging(writer)

    @property
    def busy(self) -> bool:
        """True while a message is under way."""
        return self.incoming is not None

    async def run(self) -> None:
        """From negotiation to the end. Never raises."""
        clock = asyncio.get_running_loop().time
        try:
            while not self._ending:
                whole = self._decoder.waiting == 0
                for command in self._decoder.feed(await self._read(clock())):
                    await self._obey(command)
                    whole = True
                    if self._ending:
                        break
                if whole:
                    self._last_whole = clock()
                await self._drain()
        except (EOFError, ConnectionError):
            pass
        except TimeoutError:
            self.reception.observer.protocol_error("timeout")
            self._writer.transport.abort()  # who does not read would keep a connection that is closed politely
        except MilterError as error:
            self.reception.observer.protocol_error("syntax")
            log.warning("milter protocol broken", listener=self.reception.listener.name, reason=str(error))
        except Exception:
            log.exception("session failed", listener=self.reception.listener.name)
        finally:
            await self._drop()
            if self._acks is not None:
                self._acks.close()
            self._writer.close()

    def dismiss(self) -> None:
        """Close from our side: the MTA does by its `milter_default_action` what it does when we are not there."""
        self._ending = True
        self._writer.transport.abort()
        self._reader.feed_eof()

    async def _read(self, now: float) -> bytes:
        async with asyncio.timeout_at(self._until(now)):
            data = await self._reader.read(CHUNK)
        if not data:
            raise EOFError
        if self._content:
            self._content_size += len(data)
        if self._acks is not None:
            # The MTA writes the end of a message in two packets and waits for our kernel's word between them, which
            # is 40 ms late else. The kernel forgets the option, so it is set again.
            self._acks.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data

    def _until(self, now: float) -> float:
        """When the next bytes must be there: an MTA has time between messages, not within a packet or a message."""
        limits = self.reception.limits
        if self._decoder.waiting:
            return self._last_whole + limits.command_timeout
        if self._content:
            rate = self._content_since + limits.transfer_grace + self._content_size / limits.transfer_rate
            return min(now + limits.command_timeout, rate)
        return now + (IDLE if self._agreed else limits.command_timeout)

    async def _drain(self) -> None:
        if self._writer.transport.get_write_buffer_size() > BACKLOG:
            async with asyncio.timeout(WRITING):
                await self._writer.drain()

    def _say(self, said: Said) -> None:
        self._writer.write(packet(said))

    async def _obey(self, command: Command) -> None:
        if not self._agreed and not isinstance(command, (Negotiate, Quit)):
            raise MilterError(f"{type(command).__name__} before the negotiation")
        match command:
            case HeaderField() | EndOfHeaders() | Body() | EndOfBody():
                await self._take(command)
            case Macros():
                self._told.take(command)
            case MailFrom():
                await self._mail(command)
            case RcptTo():
                self._rcpt(command)
            case Negotiate():
                self._negotiate(command)
            case Connect():
                self._connect = command
                self._answer(command, "connect", self.turned_away)
            case Helo(name):
                self._helo = name
                self._answer(command, "helo", self.turned_away)
            case Data():
                self._answer(command, "data", None)
            case Unknown():
                self._answer(command, "other", None)
            case Abort():
                await self._drop()
            case QuitNewConnection():
                await self._drop()
                self._connect, self._helo, self._told = None, b"", Told()
            case Quit():
                self._ending = True

    def _negotiate(self, offer: Negotiate) -> None:
        if self._agreed:
            raise MilterError("a second negotiation")
        if offer.version < OLDEST:
            raise MilterError(f"version {offer.version}")
        if offer.actions & NEEDED != NEEDED:
            raise MilterError(f"the MTA does not offer {(NEEDED & ~offer.actions)!r}")
        actions = offer.actions & (NEEDED | Actions.SET_MACROS)
        self._steps = offer.steps & STEPS
        self._unanswered = frozenset(kind for kind, step in UNANSWERED.items() if step in self._steps)
        self._agreed = True
        macros = WANTED if Actions.SET_MACROS in actions else {}
        self._say(Negotiated(min(offer.version, NEWEST), actions, self._steps, macros))

    def _answer(self, command: Command, stage: str, refusal: Reply | None) -> None:
        """Say yes or no; where the MTA does not wait for an answer, nothing."""
        if type(command) in self._unanswered:
            return
        self.reception.observer.replied(stage, refusal.code if refusal else 250)
        self._say(Answer(refusal) if refusal else Continue())

    async def _mail(self, command: MailFrom) -> None:
        await self._drop(but=b"M")
        if self.turned_away is not None:
            self._answer(command, "mail", self.turned_away)
            return
        listener = self.reception.listener
        client = client_of(
            self._connect,
            self._helo,
            self._told,
            login=listener.login,
            believed=listener.account is not AccountSource.NONE,
        )
        refusal: Reply | None = None
        try:
            parameters = tuple(text(word) for word in command.parameters)
            envelope = Envelope(address_of(command.sender), (), parameters)
            self.incoming = Incoming(
                self.reception,
                client,
                envelope,
                local=is_local(self._connect),
                spaced=Steps.LEADING_SPACE in self._steps,
            )
            self.incoming.begin(_declared_size(parameters))
        except Refused as error:
            refusal = error.reply
            await self._drop()
        self._answer(command, "mail", refusal)

    def _rcpt(self, command: RcptTo) -> None:
        incoming = self._under_way()
        if self._content:
            raise MilterError("a recipient behind the content")
        refusal: Reply | None = None
        try:
            address = address_of(command.recipient)
            if (answer := refusal_by_mta(self._told)) is not None:
                incoming.refused_by_mta(address, answer)
            else:
                parameters = tuple(text(word) for word in command.parameters)
                incoming.add(Recipient(address, parameters), command.recipient)
        except Refused as error:
            refusal = error.reply
        self._answer(command, "rcpt", refusal)

    async def _take(self, command: HeaderField | EndOfHeaders | Body | EndOfBody) -> None:
        incoming = self._under_way()
        if not self._content:
            self._begin_content()
        if incoming.head_is_over is isinstance(command, (HeaderField, EndOfHeaders)):
            raise MilterError(f"{type(command).__name__} on the wrong side of the end of the head")
        match command:
            case HeaderField():
                await incoming.header(command)
                self._answer(command, "data", None)
            case EndOfHeaders():
                await incoming.end_of_headers()
                self._answer(command, "data", None)
            case Body(data):
                await incoming.body(data)
                if Body not in self._unanswered:
                    enough = incoming.turned_away and Steps.SKIP in self._steps
                    self._say(Skip() if enough else Continue())
            case EndOfBody(data):
                await incoming.body(data)
                await self._end(incoming)

    async def _end(self, incoming: Incoming) -> None:
        """Settle the message, whether the MTA is still there or not; tell it that we are at work until then."""
        incoming.queue = self._told.of("i")
        self._stay_alive()
        try:
            answer = await incoming.end()
        finally:
            self._alive.cancel()
        self.reception.observer.replied("message", answer.code)
        if not answer.accepted:
            self._say(Answer(answer))
        elif incoming.goes_on:
            for change in incoming.changes():
                self._writer.write(change)
                await self._drain()
            self._say(Accept())
        else:
            self._say(Discard())
        self._ending = self.turned_away is not None  # we are about to stop
        await self._drop()

    def _stay_alive(self) -> None:
        """From now on a sign of life every PROGRESS seconds, until `_alive` is cancelled."""
        self._alive = asyncio.get_running_loop().call_later(PROGRESS, self._give_sign)

    def _give_sign(self) -> None:
        self._say(Progress())
        self._stay_alive()

    def _begin_content(self) -> None:
        self._content = True
        self._content_since = asyncio.get_running_loop().time()
        self._content_size = 0
        self.reception.observer.message_started(self.reception.listener.name)

    def _under_way(self) -> Incoming:
        if self.incoming is None:
            raise MilterError("a recipient or content without a sender")
        return self.incoming

    async def _drop(self, *, but: bytes = b"") -> None:
        """Nothing is left of the message under way. `but`: the command whose macros are those of the next one."""
        if self._content:
            self._content = False
            self.reception.observer.message_ended(self.reception.listener.name)
        self._told.forget_message(but)
        if self.incoming is not None:
            incoming, self.incoming = self.incoming, None
            await incoming.close()


def _acknowledging(writer: asyncio.StreamWriter) -> socket.socket | None:
    """The connection's socket, for its option; None where it is not of TCP."""
    seen = writer.get_extra_info("socket")
    if seen is None or seen.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    with contextlib.suppress(OSError):
        return socket.fromfd(seen.fileno(), seen.family, socket.SOCK_STREAM)
    return None


def _declared_size(parameters: Sequence[str]) -> int:
    """The octets that MAIL declares (RFC 1870 section 6), 0 where it does not."""
    sizes = (word[5:] for word in parameters if word.upper().startswith("SIZE="))
    return next((int(size) for size in sizes if size.isascii() and size.isdecimal() and len(size) <= 20), 0)
