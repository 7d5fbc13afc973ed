"""The life of `mailwarden serve`: starting, reloading, stopping, as an operator and a supervisor see it."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.clients import send, swaks
from tests.e2e.ports import free_port
from tests.e2e.postfix import PATIENCE
from tests.e2e.service import Service
from tests.e2e.ways import listener
from tests.faults import FakeHop

POLICY = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - id: no-forbidden-subject
    when: {header: {name: Subject, contains: FORBIDDEN}}
    then: reject
"""

LETTER = b"From: an@example.org\r\nSubject: %s\r\n\r\nhello\r\n"


@asynccontextmanager
async def serving(folder: Path, port: int, hop: FakeHop) -> AsyncIterator[Service]:
    (folder / "policy.yaml").write_text(POLICY)
    upstream = hop.address[1]
    assert isinstance(upstream, int)
    settings = {"listeners": [listener(port, upstream)], "policy": str(folder / "policy.yaml")}
    async with Service(folder, settings) as service:
        yield service


class Session:
    """A client whose every word is the test's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Session:
        session = cls(*await asyncio.open_connection("127.0.0.1", port))
        assert await session.heard() == "220"
        return session

    async def heard(self) -> str:
        """The code of the next reply."""
        async with asyncio.timeout(PATIENCE):
            while (line := (await self._reader.readline()).decode())[3:4] == "-":
                pass
        return line[:3]

    async def say(self, text: str) -> str:
        """Says something that has an answer."""
        self.write(text)
        return await self.heard()

    def write(self, text: str) -> None:
        self._writer.write(text.encode())

    def close(self) -> None:
        self._writer.close()


async def in_data(port: int) -> Session:
    """A session in the middle of its message."""
    session = await Session.open(port)
    for command in ("EHLO client.example.org", "MAIL FROM:<an@example.org>", "RCPT TO:<binh@example.gov.vn>"):
        assert await session.say(f"{command}\r\n") == "250"
    assert await session.say("DATA\r\n") == "354"
    session.write("Subject: half\r\n\r\nthe first half,\r\n")
    return session


async def test_a_stop_brings_the_message_under_way_to_its_end_and_lets_nobody_in(tmp_path: Path) -> None:
    port = free_port()
    async with FakeHop() as hop, serving(tmp_path, port, hop) as service:
        idle = await Session.open(port)
        busy = await in_data(port)

        service.signal(signal.SIGTERM)
        await service.said("draining")

        assert await idle.heard() == "421"
        assert await idle.heard() == ""
        with pytest.raises(ConnectionRefusedError):
            await Session.open(port)
        assert await busy.say("the second half\r\n.\r\n") == "250"
        assert await busy.heard() == "421"
        assert await service.ended() == 0
        [taken] = hop.taken
        assert taken.content.endswith(b"the first half,\r\nthe second half\r\n")
        idle.close()
        busy.close()


async def test_not_ready_while_it_drains(tmp_path: Path) -> None:
    port = free_port()
    async with FakeHop() as hop, serving(tmp_path, port, hop) as service:
        assert await service.page("/readyz") == (200, "ok\n")
        busy = await in_data(port)

        service.signal(signal.SIGTERM)
        await service.said("draining")

        assert await service.page("/readyz") == (503, "draining\n")
        assert (await service.page("/healthz"))[0] == 200
        busy.close()


@pytest.mark.parametrize("change", ["the file is replaced", "SIGHUP"])
async def test_a_changed_policy_is_taken_and_no_session_is_disturbed(change: str, tmp_path: Path) -> None:
    port = free_port()
    async with FakeHop() as hop, serving(tmp_path, port, hop) as service:
        before = await in_data(port)
        await send(port, LETTER % b"NEWS")

        new = tmp_path / "policy.yaml.new"
        new.write_text(POLICY.replace("FORBIDDEN", "NEWS"))
        new.replace(tmp_path / "policy.yaml")
        if change == "SIGHUP":
            service.signal(signal.SIGHUP)
        await service.said("policy reloaded")

        replies = await swaks(port, "--header", "Subject: NEWS")
        assert replies[-2].startswith("550 5.7.1 ")
        assert await before.say("the second half\r\n.\r\n") == "250"
        before.close()


async def test_a_broken_policy_never_replaces_a_good_one(tmp_path: Path) -> None:
    port = free_port()
    async with FakeHop() as hop, serving(tmp_path, port, hop) as service:
        (tmp_path / "policy.yaml").write_text(POLICY.replace("reject", "rejekt"))
        service.signal(signal.SIGHUP)
        line = await service.said("policy refused")

        assert "policy.yaml:7:" in line["problem"]
        replies = await swaks(port, "--header", "Subject: FORBIDDEN")
        assert replies[-2].startswith("550 5.7.1 ")
        assert 'mailwarden_policy_reloads_total{result="invalid"}' in (await service.page("/metrics"))[1]


async def test_messages_are_counted(tmp_path: Path) -> None:
    port = free_port()
    async with FakeHop() as hop, serving(tmp_path, port, hop) as service:
        await send(port, LETTER % b"one")
        await swaks(port, "--header", "Subject: FORBIDDEN")

        _, text = await service.page("/metrics")
        for action in ("accept", "reject"):
            labels = f'action="{action}",direction="inbound",listener="inbound"'
            assert f"mailwarden_messages_total{{{labels}}} 1.0" in text


def no_such_key(folder: Path, port: int) -> str:
    return f'listeners: [{{name: a, smtp: "127.0.0.1:{port}", upstram: x}}]\npolicy: policy.yaml\nstate: state\n'


def port_taken(folder: Path, port: int) -> str:
    return f'listeners: [{{name: a, smtp: "127.0.0.1:{port}", upstream: "maildir:m"}}]\npolicy: policy.yaml\nstate: s\n'


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [(no_such_key, 78, 'unknown key "upstram"'), (port_taken, 69, "mailwarden: cannot start:")],
    ids=["settings that are wrong", "a port that is taken"],
)
async def test_it_says_why_it_does_not_start(
    settings: Callable[[Path, int], str], code: int, words: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (tmp_path / "policy.yaml").write_text(POLICY)
        (tmp_path / "gateway.yaml").write_text(settings(tmp_path, taken.getsockname()[1]))
        process = await asyncio.create_subprocess_exec(
            *Service.command(tmp_path / "gateway.yaml"), stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE):
            _, error = await process.communicate()

    assert process.returncode == code
    assert words in error.decode()
    assert "Traceback" not in error.decode()
