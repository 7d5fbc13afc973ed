"""The hop's transaction while the client is slow: given up, stolen by a newcomer, opened anew; never sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from gateway.errors import HopError
from gateway.mail import Client, Envelope, Recipient, Transaction
from gateway.metrics import Metrics
from gateway.smtp import reservation
from gateway.smtp.hop import HopSettings
from gateway.smtp.reservation import Reservations
from gateway.smtp.upstream import SmtpHop
from tests.faults import FakeHop

BODY = b"Subject: x\r\n\r\nhello\r\n"
AN, BINH = Recipient("an@example.gov.vn"), Recipient("binh@example.gov.vn")


def transaction() -> Transaction:
    return Transaction(
        id="01ARZ3NDEKTSV4RRFF",
        listener="inbound",
        received=datetime.now(UTC),
        client=Client(),
        envelope=Envelope("a@example.org"),
        inside=False,
    )


@asynccontextmanager
async def reservations(hop: FakeHop, limit: int = 2) -> AsyncIterator[Reservations]:
    async with hop:
        next_hop = SmtpHop(HopSettings(address=hop.address, connections=limit, reply_timeout=1, final_timeout=1))
        yield Reservations(next_hop, limit=limit, observer=Metrics())
        await next_hop.close()


async def test_one_transaction_from_the_first_recipient_to_the_dot() -> None:
    hop = FakeHop()
    async with reservations(hop) as all_open:
        mine = all_open.reserve(transaction())
        assert [(await mine.add(each)).code for each in (AN, BINH)] == [250, 250]
        assert (await mine.send((AN, BINH), BODY, [BODY])).code == 250
    assert [taken.content for taken in hop.taken] == [BODY]
    assert sum(command.startswith(b"MAIL") for command in hop.commands) == 1


async def test_a_refused_recipient_is_not_asked_again() -> None:
    hop = FakeHop(answers={"binh": b"550 5.1.1 unknown\r\n"})
    async with reservations(hop) as all_open:
        mine = all_open.reserve(transaction())
        assert [(await mine.add(each)).code for each in (AN, BINH)] == [250, 550]
        await mine.send((AN,), BODY, [BODY])
    assert [len(taken.rcpts) for taken in hop.taken] == [1]


async def test_given_up_and_opened_anew_with_the_same_recipients() -> None:
    hop = FakeHop()
    async with reservations(hop) as all_open:
        mine = all_open.reserve(transaction())
        await mine.add(AN)
        await mine.give_up()
        await mine.add(BINH)
        await mine.give_up()
        assert (await mine.send((AN, BINH), BODY, [BODY])).code == 250
    assert [len(taken.rcpts) for taken in hop.taken] == [2]


async def test_a_client_that_dawdles_loses_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservation, "PATIENCE", 0.0)
    hop = FakeHop()
    async with reservations(hop) as all_open:
        mine = all_open.reserve(transaction())
        await mine.add(AN)
        async with asyncio.timeout(5):
            while b"RSET" not in hop.commands:
                await asyncio.sleep(0)
        assert (await mine.send((AN,), BODY, [BODY])).code == 250
    assert len(hop.taken) == 1


async def test_a_newcomer_takes_the_place_of_the_longest_idle() -> None:
    hop = FakeHop()
    async with reservations(hop, limit=2) as all_open:
        first, second, third = (all_open.reserve(transaction()) for _ in range(3))
        for each in (first, second, third):
            assert (await each.add(AN)).code == 250
        for each in (first, second, third):
            assert (await each.send((AN,), BODY, [BODY])).code == 250
    assert (len(hop.taken), hop.most_open) == (3, 2)


async def test_other_recipients_than_the_hop_has_heard_of_begin_anew() -> None:
    hop = FakeHop()
    async with reservations(hop) as all_open:
        mine = all_open.reserve(transaction())
        await mine.add(AN)
        assert (await mine.send((BINH,), BODY, [BODY])).code == 250
    assert [taken.rcpts for taken in hop.taken] == [[b"RCPT TO:<binh@example.gov.vn>"]]


async def test_a_hop_that_has_changed_its_mind_is_temporary_trouble() -> None:
    hop = FakeHop()
    async with reservations(hop) as all_open:
        mine = all_open.reserve(transaction())
        await mine.add(AN)
        await mine.give_up()
        hop.answers = {"an@": b"550 5.1.1 gone\r\n"}
        with pytest.raises(HopError) as caught:
            await mine.send((AN,), BODY, [BODY])
    assert (caught.value.reply.code, hop.taken) == (451, [])


async def test_trouble_is_counted_and_told() -> None:
    hop = FakeHop({"rcpt": "close"})
    async with reservations(hop) as all_open:
        with pytest.raises(HopError):
            await all_open.reserve(transaction()).add(AN)
        assert all_open.reachable
