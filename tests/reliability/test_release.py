"""Kept mail goes on once: whoever releases it, however many do so at once, and whatever stops them on the way."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.keeping import State
from tests.faults import FakeHop
from tests.reliability.client import Talk
from tests.reliability.kept import HALF, begun, ended, entries, run
from tests.reliability.process import GatewayProcess
from tests.reliability.sink import Sink, digest, numbered

SETTINGS = {"log": {"level": "warning"}}
RELEASE = ("quarantine", "release", "--as", "officer@example.gov.vn")


@asynccontextmanager
async def keeping(folder: Path, hop: FakeHop, count: int) -> AsyncIterator[list[str]]:
    """A gateway that keeps so many messages, the odd numbers from 1 on; their ids, oldest first."""
    async with GatewayProcess(folder, hop.address, policy=HALF, **SETTINGS) as gateway:
        async with Talk(gateway.address) as talk:
            await talk.hello()
            for number in range(1, 2 * count, 2):
                assert (await talk.send(numbered(number, 3000))).code == 250
        ids = [each.id for each in await entries(folder)][::-1]
        assert len(ids) == count
        yield ids


def once(count: int) -> Counter[tuple[int, str]]:
    """What the sink has seen when each of them has arrived once, as it was sent."""
    return Counter((number, digest(numbered(number, 3000))) for number in range(1, 2 * count, 2))


async def test_of_two_processes_that_release_a_message_one_sends_it(tmp_path: Path) -> None:
    async with Sink() as sink, keeping(tmp_path, sink, 1) as ids:
        both = [await begun(tmp_path, *RELEASE, *ids) for _ in range(2)]
        told = await asyncio.gather(*map(ended, both))
        assert sorted(each.code or 0 for each in told) == [0, 1]
        assert sorted("nothing done" in each.output for each in told) == [False, True]
        assert sink.arrived == once(1)
        assert [each.state for each in await entries(tmp_path)] == [State.RELEASED]


async def test_of_two_processes_that_release_all_each_message_is_sent_by_one(tmp_path: Path) -> None:
    async with Sink() as sink, keeping(tmp_path, sink, 40) as ids:
        both = [await begun(tmp_path, *RELEASE, "--all", "--yes", "--json") for _ in range(2)]
        told = await asyncio.gather(*map(ended, both))
        lines = [json.loads(line) for each in told for line in each.output.splitlines()]
        assert Counter(line["id"] for line in lines if line["done"] == "released") == Counter(ids)
        assert sink.arrived == once(40)


async def test_what_is_found_is_asked_about_released_and_counted(tmp_path: Path) -> None:
    async with Sink() as sink, keeping(tmp_path, sink, 12) as ids:
        refused = await run(tmp_path, *RELEASE, "--text", "<n1", answer=b"n\n")
        assert (refused.code, refused.output) == (1, "")
        assert "release 6 messages?" in refused.errors
        assert (await run(tmp_path, *RELEASE)).code == 2
        assert (await run(tmp_path, *RELEASE, "--all", ids[0])).code == 2
        assert not sink.arrived
        told = await run(tmp_path, *RELEASE, "--text", "<n1", answer=b"y\n")
        assert told.code == 0
        assert told.errors.endswith("release: done to 6 of 6 messages\n")
        assert [line.partition(":")[0] for line in told.output.splitlines()] == [ids[0], *ids[5:10]]
        assert {number for number, _ in sink.arrived} == {1, 11, 13, 15, 17, 19}
        nobody = await run(tmp_path, "quarantine", "delete", "--from", "nobody@example.org", "--yes")
        assert (nobody.code, nobody.output) == (0, "")


async def test_each_failure_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    async with Sink() as sink, keeping(tmp_path, sink, 5) as ids:
        next((tmp_path / "state" / "store" / "mail").glob(f"*/{ids[2]}.eml")).unlink()
        told = await run(tmp_path, *RELEASE, "--all", "--yes")
        assert told.code == 1
        assert told.output.splitlines()[2] == f"{ids[2]}: nothing done: the bytes of {ids[2]} are gone"
        assert told.errors.splitlines()[-1] == "release: done to 4 of 5 messages"
        assert {number for number, _ in sink.arrived} == {1, 3, 7, 9}


async def test_what_the_next_hop_does_not_take_counts_as_a_failure_and_waits(tmp_path: Path) -> None:
    async with Sink({"eod": "4xx"}) as sink, keeping(tmp_path, sink, 2):
        told = await run(tmp_path, *RELEASE, "--all", "--yes")
        assert told.code == 1
        assert told.errors.splitlines()[-1] == "release: done to 0 of 2 messages"
        assert {each.state for each in await entries(tmp_path)} == {State.WAITING}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_a_release_of_all_that_is_stopped_on_the_way_is_taken_up_again(
    how: signal.Signals, tmp_path: Path
) -> None:
    count = 150
    async with Sink() as sink, keeping(tmp_path, sink, count):
        process = await begun(tmp_path, *RELEASE, "--all", "--yes", "--json")
        first = await lines(process, 20)
        process.send_signal(how)
        rest = await ended(process)
        assert rest.code == (-how if how is signal.SIGKILL else 1)
        told = [json.loads(line)["id"] for line in (first + rest.output).splitlines() if line.endswith("}")]
        states = Counter(each.state for each in await entries(tmp_path))
        assert states[State.WAITING] > 0
        if how is signal.SIGINT:
            assert "of 150 messages" in rest.errors
            assert len(told) == states[State.RELEASED] == sink.arrived.total()
            assert not states[State.RELEASING]
        in_doubt = states[State.RELEASING]
        assert in_doubt <= 8
        assert states[State.RELEASED] <= sink.arrived.total() <= states[State.RELEASED] + in_doubt
        again = await run(tmp_path, *RELEASE, "--all", "--yes")
        assert again.code == 0
        assert sink.arrived.total() >= count - in_doubt
        assert not sink.arrived - once(count)


async def lines(process: Process, count: int) -> str:
    """The first lines that it prints."""
    assert process.stdout is not None
    return b"".join([await process.stdout.readline() for _ in range(count)]).decode()
