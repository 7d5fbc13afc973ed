"""A gateway as an operator starts it, and mail that makes every one of its metrics move."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import smtplib
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.e2e.ports import free_port
from tests.e2e.service import PATIENCE, Service
from tests.faults import FakeHop

ROOT = Path(__file__).parents[2]

POLICY = """\
version: 1
extends: [{default}]
modes: {{malware: off, malware-suspected: off}}
filters:
  virus: {{clamd: ["127.0.0.1:{nobody}"]}}
rules:
  - id: scanned-only
    cite: gialai-2022/8.3b
    when: {{recipient: scanned@example.gov.vn, found: virus.infected}}
    then: reject
"""
"""The example policy, and a scanner that is not there, which one mailbox alone needs."""

ONE_MORE = """\
  - id: change-{number}
    when: {{recipient: nobody@example.gov.vn}}
    then: tag
    with: {{headers: {{X-Note: changed}}}}
"""

MARKED = """\
From: Lan <lan@example.gov.vn>\r
To: An <an@example.gov.vn>\r
Subject: Phuong an\r
Date: Tue, 24 Nov 2026 09:00:00 +0700\r
Message-ID: <marked@example.gov.vn>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: 8bit\r
\r
ỦY BAN NHÂN DÂN TỈNH\r
\r
TỐI MẬT\r
\r
Số: 12/BC-UBND\r
"""

LARGE = 1 << 20
"""Octets of the letters that are left out: they take long and show nothing that small ones do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent, by whom, from where."""

    sender: str
    to: Sequence[str]
    content: bytes
    client: str = "203.0.113.25"
    login: str = ""
    options: Sequence[str] = ()


class Traffic:
    """A gateway in front of a next hop, and what is sent to it. `service.metrics` is the port of its metrics."""

    def __init__(self, folder: Path, service: Service, hop: FakeHop, port: int) -> None:
        self.service = service
        self._hop = hop
        self._port = port
        self._policy = folder / "policy.yaml"
        self._config = folder / "gateway" / "gateway.yaml"
        self._changes = 0
        self.letters = [*_trial(), *_of_our_own()]

    async def round(self) -> None:
        """Every letter once."""
        await self.send(self.letters)
        await asyncio.to_thread(self._say_nonsense)

    async def send(self, letters: Sequence[Letter]) -> None:
        """These, one after the other."""
        await asyncio.to_thread(self._send, letters)

    async def change_the_policy(self) -> None:
        """Once for good, once so that it has a problem, and back."""
        self._changes += 1
        changed = self._policy.read_text() + ONE_MORE.format(number=self._changes)
        self._replace(changed)
        await self.service.said("policy reloaded", self._changes)
        self._replace(f"{changed}nothing: known\n")
        await self.service.said("policy refused", self._changes)
        self._replace(changed)

    async def suspend_a_rule(self) -> None:
        """As one does who breaks the glass."""
        await self.command("bypass", "--rule", "no-scripts", "--for", "30m", "--reason", "a test")

    async def command(self, group: str, *words: str) -> None:
        """A command of the gateway's."""
        typed = (*group.split(), "-c", str(self._config), *words)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *typed), cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0

    def break_the_next_hop(self) -> None:
        """From now on it goes away before it has answered."""
        self._hop.faults = {"eod": "close"}
        self._hop.hang_up()

    def mend_the_next_hop(self) -> None:
        """It takes mail again."""
        self._hop.faults = {}
        self._hop.hang_up()

    def _replace(self, text: str) -> None:
        new = self._policy.with_suffix(".new")
        new.write_text(text)
        new.rename(self._policy)

    def _say_nonsense(self) -> None:
        with smtplib.SMTP("127.0.0.1", self._port, local_hostname="client.example", timeout=PATIENCE) as client:
            client.docmd("NONSENSE")

    def _send(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            with smtplib.SMTP("127.0.0.1", self._port, local_hostname="client.example", timeout=PATIENCE) as client:
                _hand_in(client, letter)


def _hand_in(client: smtplib.SMTP, letter: Letter) -> None:
    """One letter; whatever is answered. XCLIENT tells the gateway whom to take us for."""
    client.ehlo()
    client.docmd("XCLIENT", f"ADDR={letter.client} LOGIN={letter.login or '[UNAVAILABLE]'}")
    client.ehlo("client.example")
    if client.mail(letter.sender, letter.options)[0] == 250:
        taken = [client.rcpt(address)[0] == 250 for address in letter.to]
        if any(taken) and client.docmd("DATA")[0] == 354:
            client.send(letter.content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            client.getreply()


def _trial() -> list[Letter]:
    """The letters of `make run`."""
    path = ROOT / "deploy" / "trial"
    read = _module(path / "letters.py").read_letters(path / "letters.yaml")
    return [
        Letter(
            sender=each.sender,
            to=each.to,
            content=each.content,
            client=each.client,
            login=each.login,
            options=each.options,
        )
        for each in read
        if len(each.content) < LARGE
    ]


def _of_our_own() -> list[Letter]:
    """What the trial does not have: marked secrets, and mail that needs the engine that is not there."""
    plain = b"Subject: x\r\n\r\nx\r\n"
    return [
        Letter(
            sender="lan@example.gov.vn",
            to=["an@example.gov.vn"],
            content=MARKED.encode(),
            client="10.0.0.5",
            login="lan@example.gov.vn",
            options=["BODY=8BITMIME"],
        ),
        Letter(sender="b@example.org", to=["scanned@example.gov.vn"], content=plain),
    ]


def _module(path: Path) -> ModuleType:
    """A module of a folder that is run, not imported."""
    spec = importlib.util.spec_from_file_location(f"trial_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for the module of their annotations
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def under_way(folder: Path) -> AsyncIterator[Traffic]:
    """A gateway that is ready."""
    shutil.copytree(ROOT / "policies", folder / "policies")
    (folder / "policy.yaml").write_text(POLICY.format(default="policies/default.yaml", nobody=free_port()))
    port = free_port()
    hop = FakeHop()
    async with hop:
        assert isinstance(hop.address, tuple)
        listener: dict[str, Any] = {
            "name": "inbound",
            "smtp": f"127.0.0.1:{port}",
            "upstream": f"smtp://127.0.0.1:{hop.address[1]}",
            "trusted": ["127.0.0.1/32"],
        }
        settings = {
            "listeners": [listener],
            "policy": str(folder / "policy.yaml"),
            "notices": {"mailbox": "mailwarden@example.gov.vn"},
            "probe": {"every": "10s", "expect": {"eicar": "off"}},
        }
        async with Service(folder / "gateway", settings) as service:
            yield Traffic(folder, service, hop, port)
