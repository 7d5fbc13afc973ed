"""Names that a mail shows of its sender and that are not his."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from filters._impersonation.lists import Names
from filters._mailboxes import Mailbox
from gateway.dns.names import as_domain, is_registrable, organisation, within
from gateway.text.folding import plain
from gateway.text.phrases import Phrases

Shows = Literal["address", "domain", "organisation", "person", "official", "support", "brand"]

LONGEST_NAME = 500
"""Characters of a name that are looked at; programs show 60."""

_ADDRESS = re.compile(r"[\w.+-]{1,64}@((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w@.-])((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})(?![\w@.-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Deception:
    """What a name shows, and whom it poses as."""

    shows: Shows
    pretends: str


class Judge:
    """Knows whose names are whose. Built once, used from any thread."""

    def __init__(
        self, names: Names, organisations: frozenset[str], people: frozenset[str], state: frozenset[str]
    ) -> None:
        """`organisations` and `people` are names of the body itself; `state` domains that the State gives out."""
        self._brands = {name: frozenset(brand.domains) for name, brand in names.brands.items()}
        self._state = state
        pairs: list[tuple[str, tuple[Shows, str]]] = [(name, ("organisation", name)) for name in organisations]
        pairs += [(name, ("person", name)) for name in people]
        pairs += [(word, ("official", word)) for word in names.official]
        pairs += [(word, ("support", word)) for word in names.support]
        pairs += [(word, ("brand", name)) for name, brand in names.brands.items() for word in brand.shows]
        self._known = Phrases(pairs, plain)

    def deceptions(self, mailbox: Mailbox, own: frozenset[str]) -> Iterator[Deception]:
        """What the name of a mailbox shows that does not go with its address, each kind once. `own` are the
        organisation's domains."""
        found: dict[Shows, Deception] = {}
        name = mailbox.name[:LONGEST_NAME]
        for deception in (*self._addresses(name, mailbox), *self._words(name, mailbox, own)):
            found.setdefault(deception.shows, deception)
        yield from found.values()

    def _addresses(self, name: str, mailbox: Mailbox) -> Iterator[Deception]:
        if "." not in name:
            return
        real = organisation(mailbox.domain) if mailbox.domain else ""
        for found in _ADDRESS.finditer(name):
            domain = as_domain(found[1])
            if domain and organisation(domain) != real:
                yield Deception("address", found[0].lower())
        for found in _HOST.finditer(name):
            domain = as_domain(found[1])
            if domain and is_registrable(domain) and organisation(domain) != real:
                yield Deception("domain", domain)

    def _words(self, name: str, mailbox: Mailbox, own: frozenset[str]) -> Iterator[Deception]:
        domain = mailbox.domain
        if not name or within(domain, own):
            return
        for hit in self._known.search(plain(name)):
            shows, pretends = hit.value
            right = (
                within(domain, self._brands[pretends])
                if shows == "brand"
                else shows == "official" and within(domain, self._state)
            )
            if not right:
                yield Deception(shows, pretends)
