"""dns_lists: ask DNS lists about the client's address and the domains that a mail from outside names.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. An answer counts only
if the list's manual has it, as the policy repeats it: a list that has closed, that does not serve us, or whose name now
belongs to somebody else, "could not look". So does one that lists what no list may list.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from filters._dns_lists.subjects import Role, client_of, domains_of
from filters._dns_lists.zone import Listing
from gateway.dns.answers import Kind, LookupFailed
from gateway.dns.names import backwards, load_suffixes
from gateway.dns.resolver import Resolver, resolver_at
from gateway.endpoint import HostPort
from gateway.engines.spread import Engine
from gateway.errors import Unavailable
from gateway.mail import Mail
from gateway.schema.scalars import Duration
from gateway.verdict import Finding

NEVER_LISTED = {"address": "1.0.0.127", "domain": "invalid"}
"""What no list may list (RFC 5782 section 5): one that does lists everything."""

ALWAYS_LISTED = {"address": "2.0.0.127", "domain": "test"}
"""What every list lists (section 5): one that does not is empty, or not there."""

What = Literal["address", "domain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Finding):
    """A list has something that the mail comes from or names. `list` is its name, `role` what was asked about, `value`
    the address or domain, `answer` what the list said, `weight` what the policy lets that count."""

    code: ClassVar[str] = "listed"
    list: str
    role: Role
    value: str
    answer: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Total(Finding):
    """All together, where something is listed: `weight` is the sum of what each list said about each thing, `lists` the
    number of lists that have something."""

    code: ClassVar[str] = "total"
    weight: float
    lists: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreDomains(Finding):
    """The mail names more domains (`count`) than are asked about; the first `most_domains` were."""

    code: ClassVar[str] = "more_domains"
    count: int


@dataclass(frozen=True, slots=True)
class _Question:
    """Something to ask a list; `about` is how the list is asked for it."""

    listing: Listing
    what: What
    about: str
    role: Role
    value: str


@dataclass(frozen=True, kw_only=True)
class DnsLists:
    """Asks the lists that a policy names. With none it cannot look, and says so."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Listed, Total, MoreDomains)
    READS: ClassVar[bool] = True

    addresses: tuple[Listing, ...] = ()
    """Lists of addresses, asked about the client's."""

    domains: tuple[Listing, ...] = ()
    """Lists of domains, asked about the registered ones that the mail names."""

    roles: frozenset[Role] = frozenset({"client", "helo", "sender", "from", "reply-to", "link"})
    """What is asked about."""

    never: frozenset[str] = frozenset({"gov.vn"})
    """Domains, subdomains included, that are asked of nobody: whom a body writes to is no list's business. The
    organisation's own are never asked about."""

    most_domains: int = 40
    """How many domains of one mail are asked about."""

    nameservers: tuple[HostPort, ...] = ()
    """Resolvers to ask, such as "127.0.0.1:53"; the system's if left out. Lists do not serve large public ones."""

    patience: Duration = Duration(5)
    """How long all lists together may take for one mail."""

    resolver: Resolver = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.most_domains < 1:
            raise ValueError("most_domains must be at least 1")
        load_suffixes()
        object.__setattr__(self, "resolver", resolver_at(self.nameservers))

    @property
    def engines(self) -> tuple[Engine[HostPort], ...]:
        """The nameservers."""
        return self.resolver.engines

    async def inspect(self, mail: Mail) -> AsyncIterator[Finding]:
        """What is listed. Raises Unavailable at the end where a list could not be asked."""
        if mail.inside or mail.client.login:
            return
        if not (self.addresses or self.domains):
            raise Unavailable("no list is configured: give filters.dns_lists the option addresses or domains")
        named = domains_of(mail, self.roles, self.never | mail.domains) if self.domains else {}
        if len(named) > self.most_domains:
            yield MoreDomains(count=len(named))
        questions = self._questions(mail, dict(list(named.items())[: self.most_domains]))
        listed, reasons = await self._answers(questions)
        for finding in listed:
            yield finding
        if listed:
            lists = len({finding.list for finding in listed})
            yield Total(weight=round(sum(finding.weight for finding in listed), 3), lists=lists)
        if reasons:
            raise Unavailable("; ".join(dict.fromkeys(reasons)))

    async def ping(self) -> str:
        """Whether each list has what all lists have, and lacks what none has. Raises Unavailable."""
        names: list[str] = []
        for what, listing in self._all():
            await self._check(listing, what)
            if not (await self._said(listing, listing.test or ALWAYS_LISTED[what])):
                raise Unavailable(f"{listing.called}: the list does not have its test entry")
            names.append(listing.called)
        return f"lists {', '.join(names)}" if names else "no lists"

    def _all(self) -> list[tuple[What, Listing]]:
        return [*(("address", each) for each in self.addresses), *(("domain", each) for each in self.domains)]

    def _questions(self, mail: Mail, named: dict[str, Role]) -> list[_Question]:
        address = client_of(mail) if "client" in self.roles else None
        questions = [
            _Question(listing, "address", backwards(address), "client", str(address))
            for listing in self.addresses
            if address is not None
        ]
        questions += [
            _Question(listing, "domain", domain, role, domain)
            for listing in self.domains
            for domain, role in named.items()
        ]
        return questions

    async def _answers(self, questions: list[_Question]) -> tuple[list[Listed], list[str]]:
        """What is listed, in the order of the questions, and why lists could not be asked."""
        tasks = [asyncio.create_task(self._answer(question)) for question in questions]
        if not tasks:
            return [], []
        try:
            await asyncio.wait(tasks, timeout=self.patience)
        finally:
            for task in tasks:
                task.cancel()
        listed: list[Listed] = []
        reasons: list[str] = []
        for question, task in zip(questions, tasks, strict=True):
            if not task.done() or task.cancelled():
                reasons.append(f"{question.listing.called}: no answer in {self.patience:g} s")
            elif isinstance(error := task.exception(), Unavailable):
                reasons.append(str(error))
            elif finding := task.result():
                listed.append(finding)
        return listed, reasons

    async def _answer(self, question: _Question) -> Listed | None:
        listing = question.listing
        said = await self._said(listing, question.about)
        if not said:
            return None
        await self._check(listing, question.what)
        weight, answers = said
        return Listed(list=listing.called, role=question.role, value=question.value, answer=answers, weight=weight)

    async def _check(self, listing: Listing, what: What) -> None:
        """Raises Unavailable where the list has what no list may have: then it has everything."""
        if await self._said(listing, NEVER_LISTED[what]):
            raise Unavailable(f"{listing.called}: the list has everything")

    async def _said(self, listing: Listing, about: str) -> tuple[float, tuple[str, ...]] | None:
        """What the list says, None if it does not have it. Raises Unavailable."""
        try:
            answer = await self.resolver.lookup(f"{about}.{listing.zone}", Kind.A)
        except LookupFailed as error:
            raise Unavailable(f"{listing.called}: {_without(listing, str(error))}") from error
        if not answer.records:
            return None
        try:
            return listing.weight(answer.records)
        except ValueError as error:
            raise Unavailable(f"{listing.called}: answered {error}, which its codes do not have") from error


def _without(listing: Listing, text: str) -> str:
    """A reason without the zone, which may have a key in it."""
    return text.replace(listing.zone.lower(), "...") if listing.name else text
