"""The resolver with a real nameserver, and with one that hangs, refuses, cuts, answers nonsense or comes late."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from gateway.dns import resolver as resolving
from gateway.dns.answers import Answer, Kind, LookupFailed, TooManyLookups
from gateway.dns.lookups import Lookups
from gateway.dns.resolver import Resolver, resolver_at
from gateway.endpoint import HostPort
from gateway.engines.breaker import Circuit
from gateway.engines.spread import Engine
from gateway.errors import Unavailable
from tests.engines.daemons import Running, dnsmasq

LONG = ",".join(letter * 250 for letter in "abcdefgh")


@pytest.fixture(scope="module")
def nameserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with dnsmasq(
        tmp_path_factory.mktemp("dns"),
        "--txt-record=example.org,v=spf1 -all",
        "--txt-record=two.example.org,a b,c d",
        f"--txt-record=long.example.org,{LONG}",
        "--address=/host.example.org/192.0.2.7",
        "--host-record=six.example.org,2001:db8::7",
        "--mx-host=example.org,second.example.org,20",
        "--mx-host=example.org,First.example.org,10",
        "--ptr-record=7.2.0.192.in-addr.arpa,host.example.org",
        "--cname=alias.example.org,six.example.org",
        "--local=/example.org/",
    ) as running:
        yield running


def resolver(*ports: int, patience: float = 5.0) -> Resolver:
    engines = tuple(Engine(f"dns-{port}", HostPort("127.0.0.1", port)) for port in ports)
    return Resolver(engines, patience=patience)


ANSWERS = {
    "a text": ("example.org", Kind.TXT, ("v=spf1 -all",)),
    "capitals and the root's dot": ("EXAMPLE.org.", Kind.TXT, ("v=spf1 -all",)),
    "a text in two strings is put together": ("two.example.org", Kind.TXT, ("a bc d",)),
    "an answer that does not fit comes over TCP": ("long.example.org", Kind.TXT, (LONG.replace(",", ""),)),
    "an address": ("host.example.org", Kind.A, ("192.0.2.7",)),
    "an address of the sixth version": ("six.example.org", Kind.AAAA, ("2001:db8::7",)),
    "mail servers by preference": ("example.org", Kind.MX, ("first.example.org", "second.example.org")),
    "a name of an address": ("7.2.0.192.in-addr.arpa", Kind.PTR, ("host.example.org",)),
    "behind another name": ("alias.example.org", Kind.AAAA, ("2001:db8::7",)),
    "nothing of the kind": ("host.example.org", Kind.TXT, ()),
}


@pytest.mark.parametrize(("name", "kind", "records"), ANSWERS.values(), ids=ANSWERS)
async def test_real_answers(nameserver: Running, name: str, kind: Kind, records: tuple[str, ...]) -> None:
    assert (await resolver(nameserver.port).lookup(name, kind)).records == records


async def test_no_such_name_is_an_answer(nameserver: Running) -> None:
    asked = resolver(nameserver.port)
    assert await asked.lookup("nobody.example.org", Kind.A) == Answer(exists=False)
    assert await asked.lookup(f"{'a' * 64}.example.org", Kind.A) == Answer(exists=False)
    assert await asked.lookup("a..b", Kind.A) == Answer(exists=False)


async def test_ping(nameserver: Running) -> None:
    assert str(nameserver.port) in await resolver(nameserver.port).ping()
    with pytest.raises(Unavailable, match="does not answer"):
        await resolver(9).ping()


async def test_paused_and_going_on(tmp_path: Path) -> None:
    """A silent nameserver: what was known stands in, the rest could not be said; then it goes on."""
    with dnsmasq(tmp_path, "--txt-record=example.org,yes", "--txt-record=other.example,yes") as running:
        asked = resolver(running.port, patience=0.3)
        await asked.lookup("example.org", Kind.TXT)
        running.signal(signal.SIGSTOP)
        expire(asked)
        assert (await asked.lookup("example.org", Kind.TXT)).records == ("yes",)
        for number in range(5):
            with pytest.raises(LookupFailed):
                await asked.lookup(f"{number}.example.org", Kind.TXT)
        assert not asked.engines[0].up
        running.signal(signal.SIGCONT)
        await eventually(asked, "other.example")
        assert asked.engines[0].breaker.state is Circuit.CLOSED


def expire(asked: Resolver) -> None:
    for entry in asked.cache.entries.values():
        entry.until = time.monotonic() - 1


async def eventually(asked: Resolver, name: str) -> None:
    """The breaker's pauses are below five seconds."""
    async with asyncio.timeout(10):
        while True:
            try:
                await asked.lookup(name, Kind.TXT)
            except LookupFailed:
                asked.cache.entries.clear()
                await asyncio.sleep(0.1)
            else:
                return


