"""Several workers are one service: replaced, killed, reloaded or stopped, they refuse nobody and lose nothing.

MAILWARDEN_RATE=300 for more messages a second, MAILWARDEN_ROUNDS=5 for more of everything.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import statistics
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLAIN_POLICY
from tests.e2e.ports import free_port
from tests.reliability.arrivals import Arrivals
from tests.reliability.client import Talk, delivered
from tests.reliability.process import GatewayProcess
from tests.reliability.sink import Sink, numbered

RATE = int(os.environ.get("MAILWARDEN_RATE", "40"))
ROUNDS = int(os.environ.get("MAILWARDEN_ROUNDS", "1"))
WORKERS = 2

COMPILED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "mailwarden-pyc")}
"""A worker starts with the modules compiled, as where it is installed: three times as quick."""

MANY = ("--limit", "1000000")

DUTY = "old audit records cleared"
"""What is logged by the worker that has the duties, when it gets them."""

RATED = """
version: 1
organisation: {domains: [example.gov.vn]}
filters: {rate: {limits: [{of: domain, messages: 6, per: 1d}]}}
rules:
  - {id: too-many, cite: test/1, when: {found: rate.exceeded, where: {of: domain}}, then: defer}
"""

CHANGED = """
version: 1
organisation: {{domains: [example.gov.vn]}}
rules:
  - {{id: version-{number}, cite: test/1, when: {{header: {{name: X-Version, contains: "{number}"}}}}, then: reject}}
