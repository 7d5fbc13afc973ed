"""The filter `dns_lists`: what counts as an answer, what is asked, and a real nameserver in every state."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from filters._dns_lists.zone import Bit, Code, Listing
from filters.dns_lists import DnsLists
from gateway.dns.answers import Lookup
from gateway.endpoint import HostPort
from gateway.errors import Unavailable
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reading import Link, Reading
from gateway.schema.scalars import Duration
from gateway.verdict import Finding
from tests.engines.daemons import Running, dnsmasq
from tests.filters.zones import Records, Zone

CLIENT = "8.8.4.9"
ADDRESSES = Listing(
    zone="zen.lists.example", name="zen", codes={Code.parse("127.0.0.2-4"): 5.0, Code.parse("127.0.0.10"): 2.0}
)
DOMAINS = Listing(zone="dbl.lists.example", codes={Code.parse("127.0.1.2"): 6.0})
BITS = Listing(zone="multi.lists.example", bits={Bit(8): 3.0, Bit(16): 4.0})


def mail(*targets: str, client: str = CLIENT, sender: str = "a@envelope.example", **more: Any) -> Mail:
    raw = b"From: A <a@mail.author.example>\r\nReply-To: <b@answers.example>\r\n\r\nx\r\n"
    return Mail(
        id="1",
        listener="x",
        received=datetime(2026, 1, 5, tzinfo=UTC),
        client=Client(address=client, helo="host.helo.example", login=more.get("login", "")),
        envelope=Envelope(sender, (Recipient("an@example.gov.vn"),)),
        inside=more.get("inside", False),
        domains=frozenset({"example.gov.vn"}),
        raw=raw,
        root=parse(raw),
        opened=Reading(links=tuple(Link(place="", target=target) for target in targets)),
    )


async def found(message: Mail, lookup: Lookup | dict[str, Records], **options: Any) -> list[Finding]:
    options = options or {"addresses": (ADDRESSES,), "domains": (DOMAINS, BITS)}
    looker = DnsLists(**options)
    object.__setattr__(looker, "resolver", Zone(lookup) if isinstance(lookup, dict) else lookup)
    return [finding async for finding in looker.inspect(message)]


def a(*addresses: str) -> Records:
    return {"A": addresses}


async def test_nothing_is_listed() -> None:
    assert await found(mail("https://www.link.example/"), {}) == []


async def test_address_and_domains() -> None:
    names = {
        "9.4.8.8.zen.lists.example": a("127.0.0.4", "127.0.0.10"),
        "link.example.dbl.lists.example": a("127.0.1.2"),
        "author.example.multi.lists.example": a("127.0.0.24"),
    }
    *listed, total = await found(mail("https://www.link.example/", "http://LINK.example./x"), names)
    assert [one.facts() for one in listed] == [
        {"list": "zen", "role": "client", "value": CLIENT, "answer": ("127.0.0.10", "127.0.0.4"), "weight": 5.0},
        {"list": "dbl.lists.example", "role": "link", "value": "link.example", "answer": ("127.0.1.2",), "weight": 6.0},
        {
            "list": "multi.lists.example",
            "role": "from",
            "value": "author.example",
            "answer": ("127.0.0.24",),
            "weight": 4.0,
        },
    ]
    assert (total.code, total.facts()) == ("total", {"weight": 15.0, "lists": 3})


async def test_what_is_asked() -> None:
    asked = Zone({})
    await found(
        mail(
            "http://192.0.2.1/",
            "mailto:x@y.example",
            "http://a.gov.vn",
            "https://www.example.gov.vn",
            "://",
            "http://[x",
        ),
        asked,
        addresses=(ADDRESSES,),
        domains=(DOMAINS,),
    )
    assert [name for name, _ in asked.asked] == [
        "9.4.8.8.zen.lists.example",
        *(f"{name}.example.dbl.lists.example" for name in ("envelope", "author", "answers", "helo")),
    ]


async def test_an_address_of_the_sixth_version() -> None:
    asked = Zone({})
    await found(mail(client="2001:4860::8"), asked, addresses=(ADDRESSES,))
    assert asked.asked[0][0] == f"8{'.0' * 23}.0.6.8.4.1.0.0.2.zen.lists.example"


@pytest.mark.parametrize("client", ["10.0.0.1", "127.0.0.1", "", "::1", "unknown"])
async def test_clients_that_no_list_knows(client: str) -> None:
    asked = Zone({})
    assert await found(mail(client=client), asked, addresses=(ADDRESSES,)) == []
    assert asked.asked == []


async def test_mail_from_inside_is_nobody_elses_business() -> None:
    asked = Zone({})
    for message in (mail(inside=True), mail(login="an")):
        assert await found(message, asked) == []
    assert asked.asked == []


async def test_roles_and_domains_that_are_not_asked_about() -> None:
    asked = Zone({})
    await found(
        mail(), asked, domains=(DOMAINS,), roles=frozenset({"from", "sender"}), never=frozenset({"envelope.example"})
    )
    assert [name for name, _ in asked.asked] == ["author.example.dbl.lists.example"]


OUTSIDE = {
    "the address of a web server": "198.51.100.7",
    "an error of the list": "127.255.255.254",
    "an address beside the codes": "127.0.0.5",
    "the bit that is none": "127.0.0.0",
}


@pytest.mark.parametrize("answer", OUTSIDE.values(), ids=OUTSIDE)
async def test_an_answer_outside_the_codes_is_none(answer: str) -> None:
    with pytest.raises(Unavailable, match="which its codes do not have"):
        await found(mail(), {"9.4.8.8.zen.lists.example": a(answer)})
    with pytest.raises(Unavailable, match="which its codes do not have"):
        await found(mail(), {"9.4.8.8.zen.lists.example": a("127.0.0.2", answer)})


@pytest.mark.parametrize("answer", ["127.0.0.1", "127.0.0.9", "127.0.1.8", "10.0.0.8", "127.0.0.255"])
async def test_an_answer_with_other_bits_is_none(answer: str) -> None:
    with pytest.raises(Unavailable, match="which its codes do not have"):
        await found(mail(), {"author.example.multi.lists.example": a(answer)}, domains=(BITS,))


async def test_a_list_that_has_everything_has_nothing() -> None:
    names = {"9.4.8.8.zen.lists.example": a("127.0.0.2"), "1.0.0.127.zen.lists.example": a("127.0.0.2")}
    with pytest.raises(Unavailable, match="zen: the list has everything"):
        await found(mail(), names)


async def test_what_is_listed_counts_although_another_list_could_not_be_asked() -> None:
    names: dict[str, Records] = {
        "9.4.8.8.zen.lists.example": a("127.0.0.2"),
        "author.example.dbl.lists.example": {"TIMEOUT": []},
    }
    findings: list[Finding] = []
    looker = DnsLists(addresses=(ADDRESSES,), domains=(DOMAINS,))
    object.__setattr__(looker, "resolver", Zone(names))

    async def collect() -> None:
        async for finding in looker.inspect(mail()):
            findings.append(finding)

    with pytest.raises(Unavailable, match="no answer in time"):
        await collect()
    assert [finding.code for finding in findings] == ["listed", "total"]


async def test_the_key_in_a_zone_is_not_told() -> None:
    listing = Listing(zone="secret.dq.lists.example", name="dq", codes=ADDRESSES.codes)
    with pytest.raises(Unavailable) as caught:
        await found(mail(), {"9.4.8.8.secret.dq.lists.example": {"TIMEOUT": []}}, addresses=(listing,))
    assert "secret" not in str(caught.value)


async def test_more_domains_than_are_asked_about() -> None:
    asked = Zone({})
    targets = [f"http://d{number}.example/" for number in range(60)]
    [more] = await found(mail(*targets), asked, domains=(DOMAINS,), most_domains=10)
    assert (more.code, more.facts()) == ("more_domains", {"count": 64})
    assert len(asked.asked) == 10


async def test_no_list_cannot_look() -> None:
    looker = DnsLists()
    with pytest.raises(Unavailable, match="no list is configured"):
        _ = [finding async for finding in looker.inspect(mail())]


LISTINGS: dict[str, dict[str, Any]] = {
    "no zone": {"zone": "localhost", "codes": {Code.parse("127.0.0.2"): 1.0}},
    "neither codes nor bits": {"zone": "a.example"},
    "both": {"zone": "a.example", "codes": {Code.parse("127.0.0.2"): 1.0}, "bits": {Bit(8): 1.0}},
}


@pytest.mark.parametrize("wrong", LISTINGS.values(), ids=LISTINGS)
def test_lists_that_are_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Listing(**wrong)


@pytest.mark.parametrize("text", ["127.0.0", "128.0.0.2", "127.0.0.4-2", "127.0.0.2-128.0.0.1", "127.0.0.2-x", ""])
def test_codes_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        Code.parse(text)


@pytest.fixture(scope="module")
def nameserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with dnsmasq(
        tmp_path_factory.mktemp("dns"),
        "--host-record=9.4.8.8.zen.lists.example,127.0.0.2",
        "--host-record=2.0.0.127.zen.lists.example,127.0.0.2",
        "--address=/all.example/127.0.0.2",
        "--local=/example/",
    ) as running:
        yield running


def real(port: int, **options: Any) -> DnsLists:
    return DnsLists(nameservers=(HostPort("127.0.0.1", port),), **options)


async def test_with_a_real_nameserver(nameserver: Running) -> None:
    looker = real(nameserver.port, addresses=(ADDRESSES,))
    assert [each.code async for each in looker.inspect(mail())] == ["listed", "total"]
    assert await looker.ping() == "lists zen"
    assert looker.engines[0].up


async def test_ping_finds_an_empty_list_and_one_that_has_everything(nameserver: Running) -> None:
    with pytest.raises(Unavailable, match="does not have its test entry"):
        await real(nameserver.port, domains=(DOMAINS,)).ping()
    everything = Listing(zone="all.example", codes=ADDRESSES.codes)
    with pytest.raises(Unavailable, match="has everything"):
        await real(nameserver.port, addresses=(everything,)).ping()


async def test_a_nameserver_that_hangs_is_could_not_look(tmp_path: Path) -> None:
    with dnsmasq(tmp_path, "--local=/example/") as running:
        looker = real(running.port, addresses=(ADDRESSES,), domains=(DOMAINS,), patience=Duration(0.3))
        running.signal(signal.SIGSTOP)
        with pytest.raises(Unavailable, match="zen: no answer"):
            _ = [each async for each in looker.inspect(mail())]
