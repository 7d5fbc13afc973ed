"""Hands a released message to the next hop: what custody needs to know is whether the hop has it, has not, or may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import HopError
from gateway.mail import Raw, Span, Transaction
from gateway.reply import HOP_LOST, HOP_UNREACHABLE, Reply
from gateway.smtp.hop import NextHop


@dataclass(frozen=True, slots=True)
class Route:
    """Where mail of one listener goes on. `answers_each` is True for LMTP, which answers for each recipient."""

    hop: NextHop
    answers_each: bool = False


async def hand_on(
    routes: Callable[[], Mapping[str, Route]], transaction: Transaction, raw: Raw, pieces: Sequence[bytes | Span]
) -> Reply:
    """The next hop's answer for all recipients. A refusal means that it has nothing, also where the hop is not there.

    It gets the message for all recipients or for none: who was refused is in the answer. `routes` gives the next hops
    by listener. Raises HopError where the hop may have it.
    """
    route = routes().get(transaction.listener)
    if route is None:
        return HOP_UNREACHABLE
    delivery = route.hop.begin(transaction)
    try:
        try:
            answers = await delivery.add(transaction.envelope.recipients)
        except HopError as error:
            return error.reply  # the content has not been sent
        refused = [answer for answer in answers if not answer.accepted]
        if refused:
            return next((answer for answer in refused if answer.temporary), refused[0])
        answer = await delivery.send(raw, pieces)
        if not answer.accepted and route.answers_each and len(answers) > 1:
            # RFC 2033 section 4.2: it may have taken it for some of them.
            raise HopError(HOP_LOST, kind="refused", detail=f"taken for some recipients perhaps: {answer}")
        return answer
    finally:
        await delivery.abandon()
