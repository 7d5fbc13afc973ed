"""Delivery to a next hop by SMTP (RFC 5321) or LMTP (RFC 2033), over pooled connections.

The file before is `gateway/smtp/hop.py`, which says what is promised; the file after is `gateway/smtp/pool.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gateway.errors import HopError, Refused
from gateway.mail import Raw, Recipient, Span, Transaction
from gateway.reply import HOP_LOST, Reply
from gateway.smtp import commands
from gateway.smtp.connection import WINDOW, Connection, connect, tls_context
from gateway.smtp.dots import stuffed
from gateway.smtp.hop import HopSettings
from gateway.smtp.pool import Pool


class SmtpHop:
    """A next hop reached by SMTP or LMTP. Raises OSError for a `ca` that cannot be read."""

    def __init__(self, settings: HopSettings) -> None:
        self._settings = settings
        self._pool = Pool(settings, partial(connect, settings, tls_context(settings)))

    def begin(self, transaction: Transaction) -> SmtpDelivery:
        """A delivery for this transaction. Nothing is sent yet."""
        return SmtpDelivery(self._settings, self._pool, transaction)

    async def close(self) -> None:
        """Closes the connections that are not in use now, the others when they are done."""
        self._pool.close()


class SmtpDelivery:
    """One transaction, on one connection from its first recipient to its end."""

    def __init__(self, settings: HopSettings, pool: Pool, transaction: Transaction) -> None:
        self.accepted: tuple[Recipient, ...] = ()
        self._settings = settings
        self._pool = pool
        self._transaction = transaction
        self._connection: Connection | None = None
        self._opened = False  # MAIL has been said
        self._refusal: Reply | None = None  # MAIL was refused: what every recipient hears
        self._over = False

    async def add(self, recipients: Sequence[Recipient]) -> list[Reply]:
        """Offers recipients; one reply for each. Raises HopError, which ends the delivery."""
        if self._over:
            raise HopError(HOP_LOST, kind="closed", detail="the delivery is over")
        try:
            if self._connection:
                return await self._add(self._connection, recipients)
            return await self._add_first(recipients)
        except BaseException:  # also when cancelled: a reply that is still to come must meet no other transaction
            self._drop()
            raise

    async def _add_first(self, recipients: Sequence[Recipient]) -> list[Reply]:
        self._connection = connection = await self._pool.take()
        try:
            return await self._add(connection, recipients)
        except HopError as error:
            # The hop may close an idle connection at any time (RFC 5321 section 4.5.3.2), also at the moment we use
            # it. No content was sent, so nothing can come twice; but once only, and never later in a transaction.
            if error.kind != "closed" or connection.uses == 1:
                raise
        self._pool.drop(connection)
        self._connection, self._opened, self.accepted = None, False, ()
        self._connection = connection = await self._pool.take_new()
        return await self._add(connection, recipients)

    async def _add(self, connection: Connection, recipients: Sequence[Recipient]) -> list[Reply]:
        lines = [self._rcpt(recipient, connection) for recipient in recipients]
        wanted = [line for line in lines if isinstance(line, bytes)]
        seconds = self._settings.reply_timeout
        answers: list[Reply] = []
        if wanted and not self._opened and not self._refusal:
            # The first window only goes with MAIL, so that a refused MAIL is not followed by a thousand RCPT.
            first = wanted[:WINDOW] if "PIPELINING" in connection.offers else []
            answers = await self._mail(connection, first)
        if self._refusal:
            answers = [self._refusal for _ in wanted]
        else:
            answers += [reply.copied() for reply in await connection.ask(wanted[len(answers) :], seconds)]
        given = iter(answers)
        replies = [next(given) if isinstance(line, bytes) else line for line in lines]
        pairs = zip(recipients, replies, strict=True)
        self.accepted += tuple(recipient for recipient, reply in pairs if reply.accepted)
        return replies

    async def _mail(self, connection: Connection, first: list[bytes]) -> list[Reply]:
        """XFORWARD, MAIL and the first RCPTs in one go. Returns the replies to the latter, or sets the refusal.

        A refused XFORWARD stops nothing, as with Postfix's client: it is for the hop's log.
        """
        try:
            mail = commands.mail(self._transaction.envelope, connection.offers)
        except Refused as refused:
            self._refusal = refused.reply
            return []
        before = [*commands.xforward(self._transaction, connection.offers), mail]
        self._opened = True
        replies = await connection.ask([*before, *first], self._settings.reply_timeout)
        answer = replies[len(before) - 1]
        if answer.kind != 2:
            self._refusal = answer.copied()
            return []
        return [reply.copied() for reply in replies[len(before) :]]

    def _rcpt(self, recipient: Recipient, connection: Connection) -> bytes | Reply:
        try:
            return commands.rcpt(recipient, connection.offers, commands.charset_of(self._transaction.envelope))
        except Refused as refused:
            return refused.reply

    async def send(self, raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
        """Sends the message; the hop's final reply. Raises HopError where there is none, ValueError where nobody
        was accepted. The delivery is over then."""
        connection = self._connection
        if not self.accepted or not connection:
            raise ValueError("no recipient was accepted")
        try:
            permission = await connection.data(self._settings.reply_timeout)
            if permission.kind == 3:
                replies = await connection.message(
                    stuffed(raw, pieces),
                    replies=len(self.accepted) if self._settings.protocol == "lmtp" else 1,
                    seconds=self._settings.reply_timeout,
                    last=self._settings.final_timeout,
                )
        except BaseException:
            self._drop()
            raise
        if permission.kind != 3:
            await self.abandon()
            return permission.copied()
        self._over, self._connection = True, None
        self._pool.give_back(connection)
        return folded([reply.copied() for reply in replies])

    async def abandon(self) -> None:
        """RSET and back to the pool, or close. Never raises (but lets a cancellation through); idempotent."""
        connection, self._connection, self._over = self._connection, None, True
        if not connection:
            return
        try:
            if self._opened:
                await connection.reset()
        except HopError:
            self._pool.drop(connection)
        except BaseException:
            self._pool.drop(connection)
            raise
        else:
            self._pool.give_back(connection)

    def _drop(self) -> None:
        connection, self._connection, self._over = self._connection, None, True
        if connection:
            self._pool.drop(connection)


def folded(replies: Sequence[Reply]) -> Reply:
    """One reply for all recipients of an LMTP delivery (RFC 2033 section 4.2), of which there is one at least.

    2xx is only said when all took the message, else some would lose it unheard. Where one did not, "try again" comes
    before "never": who has it already may get it twice, nobody goes without.
    """
    refused = [reply for reply in replies if not reply.accepted]
    return next((reply for reply in refused if reply.temporary), (refused or replies)[0])
