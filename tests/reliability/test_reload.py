"""Promises 14 and 15: reload and restart are invisible, and a broken policy never goes live.

MAILWARDEN_RELOADS=200 for more replacements of the policy under load.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import time
from functools import partial
from pathlib import Path

from tests.reliability.client import GONE, Talk
from tests.reliability.process import GatewayProcess
from tests.reliability.sink import Sink, digest, numbered, taking

RELOADS = int(os.environ.get("MAILWARDEN_RELOADS", "10"))
CLIENTS = 8
RATE = 200
"""Messages a second over all clients, as far as the machine goes."""

GOOD = """
version: 1
organisation: {{domains: [example.gov.vn]}}
rules:
  - id: no-forbidden-subject
    cite: test/1
    when: {{header: {{name: Subject, contains: forbidden}}}}
    then: reject
  - id: version-{version}
    cite: test/2
    when: {{header: {{name: X-Version, contains: "{version}"}}}}
    then: reject
"""
BROKEN = (
    ("version: 1\norganisation: {domains: [example.gov.vn]}\nrules: [\n", "policy.yaml:"),
    ("version: 1\norganisation: {domains: [example.gov.vn]}\nrules: []\nruels: []\n", "ruels"),
    ("", "policy.yaml"),
    ("version: 1\norganisation: {domains: [example.gov.vn]}\nrules: [{id: x, then: quarentine}]\n", "quarentine"),
    (
        "version: 1\norganisation: {domains: [example.gov.vn]}\nrules: []\n"
        "tests:\n  - {name: must be refused, given: {subject: forbidden, from: a@b.example, to: [c@example.gov.vn]}, "
        "expect: {action: reject}}\n",
        "must be refused",
    ),
)
FORBIDDEN = b"Subject: forbidden\r\n\r\nforbidden\r\n"


def replace(path: Path, text: str) -> None:
    """Put a new file in the place of the old one at once, as editors and configuration tools do."""
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.rename(path)


async def test_nobody_notices_that_the_policy_is_replaced(tmp_path: Path) -> None:
    policy = GOOD.format(version=0)
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, policy=policy) as gateway:
        numbers = itertools.count()
        wrong: list[str] = []
        seconds: list[float] = []
        over = False

        async def client() -> None:
            async with Talk(gateway.address) as talk:
                await talk.hello()
                while not over:
                    number = next(numbers)
                    began = time.monotonic()
                    forbidden = number % 10 == 0
                    answer = await talk.send(FORBIDDEN if forbidden else numbered(number, 3000))
                    seconds.append(time.monotonic() - began)
                    if answer.code != (550 if forbidden else 250):
                        wrong.append(f"{number}: {answer}")
                    await asyncio.sleep(CLIENTS / RATE - seconds[-1])

        clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
        began = time.monotonic()
        for version in range(1, RELOADS + 1):
            broken, _ = BROKEN[version % len(BROKEN)]
            replace(gateway.policy, broken)
            await asyncio.sleep(0.3)
            replace(gateway.policy, GOOD.format(version=version))
            await asyncio.sleep(0.3)
        async with asyncio.timeout(10):  # until the last one is in force
            async with Talk(gateway.address) as talk:
                await talk.hello()
                while (await talk.send(f"X-Version: {RELOADS}\r\n\r\n.\r\n".encode())).code != 550:
                    await asyncio.sleep(0.1)
        over = True
        await asyncio.gather(*clients)
        elapsed = time.monotonic() - began

        reloaded, refused = gateway.said("policy reloaded"), gateway.said("policy refused")
        print(
            f"{len(seconds)} messages in {elapsed:.0f} s, {len(wrong)} answered wrongly; "
            f"{len(reloaded)} reloads taken, {len(refused)} problems logged; "
            f"p50 {statistics.median(seconds) * 1000:.0f} ms, "
            f"p95 {statistics.quantiles(seconds, n=20)[-1] * 1000:.0f} ms, worst {max(seconds) * 1000:.0f} ms"
        )
        assert not wrong
        assert len(reloaded) >= RELOADS // 4
        problems = "\n".join(line["problem"] for line in refused)
        for _, reason in BROKEN:
            assert reason in problems


async def test_sigterm_ends_what_was_begun_and_a_restart_is_quick(tmp_path: Path) -> None:
    server = await asyncio.start_server(partial(taking, after=0.2), "127.0.0.1", 0)
    async with server, GatewayProcess(tmp_path, server.sockets[0].getsockname(), drain=5) as gateway:
        waiting, sending, idle = ([Talk(gateway.address) for _ in range(5)] for _ in range(3))
        for talk in (*waiting, *sending, *idle):
            await talk.__aenter__()
        await asyncio.gather(*(talk.envelope() for talk in (*waiting, *sending)))
        for number, talk in enumerate(waiting):
            talk.say(numbered(number, 300_000) + b".\r\n")
        for number, talk in enumerate(sending):
            talk.say(numbered(number, 300_000)[:-100])
        await asyncio.gather(*(talk.writer.drain() for talk in (*waiting, *sending)))
        stopping = asyncio.create_task(gateway.stop())
        assert {(await talk.heard()).code for talk in idle} == {421}
        for number, talk in enumerate(sending):
            talk.say(numbered(number, 300_000)[-100:] + b".\r\n")
        for talk in (*waiting, *sending):
            assert (await talk.heard()).code == 250
            assert (await talk.heard()).code in (421, 0)
        code, seconds = await stopping
        for talk in (*waiting, *sending, *idle):
            await talk.__aexit__()
        restarted = await gateway.start()
        print(f"exit {code} after {seconds:.2f} s, ready again after {restarted:.2f} s")
        assert code == 0


async def test_sigterm_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, drain=5, log={"level": "warning"}) as gateway:
        numbers = itertools.count()
        acknowledged: list[int] = []
        refused: list[str] = []
        over = False

        async def client() -> None:
            while not over:
                try:
                    async with Talk(gateway.address) as talk:
                        await talk.hello()
                        while not over:
                            number = next(numbers)
                            answer = await talk.send(numbered(number, 20_000))
                            if answer.code == 250:
                                acknowledged.append(number)
                            elif answer in (GONE,) or answer.code == 421:
                                break
                            else:
                                refused.append(str(answer))
                except OSError:
                    await asyncio.sleep(0.05)

        clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
        for _ in range(3):
            await asyncio.sleep(0.5)
            code, seconds = await gateway.stop()
            assert code == 0
            restarted = await gateway.start()
        over = True
        await asyncio.gather(*clients)
        arrived = {number: sink.copies(number) for number in acknowledged}
        unacknowledged = sum(sink.arrived.values()) - len(acknowledged)
        print(
            f"3 restarts, the last {seconds:.2f} s to stop and {restarted:.2f} s to start; {len(acknowledged)} "
            f"acknowledged, {unacknowledged} taken without a reply, {len(refused)} refused"
        )
        assert not refused
        assert all(copies == {digest(numbered(number, 20_000)): 1} for number, copies in arrived.items())
        assert not unacknowledged, "a commit was cut"
