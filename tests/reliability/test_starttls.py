"""Promise 5: nothing that was said before TLS counts after it, and no handshake holds a place for long (RFC 3207)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from tests.conftest import Start
from tests.faults import FakeHop
from tests.reliability.client import RECIPIENT, Talk, closed

CONTENT = b"Subject: tls\r\n\r\nbody\r\n"


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    """A client's side of TLS that believes the test's authority."""
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return client


async def encrypt(talk: Talk, context: ssl.SSLContext) -> None:
    """The client's half of the handshake, after the 220."""
    await talk.writer.start_tls(context, server_hostname="127.0.0.1", ssl_handshake_timeout=10)


INJECTED = {
    "one command": b"NOOP\r\n",
    "a greeting": b"EHLO evil.example.org\r\n",
    "a transaction": b"EHLO evil.example.org\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.gov.vn>\r\n",
    "a message": (
        b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.gov.vn>\r\nDATA\r\nSubject: evil\r\n\r\n.\r\n"
    ),
    "half a command": b"EHLO evil.exam",
    "another STARTTLS": b"STARTTLS\r\n",
    "an identity": b"XCLIENT ADDR=192.0.2.66 LOGIN=evil\r\nXFORWARD ADDR=192.0.2.66\r\n",
}


@pytest.mark.parametrize("injected", INJECTED.values(), ids=INJECTED)
async def test_what_stands_behind_starttls_in_the_clear_is_never_answered(
    injected: bytes, start: Start, certificate: dict[str, str], context: ssl.SSLContext
) -> None:
    async with FakeHop() as hop, start(hop.address, listener={"tls": certificate}) as gateway:
        async with Talk(gateway.addresses["inbound"]) as talk:
            await talk.hello()
            talk.say(b"STARTTLS\r\n" + injected)
            assert (await talk.heard()).code == 220
            await encrypt(talk, context)
            assert await talk.asks(f"RCPT TO:<{RECIPIENT}>", "MAIL FROM:<an@example.org>") == [503, 503]
            assert "STARTTLS" not in (await talk.hello()).text
            assert (await talk.send(CONTENT)).code == 250
        [taken] = hop.taken
        seen = b"".join([*hop.commands, taken.content])
        assert b"evil" not in seen
        assert b"192.0.2.66" not in seen


async def test_the_session_begins_anew(start: Start, certificate: dict[str, str], context: ssl.SSLContext) -> None:
    offers = ("XFORWARD NAME ADDR PORT PROTO HELO",)
    async with (
        FakeHop(offers=offers) as hop,
        start(hop.address, listener={"tls": certificate, "trusted": ["127.0.0.1"]}) as gateway,
    ):
        async with Talk(gateway.addresses["inbound"]) as talk:
            assert await talk.asks(
                "EHLO before.example.org",
                "XCLIENT ADDR=192.0.2.66 NAME=before.example.org LOGIN=before@example.gov.vn",
                "EHLO before.example.org",
                "XFORWARD ADDR=192.0.2.67 NAME=before.example.org",
                "STARTTLS",
            ) == [250, 220, 250, 250, 220]
            await encrypt(talk, context)
            assert await talk.asks("MAIL FROM:<an@example.org>") == [503]
            await talk.hello()
            assert (await talk.send(CONTENT)).code == 250
        [taken] = hop.taken
        assert b"ADDR=127.0.0.1" in b"".join(taken.xforward)
        assert b"before" not in b"".join(taken.xforward) + taken.content


async def test_tls_within_tls_and_at_the_wrong_time_is_refused(
    start: Start, certificate: dict[str, str], context: ssl.SSLContext
) -> None:
    async with (
        FakeHop() as hop,
        start(hop.address, listener={"tls": certificate}) as gateway,
        Talk(gateway.addresses["inbound"]) as talk,
    ):
        await talk.hello()
        assert await talk.asks("STARTTLS now", "MAIL FROM:<an@example.org>") == [501, 250]
        assert await talk.asks("STARTTLS", "RSET") == [503, 250]
        assert (await talk.ask("STARTTLS")).code == 220
        await encrypt(talk, context)
        await talk.hello()
        assert (await talk.ask("STARTTLS")).code == 503
        assert (await talk.send(CONTENT)).code == 250
    assert len(hop.taken) == 1


