"""impersonation: mail that poses as somebody: own and look-alike domains, false names, links and what lures say.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. Nothing here asks the
network: whether a sender is who he says is the question of `sender_auth`, and rules put both together. Mail from
inside is looked through for lures and links, which come from accounts that somebody else has got hold of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from filters._documents.contacts import PRIVATE_PROVIDERS
from filters._impersonation.domains import Protected
from filters._impersonation.findings import (
    DeceptiveLink,
    DisplayName,
    LinkMismatch,
    Lookalike,
    LureText,
    OwnDomain,
    PasswordForm,
    ReplyTo,
    Suspicion,
    Where,
)
from filters._impersonation.links import Trick, mismatches, target_of
from filters._impersonation.lists import Hosts, hosts, lures, names
from filters._impersonation.names import Judge
from filters._impersonation.telling import Teller
from filters._impersonation.weighing import weights
from filters._mailboxes import Mailbox, mailboxes_of
from gateway.dns.names import as_domain, load_suffixes, organisation, within
from gateway.mail import Mail, domain_of
from gateway.reading import Link
from gateway.traits import Mark
from gateway.verdict import Evidence, Finding

MOST_LINKS = 2_000
"""Links of a mail that are looked at; a newsletter has two hundred."""

MOST_TOLD = 20
"""Findings of one kind about links: one is enough for a rule, a few for a person."""

SHOWN = 120
"""Characters of a name or a link's text that are shown as evidence."""


