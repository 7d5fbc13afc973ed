"""The resolver that all messages share: nameservers asked as engines, answers cached, one question at a time for each
name."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from gateway.dns.answers import NOTHING, Answer, Kind, LookupFailed
from gateway.dns.cache import Cache, Key
from gateway.dns.names import as_address, is_name
from gateway.dns.wire import Reply, ask, is_alive, load_library
from gateway.endpoint import HostPort
from gateway.engines.spread import Engine, EngineFailure, one_answer
from gateway.errors import Unavailable

PATIENCE = 5.0
"""Seconds for one question, all nameservers together; a recursive one gives up after as long."""

TRIES, ONE_TRY = 4, 0.2
"""Datagrams of a question, as some get lost, and the share of that time that each is given; a nameserver that takes
longer answers a later one. The rest is for seeing whether it is there at all."""

ALIVE_WITHIN = 0.5
"""Seconds in which a nameserver must answer the simplest question to be called alive."""

RESOLV_CONF = Path("/etc/resolv.conf")

DNS_PORT = 53  # RFC 1035 section 4.2

_SILENT = Reply(None, trouble="no answer in time")


@dataclass(slots=True, eq=False)
class Resolver:
    """Answers from its cache or from a nameserver. A nameserver is left alone (its breaker opens) if it is silent, not
    if it has no answer for some name: or a stranger with a broken domain could cut everybody off."""

    engines: tuple[Engine[HostPort], ...]
    dnssec: bool = False
    patience: float = PATIENCE
    cache: Cache = field(default_factory=Cache)
    asking: dict[Key, asyncio.Task[Answer]] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop | None = None

    async def lookup(self, name: str, kind: Kind) -> Answer:
        """The records of a name; where nobody can say now, what was said within the last hour. Raises LookupFailed."""
        name = name.rstrip(".").lower()
        if not is_name(name):
            return NOTHING
        key, now = (name, kind), time.monotonic()
        entry = self.cache.get(key)
        if entry is not None:
            if entry.answer is not None and now < entry.until:
                return entry.answer
            if now < entry.failed_until:
                if entry.answer is not None and now < entry.stale_until():
                    return entry.answer
                raise LookupFailed(f"{kind} {name}: {entry.failure}")
        return await self._asked(key)

    async def ping(self) -> str:
        """Which nameservers there are. Raises Unavailable where one does not answer."""
        for engine in self.engines:
            if not await is_alive(engine.address, ALIVE_WITHIN):
                raise Unavailable(f"the nameserver {engine.address} does not answer")
        return f"nameserver {', '.join(str(engine.address) for engine in self.engines)}"

    async def _asked(self, key: Key) -> Answer:
        """The answer to a question that is on its way already, or is now: who stops waiting stops nobody else."""
        loop = asyncio.get_running_loop()
        if self.loop is not loop:
            self.asking, self.loop = {}, loop
        task = self.asking.get(key)
        if task is None:
            task = self.asking[key] = loop.create_task(self._fetch(key))
            task.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(task)

    def _done(self, key: Key, task: asyncio.Task[Answer]) -> None:
        if self.asking.get(key) is task:
            del self.asking[key]
        if not task.cancelled():
            task.exception()  # nobody may have waited for it to the end

    async def _fetch(self, key: Key) -> Answer:
        name, kind = key
        try:
            if not load_library.cache_info().currsize:
                await asyncio.to_thread(load_library)  # the loop has other things to do meanwhile
            reply = await self._reply(name, kind)
            reason = reply.trouble
        except Unavailable as error:  # says nothing of the name: it is asked again as soon as there is a nameserver
            reply, reason = _SILENT, str(error)
        else:
            if reply.answer is None:
                self.cache.failed(key, reason, time.monotonic())
        if reply.answer is not None:
            self.cache.put(key, reply.answer, reply.ttl, time.monotonic())
            return reply.answer
        old = self.cache.get(key)
        if old is not None and old.answer is not None and time.monotonic() < old.stale_until():
            return old.answer
        raise LookupFailed(f"{kind} {name}: {reason}")

    async def _reply(self, name: str, kind: Kind) -> Reply:
        """What some nameserver says; what one cannot say (SERVFAIL) another may."""
        asked: list[HostPort] = []

        async def question(server: HostPort) -> Reply:
            asked.append(server)
            for _ in range(TRIES):
                with contextlib.suppress(TimeoutError):
                    return await ask(server, name, kind, self.patience * ONE_TRY, dnssec=self.dnssec)
            if await is_alive(server, ALIVE_WITHIN):
                return _SILENT
            raise EngineFailure(f"no answer in {self.patience * TRIES * ONE_TRY:.1f} s")

        reply = await one_answer(self.engines, question, self.patience)
        others = [engine for engine in self.engines if engine.address not in asked]
        if reply.answer is None and reply is not _SILENT and others:
            reply = await one_answer(others, question, self.patience)
        return reply


@lru_cache(maxsize=16)
def resolver_at(nameservers: tuple[HostPort, ...], *, dnssec: bool = False, patience: float = PATIENCE) -> Resolver:
    """The resolver for these nameservers, the system's for none: the same one each time, so that a policy that is
    loaded anew goes on with a warm cache."""
    servers = nameservers or _system()
    return Resolver(tuple(Engine(f"dns-{server}", server) for server in servers), dnssec, patience)


def _system() -> tuple[HostPort, ...]:
    """The nameservers of /etc/resolv.conf, this machine's where it names none (resolv.conf(5))."""
    try:
        lines = RESOLV_CONF.read_text().splitlines()
    except OSError:
        lines = []
    words = [line.split() for line in lines]
    found = [each[1] for each in words if len(each) > 1 and each[0] == "nameserver" and as_address(each[1])]
    return tuple(HostPort(server, DNS_PORT) for server in found) or (HostPort("127.0.0.1", DNS_PORT),)