async def test_required_tls_is_asked_for_before_any_mail(
    start: Start, certificate: dict[str, str], context: ssl.SSLContext
) -> None:
    listener = {"tls": {**certificate, "required": True}}
    async with (
        FakeHop() as hop,
        start(hop.address, listener=listener) as gateway,
        Talk(gateway.addresses["inbound"]) as talk,
    ):
        commands = ("EHLO a.example.org", "MAIL FROM:<a@example.org>", f"RCPT TO:<{RECIPIENT}>", "DATA", "NOOP")
        assert await talk.asks(*commands, "RSET", "STARTTLS") == [250, 530, 530, 530, 250, 250, 220]
        await encrypt(talk, context)
        await talk.hello()
        assert (await talk.send(CONTENT)).code == 250


HANDSHAKES: dict[str, tuple[bytes, Callable[[Talk], Any]]] = {
    "silence": (b"", lambda talk: None),
    "half a client hello": (bytes.fromhex("16030100c8010000c40303") + b"\x01" * 40, lambda talk: None),
    "garbage": (b"\x00\xff garbage \r\n" * 40, lambda talk: None),
    "SMTP in the clear": (b"EHLO client.example.org\r\nMAIL FROM:<evil@example.org>\r\n", lambda talk: None),
    "half-close": (b"\x16\x03\x01", lambda talk: talk.writer.write_eof()),
    "reset": (b"\x16\x03\x01", lambda talk: talk.writer.transport.abort()),
}


@pytest.mark.parametrize(("sent", "then"), HANDSHAKES.values(), ids=HANDSHAKES)
async def test_a_handshake_that_fails_ends_the_session(
    sent: bytes,
    then: Callable[[Talk], Any],
    start: Start,
    certificate: dict[str, str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    limits = {"tls_handshake": "400ms"}
    async with FakeHop() as hop, start(hop.address, listener={"tls": certificate}, limits=limits) as gateway:
        async with Talk(gateway.addresses["inbound"]) as talk:
            await talk.hello()
            assert (await talk.ask("STARTTLS")).code == 220
            talk.say(sent)
            then(talk)
            assert await closed(talk, 3)
        async with asyncio.timeout(3):
            while gateway.door.sessions:
                await asyncio.sleep(0.01)
    assert not [line for line in hop.commands if b"evil" in line]
    captured = capfd.readouterr()
    assert "Traceback" not in captured.out + captured.err, "a stranger's bytes are no error of ours"


async def test_a_client_that_breaks_off_inside_tls_sends_nothing(
    start: Start, certificate: dict[str, str], context: ssl.SSLContext
) -> None:
    async with FakeHop() as hop, start(hop.address, listener={"tls": certificate}) as gateway:
        async with Talk(gateway.addresses["inbound"]) as talk:
            await talk.hello()
            await talk.ask("STARTTLS")
            await encrypt(talk, context)
            await talk.envelope()
            talk.say(CONTENT)
            await talk.writer.drain()
        async with asyncio.timeout(3):
            while gateway.door.sessions:
                await asyncio.sleep(0.01)
    assert not hop.taken


async def test_a_client_that_closes_tls_after_the_dot_has_sent_its_message(
    start: Start, certificate: dict[str, str], context: ssl.SSLContext
) -> None:
    async with FakeHop() as hop, start(hop.address, listener={"tls": certificate}) as gateway:
        async with Talk(gateway.addresses["inbound"]) as talk:
            await talk.hello()
            await talk.ask("STARTTLS")
            await encrypt(talk, context)
            await talk.envelope()
            talk.say(CONTENT + b".\r\n")
            await talk.writer.drain()
            talk.writer.close()
        await hop.until_taken(1)
    assert len(hop.taken) == 1
