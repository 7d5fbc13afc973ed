"""Break-glass and canaries with several workers: each sees the same file, and one of them sends for all."""

from __future__ import annotations

import asyncio
import smtplib
import urllib.request
from datetime import timedelta
from pathlib import Path

from gateway.bypass import file
from gateway.bypass.watch import now
from gateway.canary import Probe
from gateway.config import load_settings
from gateway.selfprobe import prober_outside
from tests.bypass.test_model import made
from tests.e2e.clients import talk
from tests.e2e.ports import free_port
from tests.faults import FakeHop
from tests.reliability.process import GatewayProcess

POLICY = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - {id: no-plans, when: {header: {name: Subject, contains: plan}}, then: reject}
  - {id: secrets, when: {direction: inbound, found: secret_marks.marking}, then: reject, with: {store: never}}
"""
LETTERS = 12
"""So many that each of the workers is likely to get some."""


def plan(client: smtplib.SMTP) -> int:
    """The code that a plan is answered with."""
    client.mail("an@example.org")
    client.rcpt("binh@example.gov.vn")
    return client.data(b"Subject: a plan\r\n\r\nx\r\n")[0]


async def codes(gateway: GatewayProcess) -> set[int]:
    return {await talk(gateway.address[1], plan) for _ in range(LETTERS)}


async def test_two_workers(tmp_path: Path) -> None:
    metrics = free_port()
    settings = {"probe": {"every": "1h"}, "metrics": f"127.0.0.1:{metrics}"}
    async with (
        FakeHop() as hop,
        GatewayProcess(tmp_path, hop.address, policy=POLICY, workers=2, **settings) as gateway,
    ):
        await gateway.said_in_time("ready")
        assert await codes(gateway) == {550}
        file.write(tmp_path / "state", [made(name="no-plans", begins=now(), ends=now() + timedelta(hours=1))])
        assert await codes(gateway) == {250}
        prober = prober_outside(load_settings(tmp_path / "gateway.yaml"), Probe())
        assert prober is not None
        for _ in range(3):
            assert [result.outcome async for result in prober.round()] == ["accept", "reject"]
        file.write(tmp_path / "state", [])
        assert await codes(gateway) == {550}
        assert {line["event"] for line in await gateway.said_in_time("bypass is over", 2)} == {"bypass is over"}

        def scraped() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10) as answer:
                return str(answer.read().decode())

        shown = await asyncio.to_thread(scraped)
        assert 'mailwarden_probes_total{canary="marking",outcome="reject"} 1.0' in shown
        assert f'mode="bypassed",rule="no-plans"}} {LETTERS}.0' in shown
        assert "mailwarden_bypasses 0.0" in shown
    assert len(hop.taken) == LETTERS
