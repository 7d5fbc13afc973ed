"""The ways in which the gateway stands in the stream of mail, each from a client's port to a next hop that counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.ports import free_port
from tests.e2e.postfix import PATIENCE, SNIPPETS, Postfix, with_ports
from tests.e2e.service import POLICY, Service
from tests.faults import OFFERS, FakeHop, Taken

ONE_BY_ONE = tuple(offer for offer in OFFERS if offer != "PIPELINING")
"""What a next hop of Postfix offers here: with pipelining, Postfix sends QUIT in one packet with the final dot."""

SPEED_ADJUST = "   -o smtpd_proxy_options=speed_adjust\n"


@dataclass
class Way:
    """`port` is where a client comes in; `inline` tells that it hears the decision itself, not by a bounce."""

    name: str
    port: int
    hop: FakeHop
    service: Service
    postfix: Postfix | None
    inline: bool

    async def arrived(self, mark: str, count: int = 1) -> list[Taken]:
        """Waits until so many messages with that text reached the next hop: all that did."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.with_mark(mark)) < count:
                await self.hop.until_taken(len(self.hop.taken) + 1)
        return found

    def with_mark(self, mark: str) -> list[Taken]:
        """The messages with that text that are there now."""
        return [taken for taken in self.hop.taken if mark.encode() in taken.content]


@asynccontextmanager
async def stand(way: str, folder: Path, more: str = "", policy: Path = POLICY) -> AsyncIterator[Way]:
    """All that a way needs, running: before-queue, before-queue-speed-adjust, after-queue, milter or stand-alone.

    `more` are lines of main.cf besides.
    """
    front, inner, back = free_port(), free_port(), free_port()
    async with FakeHop(offers=OFFERS if way == "stand-alone" else ONE_BY_ONE) as hop:
        last = hop.address[1]
        assert isinstance(last, int)
        upstream = last if way == "stand-alone" else back
        ours = milter_listener(inner, upstream) if way == "milter" else listener(inner, upstream)
        async with Service(folder, {"listeners": [ours], "policy": str(policy)}) as service:
            if way == "stand-alone":
                yield Way(way, inner, hop, service, None, inline=True)
                return
            main, master = snippets(way)
            ports = {"smtp": front, "10026": back}
            if way == "after-queue":
                main = with_ports(main, {"10025": inner})
            elif way == "milter":
                main = with_ports(main, {"10027": inner})
            else:
                ports["10025"] = inner
            async with Postfix(main=main + more, master=with_ports(master, ports), hop=last) as postfix:
                yield Way(way, front, hop, service, postfix, inline=way != "after-queue")


def listener(port: int, upstream: int, name: str = "inbound") -> dict[str, Any]:
    """The listener of that name in deploy/postfix/gateway.yaml, with its ports replaced."""
    listeners = yaml.safe_load((SNIPPETS / "gateway.yaml").read_text())["listeners"]
    [own] = [each for each in listeners if each["name"] == name]
    return own | {"smtp": f"127.0.0.1:{port}", "upstream": f"smtp://127.0.0.1:{upstream}"}


def milter_listener(port: int, upstream: int) -> dict[str, Any]:
    """The listener in deploy/postfix/milter.gateway.yaml, with its ports replaced."""
    [own] = yaml.safe_load((SNIPPETS / "milter.gateway.yaml").read_text())["listeners"]
    return own | {"milter": f"inet:127.0.0.1:{port}", "upstream": f"smtp://127.0.0.1:{upstream}"}


def snippets(way: str) -> tuple[str, str]:
    """What deploy/postfix/ has for main.cf and master.cf."""
    read: Callable[[str], str] = lambda name: (SNIPPETS / name).read_text()  # noqa: E731
    if way == "after-queue":
        return read("main.cf") + read("after-queue.main.cf"), read("after-queue.master.cf")
    if way == "milter":
        return read("main.cf") + read("milter.main.cf"), read("milter.master.cf")
    master = read("before-queue.master.cf")
    if way == "before-queue-speed-adjust":
        assert f"#{SPEED_ADJUST}" in master
        master = master.replace(f"#{SPEED_ADJUST}", SPEED_ADJUST)
    return read("main.cf"), master
