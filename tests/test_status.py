"""The status listener: what a scraper, a supervisor and a load balancer see."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.conftest import Start
from tests.faults import FakeHop
from tests.test_app import send

NAMES = {
    "mailwarden_accounts",
    "mailwarden_added_seconds",
    "mailwarden_approvals_total",
    "mailwarden_audit_writes_total",
    "mailwarden_breaker_state",
    "mailwarden_build_info",
    "mailwarden_bypass_left_seconds",
    "mailwarden_bypasses",
    "mailwarden_clause_matches_total",
    "mailwarden_engine_seconds",
    "mailwarden_engine_up",
    "mailwarden_event_loop_lag_seconds",
    "mailwarden_files_read_total",
    "mailwarden_filter_failures_total",
    "mailwarden_filter_seconds",
    "mailwarden_findings_total",
    "mailwarden_held",
    "mailwarden_held_oldest_seconds",
    "mailwarden_message_bytes",
    "mailwarden_message_seconds",
    "mailwarden_messages_in_flight",
    "mailwarden_messages_total",
    "mailwarden_notices_total",
    "mailwarden_policy_expiring_exceptions",
    "mailwarden_policy_info",
    "mailwarden_policy_last_reload_timestamp_seconds",
    "mailwarden_policy_reloads_total",
    "mailwarden_probe_last_success_timestamp_seconds",
    "mailwarden_probe_seconds",
    "mailwarden_probe_up",
    "mailwarden_probes_total",
    "mailwarden_protocol_errors_total",
    "mailwarden_put_off_total",
    "mailwarden_quarantined",
    "mailwarden_ready",
    "mailwarden_released_total",
    "mailwarden_replies_total",
    "mailwarden_rule_matches_total",
    "mailwarden_rule_releases_total",
    "mailwarden_secret_marks_total",
    "mailwarden_sessions",
    "mailwarden_shed_total",
    "mailwarden_signup_total",
    "mailwarden_spool_bytes",
    "mailwarden_spool_limit_bytes",
    "mailwarden_state_free_bytes",
    "mailwarden_state_size_bytes",
    "mailwarden_uninspectable_total",
    "mailwarden_upstream_errors_total",
    "mailwarden_upstream_seconds",
}
"""The metrics' names are an API: dashboards and alerts of others hang on them."""


def fetch(gateway: Any, page: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{gateway.status.port}{page}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def get(gateway: Any, page: str) -> tuple[int, str]:
    return await asyncio.to_thread(fetch, gateway, page)


async def test_every_metric_has_its_name(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, metrics="127.0.0.1:0") as gateway:
        code, text = await get(gateway, "/metrics")
    helps = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP mailwarden_")}
    assert code == 200
    assert {name for name in helps if not name.endswith("_created")} == NAMES


@pytest.mark.parametrize(("page", "code"), [("/healthz", 200), ("/readyz", 200), ("/", 404), ("/../etc/passwd", 404)])
async def test_pages(start: Start, page: str, code: int) -> None:
    async with FakeHop() as hop, start(hop.address, metrics="127.0.0.1:0") as gateway:
        assert (await get(gateway, page))[0] == code


async def test_not_ready_without_the_next_hop_and_ready_again_when_it_is_back(start: Start) -> None:
    hop = FakeHop()
    async with hop:
        address = hop.address
    async with start(address, metrics="127.0.0.1:0") as gateway:
        assert (await send(gateway, "Subject: x\n\nx\n")).startswith("451")
        assert await get(gateway, "/readyz") == (503, "next hop unreachable: inbound\n")
        server = await asyncio.start_server(lambda reader, writer: writer.close(), *address)
        assert await get(gateway, "/readyz") == (200, "ok\n")
        server.close()


async def test_not_ready_while_draining(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, metrics="127.0.0.1:0") as gateway:
        gateway.stop()
        assert await get(gateway, "/readyz") == (503, "draining\n")
