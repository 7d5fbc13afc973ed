"""Four times as much mail as can be decided: whoever is let in is served as usual, the others hear 421 at once.

MAILWARDEN_OVERLOAD=60 for more seconds of it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import time
from pathlib import Path

from gateway.rush import AT_START, PATIENCE
from tests.reliability.arrivals import Arrivals
from tests.reliability.client import Talk
from tests.reliability.process import GatewayProcess
from tests.reliability.sink import Sink, numbered

SECONDS = float(os.environ.get("MAILWARDEN_OVERLOAD", "3"))
CLIENTS = 8
"""Who find out how much can be decided: each comes again as soon as it has been served."""

LOOKED_FOR = (
    "signup.verification",
    "spam.score",
    "content.prohibited",
    "identifiers.persons",
    "documents.official_document",
    "impersonation.lure",
    "secret_marks.marking",
)
"""Filters that read the whole text: a message takes the gateway longer than it takes the client."""

SLOW = "version: 1\norganisation: {domains: [example.gov.vn]}\nrules:\n" + "".join(
    f"  - {{id: rule-{number}, cite: test/{number}, mode: shadow, when: {{found: {found}}}, then: reject}}\n"
    for number, found in enumerate(LOOKED_FOR)
)

SIZE = 40_000
"""Bytes of a message."""

NUMBERS = itertools.count(10_000_000)

SETTLED = AT_START + 2 * PATIENCE
"""Seconds from the start until whoever waited while nobody was too many is served."""

MOST_MEMORY = 512_000_000
"""Bytes resident for one worker, at any time."""


async def capacity(gateway: GatewayProcess, seconds: float) -> float:
    """Messages a second, as fast as it goes."""
    ends = time.monotonic() + seconds
    done = 0

    async def client() -> None:
        nonlocal done
        while time.monotonic() < ends:
            async with Talk(gateway.address) as talk:
                await talk.hello()
                assert (await talk.send(numbered(next(NUMBERS), SIZE))).code == 250
                done += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return done / seconds


async def test_who_is_let_in_is_served_and_the_others_hear_it_at_once(tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, policy=SLOW, drain=5) as gateway:
        started = time.monotonic()
        await capacity(gateway, 1)  # with the first messages the lexicons are read
        most = max(4.0, await capacity(gateway, 2))
        usual = gateway.memory()
        rush = Arrivals(gateway.address, 4 * most, size=SIZE)
        async with rush.coming():
            await asyncio.sleep(SETTLED - (time.monotonic() - started))
            settled = time.monotonic()
            await asyncio.sleep(SECONDS)
            highest = gateway.memory()
        assert not rush.lost(sink)
        assert not rush.doubled(sink)
        after = Arrivals(gateway.address, most / 4, size=SIZE)
        async with after.coming():
            await asyncio.sleep(2)
        served = [seconds for began, seconds in zip(rush.when, rush.seconds, strict=True) if began > settled]
        away = [seconds for began, seconds in rush.turned_away if began > settled]
        print(
            f"capacity {most:.0f}/s, offered {4 * most:.0f}/s: {dict(rush.ends)}; when settled "
            f"{len(served) / SECONDS:.0f}/s let in, {middle(served)}; "
            f"{len(away) / SECONDS:.0f}/s turned away, {middle(away)}; "
            f"memory {usual / 1e6:.0f} -> {highest / 1e6:.0f} MB; "
            f"afterwards {dict(after.ends)}, {middle(after.seconds)}"
        )
        assert set(rush.ends) == {"250", "421 4.3.2 Too busy, try again later"}
        assert highest < MOST_MEMORY
        assert set(after.ends) == {"250"}


def middle(seconds: list[float]) -> str:
    """Half of them, and 95 of 100, took no longer."""
    if len(seconds) < 2:
        return "hardly any"
    return f"p50 {statistics.median(seconds):.2f} s, p95 {statistics.quantiles(seconds, n=20)[-1]:.2f} s"
