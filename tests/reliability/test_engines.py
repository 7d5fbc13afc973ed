"""Promise 11: whatever becomes of clamd, rspamd, spamd or the nameserver, nothing unscanned is delivered, nothing is
lost, what happens is what the policy says, and mail flows again within 5 s of the engine's return.

MAILWARDEN_OUTAGES=20 for more outages of each engine.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from gateway.engines.breaker import OPENS_AFTER
from gateway.keeping import Kind as Kept
from gateway.keeping import Query
from tests.conftest import Start
from tests.engines.daemons import Running
from tests.faults import FakeHop
from tests.reliability.outage import KINDS, Kind, Load, under_load
from tests.test_app import send, value

OUTAGES = int(os.environ.get("MAILWARDEN_OUTAGES", "1"))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_killed_paused_and_restarted_under_load(start: Start, tmp_path: Path, kind: Kind) -> None:
    with kind.daemon(tmp_path / "engine") as engine:
        async with FakeHop() as hop, start(hop.address, policy=kind.policy(engine.port)) as gateway:
            seconds: list[float] = []
            async with under_load(gateway, kind) as load:
                await load.every_client_hears("2")
                for _ in range(OUTAGES):
                    seconds += [await killed(engine, load, hop), await paused(engine, load, hop)]
                    await asyncio.to_thread(engine.kill)
                    await asyncio.to_thread(engine.start)
                    seconds.append(await load.flows())
            labels = {"engine": f"{kind.filter}/1"}
            assert value(gateway.metrics.registry, "mailwarden_engine_up", **labels) == 1
            assert value(gateway.metrics.registry, "mailwarden_breaker_state", **labels) == 0
    print(f"{len(hop.taken)} delivered; flows again after {', '.join(f'{each:.1f}' for each in seconds)} s")
    numbers = [int(taken.content.split(b"Subject: ")[1].split(b"\r\n")[0]) for taken in hop.taken]
    assert load.wrong == []
    assert sorted(numbers) == sorted(load.taken)
    assert not any(number % 3 == 0 for number in numbers)


async def killed(engine: Running, load: Load, hop: FakeHop) -> float:
    await asyncio.to_thread(engine.kill)
    await load.nothing_passes(hop)
    await asyncio.to_thread(engine.start)
    return await load.flows()


async def paused(engine: Running, load: Load, hop: FakeHop) -> float:
    engine.signal(signal.SIGSTOP)
    await load.nothing_passes(hop)
    engine.signal(signal.SIGCONT)
    return await load.flows()


async def test_left_alone_after_five_failures(start: Start, tmp_path: Path) -> None:
    kind = KINDS["clamd"]
    with kind.daemon(tmp_path / "engine") as engine:
        async with FakeHop() as hop, start(hop.address, policy=kind.policy(engine.port, "200ms")) as gateway:
            engine.signal(signal.SIGSTOP)
            states = []
            for number in range(OPENS_AFTER):
                assert (await send(gateway, kind.good(number)[1]))[:3] == "451"
                states.append(value(gateway.metrics.registry, "mailwarden_breaker_state", engine="virus/1"))
        assert states == [0] * (OPENS_AFTER - 1) + [2]
        assert not hop.taken


CHOICES = """
  - {id: waits, when: {recipient: defer@example.gov.vn, found: FOUND}, then: reject, on_unknown: defer}
  - {id: kept, when: {recipient: keep@example.gov.vn, found: FOUND}, then: reject, on_unknown: quarantine}
  - {id: passes, when: {recipient: pass@example.gov.vn, found: FOUND}, then: reject, on_unknown: accept, because: test}
  - {id: refused, when: {recipient: refuse@example.gov.vn, found: FOUND}, then: quarantine, on_unknown: reject}
"""
VERDICTS = {"defer": "451", "keep": "250", "pass": "250", "refuse": "550"}
ROUNDS = 8
"""More than the failures after which the engine is left alone."""


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_the_verdict_is_the_policys(start: Start, tmp_path: Path, kind: Kind) -> None:
    """While the engine hangs, and when it is left alone for it."""
    with kind.daemon(tmp_path / "engine") as engine:
        before, _, _ = kind.policy(engine.port, "200ms").partition("rules:")
        policy = f"{before}rules:{CHOICES.replace('FOUND', kind.found)}"
        async with FakeHop() as hop, start(hop.address, policy=policy) as gateway:
            engine.signal(signal.SIGSTOP)
            answers: set[tuple[str, ...]] = set()
            for number in range(ROUNDS):
                sender, text = kind.good(number)
                asked = [send(gateway, text, f"{each}@example.gov.vn", sender=sender) for each in VERDICTS]
                answers.add(tuple(answer[:3] for answer in await asyncio.gather(*asked)))
            assert answers == {tuple(VERDICTS.values())}
            assert [taken.rcpts for taken in hop.taken] == [[b"RCPT TO:<pass@example.gov.vn>"]] * ROUNDS
            assert len(await gateway.office.stores.mail.find(Query(kind=Kept.QUARANTINED))) == ROUNDS
