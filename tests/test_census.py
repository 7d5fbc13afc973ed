"""What the stores say in numbers: each decision once, whichever process made it, and kept mail as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from gateway.census import LATE, Census
from gateway.counted import CountedTrail
from gateway.errors import StoreUnavailable
from gateway.keeping import AuditRecord
from gateway.metrics import Metrics
from tests.custody.conftest import START, Hop, House, open_house

FROM_OUTSIDE: dict[str, Any] = {"inside": False, "to": ["b@example.gov.vn"], "sender": "x@example.org"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, Hop()) as opened:
        yield opened


def census_of(house: House, since: datetime = START) -> tuple[Census, CollectorRegistry]:
    metrics = Metrics()
    return Census(house.stores.mail, house.stores.trail, metrics, house.clock, since=since), metrics.registry


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(f"mailwarden_{name}", labels) or 0.0


async def test_kept_mail_is_counted_as_it_is(house: House) -> None:
    census, registry = census_of(house)
    id = await house.keep()
    house.clock.forward(minutes=10)
    await house.keep()
    stopped = await house.keep(**FROM_OUTSIDE)
    house.clock.forward(minutes=5)
    await census.take()
    assert value(registry, "held", state="waiting") == 2
    assert value(registry, "held_oldest_seconds") == 900
    assert value(registry, "quarantined", **{"class": "quarantine"}) == 1
    await house.custody.reject(id, "a@example.gov.vn", "no")
    await house.custody.release(stopped, "officer@example.gov.vn")
    await census.take()
    assert value(registry, "rule_releases_total", rule="odd") == 1
    assert value(registry, "held", state="waiting") == 1
    assert value(registry, "held_oldest_seconds") == 300
    assert value(registry, "quarantined", **{"class": "quarantine"}) == 0


async def test_each_decision_is_counted_once(house: House) -> None:
    census, registry = census_of(house)
    first, second = await house.keep(), await house.keep()
    await census.take()
    await house.custody.approve(first, "a@example.gov.vn")
    await census.take()
    await house.custody.approve(first, "a@example.gov.vn")  # he has one vote
    await house.custody.approve(first, "b@example.gov.vn")
    await house.custody.reject(second, "c@example.gov.vn", "no")
    for _ in range(3):
        house.clock.forward(minutes=4)
        await census.take()
    assert value(registry, "approvals_total", outcome="approved") == 2
    assert value(registry, "approvals_total", outcome="turned-down") == 1
    assert value(registry, "approvals_total", outcome="rejected") == 1
    assert value(registry, "released_total", by="approval") == 1


async def test_who_released_it(house: House) -> None:
    census, registry = census_of(house)
    id = await house.keep(**FROM_OUTSIDE)
    await house.custody.release(id, "officer@example.gov.vn")
    await census.take()
    assert value(registry, "released_total", by="person") == 1
    assert value(registry, "approvals_total", outcome="approved") == 0


async def test_time_decides_too(house: House) -> None:
    census, registry = census_of(house)
    await house.keep()
    house.clock.forward(days=3, hours=1)
    await house.custody.sweep()
    await census.take()
    assert value(registry, "approvals_total", outcome="expired") == 1


async def test_what_was_decided_before_the_process_began_is_not_counted(house: House) -> None:
    await house.custody.reject(await house.keep(), "a@example.gov.vn", "no")
    house.clock.forward(minutes=1)
    census, registry = census_of(house, since=house.clock.now)
    await census.take()
    assert value(registry, "approvals_total", outcome="rejected") == 0


async def test_a_decision_that_is_written_late_is_counted(house: House) -> None:
    census, registry = census_of(house)
    house.clock.forward(hours=1)
    await census.take()
    facts = {"action": "rejected", "kind": "held", "actor": "a@example.gov.vn", "whom": ""}
    moment = house.clock.now - LATE + timedelta(seconds=1)
    await house.stores.trail.append([AuditRecord(id="x", moment=moment, event="decision", facts=facts)])
    await census.take()
    assert value(registry, "approvals_total", outcome="rejected") == 1


async def test_writes_to_the_trail_are_counted(house: House) -> None:
    metrics = Metrics()
    trail = CountedTrail(house.stores.trail, metrics)
    await trail.append([AuditRecord(id="x", moment=START, event="message")])
    assert [record.id async for record in trail.search(since=None, until=None, event="message")] == ["x"]
    await trail.close()
    with pytest.raises(StoreUnavailable):
        await trail.append([AuditRecord(id="y", moment=START, event="message")])
    assert value(metrics.registry, "audit_writes_total", result="ok") == 1
    assert value(metrics.registry, "audit_writes_total", result="failed") == 1
