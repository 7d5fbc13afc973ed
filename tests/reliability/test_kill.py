"""Promise 1: no acknowledged message is lost, cut or doubled by us, however often the gateway is killed under load.

MAILWARDEN_KILLS=100 for more than the few kills of every run.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.reliability.client import Talk
from tests.reliability.process import GatewayProcess
from tests.reliability.sink import Sink, digest, numbered

KILLS = int(os.environ.get("MAILWARDEN_KILLS", "12"))
SIZES = (400, 3000, 3000, 30_000, 200_000, 300_000, 1_500_000)
"""Bytes; beyond 256 KiB a message lies in the spool folder."""

CLIENTS = 6
UPTIME = (0.02, 0.6)
"""Seconds from ready to the next kill: in the middle of first, and of hundredth messages."""

RESTART_LIMIT = 5.0


class Load:
    """Clients that send numbered messages, each until it is acknowledged, as a mail server does."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.numbers: Iterator[int] = itertools.count()
        self.attempts: Counter[int] = Counter()
        self.sent: dict[int, str] = {}
        self.acknowledged: set[int] = set()
        self.refused: list[str] = []
        self.over = False

    async def client(self) -> None:
        """One client: a new connection whenever the old one breaks."""
        number, content = self._next()
        while not self.over:
            try:
                async with Talk(self.address) as talk:
                    await talk.hello()
                    while not self.over:
                        self.attempts[number] += 1
                        answer = await talk.send(content)
                        if answer.kind == 5:
                            self.refused.append(answer.text)
                        if answer.kind != 2:
                            break
                        self.acknowledged.add(number)
                        number, content = self._next()
            except OSError:
                await asyncio.sleep(0.02)

    def _next(self) -> tuple[int, bytes]:
        number = next(self.numbers)
        content = numbered(number, random.choice(SIZES))
        self.sent[number] = digest(content)
        return number, content


async def test_no_kill_loses_changes_or_doubles_an_acknowledged_message(tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, log={"level": "warning"}) as gateway:
        load = Load(gateway.address)
        clients = [asyncio.create_task(load.client()) for _ in range(CLIENTS)]
        restarts = []
        for _ in range(KILLS):
            await asyncio.sleep(random.uniform(*UPTIME))
            await gateway.kill()
            restarts.append(await gateway.start())
        load.over = True
        await asyncio.gather(*clients)

    copies = {number: sink.copies(number) for number in load.attempts}
    doubled = sum(sum(seen.values()) - 1 for seen in copies.values() if seen)
    print(
        f"{KILLS} kills: {len(load.acknowledged)} acknowledged, {len(load.attempts)} sent in "
        f"{sum(load.attempts.values())} attempts, {doubled} doubled; "
        f"restart {max(restarts):.2f} s at most, {sum(restarts) / len(restarts):.2f} s on average"
    )
    assert not load.refused
    assert not sink.strays
    assert not [number for number in load.acknowledged if not copies[number]], "lost"
    assert all(set(seen) <= {load.sent[number]} for number, seen in copies.items()), "changed"
    for number, seen in copies.items():
        unanswered = load.attempts[number] - (number in load.acknowledged)
        assert sum(seen.values()) <= (number in load.acknowledged) + unanswered, "doubled"
    assert doubled <= KILLS * CLIENTS
    assert max(restarts) < RESTART_LIMIT
