"""All checks on one message, side by side and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from filters._mailboxes import mailboxes_of
from filters._sender_auth import arc as arcs
from filters._sender_auth import dkim as signatures
from filters._sender_auth.dmarc import Evaluated, Identity, evaluate
from filters._sender_auth.signature import Line
from filters._sender_auth.spf import Spf, check
from gateway.dns.answers import Lookup
from gateway.dns.names import as_domain, organisation
from gateway.mail import Mail, domain_of
from gateway.mime.header import fields

MOST_AUTHORS = 4
"""Domains in From that are looked at."""

LATE = "not done in time"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Looked:
    """What the three checks found, before DMARC."""

    spf: Spf
    scope: Literal["mailfrom", "helo"]
    dkim: list[signatures.Verified]
    arc: arcs.Chain


async def look(mail: Mail, lookup: Lookup, patience: float) -> Looked:
    """SPF, DKIM and ARC; what takes longer than `patience` seconds is a temporary error."""
    block = mail.raw[mail.root.head.start : mail.root.head.stop]
    lines = [Line.of(block, each) for each in fields(block, 0)]
    sender, helo = mail.envelope.sender, mail.client.helo
    spf = check(lookup, client=mail.client.address, sender=_ascii(sender), helo=helo)
    dkim = signatures.verify(lookup, mail.raw, mail.root.body, lines, mail.received.timestamp())
    arc = arcs.verify(lookup, mail.raw, mail.root.body, lines)
    late = Spf(result="temperror", domain=domain_of(sender or f"@{helo}"), reason=LATE)
    async with asyncio.TaskGroup() as group:
        checked = group.create_task(_in_time(spf, patience, late))
        signed = group.create_task(_in_time(dkim, patience, [signatures.Verified(result="temperror", reason=LATE)]))
        sealed = group.create_task(_in_time(arc, patience, arcs.Chain(result="temperror", reason=LATE)))
    return Looked(checked.result(), "mailfrom" if sender else "helo", signed.result(), sealed.result())


async def authors(mail: Mail, lookup: Lookup, identities: Sequence[Identity], patience: float) -> list[Evaluated]:
    """DMARC for the domains in From: at least one result. Where there are several, or there is none, nobody is vouched
    for (RFC 7489 section 6.6.1)."""
    domains = list(dict.fromkeys(mailbox.domain for mailbox in mailboxes_of(mail.root, "From")))[:MOST_AUTHORS]
    found = [
        await _in_time(evaluate(lookup, domain, identities), patience, _late(domain)) for domain in domains if domain
    ]
    if len(domains) == 1 and found:
        return found
    reason = "From does not name one domain"
    nobody = Evaluated(result="permerror", domain="")
    return [replace(each, result="permerror", aligned=(), reason=reason) for each in found or [nobody]]


def temporary(looked: Looked, dmarcs: Sequence[Evaluated]) -> Iterator[str]:
    """Why something could not be said."""
    results: list[tuple[str, str]] = [(looked.spf.result, looked.spf.reason), (looked.arc.result, looked.arc.reason)]
    results += [(each.result, each.reason) for each in looked.dkim]
    results += [(each.result, each.reason) for each in dmarcs]
    yield from dict.fromkeys(reason for result, reason in results if result == "temperror")


async def _in_time(work: Awaitable[T], patience: float, instead: T) -> T:
    """What the work gives, something else where it is not done in time."""
    try:
        async with asyncio.timeout(patience):
            return await work
    except TimeoutError:
        return instead


def _late(domain: str) -> Evaluated:
    return Evaluated(result="temperror", domain=domain, organisation=organisation(domain), reason=LATE)


def _ascii(address: str) -> str:
    """The address with its domain as it stands in the DNS (RFC 8616 section 4)."""
    local, at, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}{at}{as_domain(domain)}"
