"""Promises 8 and 16: whatever a client sends, memory stays bounded, every "yes" is kept, nobody is believed unasked.

MAILWARDEN_LIMITS=full for 300 MB lines, 20,000 recipients and 1,000 idle sessions instead of a fraction of each.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.spool import Spool
from tests.conftest import Start
from tests.faults import FakeHop
from tests.reliability.client import GONE, RECIPIENT, Talk, closed
from tests.reliability.process import GatewayProcess
from tests.reliability.sink import Sink

FULL = os.environ.get("MAILWARDEN_LIMITS") == "full"
ENDLESS = 300_000_000 if FULL else 60_000_000
RECIPIENTS = 20_000 if FULL else 3_000
IDLE = 1_000 if FULL else 200
FLOOD_SECONDS = 20 if FULL else 2

GROWTH = 10_000_000
"""Bytes of memory that no client's misbehaviour may cost."""

FLOOD_GROWTH = 4_000_000
"""The same for a flood, which is far shorter here than a client could make it."""

IDLE_COST = 300_000
"""Bytes of memory of a session that does nothing."""

BLOCK = b"A" * 65536
SMALL = b"Subject: limits\r\n\r\nsmall\r\n"
BIG_LIMITS = {"message_size": ENDLESS // 4}


async def pour(talk: Talk, block: bytes, total: int) -> int:
    """Send `block` until so many bytes are sent or the gateway has had enough; how many it took."""
    sent = 0
    try:
        while sent < total:
            talk.say(block)
            sent += len(block)
            await talk.writer.drain()
    except ConnectionError:
        pass
    return sent


OPENINGS = {
    "as a command": (),
    "as content": ("EHLO a.example.org", "MAIL FROM:<a@example.org>", f"RCPT TO:<{RECIPIENT}>", "DATA"),
}


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
async def test_a_line_without_an_end_costs_no_memory(opening: tuple[str, ...], tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, limits=BIG_LIMITS) as gateway:
        async with Talk(gateway.address) as warm:
            await warm.hello()
            assert (await warm.send(b"Subject: large\r\n\r\n" + b"line\r\n" * 100_000)).code == 250
        before, most = gateway.memory(), 0
        async with Talk(gateway.address) as talk:
            await talk.asks(*opening)
            pouring = asyncio.create_task(pour(talk, BLOCK, ENDLESS))
            while not pouring.done():
                await asyncio.wait([pouring], timeout=0.05)
                most = max(most, gateway.memory() - before)
            assert await closed(talk, 5)
        print(f"{pouring.result()} bytes without a line ending taken, memory grew by {most} bytes")
        assert most < GROWTH
        assert sink.strays == 1  # the message of the beginning


async def test_a_message_in_tiny_pieces_costs_what_it_weighs(tmp_path: Path) -> None:
    spooled = Spool(tmp_path, disk_limit=GROWTH, memory_limit=GROWTH).new()
    tracemalloc.start()
    for number in range(100_000):
        await spooled.write(b"%02d" % (number % 100))
    cost = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert cost < 2 * spooled.size
    spooled.close()


async def test_unknown_commands_end_the_session(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway, Talk(gateway.addresses["inbound"]) as talk:
        codes = []
        for number in range(300):
            codes.append((await talk.ask(f"WHATEVER {number}")).code)
            if codes[-1] == 421:
                break
        assert len(codes) <= 22
        assert set(codes) == {500, 421}
        assert await closed(talk, 5)


async def test_every_recipient_that_is_taken_is_served(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway, Talk(gateway.addresses["inbound"]) as talk:
        await talk.hello()
        await talk.ask("MAIL FROM:<an@example.org>")
        talk.say(b"".join(b"RCPT TO:<r%d@example.gov.vn>\r\n" % number for number in range(RECIPIENTS)))
        codes = [(await talk.heard()).code for _ in range(RECIPIENTS)]
        taken = [number for number, code in enumerate(codes) if code == 250]
        assert len(taken) >= 100
        assert set(codes) == {250, 452}
        assert (await talk.ask("DATA")).code == 354
        assert (await talk.ask(SMALL + b".\r\n")).code == 250
        assert [line.split(b"<")[1].split(b">")[0] for line in hop.taken[0].rcpts] == [
            b"r%d@example.gov.vn" % number for number in taken
        ]


REFUSING = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - {id: closed, cite: test/1, when: {recipient: "@closed.example.gov.vn"}, then: reject}
"""
FLOODS = {
    "refused by the policy": b"RCPT TO:<x@closed.example.gov.vn>\r\n",
    "refused by the hop": b"RCPT TO:<nobody@example.gov.vn>\r\n",
    "taken": b"RCPT TO:<x@example.gov.vn>\r\n",
}


@pytest.mark.parametrize("command", FLOODS.values(), ids=FLOODS)
async def test_a_flood_of_recipients_costs_no_memory_read_or_unread(command: bytes, tmp_path: Path) -> None:
    answers = {"nobody@": b"550 5.1.1 nobody\r\n"}
    async with (
        Sink(answers=answers) as sink,
        GatewayProcess(tmp_path, sink.address, policy=REFUSING, log={"level": "warning"}) as gateway,
        Talk(gateway.address) as talk,
        Talk(gateway.address) as deaf,
    ):
        for each in (talk, deaf):
            await each.hello()
            await each.ask("MAIL FROM:<an@example.org>")
        before = gateway.memory()
        deaf.reader._transport.pause_reading()  # type: ignore[attr-defined]
        reading = asyncio.create_task(closed(talk, 60))
        pouring = [asyncio.create_task(pour(each, command * 1000, 10**9)) for each in (talk, deaf)]
        await asyncio.wait(pouring, timeout=FLOOD_SECONDS)
        grown = gateway.memory() - before
        for task in [*pouring, reading]:
            task.cancel()
        print(f"memory grew by {grown} bytes")
        assert grown < FLOOD_GROWTH


async def test_idle_sessions_are_cheap(tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address) as gateway:
        before = gateway.memory()
        talks = [Talk(gateway.address) for _ in range(IDLE)]
        try:
            for talk in talks:
                await talk.__aenter__()
                await talk.hello()
            each = (gateway.memory() - before) / IDLE
        finally:
            for talk in talks:
                if hasattr(talk, "writer"):
                    await talk.__aexit__()
        print(f"{each:.0f} bytes for each of {IDLE} idle sessions")
        assert each < IDLE_COST


@pytest.mark.parametrize(("excess", "declared", "sent"), [(-1, 250, 250), (0, 250, 250), (1, 552, 552)])
async def test_the_size_limit_is_exact(excess: int, declared: int, sent: int, start: Start) -> None:
    size = 100_000 + excess
    head = b"Subject: size\r\n\r\n"
    content = head + b"x" * (size - len(head) - 2) + b"\r\n"
    async with (
        FakeHop() as hop,
        start(hop.address, limits={"message_size": 100_000}) as gateway,
        Talk(gateway.addresses["inbound"]) as talk,
    ):
        assert "SIZE 100000" in (await talk.hello()).text
        assert (await talk.ask(f"MAIL FROM:<an@example.org> SIZE={size}")).code == declared
        await talk.ask("RSET")
        assert (await talk.send(content)).code == sent
        assert (await talk.send(SMALL)).code == 250, "the next one is unharmed"
    assert len(hop.taken) == 1 + (sent == 250)


STRANGERS = (
    "XCLIENT ADDR=203.0.113.77",
    "XCLIENT ADDR=203.0.113.77 LOGIN=an@example.gov.vn",
    "XFORWARD ADDR=203.0.113.77 NAME=mail.example.gov.vn",
    "PROXY TCP4 203.0.113.77 127.0.0.1 4000 25",
)


async def test_a_stranger_is_nobody_else(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, listener={"trusted": ["192.0.2.1"]}) as gateway:
        async with Talk(gateway.addresses["inbound"]) as talk:
            offered = (await talk.hello()).text
            assert "XCLIENT" not in offered
            assert "XFORWARD" not in offered
            for command in STRANGERS:
                assert (await talk.ask(command)).kind == 5
            assert (await talk.send(SMALL)).code == 250
        async with Talk(gateway.addresses["inbound"]) as talk:
            talk.say(b"\r\n\r\n\0\r\nQUIT\n" + bytes.fromhex("2111000c") + bytes(12) + b"\r\n")
            assert (await talk.heard()).kind == 5
    seen = b"".join([*hop.commands, hop.taken[0].content])
    assert b"203.0.113.77" not in seen


UNFINISHED = {
    "nothing": b"",
    "half a line": b"PROXY TCP4 203.0.113.77",
    "no end": b"P" * 100_000,
    "half of version 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
}


@pytest.mark.parametrize("header", UNFINISHED.values(), ids=UNFINISHED)
async def test_a_balancer_that_does_not_say_who_is_not_waited_for(header: bytes, start: Start) -> None:
    listener = {"trusted": ["127.0.0.1"], "proxy_protocol": True}
    async with FakeHop() as hop, start(hop.address, listener=listener, limits={"proxy_header": "300ms"}) as gateway:
        reader, writer = await asyncio.open_connection(*gateway.addresses["inbound"])
        writer.write(header)
        with suppress(ConnectionError):
            assert not (await asyncio.wait_for(reader.read(), 5)).startswith(b"220")
        writer.close()


async def test_a_stranger_at_a_port_for_balancers_hears_nothing(start: Start) -> None:
    listener = {"trusted": ["192.0.2.1"], "proxy_protocol": True}
    async with FakeHop() as hop, start(hop.address, listener=listener) as gateway:
        reader, writer = await asyncio.open_connection(*gateway.addresses["inbound"])
        writer.write(b"PROXY TCP4 203.0.113.77 127.0.0.1 4000 25\r\nEHLO x\r\n")
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
    assert not hop.connections


RELAY_FORMS = (
    "victim%example.net@example.gov.vn",
    "example.net!victim@example.gov.vn",
    "victim@example.net@example.gov.vn",
    '"victim@example.net"@example.gov.vn',
    '"victim@example.net"',
    "victim%example.net",
    "example.net!victim",
    "@example.gov.vn:victim@example.net",
    "@example.gov.vn,@example.org:victim@example.net",
    "victim@[192.0.2.7]",
    "victim@example.net,binh@example.gov.vn",
    "victim@example.net binh@example.gov.vn",
    "victim@example.net>,<binh@example.gov.vn",
    "victim@example.gov.vn.",
    "victim@.example.gov.vn",
    "victim@example..gov.vn",
    "postmaster",
    "",
)


@pytest.mark.parametrize("form", RELAY_FORMS)
async def test_the_hop_decides_about_the_very_address_or_we_refuse_it(form: str, start: Start) -> None:
    """A source route only is taken off (RFC 5321 appendix C): what is left is the hop's to judge, as written."""
    asked = form.rpartition(":")[2] if form.startswith("@") else form
    for verdict in (b"554 5.7.1 relay access denied\r\n", b"250 2.1.5 fine\r\n"):
        async with FakeHop(answers={"": verdict}) as hop, start(hop.address) as gateway:
            async with Talk(gateway.addresses["inbound"]) as talk:
                await talk.hello()
                await talk.ask("MAIL FROM:<an@example.org>")
                answer = await talk.ask(f"RCPT TO:<{form}>")
            asked_for = [line for line in hop.commands if line.startswith(b"RCPT")]
            if asked_for:
                assert asked_for == [f"RCPT TO:<{asked}>".encode()]
                assert answer.code == int(verdict[:3])
            else:
                assert answer.kind == 5


async def test_the_null_sender_and_the_bare_postmaster_are_taken(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway, Talk(gateway.addresses["inbound"]) as talk:
        await talk.hello()
        assert (await talk.send(SMALL, "Postmaster", sender="")).code == 250
    assert hop.taken[0].mail.startswith(b"MAIL FROM:<>")
    assert hop.taken[0].rcpts == [b"RCPT TO:<Postmaster>"]


async def test_a_client_that_half_closes_after_the_dot_still_gets_its_answer(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway, Talk(gateway.addresses["inbound"]) as talk:
        await talk.envelope()
        talk.say(SMALL + b".\r\n")
        talk.writer.write_eof()
        assert (await talk.heard()).code == 250
        assert await closed(talk, 5)
    assert len(hop.taken) == 1


async def test_a_client_that_half_closes_before_the_dot_has_sent_nothing(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway, Talk(gateway.addresses["inbound"]) as talk:
        await talk.envelope()
        talk.say(SMALL + b".\r")
        talk.writer.write_eof()
        assert await closed(talk, 5)
    assert not hop.taken


async def test_a_reset_after_the_dot_sends_the_message_once_or_not_at_all(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway:
        for _ in range(20):
            async with Talk(gateway.addresses["inbound"]) as talk:
                await talk.envelope()
                talk.say(SMALL + b".\r\n")
                connection: socket.socket = talk.writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                talk.writer.transport.abort()
        async with Talk(gateway.addresses["inbound"]) as talk:
            await talk.hello()
            assert (await talk.send(SMALL)).code == 250
        async with asyncio.timeout(5):
            while gateway.door.sessions:
                await asyncio.sleep(0.01)
        assert len(hop.taken) <= 21


async def test_more_sessions_than_the_limit_are_told_to_come_back(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, limits={"sessions": 5}) as gateway:
        talks = [Talk(gateway.addresses["inbound"]) for _ in range(8)]
        greetings = [(await talk.__aenter__()).greeting for talk in talks]
        assert [greeting.code for greeting in greetings] == [220] * 5 + [421] * 3
        for talk in talks:
            await talk.__aexit__()
        async with asyncio.timeout(5):
            while gateway.door.sessions:
                await asyncio.sleep(0.01)
        async with Talk(gateway.addresses["inbound"]) as talk:
            assert talk.greeting.code == 220


async def test_one_client_does_not_take_all_places(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, limits={"sessions_per_client": 3}) as gateway:
        door = gateway.door
        assert door is not None
        talks = [Talk(gateway.addresses["inbound"]) for _ in range(5)]
        greetings = [(await talk.__aenter__()).greeting for talk in talks]
        assert GONE not in greetings
        assert {greeting.code for greeting in greetings} == {220}, "this machine brings many clients' mail"
        for talk in talks:
            await talk.__aexit__()
