"""What is put off for a trouble of ours is counted by its reason, and nothing else is: the objectives rest on it."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.metrics import STARTED_AT_ZERO
from tests.conftest import PLAIN_POLICY, Start
from tests.e2e.ports import free_port
from tests.faults import FakeHop
from tests.reliability.client import delivered
from tests.reliability.process import GatewayProcess
from tests.reliability.sink import Sink, numbered
from tests.test_app import send

NAME = "mailwarden_put_off_total"
[REASONS] = STARTED_AT_ZERO["put_off"]

NOBODY_SCANS = """\
version: 1
organisation: {domains: [example.gov.vn]}
filters: {virus: {clamd: ["127.0.0.1:%d"]}}
rules:
  - {id: malware, when: {found: virus.infected}, then: reject}
"""

LATER = """\
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - {id: later, cite: [a/1, a/2], when: {direction: inbound}, then: defer}
"""

CLOSED = """\
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - {id: closed, cite: [a/1, a/2], when: {recipient: c@example.gov.vn}, then: reject}
"""

TROUBLES: dict[str, tuple[str, dict[str, str], str, dict[str, int]]] = {
    "the next hop goes away": (PLAIN_POLICY, {"eod": "close"}, "451", {"next-hop": 1}),
    "the next hop wants it later itself": (PLAIN_POLICY, {"eod": "4xx"}, "451", {}),
    "nobody could look": (NOBODY_SCANS, {}, "451", {"unknown": 1}),
    "a rule wants it later": (LATER, {}, "451", {}),
    "it is taken": (PLAIN_POLICY, {}, "250", {}),
}


def put_off(gateway: Any) -> dict[str, int]:
    registry = gateway.metrics.registry
    counted = {reason: int(registry.get_sample_value(NAME, {"reason": reason})) for reason in REASONS}
    return {reason: count for reason, count in counted.items() if count}


@pytest.mark.parametrize(("policy", "faults", "code", "counted"), TROUBLES.values(), ids=TROUBLES)
async def test_why_it_was_put_off(
    start: Start, policy: str, faults: dict[str, str], code: str, counted: dict[str, int]
) -> None:
    policy = policy % free_port() if "%d" in policy else policy
    async with FakeHop(faults) as hop, start(hop.address, policy=policy) as gateway:
        assert (await send(gateway, "Subject: x\n\nx\n")).startswith(code)
        assert put_off(gateway) == counted


async def test_a_trail_that_cannot_be_written_is_the_stores_trouble(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    async with Sink() as sink, GatewayProcess(tmp_path, sink.address, metrics=address) as gateway:
        gateway.limit(resource.RLIMIT_FSIZE, 0)
        assert (await delivered(gateway.address, numbered(1, 3000))).code == 451
        gateway.limit(resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://{address}/metrics")).text
    assert f'{NAME}{{reason="store"}} 1.0' in text


async def test_what_is_refused_before_the_content_counts_for_its_rule_and_its_clauses(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=CLOSED) as gateway:
        await send(gateway, "Subject: x\n\nx\n", "c@example.gov.vn")
        registry = gateway.metrics.registry
        match = {"rule": "closed", "mode": "enforce", "action": "reject"}
        assert registry.get_sample_value("mailwarden_rule_matches_total", match) == 1
        for clause in ("a/1", "a/2"):
            where = {"clause": clause, "mode": "enforce"}
            assert registry.get_sample_value("mailwarden_clause_matches_total", where) == 1


async def test_what_the_gateway_adds_is_without_the_next_hops_part(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway:
        await send(gateway, "Subject: x\n\nx\n")
        registry, where = gateway.metrics.registry, {"listener": "inbound"}
        added = registry.get_sample_value("mailwarden_added_seconds_sum", where)
        whole = registry.get_sample_value("mailwarden_message_seconds_sum", {**where, "direction": "inbound"})
    assert 0 < added < whole


async def test_whether_it_is_ready_and_how_much_disk_is_left_is_told(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway:
        registry = gateway.metrics.registry
        assert registry.get_sample_value("mailwarden_ready") == 1
        assert registry.get_sample_value("mailwarden_state_free_bytes") > 0
        assert registry.get_sample_value("mailwarden_spool_limit_bytes") == 4 << 30 | 64 << 20
        gateway.stop()
        assert registry.get_sample_value("mailwarden_ready") == 0
