"""What it costs to ask who sent a mail: SPF, DKIM, DMARC, ARC and DNS lists with a warm cache, and what poses."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from letters import letter

from filters._dns_lists.zone import Code, Listing
from filters.dns_lists import DnsLists
from filters.impersonation import Impersonation
from filters.sender_auth import SenderAuth
from gateway.dns.answers import NOTHING, Answer, Kind
from gateway.dns.resolver import Resolver
from gateway.extract.message import contents
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reading import Link, Reading, Text
from gateway.verdict import NetFilter

SIZES = {"2 kB": 2_000, "50 kB": 50_000, "5 MB": 5_000_000}
CLIENT, DAY = "8.8.4.9", 86_400.0
HEAD = b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
LINE = b"Kinh gui anh,  moi anh hop  giao ban\tdau  tuan\t\tvao luc \r\n"
LISTS = tuple(Listing(zone=f"list{number}.example", codes={Code.parse("127.0.0.2"): 1.0}) for number in range(3))


def steps() -> Iterator[tuple[str, Callable[[], object]]]:
    """Each step with its work."""
    loop = asyncio.new_event_loop()
    private, record = _key()
    auth, lists, poses = SenderAuth(), DnsLists(addresses=LISTS, domains=LISTS), Impersonation()
    _warm(auth.resolver, record)
    for name, size in SIZES.items():
        mail = _mail(letter(size).content, private)
        raw = mail.raw[:]
        yield f"sender_auth, one signature, {name}", lambda mail=mail: loop.run_until_complete(_all(auth, mail))
        yield (
            f"the signature alone by dkimpy, {name}",
            lambda raw=raw: dkim.verify(raw, dnsfunc=lambda name, timeout=5: record.encode()),
        )
        if size >= 1_000_000:
            spaced = _mail(HEAD + LINE * (size // len(LINE)), private)
            yield (
                f"sender_auth, tabs and doubled spaces in each line, {name}",
                lambda spaced=spaced: loop.run_until_complete(_all(auth, spaced)),
            )
        if size < 1_000_000:
            yield f"dns_lists, six lists, {name}", lambda mail=mail: loop.run_until_complete(_all(lists, mail))
            yield f"impersonation, {name}", lambda mail=mail: list(poses.inspect(mail))


async def _all(filter_: NetFilter, mail: Mail) -> int:
    return len([finding async for finding in filter_.inspect(mail)])


def _key() -> tuple[bytes, str]:
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def _warm(resolver: Resolver, key: str) -> None:
    """The answers that there would be, in the cache that all three filters share."""
    answers = {
        ("s._domainkey.example.org", Kind.TXT): Answer((key,)),
        ("_dmarc.example.org", Kind.TXT): Answer(("v=DMARC1; p=reject",)),
        ("example.org", Kind.TXT): Answer(("v=spf1 include:_spf.example.org -all",)),
        ("_spf.example.org", Kind.TXT): Answer(("v=spf1 ip4:198.51.100.0/24 ip4:8.8.4.0/24 -all",)),
    }
    for listing in LISTS:
        for about in ("9.4.8.8", "example.org", "example.net"):
            answers[f"{about}.{listing.zone}", Kind.A] = NOTHING
    for question, answer in answers.items():
        resolver.cache.put(question, answer, DAY, time.monotonic())


def _mail(content: bytes, private: bytes) -> Mail:
    root = parse(content)
    unsigned = content[root.body.start :]
    head = b"From: Huong <huong@example.org>\r\nTo: an@example.gov.vn\r\nSubject: =?utf-8?q?C=C3=B4ng_v=C4=83n?=\r\n"
    head += b"Date: Mon, 5 Jan 2026 10:00:00 +0700\r\nMessage-ID: <1@example.org>\r\n"
    head += b"".join(
        content[each.span.start : each.span.stop]
        for each in root.headers
        if each.name.lower().startswith(("content-", "mime-"))
    )
    raw = head + b"\r\n" + unsigned
    field = dkim.sign(
        raw, b"s", b"example.org", private, canonicalize=(b"relaxed", b"relaxed"), include_headers=[b"from", b"subject"]
    )
    raw = bytes(field) + raw
    root = parse(raw)
    found = list(contents(raw, root))
    reading = Reading(
        texts=tuple(one for one in found if isinstance(one, Text)),
        links=(*(one for one in found if isinstance(one, Link)), Link(place="1", target="https://www.example.net/")),
    )
    return Mail(
        id="1",
        listener="x",
        received=datetime.now(UTC),
        client=Client(address=CLIENT, helo="m.example.org"),
        envelope=Envelope("huong@example.org", (Recipient("an@example.gov.vn"),)),
        inside=False,
        domains=frozenset({"example.gov.vn"}),
        raw=raw,
        root=root,
        opened=reading,
    )
