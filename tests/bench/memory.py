"""What the gateway weighs: at rest, with many idle sessions, and with many large messages at once; and how late its
event loop came to its own timers meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import systems

IDLE_SESSIONS = 1_000
LARGE_MESSAGES = 100
LARGE = 25_000_000


@dataclass(frozen=True, slots=True)
class Weight:
    """One system. Memory is resident kB; `lag` the bound of the histogram under which the loop's lateness stayed."""

    system: str
    messages: int
    at_rest: int
    idle_session: float
    large_messages: int
    large_seconds: float
    lag: float | None


def run(told: Callable[[str], None]) -> list[dict[str, object]]:
    """One run of the gateway, and of the bare relay with fewer messages: it keeps each several times in memory."""
    weights = []
    for starting, messages in ((systems.aiosmtpd_relay, LARGE_MESSAGES // 10), (systems.mailwarden, LARGE_MESSAGES)):
        with systems.sink() as sink, starting(sink.port) as system:
            told(f"memory: {system.name}, {IDLE_SESSIONS} idle sessions, {messages} messages of 25 MB at once")
            weights.append(asdict(_weighed(sink, system, messages)))
    return weights


def _weighed(sink: systems.Running, system: systems.Running, messages: int) -> Weight:
    systems.verify(sink, system, systems.load(system, 2_000, sessions=20, seconds=0.5))
    at_rest = system.resident()
    with _idle_sessions(system.port):
        idle = (system.resident() - at_rest) / IDLE_SESSIONS
    before = system.lags() if system.metrics else {}
    report = systems.load(system, LARGE, sessions=messages, seconds=0)
    systems.verify(sink, system, report)
    late = {bound: number - before[bound] for bound, number in system.lags().items()} if system.metrics else {}
    return Weight(
        system=system.name,
        messages=messages,
        at_rest=at_rest,
        idle_session=idle,
        large_messages=system.resident("VmHWM"),
        large_seconds=report["seconds"],
        lag=min((bound for bound, number in late.items() if number == max(late.values())), default=None),
    )


@contextmanager
def _idle_sessions(port: int) -> Iterator[None]:
    with asyncio.Runner() as runner:
        writers = runner.run(_greeted(port))
        yield
        for writer in writers:
            writer.close()
        runner.run(asyncio.sleep(0))


async def _greeted(port: int) -> list[asyncio.StreamWriter]:
    return [await _session(port) for _ in range(IDLE_SESSIONS)]


async def _session(port: int) -> asyncio.StreamWriter:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    writer.write(b"EHLO idle.example.org\r\n")
    while (await reader.readline())[3:4] == b"-":
        pass
    return writer
