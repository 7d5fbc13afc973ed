"""How many messages a second, and how much CPU for each: Mailwarden beside a bare relay and beside no relay at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import systems

SESSIONS = 20
WARM_UP = 0.5


@dataclass(frozen=True, slots=True)
class Case:
    """Letters of `size` bytes, over `kept` connections or each over a new one (`anew`)."""

    name: str
    size: int
    how: str
    sessions: int = SESSIONS


CASES = (
    Case("2 kB", 2_000, "kept"),
    Case("2 kB anew", 2_000, "anew"),
    Case("50 kB", 50_000, "kept"),
    Case("50 kB anew", 50_000, "anew"),
    Case("5 MB", 5_000_000, "kept", 4),
    Case("2 kB alone", 2_000, "kept", 1),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One system, one case, one round. Times are in milliseconds, CPU for each message."""

    round: int
    case: str
    system: str
    messages: int
    rate: float
    cpu: float
    p50: float
    p99: float


def run(rounds: int, seconds: float, told: Callable[[str], None]) -> list[dict[str, object]]:
    """Each round starts each system afresh and sends every case through it."""
    samples = []
    for number in range(1, rounds + 1):
        for starting in SYSTEMS:
            with systems.sink() as sink, starting(sink.port) as system:
                told(f"round {number} of {rounds}: {system.name}")
                for case in CASES:
                    samples.append(asdict(_sample(number, case, sink, system, seconds)))
    return samples


@contextmanager
def _direct(upstream: int) -> Iterator[systems.Running]:
    yield systems.Running("direct", upstream)


SYSTEMS = (_direct, systems.aiosmtpd_relay, systems.mailwarden_without_trail, systems.mailwarden)


def _sample(number: int, case: Case, sink: systems.Running, system: systems.Running, seconds: float) -> Sample:
    warm = systems.load(system, case.size, sessions=case.sessions, seconds=WARM_UP, how=case.how)
    systems.verify(sink, system, warm)
    before = system.cpu()
    report = systems.load(system, case.size, sessions=case.sessions, seconds=seconds, how=case.how)
    cpu = system.cpu() - before
    systems.verify(sink, system, report)
    messages = report["messages"]
    return Sample(
        round=number,
        case=case.name,
        system=system.name,
        messages=messages,
        rate=messages / report["seconds"],
        cpu=1000 * cpu / messages,
        p50=report["p50"],
        p99=report["p99"],
    )
