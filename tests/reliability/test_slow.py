"""Promise 10: clients that are slow, silent or deaf do not keep others from being served, and are ended.

MAILWARDEN_SLOW=1000 for so many slow sessions; a few more than `STRESS_SESSIONS` otherwise.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.e2e.ports import free_port
from tests.reliability.client import RECIPIENT, Talk, delivered
from tests.reliability.process import GatewayProcess
from tests.reliability.sink import Sink, numbered

SESSIONS = int(os.environ.get("MAILWARDEN_SLOW", "240"))
ENDED = 90.0
"""Seconds after which no slow session is left."""

P95 = 0.25
"""Seconds from connecting to the answer to the dot, for ordinary mail meanwhile."""

RATE = 20
"""Ordinary messages a second."""

OPENING = ("EHLO slow.example.org", "MAIL FROM:<slow@example.org>", f"RCPT TO:<{RECIPIENT}>")


async def silent(talk: Talk) -> None:
    """Says nothing."""


async def dribbles_noop(talk: Talk) -> None:
    """Says NOOP for ever."""
    while True:
        await talk.ask("NOOP")
        await asyncio.sleep(1)


async def dribbles_a_command(talk: Talk) -> None:
    """One letter a second."""
    for letter in b"EHLO " + b"x" * 4000:
        talk.say(bytes([letter]))
        await asyncio.sleep(1)


async def drips_content(talk: Talk) -> None:
    """One letter of the message a second."""
    await talk.asks(*OPENING, "DATA")
    while True:
        talk.say(b"x")
        await asyncio.sleep(1)


async def stops_in_content(talk: Talk) -> None:
    """Half a message."""
    await talk.asks(*OPENING, "DATA")
    talk.say(b"Subject: half\r\n\r\n" + b"x" * 100_000)


async def is_deaf(talk: Talk) -> None:
    """Says much that is answered at length, and reads nothing."""
    talk.reader._transport.pause_reading()  # type: ignore[attr-defined]
    talk.say((b"EHLO slow.example.org\r\n" * 90 + b"MAIL FROM:<slow@example.org>\r\n") * 20)


async def stops_in_handshake(talk: Talk) -> None:
    """Half a TLS handshake."""
    await talk.asks("EHLO slow.example.org", "STARTTLS")
    talk.say(bytes.fromhex("16030100c8010000c40303"))


async def stops_after_rcpt(talk: Talk) -> None:
    """A transaction that never gets its message."""
    await talk.asks(*OPENING)


KINDS: tuple[Callable[[Talk], Awaitable[None]], ...] = (
    silent,
    dribbles_noop,
    dribbles_a_command,
    drips_content,
    stops_in_content,
    is_deaf,
    stops_in_handshake,
    stops_after_rcpt,
)


async def slow(address: tuple[str, int], kind: Callable[[Talk], Awaitable[None]]) -> None:
    """One slow session, held for as long as the gateway lets it."""
    async with Talk(address, window=1) as talk:
        if talk.greeting.code == 220:
            await kind(talk)
            await asyncio.Event().wait()


async def open_sessions(port: int) -> int:
    """What the gateway counts."""

    def fetch() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            return str(page.read().decode())

    match = re.search(r'^mailwarden_sessions\{listener="inbound"\} ([0-9.e+]+)$', await asyncio.to_thread(fetch), re.M)
    return int(float(match[1])) if match else 0


async def test_slow_clients_are_ended_and_delay_nobody(tmp_path: Path, certificate: dict[str, str]) -> None:
    metrics = free_port()
    settings = {
        "listener": {"tls": certificate},
        "metrics": f"127.0.0.1:{metrics}",
        "log": {"level": "warning"},
    }
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, **settings) as gateway:
        at_first = gateway.sockets()
        began = time.monotonic()
        slow_ones = [asyncio.create_task(slow(gateway.address, KINDS[n % len(KINDS)])) for n in range(SESSIONS)]
        seconds: list[float] = []
        refused = 0
        most = 0
        number = 0
        while time.monotonic() < began + ENDED:
            due = time.monotonic() + 1 / RATE
            sent = time.monotonic()
            answer = await delivered(gateway.address, numbered(number, 3000))
            seconds.append(time.monotonic() - sent)
            refused += answer.code != 250
            number += 1
            if number % RATE == 0:
                left = await open_sessions(metrics)
                most = max(most, left)
                if most > SESSIONS // 2 and not left:
                    break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        ended = time.monotonic() - began
        descriptors = gateway.sockets() - sink.open
        left = await open_sessions(metrics)
        for task in slow_ones:
            task.cancel()
        await asyncio.gather(*slow_ones, return_exceptions=True)
    p95 = statistics.quantiles(seconds, n=20)[-1]
    print(
        f"{SESSIONS} slow sessions ({most} at once seen), {left} left after {ended:.0f} s; "
        f"{number} ordinary messages, {refused} not taken, p50 {statistics.median(seconds) * 1000:.0f} ms, "
        f"p95 {p95 * 1000:.0f} ms, worst {max(seconds) * 1000:.0f} ms"
    )
    assert most > SESSIONS // 2
    assert not left
    assert descriptors <= at_first, "sockets of ended sessions are still open"
    assert not refused
    assert p95 < P95


async def test_a_deaf_client_whose_session_is_over_keeps_no_socket(tmp_path: Path) -> None:
    limits = {"command_timeout": 1}
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, limits=limits) as gateway:
        at_first = gateway.sockets()
        talks = [Talk(gateway.address, window=1) for _ in range(40)]
        for number, talk in enumerate(talks):  # one of them overflows the kernel's buffer by a little only
            await talk.__aenter__()
            talk.reader._transport.pause_reading()  # type: ignore[attr-defined]
            talk.say((b"EHLO slow.example.org\r\n" * 60 + b"MAIL FROM:<slow@example.org>\r\n") * number)
            talk.say(b"EHLO slow.example.org\r\n" * 200)
        async with asyncio.timeout(10):
            while gateway.sockets() > at_first:
                await asyncio.sleep(0.1)
        for talk in talks:
            await talk.__aexit__()


async def test_a_client_with_a_thousand_commands_waits_its_turn(tmp_path: Path) -> None:
    pairs = 20_000
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address) as gateway, Talk(gateway.address) as flood:
        await flood.hello()
        flood.say(b"MAIL FROM:<flood@example.org>\r\nRSET\r\n" * pairs)
        heard = 0

        async def count() -> None:
            nonlocal heard
            while heard < 2 * pairs:
                assert (await flood.heard()).code == 250
                heard += 1

        counting = asyncio.create_task(count())
        for number in range(20):
            assert (await delivered(gateway.address, numbered(number, 3000))).code == 250
        print(f"20 messages were taken while {heard} of {2 * pairs} commands were answered")
        assert not counting.done()
        await counting
