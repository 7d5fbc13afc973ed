"""Fuzzing who sent a mail: address fields, SPF records, signatures, seals, DMARC records, links, domains."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from filters._impersonation.domains import Protected
from filters._impersonation.links import shown_host, target_of
from filters._impersonation.lists import hosts
from filters._mailboxes import MOST_MAILBOXES, mailboxes
from filters._sender_auth import arc, dkim, dmarc, results, spf_record
from filters._sender_auth.canonical import canonical_body
from filters._sender_auth.signature import Line
from filters._sender_auth.spf import check
from gateway.dns.answers import Answer, Kind
from gateway.dns.names import as_domain
from gateway.mail import Span
from gateway.mime.header import fields
from gateway.mime.parse import parse
from gateway.reading import Link

PROTECTED = Protected(("vidu.gov.vn", "vietcombank.com.vn", "google.com"), frozenset({"gov.vn"}))


class Echo:
    """A zone in which every name has the input as its record."""

    def __init__(self, record: str) -> None:
        self.record = record

    async def lookup(self, name: str, kind: Kind) -> Answer:
        return Answer((self.record,) if kind is Kind.TXT else ())


def senders(data: bytes) -> None:
    """Raises nothing, calls nothing good that is not signed, keeps its limits."""
    text = data.decode("latin-1")
    assert len(mailboxes(text)) <= MOST_MAILBOXES
    for name in (text, data.decode("utf-8", "replace")):
        PROTECTED.judged(as_domain(name))
        link = Link(place="", target=name, text=name)
        target_of(link, hosts())
        shown_host(link)
        list(results.read(name))
        results.author(name)
        dmarc.parse(name, "example.org")
    with suppress(spf_record.PermanentError):
        spf_record.parse(text)
    for relaxed in (False, True):
        b"".join(canonical_body(data, Span(0, len(data)), relaxed=relaxed))
    asyncio.run(_asked(data, text))


async def _asked(data: bytes, text: str) -> None:
    zone = Echo(text)
    await check(zone, client="192.0.2.1", sender="a@example.org", helo="m", explain=True)
    await check(Echo(f"v=spf1 {text}"), client="2001:db8::1", sender=text[:100], helo=text[:50])
    root = parse(data)
    block = data[root.head.start : root.head.stop]
    lines = [Line.of(block, field) for field in fields(block, 0)]
    assert all(found.result != "pass" for found in await dkim.verify(zone, data, root.body, lines, 0.0))
    assert (await arc.verify(zone, data, root.body, lines)).result != "pass"
