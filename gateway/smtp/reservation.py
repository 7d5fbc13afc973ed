"""A client's transaction as the next hop holds it: opened with the first recipient, so that the hop's own answer is
what the client hears, and given up while the client is slow.

A connection to the next hop is dear, and a client that never sends its message costs nothing to make. So the hop's
transaction is given up after a moment of waiting, or as soon as another client needs the connection, and opened anew
when the message has arrived. Nothing is lost by it: until the dot the hop has promised nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence

from gateway import reply
from gateway.errors import HopError
from gateway.mail import Raw, Recipient, Span, Transaction
from gateway.observer import Observer
from gateway.reply import Reply
from gateway.smtp.hop import Delivery, NextHop

PATIENCE = 2.0
"""Seconds an idle transaction is kept open at the hop: a client on a good line has sent a small message by then."""


class Reservations:
    """All open transactions with one next hop, so that the longest idle one can be given up for a newcomer."""

    def __init__(self, hop: NextHop, *, limit: int, observer: Observer) -> None:
        self.hop = hop
        self.limit = limit
        self.observer = observer
        self.reachable = True
        self._idle: dict[Reservation, None] = {}
        self._open = 0

    def reserve(self, transaction: Transaction) -> Reservation:
        """A place for one transaction. Nothing is sent yet."""
        return Reservation(self, transaction)

    async def make_way(self) -> None:
        """Give up the longest idle transaction if all connections are taken."""
        if self._open >= self.limit and self._idle:
            await next(iter(self._idle)).give_up()

    def opened(self) -> None:
        """One more transaction holds a connection."""
        self._open += 1

    def closed(self) -> None:
        """One fewer."""
        self._open -= 1

    def idle(self, reservation: Reservation) -> None:
        """This one waits for its client."""
        self._idle[reservation] = None

    def busy(self, reservation: Reservation) -> None:
        """This one is at work, or over."""
        self._idle.pop(reservation, None)


class Reservation:
    """One transaction with the next hop. Recipients are added as the client names them; `send` ends it."""

    def __init__(self, all_open: Reservations, transaction: Transaction) -> None:
        self._all = all_open
        self._transaction = transaction
        self._delivery: Delivery | None = None
        self._accepted: list[Recipient] = []
        self._timer: asyncio.TimerHandle | None = None
        self._giving_up: asyncio.Task[None] | None = None

    async def add(self, recipient: Recipient) -> Reply:
        """The hop's answer to this recipient. Raises HopError."""
        answer = await self._at_work("rcpt", self._add(recipient))
        if answer.accepted:
            self._accepted.append(recipient)
        return answer

    async def send(self, recipients: Sequence[Recipient], raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
        """The hop's final answer to the message for these recipients. Raises HopError; nothing is ever sent twice."""
        return await self._at_work("data", self._send(recipients, raw, pieces))

    async def give_up(self) -> None:
        """Release the hop's connection. The reservation can be used again. Never raises."""
        self._stop_waiting()
        await self._close()

    async def _at_work(self, stage: str, work: Awaitable[Reply]) -> Reply:
        """Talk to the hop: meanwhile nobody gives this reservation up, and its trouble is counted once."""
        self._stop_waiting()
        started = time.perf_counter()
        try:
            answer = await work
        except BaseException as error:
            if isinstance(error, HopError):
                self._all.observer.hop_failed(stage, error.kind)
                self._all.reachable = error.kind not in ("unreachable", "timeout")
            await self._close()
            raise
        self._all.reachable = True
        self._all.observer.hop_answered(stage, time.perf_counter() - started)
        self._start_waiting()
        return answer

    async def _add(self, recipient: Recipient) -> Reply:
        delivery = self._delivery or await self._open(self._accepted)
        [answer] = await delivery.add([recipient])
        return answer

    async def _send(self, recipients: Sequence[Recipient], raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
        delivery = self._delivery
        if delivery is None or set(recipients) != set(self._accepted):
            await self._close()
            delivery = await self._open(recipients)
        answer = await delivery.send(raw, pieces)
        self._forget()
        return answer

    async def _open(self, recipients: Sequence[Recipient]) -> Delivery:
        """Open the hop's transaction with recipients it must take: those it took before, or those a rule names."""
        await self._all.make_way()
        self._delivery = delivery = self._all.hop.begin(self._transaction)
        self._all.opened()
        for answer in await delivery.add(recipients) if recipients else ():
            if not answer.accepted:
                # It took all of them a moment ago, or a rule names an address it does not take: either may pass.
                raise HopError(reply.TROUBLE, kind="refused", detail=f"next hop no longer takes a recipient: {answer}")
        return delivery

    async def _close(self) -> None:
        if self._delivery is not None:
            delivery = self._delivery
            self._forget()
            await delivery.abandon()

    def _forget(self) -> None:
        if self._delivery is not None:
            self._delivery = None
            self._all.closed()

    def _start_waiting(self) -> None:
        """The client has the word now: the hop's transaction may be given up."""
        if self._delivery is not None:
            self._all.idle(self)
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._give_up_later)

    def _stop_waiting(self) -> None:
        self._all.busy(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up_later(self) -> None:
        # The task is kept: the loop itself holds tasks only weakly.
        self._giving_up = asyncio.get_running_loop().create_task(self.give_up(), name="give up a hop's transaction")
