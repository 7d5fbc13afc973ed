"""Promise 3: the client is always told the truth, whatever the next hop does at whatever stage.

2xx only if the hop took the message, 5xx only where the hop itself said 5xx, 4xx otherwise, and in time.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from itertools import product

import pytest

from tests.conftest import Start
from tests.faults import FAULTS, STAGES, FakeHop
from tests.reliability.client import RECIPIENT, Answer, Talk
from tests.reliability.sink import taking

LIMITS = {"upstream_reply": "400ms", "upstream_connect": "800ms"}
DEADLINE = 1.5
SLACK = 1.0
"""Seconds beyond the deadline that an answer may take."""

OTHER = "chi@example.gov.vn"
SMALL = b"Subject: truth\r\n\r\nsmall\r\n"
LARGE = b"Subject: truth\r\n\r\n" + b"large " * 12 * 8192 + b"\r\n"
"""More than one read of the hop's: it can fail in the middle."""

CASES = [
    *product(STAGES, FAULTS),
    *(("body", kind) for kind in ("early-250", "glued-250", "stop-reading")),
    ("eod", "taken-then-close"),
]


async def transaction(talk: Talk, content: bytes) -> list[Answer]:
    """All answers to one message for two recipients, to the first that ends it."""
    answers = []
    for command in ("MAIL FROM:<an@example.org>", f"RCPT TO:<{RECIPIENT}>", f"RCPT TO:<{OTHER}>", "DATA"):
        answers.append(await timed(talk, command))
        if command == "DATA" and answers[-1].code == 354:
            answers.append(await timed(talk, content + b".\r\n"))
        if answers[-1].code == 0:
            break
    return answers


async def timed(talk: Talk, command: str | bytes) -> Answer:
    """The answer, which must come in time."""
    began = time.monotonic()
    answer = await talk.ask(command)
    assert time.monotonic() - began < DEADLINE + SLACK, f"late answer to {command[:20]!r}: {answer}"
    return answer


@pytest.mark.parametrize(("stage", "fault"), CASES)
@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
async def test_a_failing_hop_makes_us_lie_to_nobody(stage: str, fault: str, content: bytes, start: Start) -> None:
    async with FakeHop({stage: fault}) as hop, start(hop.address, limits=LIMITS, deadline=DEADLINE) as gateway:
        address = gateway.addresses["inbound"]
        async with Talk(address) as talk:
            await talk.hello()
            for _ in range(2 if stage == "reuse" else 1):
                before = len(hop.taken)
                answers = await transaction(talk, content)
                took = len(hop.taken) - before
                assert all(answer.code for answer in answers), "the session of the client goes on"
                final = answers[-1]
                assert (final.code == 250) <= (took == 1), "2xx only if the hop took it"
                assert took <= 1
                if fault != "5xx" or stage in ("greeting", "ehlo", "xforward"):
                    never = [each for each in answers if each.kind == 5 and each.text != NO_RECIPIENTS]
                    assert not never, "5xx only where the hop says so"
                await talk.ask("RSET")

        hop.faults = {}
        hop.hang_up()  # the hop is restarted, and behaves
        async with Talk(address) as talk:
            await talk.hello()
            assert (await transaction(talk, content))[-1].code == 250


NO_RECIPIENTS = "5.5.1 No valid recipients"


async def test_a_message_the_hop_took_without_saying_so_is_deferred(start: Start) -> None:
    """The copy that the client sends again is the hop's doing (RFC 1047)."""
    async with FakeHop({"eod": "taken-then-close"}) as hop, start(hop.address) as gateway:
        async with Talk(gateway.addresses["inbound"]) as talk:
            await talk.hello()
            assert (await talk.send(SMALL)).kind == 4
        assert len(hop.taken) == 1


async def test_each_recipient_hears_what_the_hop_said_of_it(start: Start) -> None:
    answers = {
        "good@": b"250 2.1.5 fine\r\n",
        "gone@": b"550 5.1.1 no such user\r\n",
        "full@": b"452 4.2.2 mailbox full\r\n",
        "odd@": b"251 2.1.5 user not local\r\n",
        "garbled@": b"550 \xff\x00\r\n",
    }
    async with FakeHop(answers=answers) as hop, start(hop.address) as gateway:
        async with Talk(gateway.addresses["inbound"]) as talk:
            await talk.hello()
            await talk.ask("MAIL FROM:<an@example.org>")
            heard = {name: await talk.ask(f"RCPT TO:<{name}example.gov.vn>") for name in ("good@", "gone@", "full@")}
            assert {name: answer.code for name, answer in heard.items()} == {"good@": 250, "gone@": 550, "full@": 452}
            assert heard["gone@"].text == "5.1.1 no such user"
            assert heard["full@"].text == "4.2.2 mailbox full"
            assert (await talk.ask("RCPT TO:<odd@example.gov.vn>")).kind == 2
            assert (await talk.ask("DATA")).code == 354
            assert (await talk.ask(SMALL + b".\r\n")).code == 250
        [taken] = hop.taken
        assert [line.split(b"<")[1].split(b"@")[0] for line in taken.rcpts] == [b"good", b"odd"]


async def test_a_hop_that_is_down_defers_every_recipient_and_comes_back_without_us(start: Start) -> None:
    async with FakeHop() as hop:
        address = hop.address
    async with start(address, limits=LIMITS, deadline=DEADLINE) as gateway, Talk(gateway.addresses["inbound"]) as talk:
        await talk.hello()
        assert [answer.kind for answer in await transaction(talk, SMALL)] == [2, 4, 4, 5]
        await talk.ask("RSET")
        server = await asyncio.start_server(taking, *address)
        async with server:
            assert (await talk.send(SMALL)).code == 250


async def test_a_hop_that_is_late_with_every_reply_gets_no_longer_than_one_that_is_silent(start: Start) -> None:
    server = await asyncio.start_server(partial(taking, after=0.3), "127.0.0.1", 0)
    async with (
        server,
        start(server.sockets[0].getsockname(), limits=LIMITS, deadline=0.9) as gateway,
        Talk(gateway.addresses["inbound"]) as talk,
    ):
        await talk.hello()
        await talk.ask("MAIL FROM:<an@example.org>")
        began = time.monotonic()
        assert (await talk.ask(f"RCPT TO:<{RECIPIENT}>")).kind == 4
        assert time.monotonic() - began < 0.9 + 0.25


@pytest.mark.parametrize("answer", ["4xx", "5xx", "close", "hang", "garbage"])
async def test_nothing_of_a_failed_message_is_in_the_next(answer: str, start: Start) -> None:
    async with FakeHop({"eod": answer}) as hop, start(hop.address, limits=LIMITS, deadline=DEADLINE) as gateway:
        async with Talk(gateway.addresses["inbound"]) as talk:
            await talk.hello()
            await talk.send(SMALL, sender="first@example.org")
            assert await talk.asks(f"RCPT TO:<{OTHER}>", "DATA") == [503, 503]
            hop.faults = {}
            hop.hang_up()
            assert (await talk.send(SMALL, OTHER, sender="second@example.org")).code == 250
        for taken in hop.taken:
            assert b"second@" in taken.mail
            assert [OTHER.encode() in line for line in taken.rcpts] == [True]


async def test_a_client_that_leaves_after_the_dot_changes_nothing(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway:
        async with Talk(gateway.addresses["inbound"]) as talk:
            await talk.hello()
            await talk.envelope()
            talk.say(LARGE + b".\r\n")
            await talk.writer.drain()
        await hop.until_taken(1)
    assert len(hop.taken) == 1
