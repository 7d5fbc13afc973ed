"""The commands on kept mail and on the trail, against the stores of a gateway that has just kept something."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Start
from tests.faults import FakeHop
from tests.test_app import TAGGING, send

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Told:
    """What a command came to."""

    code: int
    output: str
    errors: str


async def run(folder: Path, *words: str) -> Told:
    """Run `mailwarden WORDS -c gateway.yaml` in a process of its own, as a person beside the gateway does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *words, "-c", str(folder / "gateway.yaml")),
        cwd=ROOT,
        stdout=PIPE,
        stderr=PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return Told(process.returncode, output.decode(), errors.decode())


async def ids(folder: Path, command: str) -> list[str]:
    told = await run(folder, command, "list", "--json")
    assert told.code == 0, told.errors
    return [json.loads(line)["id"] for line in told.output.splitlines()]


async def test_held_mail_is_listed_shown_and_released_once(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=TAGGING):
        await send(None, "Subject: hold it\n\nx\n") if False else None
    async with FakeHop() as hop, start(hop.address, policy=TAGGING) as gateway:
        await send(gateway, "Subject: hold it\n\nx\n")
        [held] = await ids(tmp_path, "held")
        assert await ids(tmp_path, "quarantine") == []
        shown = await run(tmp_path, "held", "show", held)
        assert "hold it" in shown.output
        raw = await run(tmp_path, "held", "show", held, "--raw", "--as", "an@example.gov.vn")
        assert raw.output == "Subject: hold it\r\n\r\nx\r\n\r\n"
        first = await run(tmp_path, "held", "release", held, "--as", "an@example.gov.vn")
        assert (first.code, first.output) == (0, f"{held}: released: 250 2.6.0 taken\n")
        second = await run(tmp_path, "held", "release", held, "--as", "an@example.gov.vn")
        assert (second.code, f"{held}: nothing done" in second.output) == (1, True)
        assert await ids(tmp_path, "held") == []
    assert len(hop.taken) == 1


async def test_what_was_done_is_in_the_trail_and_the_trail_is_whole(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=TAGGING) as gateway:
        await send(gateway, "Subject: hold it\n\nx\n")
        [held] = await ids(tmp_path, "held")
        await run(tmp_path, "held", "delete", held, "--as", "an@example.gov.vn", "--comment", "not ours")
    told = await run(tmp_path, "trace", "--json", "--id", held)
    acts = [(record["action"], record.get("actor")) for record in map(json.loads, told.output.splitlines())]
    assert ("deleted", "an@example.gov.vn") in acts
    explained = await run(tmp_path, "trace", "--id", held, "--explain")
    assert "not-for-her" in explained.output
    assert "no-match: " in explained.output
    verified = await run(tmp_path, "audit", "verify")
    assert (verified.code, verified.output) == (0, "the trail is whole\n")
    exported = await run(tmp_path, "audit", "export", "--format", "csv")
    assert held in exported.output


async def test_unknown_ids_are_said_to_be_unknown(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=TAGGING):
        told = await run(tmp_path, "quarantine", "release", "01ARZ3NDEKTSV4RRFF")
        assert (told.code, told.output) == (1, "01ARZ3NDEKTSV4RRFF: nothing done: no-such-message\n")
        assert (await run(tmp_path, "quarantine", "show", "01ARZ3NDEKTSV4RRFF")).code == 1
