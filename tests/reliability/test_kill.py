"""Promise 1: no acknowledged message is lost, cut or doubled by us, however often the gateway is killed under load,
whether it passes, or is kept and released later.

MAILWARDEN_KILLS=100 for more than the few kills of every run.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.keeping import State
from tests.reliability.client import Talk
from tests.reliability.kept import HALF, contents_of, entries, run
from tests.reliability.process import GatewayProcess
from tests.reliability.sink import Sink, digest, identified, numbered

KILLS = int(os.environ.get("MAILWARDEN_KILLS", "12"))
SIZES = (400, 3000, 3000, 30_000, 200_000, 300_000, 1_500_000)
"""Bytes; beyond 256 KiB a message lies in the spool folder."""

CLIENTS = 6
UPTIME = (0.02, 0.6)
"""Seconds from ready to the next kill: in the middle of first, and of hundredth messages."""

KEPT_SIZES = (400, 3000, 3000, 30_000, 300_000)
"""What is kept is written, synced, destroyed: three times the disk's work of what passes."""

RESTART_LIMIT = 20.0
"""Seconds; on a busy machine five are spent on imports. What is to be seen is a start that waits for the dead."""


class Load:
    """Clients that send numbered messages, each until it is acknowledged, as a mail server does."""

    def __init__(self, address: tuple[str, int], sizes: Sequence[int] = SIZES) -> None:
        self.address = address
        self.sizes = sizes
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
        content = numbered(number, random.choice(self.sizes))
        self.sent[number] = digest(content)
        return number, content


async def under_kills(gateway: GatewayProcess, kills: int, sizes: Sequence[int] = SIZES) -> tuple[Load, list[float]]:
    """Load the gateway and kill it so often; what was sent, and the seconds of each restart."""
    load = Load(gateway.address, sizes)
    clients = [asyncio.create_task(load.client()) for _ in range(CLIENTS)]
    restarts = []
    for _ in range(kills):
        await asyncio.sleep(random.uniform(*UPTIME))
        await gateway.kill()
        restarts.append(await gateway.start())
    load.over = True
    await asyncio.gather(*clients)
    return load, restarts


def check(load: Load, restarts: list[float], arrived: Counter[tuple[int, str]]) -> None:
    """Nothing acknowledged is lost or changed, nothing is there twice unless its client had reason to send it twice."""
    copies: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for (number, seen), count in arrived.items():
        copies[number][seen] += count
    doubled = sum(seen.total() - 1 for seen in copies.values())
    print(
        f"{len(restarts)} kills: {len(load.acknowledged)} acknowledged, {len(load.attempts)} sent in "
        f"{load.attempts.total()} attempts, {doubled} doubled; "
        f"restart {max(restarts):.2f} s at most, {sum(restarts) / len(restarts):.2f} s on average"
    )
    assert not load.refused
    assert not load.acknowledged - set(copies), "lost"
    assert all(set(seen) == {load.sent[number]} for number, seen in copies.items()), "changed"
    for number, seen in copies.items():
        assert seen.total() <= load.attempts[number], "doubled"
    assert doubled <= CLIENTS * len(restarts)
    assert max(restarts) < RESTART_LIMIT


async def test_no_kill_loses_changes_or_doubles_an_acknowledged_message(tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, log={"level": "warning"}) as gateway:
        load, restarts = await under_kills(gateway, KILLS)
    assert not sink.strays
    check(load, restarts, sink.arrived)


async def test_no_kill_loses_or_changes_what_is_in_the_embedded_destination(tmp_path: Path) -> None:
    upstream = f"maildir:{tmp_path / 'maildir'}"
    async with GatewayProcess(tmp_path, upstream, log={"level": "warning"}) as gateway:
        load, restarts = await under_kills(gateway, max(3, KILLS // 4))
    arrived = Counter(identified(file.read_bytes()) for file in (tmp_path / "maildir" / "new").iterdir())
    check(load, restarts, arrived)  # type: ignore[arg-type]


async def test_no_kill_loses_changes_or_doubles_what_passes_and_what_is_kept(tmp_path: Path) -> None:
    """Half of the messages are quarantined. All that wait are then released, while nobody is killed."""
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, policy=HALF, log={"level": "warning"}) as gateway:
        load, restarts = await under_kills(gateway, max(3, KILLS // 2), KEPT_SIZES)
        code, _ = await gateway.stop()
        assert code == 0
        passed, kept = Counter(sink.arrived), Counter(await contents_of(tmp_path / "state"))
        assert {number % 2 for number, _ in passed} == {0}
        assert {number % 2 for number, _ in kept} == {1}
        check(load, restarts, passed + kept)
        told = await run(tmp_path, "quarantine", "release", "--all", "--yes", "--as", "officer@example.gov.vn")
        assert told.code == 0, told
        assert not await entries(tmp_path, State.WAITING, State.RELEASING)
        assert sink.arrived - passed == kept
        assert not sink.strays
    print(f"{passed.total()} passed, {kept.total()} were kept and released, each once")
