"""The service clears old audit records by the policy's retention, and the chain stays whole."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.policy.custody import RETENTION, records_kept
from gateway.store.open import open_store
from tests.conftest import PLAIN_POLICY, Start
from tests.faults import FakeHop
from tests.store.families import record
from tests.test_app import send

NOW = datetime.now(UTC)


async def test_old_records_go_when_the_service_starts(start: Start, tmp_path: Path) -> None:
    stores = await open_store(tmp_path / "state" / "store")
    ages = {"old": 250, "old proof": 250, "young": 190}
    await stores.trail.append(
        [
            record(id=id, moment=NOW - timedelta(days=age), retention="evidence" if "proof" in id else "decision")
            for id, age in ages.items()
        ]
    )
    await stores.close()
    policy = PLAIN_POLICY + "retention: {decision: 200d}\n"
    async with FakeHop() as hop, start(hop.address, policy=policy) as gateway:
        trail = gateway.office.stores.trail
        async with asyncio.timeout(10):  # the test fails rather than hangs
            while "old" in (left := [each.id async for each in trail.search(event="message")]):
                pass
        assert left == ["old proof", "young"]
        assert (await send(gateway, "Subject: x\n\nx\n")).startswith("250")
        assert len([each async for each in trail.search(event="message")]) == 3
        assert await trail.verify() == []


def test_records_are_kept_a_year_unless_the_policy_says_otherwise() -> None:
    assert records_kept(RETENTION) == {"decision": timedelta(days=366), "evidence": timedelta(days=366)}