@dataclass
class Fake(asyncio.DatagramProtocol):
    """A nameserver that does to each question what it is told; the root's is always answered."""

    answer: Callable[[dns.message.Message], list[bytes]]
    questions: list[str] = field(default_factory=list)
    held: list[tuple[dns.message.Message, tuple[str, int]]] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def release(self) -> None:
        """Answers now what came before."""
        for question, address in self.held:
            self.transport.sendto(said(question, '"late"'), address)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        name = question.question[0].name.to_text(omit_final_dot=True)
        self.questions.append(name)
        self.held.append((question, address))
        self.asked.set()
        replies = [refused(question)] if name in ("", ".") else self.answer(question)
        for reply in replies:
            self.transport.sendto(reply, address)


@asynccontextmanager
async def fake(answer: Callable[[dns.message.Message], list[bytes]]) -> AsyncIterator[tuple[int, Fake]]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: Fake(answer), ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1], protocol
    finally:
        transport.close()


def said(question: dns.message.Message, *records: str, ttl: int = 300, flags: int = 0) -> bytes:
    reply = dns.message.make_response(question, recursion_available=True)
    reply.flags |= flags
    if records:
        reply.answer.append(dns.rrset.from_text(question.question[0].name, ttl, "IN", "TXT", *records))
    return reply.to_wire()


def refused(question: dns.message.Message, code: int = dns.rcode.REFUSED) -> bytes:
    reply = dns.message.make_response(question)
    reply.set_rcode(code)
    return reply.to_wire()


FAULTS: dict[str, Callable[[dns.message.Message], list[bytes]]] = {
    "hangs": lambda question: [],
    "SERVFAIL": lambda question: [refused(question, dns.rcode.SERVFAIL)],
    "REFUSED": lambda question: [refused(question)],
    "garbage": lambda question: [b"\xff" * 40],
    "an empty datagram": lambda question: [b""],
    "the answer to another question": lambda question: [said(dns.message.make_query("other.example.", "TXT"), '"x"')],
}


@pytest.mark.parametrize("answer", FAULTS.values(), ids=FAULTS)
async def test_no_answer_is_never_nothing(answer: Callable[[dns.message.Message], list[bytes]]) -> None:
    async with fake(answer) as (port, _):
        asked = resolver(port, patience=0.4)
        with pytest.raises(LookupFailed):
            await asked.lookup("example.org", Kind.TXT)
        assert asked.engines[0].up


async def test_a_broken_domain_does_not_cut_off_the_others() -> None:
    """A nameserver that has no answer for some names is no dead nameserver: its breaker stays shut."""
    async with fake(lambda question: []) as (port, _):
        asked = resolver(port, patience=0.1)
        for number in range(6):
            with pytest.raises(LookupFailed):
                await asked.lookup(f"{number}.example.org", Kind.TXT)
        assert asked.engines[0].up


async def test_a_forgery_before_the_answer_is_passed_over() -> None:
    async with fake(lambda question: [b"\0\0nonsense", said(question, '"true"')]) as (port, _):
        assert (await resolver(port).lookup("example.org", Kind.TXT)).records == ("true",)


