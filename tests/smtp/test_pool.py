"""Connections kept between messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from gateway.errors import HopError
from gateway.mail import Client, Envelope, Recipient, Transaction
from gateway.smtp.hop import HopSettings
from gateway.smtp.upstream import SmtpDelivery, SmtpHop
from tests.faults import FakeHop

MAIL = Transaction(
    id="id7", listener="in", received=datetime.now(UTC), client=Client(), envelope=Envelope("s@a"), inside=False
)


@pytest.fixture
async def fake() -> AsyncIterator[FakeHop]:
    async with FakeHop() as hop:
        yield hop


def hop_to(fake: FakeHop, **changes: object) -> SmtpHop:
    return SmtpHop(HopSettings(**{"address": fake.address, **changes}))  # type: ignore[arg-type]


async def begun(hop: SmtpHop) -> SmtpDelivery:
    delivery = hop.begin(MAIL)
    [reply] = await delivery.add([Recipient("r@b")])
    assert reply.accepted
    return delivery


async def deliver(hop: SmtpHop) -> None:
    assert (await (await begun(hop)).send(b"", [b"a\r\n"])).accepted


async def test_one_message_after_the_other_uses_one_connection(fake: FakeHop) -> None:
    hop = hop_to(fake)
    for _ in range(10):
        await deliver(hop)
    assert fake.connections == 1
    assert b"RSET" not in fake.commands
    await hop.close()


async def test_a_connection_is_left_politely_after_its_share_of_messages(fake: FakeHop) -> None:
    hop = hop_to(fake, messages=3)
    for _ in range(7):
        await deliver(hop)
    await fake.until_open(1)
    assert fake.connections == 3
    assert fake.commands.count(b"QUIT") == 2
    await hop.close()


async def test_no_more_connections_than_the_limit(fake: FakeHop) -> None:
    hop = hop_to(fake, connections=3)
    await asyncio.gather(*(deliver(hop) for _ in range(30)))
    assert len(fake.taken) == 30
    assert fake.most_open == 3
    await hop.close()


async def test_stale_connections_are_replaced_while_others_wait_for_their_places(fake: FakeHop) -> None:
    fake.faults, fake.faulty = {"reuse": "close"}, 3
    hop = hop_to(fake, connections=3)
    await asyncio.gather(*(deliver(hop) for _ in range(12)))
    assert len(fake.taken) == 12
    await hop.close()


async def test_who_finds_no_connection_free_is_told_to_come_again(fake: FakeHop) -> None:
    hop = hop_to(fake, connections=1, connect_timeout=0.2)
    holder = await begun(hop)
    with pytest.raises(HopError) as caught:
        await begun(hop)
    assert (caught.value.reply.code, caught.value.kind) == (451, "timeout")
    await holder.abandon()
    await deliver(hop)
    assert fake.connections == 1
    await hop.close()


async def test_an_idle_connection_is_closed_in_time(fake: FakeHop) -> None:
    hop = hop_to(fake, idle_seconds=0.05)
    await deliver(hop)
    await fake.until_open(0)
    assert fake.commands[-1] == b"QUIT"
    await deliver(hop)
    assert fake.connections == 2
    await hop.close()


async def test_a_connection_that_the_hop_closed_while_idle_is_not_used(fake: FakeHop) -> None:
    hop = hop_to(fake)
    await deliver(hop)
    fake.hang_up()
    await fake.until_open(0)
    await deliver(hop)
    assert fake.connections == 2
    await hop.close()


@pytest.mark.parametrize("words", [b"421 4.3.2 closing\r\n", b"250 2.0.0 ok\r\n", b"2"])
async def test_a_connection_on_which_the_hop_spoke_unasked_is_not_used(fake: FakeHop, words: bytes) -> None:
    hop = hop_to(fake)
    await deliver(hop)
    fake.say(words)
    await fake.until_open(0)
    await deliver(hop)
    assert fake.connections == 2
    await hop.close()


async def test_a_closed_hop_keeps_nothing_open(fake: FakeHop) -> None:
    hop = hop_to(fake)
    last = await begun(hop)
    await deliver(hop)
    await hop.close()
    await fake.until_open(1)
    assert (await last.send(b"", [b"a\r\n"])).accepted
    await fake.until_open(0)
    assert len(fake.taken) == 2


async def test_a_hop_that_comes_back_is_used_again(fake: FakeHop) -> None:
    fake.faults, fake.faulty = {"greeting": "421"}, 2
    hop = hop_to(fake, connections=1)
    for _ in range(2):
        with pytest.raises(HopError):
            await begun(hop)
    await deliver(hop)
    await hop.close()


async def test_a_hop_that_does_not_answer_rset_loses_the_connection(fake: FakeHop) -> None:
    fake.faults, fake.faulty = {"rcpt": "hang"}, 1
    hop = hop_to(fake, connections=1, reply_timeout=0.2)
    delivery = hop.begin(MAIL)
    with pytest.raises(HopError):
        await delivery.add([Recipient("r@b")])
    await delivery.abandon()
    await deliver(hop)
    assert fake.connections == 2
    await hop.close()
