"""Sends what the outbox holds, one letter after the other, and tries again what the next hop does not take yet.

The file before is `gateway/notices/outbox.py`; what it sends through is `gateway/smtp/hop.py`. No mail waits for this.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.errors import HopError
from gateway.identity import new_id
from gateway.mail import Client, Envelope, Recipient, Transaction
from gateway.notices.outbox import BATCH, Letter, Outbox
from gateway.reply import Reply

if TYPE_CHECKING:  # types only: the hop is handed in
    from gateway.smtp.hop import NextHop

Clock = Callable[[], datetime]
"""Now, as an aware datetime."""

GIVE_UP = timedelta(days=3)
"""Age at which a letter is not tried again: what it tells of is over by then."""

SOONEST = timedelta(minutes=1)
LATEST = timedelta(hours=1)
"""A letter waits as long again as it has waited already, between these two (Postfix does so between 5 and 67 min:
minimal_backoff_time, maximal_backoff_time)."""

LOOK_AGAIN = 2.0
"""Seconds between two looks at an outbox that others, such as a command that releases a message, may have put something
into."""

PAUSE = 30.0
"""Seconds without an attempt after trouble with the next hop: it has it too."""

log = structlog.get_logger()


class Sender:
    """Sends an outbox's letters through a next hop.

    A hop that went away after the end of the content may have the letter; it is sent again then, with the same
    Message-ID: better a notice twice than an approval that nobody was asked for.
    """

    def __init__(
        self, outbox: Outbox, hop: NextHop, clock: Clock, noticed: Callable[[str, str], None]
    ) -> None:
        """`noticed` is told the kind of each letter whose way is over, and how it ended: sent, refused, given-up."""
        self._noticed = noticed
        self._outbox = outbox
        self._hop = hop
        self._clock = clock
        self._over: dict[str, None] = {}  # sent, and the outbox could not be told so
        self._stopping = False

    def stop(self) -> None:
        """Begin no other letter."""
        self._stopping = True

    async def round(self) -> float:
        """Send what is due. Returns the seconds after which another round is worth it.

        Raises StoreUnavailable; what was sent until then is not sent again by this process.
        """
        letters = await self._outbox.due(self._clock())
        for letter in letters:
            if self._stopping:
                break
            if letter.id in self._over:
                await self._finish(letter)
                continue
            try:
                reply = await self._attempt(letter)
            except Exception as error:  # whatever one letter meets, the others must have their turn
                if not isinstance(error, HopError):
                    log.exception("bug in sending a notice", notice=letter.id)
                await self._postpone(letter, str(error))
                return PAUSE
            if reply.temporary:
                await self._postpone(letter, str(reply))
                continue
            if reply.accepted:
                self._noticed(letter.kind, "sent")
                log.info("notice sent", notice=letter.id, kind=letter.kind, to=letter.to)
            else:
                self._noticed(letter.kind, "refused")
                log.warning("notice refused", notice=letter.id, kind=letter.kind, to=letter.to, reply=str(reply))
            await self._finish(letter)
        return 0.0 if len(letters) == BATCH else LOOK_AGAIN

    async def _attempt(self, letter: Letter) -> Reply:
        recipient = Recipient(letter.to)
        transaction = Transaction(
            id=new_id(),
            listener="notices",
            received=self._clock(),
            client=Client(),
            envelope=Envelope("", (recipient,)),  # RFC 3834 section 3.3: so that nothing comes back
            inside=True,
        )
        delivery = self._hop.begin(transaction)
        try:
            [reply] = await delivery.add([recipient])
            return await delivery.send(letter.message, [letter.message]) if reply.accepted else reply
        finally:
            await delivery.abandon()

    async def _postpone(self, letter: Letter, reason: str) -> None:
        now = self._clock()
        age = now - letter.created
        if age >= GIVE_UP:
            self._noticed(letter.kind, "given-up")
            log.warning("notice given up", notice=letter.id, kind=letter.kind, to=letter.to, reason=reason)
            await self._finish(letter)
            return
        log.info("notice postponed", notice=letter.id, kind=letter.kind, to=letter.to, reason=reason)
        await self._outbox.failed(letter.id, now + min(max(age, SOONEST), LATEST))

    async def _finish(self, letter: Letter) -> None:
        self._over[letter.id] = None
        await self._outbox.done(letter.id)
        del self._over[letter.id]