async def test_a_datagram_that_is_lost_is_sent_again() -> None:
    lost: list[dns.message.Message] = []

    def answer(question: dns.message.Message) -> list[bytes]:
        lost.append(question)
        return [said(question, '"heard"')] if len(lost) > 1 else []

    async with fake(answer) as (port, server):
        assert (await resolver(port, patience=1).lookup("example.org", Kind.TXT)).records == ("heard",)
        assert server.questions == ["example.org"] * 2


async def test_a_second_nameserver_stands_in(nameserver: Running) -> None:
    assert (await resolver(9, nameserver.port).lookup("example.org", Kind.TXT)).records
    async with fake(FAULTS["SERVFAIL"]) as (port, _):
        assert (await resolver(port, nameserver.port).lookup("example.org", Kind.TXT)).records


async def test_a_failure_is_remembered_for_a_moment() -> None:
    async with fake(FAULTS["SERVFAIL"]) as (port, server):
        asked = resolver(port)
        for _ in range(3):
            with pytest.raises(LookupFailed, match="SERVFAIL"):
                await asked.lookup("example.org", Kind.TXT)
        assert server.questions == ["example.org"]


async def test_many_who_ask_the_same_ask_once() -> None:
    async with fake(lambda question: [said(question, '"one"')]) as (port, server):
        asked = resolver(port)
        answers = await asyncio.gather(*(asked.lookup("example.org", Kind.TXT) for _ in range(50)))
        assert {answer.records for answer in answers} == {("one",)}
        assert server.questions == ["example.org"]
        await asked.lookup("example.org", Kind.TXT)
        assert len(server.questions) == 1


async def test_who_stops_waiting_stops_nobody_else() -> None:
    async with fake(FAULTS["hangs"]) as (port, server):
        asked = resolver(port)
        first = asyncio.create_task(asked.lookup("example.org", Kind.TXT))
        second = asyncio.create_task(asked.lookup("example.org", Kind.TXT))
        await server.asked.wait()
        first.cancel()
        await asyncio.wait([first])
        server.release()
        assert (await second).records == ("late",)
    assert first.cancelled()


async def test_whether_signatures_were_checked() -> None:
    async with fake(lambda question: [said(question, '"x"', flags=dns.flags.AD)]) as (port, _):
        engines = (Engine("dns", HostPort("127.0.0.1", port)),)
        assert (await Resolver(engines, dnssec=True).lookup("example.org", Kind.TXT)).secure
        assert not (await Resolver(engines).lookup("example.org", Kind.TXT)).secure


async def test_one_message_may_not_ask_for_ever(nameserver: Running) -> None:
    lookups = Lookups(resolver(nameserver.port), most=2)
    await lookups.lookup("a.example.org", Kind.A)
    await lookups.lookup("b.example.org", Kind.A)
    with pytest.raises(TooManyLookups):
        await lookups.lookup("c.example.org", Kind.A)


def test_a_policy_loaded_anew_has_the_same_resolver() -> None:
    servers = (HostPort("127.0.0.1", 53),)
    assert resolver_at(servers) is resolver_at(servers)
    assert resolver_at(servers) is not resolver_at((HostPort("127.0.0.2", 53),))
    assert resolver_at(()).engines


SYSTEMS = {
    "two, with a comment": (
        "# x\nnameserver 192.0.2.1\n nameserver 2001:db8::1\nsearch a.b\n",
        ["192.0.2.1", "2001:db8::1"],
    ),
    "none that could be one": ("nameserver\nnameserver here\n", ["127.0.0.1"]),
    "no file": (None, ["127.0.0.1"]),
}


@pytest.mark.parametrize(("text", "servers"), SYSTEMS.values(), ids=SYSTEMS)
def test_nameservers_of_the_system(
    text: str | None, servers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "resolv.conf"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(resolving, "RESOLV_CONF", path)
    assert [engine.address.host for engine in resolver_at.__wrapped__(()).engines] == servers
