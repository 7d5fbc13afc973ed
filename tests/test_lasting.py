"""What filters remember, and what they have open: from the first message to the last, and past a change of policy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.pipeline import judge
from gateway.specimen import specimen
from tests.conftest import Start
from tests.engines.test_states import POLICY as SCANS
from tests.engines.test_states import fake_clamd
from tests.faults import FakeHop
from tests.test_app import send, value

COUNTS = """
version: 1
organisation: {domains: [example.gov.vn]}
filters: {rate: {limits: [{of: domain, messages: 2, per: 1d}]}}
rules:
  - {id: too-many, cite: test/1, when: {found: rate.exceeded, where: {of: domain}}, then: defer}
"""
LATER = COUNTS.replace("messages: 2", "messages: 3")
GREYLISTS = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - {id: come-again, cite: test/1, when: {direction: inbound, found: greylist.new}, then: defer}
"""
LETTER = "Subject: x\n\nhi"


async def codes(gateway: Any, count: int) -> list[str]:
    return [(await send(gateway, LETTER))[:3] for _ in range(count)]


async def test_only_what_was_taken_is_counted_and_a_new_policy_goes_on(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=COUNTS) as gateway:
        assert await codes(gateway, 4) == ["250", "250", "451", "451"]
        (tmp_path / "policy.yaml").write_text(LATER)
        assert await gateway.reload()
        assert await codes(gateway, 2) == ["250", "451"]
    async with FakeHop() as hop, start(hop.address, policy=LATER) as gateway:
        assert await codes(gateway, 1) == ["451"]  # after a restart as well
        assert not hop.taken


async def test_what_the_next_hop_refuses_is_not_counted(start: Start) -> None:
    async with FakeHop({"eod": "5xx"}) as hop, start(hop.address, policy=COUNTS) as gateway:
        assert await codes(gateway, 4) == ["554"] * 4


async def test_trials_count_nothing(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=COUNTS) as gateway:
        for _ in range(5):
            mail = specimen(gateway.policy, LETTER.encode(), sender="a@example.org", recipients=("b@example.gov.vn",))
            verdict = await judge(
                gateway.policy,
                mail,
                deadline=asyncio.get_running_loop().time() + 10,
                observe=lambda _report: None,
                open_mail=gateway._opener.open,
            )
            assert not verdict.findings
        assert await codes(gateway, 1) == ["250"]


async def test_stranger_is_deferred_and_remembered_past_a_restart(start: Start, tmp_path: Path) -> None:
    stranger = {"listener": {"direction": "inbound"}}
    async with FakeHop() as hop, start(hop.address, policy=GREYLISTS, **stranger) as gateway:
        assert await codes(gateway, 2) == ["451", "451"]
        assert not hop.taken
    assert (tmp_path / "state" / "filters" / "greylist" / "tried.sqlite").stat().st_mode & 0o777 == 0o600
    async with FakeHop() as hop, start(hop.address, policy=GREYLISTS, **stranger) as gateway:
        assert len(gateway.policy.filters["greylist"]._memory.tried.rows) == 1


async def test_memory_that_cannot_be_kept_stops_no_mail(start: Start, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "filters").write_text("in the way")
    async with FakeHop() as hop, start(hop.address, policy=COUNTS) as gateway:
        assert await codes(gateway, 3) == ["250", "250", "451"]


class Scanner:
    """Answers when it is told to; knows when its sessions end."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.ended = asyncio.Event()

    async def says(self, number: int, writer: asyncio.StreamWriter) -> None:
        self.asked.set()
        await self.go_on.wait()
        writer.write(b"%d: stream: OK\0" % number)
        ended = asyncio.create_task(writer.wait_closed())
        ended.add_done_callback(lambda _: self.ended.set())


@pytest.mark.parametrize("reloaded", [True, False], ids=["by the next policy", "by the end"])
async def test_engines_are_left_when_the_last_message_has_gone(start: Start, tmp_path: Path, reloaded: bool) -> None:
    scanner = Scanner()
    async with fake_clamd(scanner.says) as port, FakeHop() as hop:
        scans = SCANS.format(port=port).replace("500ms", "10s")
        async with start(hop.address, policy=scans) as gateway, asyncio.timeout(10):
            sending = asyncio.create_task(send(gateway, LETTER))
            await scanner.asked.wait()
            if reloaded:
                (tmp_path / "policy.yaml").write_text(COUNTS)
                assert await gateway.reload()
                assert value(gateway.metrics.registry, "mailwarden_engine_up", engine="virus/1") == 0
            else:
                assert value(gateway.metrics.registry, "mailwarden_engine_up", engine="virus/1") == 1
            scanner.go_on.set()
            assert (await sending)[:3] == "250"
            if reloaded:
                await scanner.ended.wait()
        async with asyncio.timeout(10):
            await scanner.ended.wait()