"""


@asynccontextmanager
async def several(folder: Path, sink: Sink, **settings: Any) -> AsyncIterator[GatewayProcess]:
    """A gateway of some workers, ready."""
    given: dict[str, Any] = {"workers": WORKERS, "drain": 10} | settings
    given["environment"] = COMPILED | given.get("environment", {})
    gateway = GatewayProcess(folder, sink.address, **given)
    async with gateway:
        await gateway.said_in_time("ready")
        yield gateway
        if not gateway.over:
            assert (await gateway.stop())[0] == 0


def workers(gateway: GatewayProcess) -> dict[int, int]:
    """The process of each worker."""
    return {line["worker"]: line["process"] for line in gateway.said("worker started")}


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def value(text: str, sample: str) -> float:
    """The sum of all samples that begin so."""
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(sample))


async def served(arrivals: Arrivals, count: int) -> None:
    """Wait until so many more clients have been served."""
    wanted = len(arrivals.taken) + count
    async with asyncio.timeout(30):
        while len(arrivals.taken) < wanted:
            await asyncio.sleep(0.02)


def all_is_well(arrivals: Arrivals, sink: Sink, what: str) -> None:
    slowest = max(arrivals.seconds)
    print(
        f"{what}: {sum(arrivals.ends.values())} clients, {dict(arrivals.ends)}; "
        f"p50 {statistics.median(arrivals.seconds) * 1000:.0f} ms, slowest {slowest * 1000:.0f} ms"
    )
    assert set(arrivals.ends) == {"250"}
    assert not arrivals.lost(sink)
    assert not arrivals.doubled(sink)


async def test_replaced_one_after_the_other_they_refuse_nobody(tmp_path: Path) -> None:
    async with Sink() as sink, several(tmp_path, sink) as gateway:
        first = workers(gateway)
        arrivals = Arrivals(gateway.address, RATE)
        async with arrivals.coming():
            for number in range(1, ROUNDS + 1):
                await served(arrivals, RATE)
                gateway.signal(signal.SIGUSR2)
                await gateway.said_in_time("workers replaced", number)
            await served(arrivals, RATE)
        assert not set(first.values()) & set(workers(gateway).values())
        all_is_well(arrivals, sink, f"{ROUNDS} replacements of {WORKERS} workers")
        verified, traced = await gateway.command("audit", "verify"), await gateway.command("trace", "--json", *MANY)
    assert verified[0] == 0, verified
    assert traced[1].count('"event": "message"') == len(arrivals.taken)


async def test_a_new_policy_is_in_force_in_all_of_them_and_nobody_notices(tmp_path: Path) -> None:
    async with Sink() as sink, several(tmp_path, sink) as gateway:
        arrivals = Arrivals(gateway.address, RATE)
        async with arrivals.coming():
            for number in range(1, 3 * ROUNDS + 1):
                await served(arrivals, RATE // 2)
                gateway.policy.write_text(CHANGED.format(number=number))
                gateway.signal(signal.SIGHUP)
                await gateway.said_in_time("policy reloaded", number * WORKERS)
        digests = [line["policy"] for line in gateway.said("policy reloaded")]
        assert sorted(set(map(digests.count, digests))) == [WORKERS]
        all_is_well(arrivals, sink, f"{3 * ROUNDS} reloads")


async def test_a_policy_that_is_wrong_is_refused_once_and_keeps_nobody_from_being_replaced_later(
    tmp_path: Path,
) -> None:
    async with Sink() as sink, several(tmp_path, sink) as gateway:
        before = workers(gateway)
        gateway.policy.write_text(PLAIN_POLICY + "wrong: 1\n")
        gateway.signal(signal.SIGHUP)
        await gateway.said_in_time("policy refused")
        gateway.signal(signal.SIGUSR2)
        await gateway.said_in_time("workers not replaced")
        assert (await delivered(gateway.address, numbered(1, 100))).code == 250
        assert all(Path(f"/proc/{process}").exists() for process in before.values())
        gateway.policy.write_text(PLAIN_POLICY)
        gateway.signal(signal.SIGUSR2)
        await gateway.said_in_time("workers replaced")
        assert (await delivered(gateway.address, numbered(2, 100))).code == 250


async def test_a_worker_that_is_killed_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    port = free_port()
    async with Sink() as sink, several(tmp_path, sink, metrics=f"127.0.0.1:{port}") as gateway:
        arrivals = Arrivals(gateway.address, RATE)
        async with arrivals.coming():
            for number in range(1, ROUNDS + 1):
                await served(arrivals, RATE)
                os.kill(workers(gateway)[1 + (number - 1) % WORKERS], signal.SIGKILL)
                await gateway.said_in_time("worker died", number)
                await gateway.said_in_time("worker ready", WORKERS + number)
                await served(arrivals, RATE)
        await gateway.said_in_time(DUTY, 1 + ROUNDS)
        text = await asyncio.to_thread(page, port, "/metrics")
        print(f"{ROUNDS} killed: {dict(arrivals.ends)}")
        assert set(arrivals.ends) <= {"250", "closed", "reset"}, "cut off with the worker, or served"
        assert not arrivals.lost(sink)
        assert len(gateway.said(DUTY)) == 1 + ROUNDS, "one has the duties, and another when it dies"
        assert value(text, 'mailwarden_workers_replaced_total{reason="died"}') == ROUNDS
        assert value(text, 'mailwarden_workers{state="serving"}') == WORKERS


async def test_stopped_and_started_with_the_sockets_of_systemd_it_refuses_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listening:
        async with Sink() as sink, several(tmp_path, sink, listening=listening) as gateway:
            arrivals = Arrivals(gateway.address, RATE)
            async with arrivals.coming():
                for _ in range(ROUNDS):
                    await served(arrivals, RATE)
                    assert (await gateway.stop())[0] == 0
                    await gateway.start()
                await served(arrivals, RATE)
            all_is_well(arrivals, sink, f"{ROUNDS} stops and starts")


async def test_the_numbers_of_all_are_those_of_one_service(tmp_path: Path) -> None:
    port = free_port()
    async with Sink() as sink, several(tmp_path, sink, metrics=f"127.0.0.1:{port}") as gateway:
        for number in range(20):
            assert (await delivered(gateway.address, numbered(number, 500))).code == 250
        async with Talk(gateway.address):
            text = await asyncio.to_thread(page, port, "/metrics")
            assert value(text, "mailwarden_messages_total") == 20
            assert value(text, "mailwarden_message_seconds_count") == 20
            assert value(text, "mailwarden_sessions{") == 1
            assert value(text, "mailwarden_policy_info{") == 1
            assert value(text, "mailwarden_ready ") == 1
            assert value(text, 'mailwarden_workers{state="serving"}') == WORKERS
        gateway.signal(signal.SIGUSR2)
        await gateway.said_in_time("workers replaced")
        text = await asyncio.to_thread(page, port, "/metrics")
        print(f"/metrics of {WORKERS} workers: {len(text)} bytes")
        assert value(text, "mailwarden_messages_total") == 20, "what was counted stays counted"
        assert len(re.findall("^# TYPE mailwarden_messages_total ", text, re.MULTILINE)) == 1
        assert len(text) < 1_000_000
        assert await asyncio.to_thread(page, port, "/healthz") == "ok\n"
        assert await asyncio.to_thread(page, port, "/readyz") == "ok\n"


async def test_what_one_counts_the_others_count(tmp_path: Path) -> None:
    async with Sink() as sink, several(tmp_path, sink, policy=RATED) as gateway:
        codes = [(await delivered(gateway.address, numbered(number, 500))).code for number in range(24)]
        print(f"of a limit of 6, {WORKERS} workers took {codes.count(250)}")
        assert 6 <= codes.count(250) <= 8  # as many more as were under way while a lesson was
        gateway.signal(signal.SIGUSR2)
        await gateway.said_in_time("workers replaced")
        assert (await delivered(gateway.address, numbered(99, 500))).code == 451


async def test_settings_that_are_wrong_are_told_of_once(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path, "maildir:arrived", workers=WORKERS, policy=PLAIN_POLICY + "wrong: 1\n")
    with pytest.raises(AssertionError, match="wrong"):
        await gateway.start()
    assert await gateway.ended() == os.EX_CONFIG
    assert (tmp_path / "log").read_text().count('unknown key "wrong"') == 1


async def test_systemd_hears_how_it_is(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(str(tmp_path / "notify"))
        hearing.setblocking(False)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
        heard: list[str] = []

        async def hear(what: str) -> None:
            async with asyncio.timeout(30):
                while not any(what in each.split("\n") for each in heard):
                    heard.append((await asyncio.get_running_loop().sock_recv(hearing, 4096)).decode())

        async with Sink() as sink, several(tmp_path, sink, environment=environment) as gateway:
            await hear("READY=1")
            await hear("WATCHDOG=1")
            heard.clear()
            gateway.signal(signal.SIGHUP)
            await hear("RELOADING=1")
            await hear("READY=1")
            gateway.signal(signal.SIGTERM)
            await hear("STOPPING=1")
            assert await gateway.ended() == 0
