"""sender_auth: who really sent a mail: SPF, DKIM, DMARC and ARC.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. Mail that was handed
in from inside, or by somebody who logged in, is not asked for its origin. What the DNS could not say is "could not
look"; what was found besides still counts. Nothing here judges: a domain's wish to have forgeries refused is the field
of a finding.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from filters._mailboxes import fields_named
from filters._sender_auth.arc import Chain
from filters._sender_auth.dkim import Verified
from filters._sender_auth.dmarc import Evaluated, Identity
from filters._sender_auth.findings import (
    Arc,
    Dkim,
    Dmarc,
    ForgedResults,
    Results,
    Spf,
    as_results,
    dkim_finding,
    dmarc_finding,
    spf_finding,
)
from filters._sender_auth.keys import load_cryptography
from filters._sender_auth.looking import Looked, authors, look, temporary
from filters._sender_auth.results import author, read, written
from gateway.dns.answers import Lookup
from gateway.dns.lookups import Lookups
from gateway.dns.names import load_suffixes, within
from gateway.dns.resolver import Resolver, resolver_at
from gateway.endpoint import HostPort
from gateway.engines.spread import Engine
from gateway.errors import Unavailable
from gateway.mail import Mail, domain_of
from gateway.schema.scalars import Duration
from gateway.verdict import Evidence, Finding

MOST_LOOKUPS = 200
"""Questions of one message to the DNS. The largest honest SPF record needs 40; by the standard one may need 111."""

SHOWN_FIELD = 200
"""Characters of a forged field that are shown as evidence."""


@dataclass(frozen=True, kw_only=True)
class SenderAuth:
    """Looks at mail from outside, by DNS."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Spf, Dkim, Dmarc, Arc, ForgedResults, Results)

    nameservers: tuple[HostPort, ...] = ()
    """Resolvers to ask, such as "127.0.0.1:53"; the system's if left out. One on this machine is best."""

    authserv: str = ""
    """The name in our Authentication-Results (RFC 8601 section 2.5); the shortest domain of the organisation if left
    out."""

    trusted_sealers: frozenset[str] = frozenset()
    """Domains of lists and forwarders, subdomains included, whose ARC seals are believed."""

    partial_bodies: bool = False
    """Whether a signature over the beginning of a body (l=) counts for DMARC although there is more: anybody can have
    put that there."""

    patience: Duration = Duration(10)
    """How long SPF, DKIM and ARC together, and then DMARC, may take for one mail."""

    resolver: Resolver = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        load_suffixes()
        object.__setattr__(self, "resolver", resolver_at(self.nameservers))

    @property
    def engines(self) -> tuple[Engine[HostPort], ...]:
        """The nameservers."""
        return self.resolver.engines

    async def inspect(self, mail: Mail) -> AsyncIterator[Finding]:
        """What is found. Raises Unavailable at the end where the DNS could not say."""
        if mail.inside or mail.client.login:
            yield Spf(result="none", domain=domain_of(mail.envelope.sender), scope="mailfrom", detail="from inside")
            return
        if not load_cryptography.cache_info().currsize:
            await asyncio.to_thread(load_cryptography)  # the loop has other things to do meanwhile
        for finding in self._forged(mail):
            yield finding
        reasons: list[str] = []
        for finding in await self.examine(mail, Lookups(self.resolver, MOST_LOOKUPS), reasons):
            yield finding
        if reasons:
            raise Unavailable("; ".join(reasons))

    async def examine(self, mail: Mail, lookup: Lookup, reasons: list[str]) -> list[Finding]:
        """The findings on mail from outside; why something could not be said is added to `reasons`."""
        looked = await look(mail, lookup, self.patience)
        dmarcs = await authors(mail, lookup, self._identities(looked), self.patience)
        findings: list[Finding] = [spf_finding(looked.spf, looked.scope)]
        findings += [dkim_finding(each, dmarcs[0], counts=self._counts(each)) for each in looked.dkim]
        findings += [dmarc_finding(each, mail) for each in dmarcs]
        if arc := self._arc(looked.arc, dmarcs):
            findings.append(arc)
        findings.append(Results(authserv=self._authserv(mail), value=written(list(as_results(findings)))))
        reasons += temporary(looked, dmarcs)
        return findings

    async def ping(self) -> str:
        """Who is asked. Raises Unavailable where one of them does not answer."""
        return await self.resolver.ping()

    def _authserv(self, mail: Mail) -> str:
        return self.authserv or min(mail.domains, key=lambda domain: (len(domain), domain), default="localhost")

    def _forged(self, mail: Mail) -> Iterator[Finding]:
        own = self._authserv(mail).lower()
        for text in fields_named(mail.root, "Authentication-Results"):
            if author(text) == own:
                yield ForgedResults(authserv=own, evidence=(Evidence("", 0, text[:SHOWN_FIELD]),))

    def _counts(self, signature: Verified) -> bool:
        """True if DMARC may go by the signature: it is good, and covers what is shown."""
        whole = self.partial_bodies or not signature.unsigned_octets
        return signature.result == "pass" and whole and "from" not in signature.doubled

    def _identities(self, looked: Looked) -> list[Identity]:
        found = [Identity("dkim", each.domain) for each in looked.dkim if self._counts(each)]
        return [*found, *([Identity("spf", looked.spf.domain)] if looked.spf.result == "pass" else [])]

    def _arc(self, chain: Chain, dmarcs: Sequence[Evaluated]) -> Arc | None:
        """The chain as a finding.

        The results that count are those of the first of the trusted hosts that stand one after the other before us:
        what is older came to it from others.
        """
        if chain.result == "none":
            return None
        sealers = [one.sealer for one in chain.sets]
        first = len(sealers)
        while first and within(sealers[first - 1], self.trusted_sealers):
            first -= 1
        trusted = chain.result == "pass" and first < len(sealers)
        return Arc(
            result=chain.result,
            sealer=sealers[-1] if sealers else "",
            instances=len(sealers),
            trusted=trusted,
            authenticated=trusted and len(dmarcs) == 1 and _passed(chain.sets[first].results, dmarcs[0].domain),
            detail=chain.reason,
        )


def _passed(results: str, domain: str) -> bool:
    """True if these results say that DMARC passed for the domain."""
    return any(
        seen.method == "dmarc" and seen.result == "pass" and seen.of("header.from") == domain for seen in read(results)
    )
