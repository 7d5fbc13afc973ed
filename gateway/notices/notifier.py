"""Tells people: what the rest of the gateway calls. `tell` from anywhere, `run` once, `stop` at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from gateway.errors import StoreUnavailable
from gateway.notices.compose import Letterhead, compose
from gateway.notices.gathering import Gathering
from gateway.notices.guard import Audience, Fate, Guard
from gateway.notices.model import MessageNotice, Notice
from gateway.notices.outbox import Letter, Outbox
from gateway.notices.sender import PAUSE, Clock, Sender
from gateway.notices.throttle import Limits

if TYPE_CHECKING:  # types only: the hop is handed in
    from gateway.smtp.hop import NextHop

log = structlog.get_logger()


class Notifier:
    """`audience` gives who may be told by the policy in force; outbox and hop are closed by whoever made them.

    `told` hears of each notice and its fate, to remember it; it never raises. `noticed` counts kinds and results.
    """

    def __init__(
        self,
        *,
        letterhead: Letterhead,
        audience: Callable[[], Audience],
        limits: Limits,
        gathering: Gathering,
        outbox: Outbox,
        hop: NextHop,
        clock: Clock,
        told: Callable[[Notice, Fate], Awaitable[None]],
        noticed: Callable[[str, str], None],
    ) -> None:
        self._letterhead = letterhead
        self._audience = audience
        self._guard = Guard(limits)
        self._gathering = gathering
        self._outbox = outbox
        self._clock = clock
        self._told = told
        self._noticed = noticed
        self._sender = Sender(outbox, hop, clock, noticed)
        self._wanted = asyncio.Event()
        self._stopped = asyncio.Event()

    async def tell(self, notice: Notice) -> Fate:
        """Put the notice on its way, if it may be told. Never raises: a notice is no reason to stop mail.

        QUEUED means that it is on stable storage and will be sent, or given up with a line in the log.
        """
        try:
            fate = self._guard.check(notice, self._audience()) or await self._queue(notice)
        except asyncio.CancelledError:
            self._guard.forget(notice)  # if it was queued all the same, the outbox knows
            raise
        except Exception as error:
            if not isinstance(error, StoreUnavailable):
                log.exception("bug in a notice", kind=notice.kind.value, about=notice.about)
            log.error("notice lost", kind=notice.kind.value, about=notice.about, to=notice.to, reason=str(error))
            self._guard.forget(notice)
            fate = Fate.LOST
        else:
            if fate is not Fate.QUEUED:
                log.info("notice not sent", kind=notice.kind.value, about=notice.about, to=notice.to, reason=fate.value)
        self._noticed(notice.kind.value, fate.value)
        await self._told(notice, fate)
        return fate

    async def run(self) -> None:
        """Send what waits, until `stop`. Trouble is logged, and tried again after a pause."""
        while not self._stopped.is_set():
            self._wanted.clear()
            pause = PAUSE
            try:
                await self.tell_summaries()
                pause = await self._sender.round()
            except StoreUnavailable as error:
                log.error("notices wait", reason=str(error))
            except Exception:
                log.exception("bug in sending notices")
            # After trouble a new notice is no reason to try sooner.
            reason_to_go_on = self._stopped if pause == PAUSE else self._wanted
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await reason_to_go_on.wait()

    def stop(self) -> None:
        """Let `run` end with the letter that is under way."""
        self._sender.stop()
        self._stopped.set()
        self._wanted.set()

    async def tell_summaries(self) -> None:
        """Tell those whose notices were suppressed or put together of them, once their time is over."""
        for summary in self._guard.summaries(self._clock()):
            await self.tell(summary)
        for gathered in await self._gathering.over(self._clock()):
            if await self.tell(gathered) is not Fate.LOST:
                await self._gathering.forget(gathered)

    async def _queue(self, notice: Notice) -> Fate:
        if isinstance(notice, MessageNotice) and notice.gather is not None:
            await self._gathering.take(notice, notice.gather)
            return Fate.GATHERED
        message = await asyncio.to_thread(compose, notice, self._letterhead)  # a long digest takes 0.1 s
        letter = Letter(
            id=notice.id,
            kind=notice.kind.value,
            to=notice.to,
            created=notice.moment,
            message=message,
        )
        if not await self._outbox.put(letter):
            return Fate.DUPLICATE
        self._wanted.set()
        return Fate.QUEUED
