"""Clients that send through a gateway whatever becomes of its engines, and the engines that something becomes of."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engines.daemons import EICAR, Running, clamd, dnsmasq, rspamd, spamd
from tests.faults import FakeHop
from tests.test_app import send

CLIENTS = 3

AGAIN = 0.02
"""Seconds after which a client comes again with what was deferred."""

FLOWS_WITHIN = 5.0
"""Seconds from an engine's return until mail flows again, as promised."""

FORGED = 20_000
"""Domains that the nameserver knows and that let nobody send for them."""

POLICY = """
version: 1
organisation: {{domains: [example.gov.vn]}}
filters: {{{filter}: {{{options}, patience: {patience}}}}}
rules:
  - {{id: none-of-it, cite: test/1, when: {{found: {found}}}, then: reject}}
"""


@dataclass(frozen=True)
class Kind:
    """An engine: how it is started, how a policy asks it and how long it waits, what it finds, what it lets pass and
    what not (sender and text)."""

    daemon: Callable[[Path], AbstractContextManager[Running]]
    filter: str
    options: str
    patience: str
    found: str
    good: Callable[[int], tuple[str, str]]
    bad: Callable[[int], tuple[str, str]]

    def policy(self, port: int, patience: str = "") -> str:
        """A policy that refuses what the engine finds, and defers what it could not look at."""
        options = self.options.format(port=port)
        return POLICY.format(
            filter=self.filter, options=options, patience=patience or self.patience, found=self.found
        )


LETTER = """From: a@example.org
To: b@example.gov.vn
Date: Tue, 24 Nov 2026 08:00:00 +0700
Message-ID: <{number}@example.org>
Subject: {number}

{text}
"""


def _letter(text: str) -> Callable[[int], tuple[str, str]]:
    return lambda number: ("a@example.org", LETTER.format(number=number, text=text))


def _from(domain: str) -> Callable[[int], tuple[str, str]]:
    return lambda number: (f"a@{domain.format(number)}", LETTER.format(number=number, text="good morning"))


@contextmanager
def _names(folder: Path) -> Iterator[Running]:
    """A nameserver with a record for each forged domain and none for all others, so that no cache knows them."""
    (folder / "more").mkdir(parents=True)
    records = (f'txt-record=forged{number}.org,"v=spf1 -all"\n' for number in range(0, FORGED, 3))
    (folder / "more" / "names").write_text("".join(records))
    with dnsmasq(folder, f"--conf-dir={folder}/more", "--local=/org/") as running:
        yield running


KINDS = {
    "clamd": Kind(
        clamd,
        "virus",
        'clamd: "127.0.0.1:{port}"',
        "500ms",
        "virus.infected",
        _letter("good morning"),
        _letter(EICAR.decode()),
    ),
    "rspamd": Kind(
        rspamd,
        "spam",
        'rspamd: "127.0.0.1:{port}", embedded: false',
        "1s",
        'spam.score, where: {share: ">= 1"}',
        _letter("good morning"),
        _letter("khuyen mai soc"),
    ),
    "spamd": Kind(
        lambda folder: spamd(),
        "spam",
        'spamd: "127.0.0.1:{port}", embedded: false',
        "2500ms",
        'spam.score, where: {share: ">= 1"}',
        _letter("good morning"),
        _letter("khuyen mai soc"),
    ),
    "dns": Kind(
        _names,
        "sender_auth",
        'nameservers: ["127.0.0.1:{port}"]',
        "500ms",
        "sender_auth.spf, where: {result: fail}",
        _from("honest{}.org"),
        _from("forged{}.org"),
    ),
}


@dataclass
class Load:
    """Clients that send one message after the other, every third of the kind that must not pass, and each until it has
    a final answer. `codes` are the classes of each client's answers, `seconds` how long each answer took."""

    gateway: Any
    kind: Kind
    numbers: Any = field(default_factory=itertools.count)
    codes: list[list[str]] = field(default_factory=lambda: [[] for _ in range(CLIENTS)])
    seconds: list[float] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    over: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def client(self, which: int) -> None:
        while not self.over:
            number = next(self.numbers)
            bad = number % 3 == 0
            while (answer := await self.answer(which, number, bad=bad))[0] == "4":
                await asyncio.sleep(AGAIN)
            if answer[0] != ("5" if bad else "2"):
                self.wrong.append(f"{number}: {answer}")
            elif not bad:
                self.taken.add(number)

    async def answer(self, which: int, number: int, *, bad: bool) -> str:
        sender, text = (self.kind.bad if bad else self.kind.good)(number)
        began = time.monotonic()
        answer = await send(self.gateway, text, sender=sender)
        self.seconds.append(time.monotonic() - began)
        self.codes[which].append(answer[0])
        self.news.set()
        return answer

    async def every_client_hears(self, code: str) -> None:
        """Each client has an answer of that class to something it asked after now."""
        seen = [len(codes) + 1 for codes in self.codes]  # one may be on its way
        await self.until(lambda: all(code in each[n:] for each, n in zip(self.codes, seen, strict=True)))

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):  # the test fails rather than hangs
            while not reached():
                self.news.clear()
                await self.news.wait()

    async def flows(self) -> float:
        """Mail is taken that was sent after now, in the end of every client. Gives after how many seconds it was."""
        began = time.monotonic()
        seen = [len(codes) + 1 for codes in self.codes]
        async with asyncio.timeout(FLOWS_WITHIN):
            await self.until(lambda: any("2" in each[n:] for each, n in zip(self.codes, seen, strict=True)))
        seconds = time.monotonic() - began
        await self.every_client_hears("2")
        return seconds

    async def nothing_passes(self, hop: FakeHop) -> None:
        """Every client is deferred, and from then on nothing is delivered and nothing refused for good."""
        await self.every_client_hears("4")
        delivered, heard = len(hop.taken), [len(codes) for codes in self.codes]
        await self.every_client_hears("4")
        assert len(hop.taken) == delivered
        assert {code for codes, n in zip(self.codes, heard, strict=True) for code in codes[n:]} == {"4"}


@asynccontextmanager
async def under_load(gateway: Any, kind: Kind) -> AsyncIterator[Load]:
    """The clients at work, until the end of the block."""
    load = Load(gateway, kind)
    async with asyncio.TaskGroup() as group:
        for which in range(CLIENTS):
            group.create_task(load.client(which))
        try:
            yield load
        finally:
            load.over = True