@dataclass(frozen=True, kw_only=True)
class Impersonation:
    """Looks at names, domains, links and texts."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (
        OwnDomain,
        Lookalike,
        DisplayName,
        ReplyTo,
        LinkMismatch,
        DeceptiveLink,
        PasswordForm,
        LureText,
        Suspicion,
    )
    READS: ClassVar[bool] = True

    organisations: frozenset[str] = frozenset()
    """Names by which people know the organisation and its units, as a sender's name may show them."""

    people: frozenset[str] = frozenset()
    """Names of leaders in whose name others might write."""

    also: frozenset[str] = frozenset()
    """Further domains that others may pose as, beside the organisation's own and those of the brands."""

    state: frozenset[str] = frozenset({"gov.vn"})
    """Domains below which only bodies of the State get one."""

    rewriters: frozenset[str] = frozenset({"safelinks.protection.outlook.com", "urldefense.com"})
    """Hosts of services that rewrite links, subdomains included: what they show is where they lead."""

    more_names: tuple[Path, ...] = ()
    """Files in the form of policies/lists/impersonation/names.yaml that add to it."""

    _brands: dict[str, str] = field(init=False, repr=False, compare=False)
    _hosts: Hosts = field(init=False, repr=False, compare=False)
    _judge: Judge = field(init=False, repr=False, compare=False)
    _teller: Teller = field(init=False, repr=False, compare=False)
    _protected: dict[frozenset[str], Protected] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        load_suffixes()
        known = names(self.more_names)
        for name, value in (
            ("_brands", {domain: name for name, brand in known.brands.items() for domain in brand.domains}),
            ("_hosts", hosts()),
            ("_judge", Judge(known, self.organisations, self.people, self.state)),
            ("_teller", Teller(lures())),
            ("_protected", {}),
        ):
            object.__setattr__(self, name, value)

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """One finding for each trick, and their sum."""
        found = list(self._all(mail))
        yield from found
        parts = weights(found)
        if parts:
            detail = ", ".join(f"{name} {weight:g}" for name, weight in parts.items())
            yield Suspicion(score=round(sum(parts.values()), 1), detail=detail)

    def _all(self, mail: Mail) -> Iterator[Finding]:
        protected = self._protected_for(mail.domains)
        if not mail.inside and not mail.client.login:
            yield from self._senders(mail, protected)
        links = mail.reading.links[:MOST_LINKS]
        yield from self._links(mail, links, protected)
        linked = any(link.source != "img" for link in links) or any(file.depth == 0 for file in mail.reading.files)
        for file in mail.reading.files:
            if any(trait.word == Mark.PASSWORD_FORM for trait in file.traits):
                yield PasswordForm(place=file.place, evidence=(Evidence(file.place),))
        for told in self._teller.told(mail.reading.texts):
            yield LureText(
                theme=told.theme,
                weight=told.weight,
                urges=told.urges,
                threatens=told.threatens,
                linked=linked,
                evidence=(Evidence(told.place, told.offset, told.phrase[:SHOWN]),),
            )

    def _senders(self, mail: Mail, protected: Protected) -> Iterator[Finding]:
        """What the fields that name senders show."""
        authors = mailboxes_of(mail.root, "From")
        replies = mailboxes_of(mail.root, "Reply-To")
        claims: dict[tuple[Where, str], None] = {("from", each.domain): None for each in authors}
        claims |= {("sender", each.domain): None for each in mailboxes_of(mail.root, "Sender")}
        claims[("envelope", as_domain(domain_of(mail.envelope.sender)))] = None
        claims |= {("reply-to", each.domain): None for each in replies}
        for where, domain in claims:
            if where != "reply-to" and within(domain, mail.domains):
                yield OwnDomain(where=where, domain=domain)
            elif finding := self._lookalike(where, domain, protected, mail.domains):
                yield finding
        for author in authors:
            for deception in self._judge.deceptions(author, mail.domains):
                where_seen = (Evidence("", 0, f"{author.name} <{author.address}>"[:SHOWN]),)
                yield DisplayName(
                    shows=deception.shows, pretends=deception.pretends, domain=author.domain, evidence=where_seen
                )
        yield from _replies(authors, replies)

    def _links(self, mail: Mail, links: tuple[Link, ...], protected: Protected) -> Iterator[Finding]:
        seen: set[str] = set()
        tricks: dict[tuple[Trick, str], Link] = {}
        for link in links:
            if (target := target_of(link, self._hosts)) is None:
                continue
            if target.trick and link.source != "img":
                tricks.setdefault((target.trick, target.written), link)
            if target.host and target.host not in seen:
                seen.add(target.host)
                if finding := self._lookalike("link", target.host, protected, mail.domains):
                    yield finding
        for (trick, host), link in list(tricks.items())[:MOST_TOLD]:
            shown_as = (link.text or link.target)[:SHOWN]
            yield DeceptiveLink(trick=trick, host=host, evidence=(Evidence(link.place, 0, shown_as),))
        shown_once: set[tuple[str, str]] = set()
        for link, shown, host in mismatches(links, self._hosts, self.rewriters):
            if (shown, host) not in shown_once and len(shown_once) < MOST_TOLD:
                shown_once.add((shown, host))
                yield LinkMismatch(
                    shown=shown,
                    host=host,
                    official=within(shown, mail.domains | self.state),
                    brand=self._brand_of(shown),
                    evidence=(Evidence(link.place, 0, link.text[:SHOWN]),),
                )

    def _lookalike(self, where: Where, domain: str, protected: Protected, own: frozenset[str]) -> Lookalike | None:
        found = protected.imitated(domain)
        if found is None or (found.by in ("edit", "suffix") and where == "link" and found.imitates not in own):
            return None  # half the world's sites are one letter from some brand
        return Lookalike(
            where=where,
            domain=domain,
            imitates=found.imitates,
            by=found.by,
            own=within(found.imitates, own | self.state),
        )

    def _protected_for(self, own: frozenset[str]) -> Protected:
        if own not in self._protected:
            self._protected[own] = Protected((*sorted(own), *sorted(self.also), *self._brands), self.state)
        return self._protected[own]

    def _brand_of(self, domain: str) -> str:
        while domain and domain not in self._brands:
            domain = domain.partition(".")[2]
        return self._brands.get(domain, "")


def _replies(authors: list[Mailbox], replies: list[Mailbox]) -> Iterator[ReplyTo]:
    """Where answers go, if that is elsewhere."""
    origins = {organisation(author.domain) for author in authors if author.domain}
    for domain in dict.fromkeys(reply.domain for reply in replies if reply.domain):
        if origins and organisation(domain) not in origins:
            private = within(domain, PRIVATE_PROVIDERS) and not origins & PRIVATE_PROVIDERS
            yield ReplyTo(domain=domain, sender=min(origins), private=private)
