"""What lists are asked about: the client's address and the domains that a mail names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

from filters._mailboxes import mailboxes_of
from gateway.dns.names import Address, as_address, as_domain, organisation, within
from gateway.mail import Mail, domain_of

Role = Literal["client", "helo", "sender", "from", "reply-to", "link"]

LONGEST_LINK = 2_000
"""Characters of a link in which its host is looked for."""


def client_of(mail: Mail) -> Address | None:
    """The client's address, None where it is none that a list could know."""
    address = as_address(mail.client.address)
    return address if address is not None and address.is_global else None


def domains_of(mail: Mail, roles: frozenset[Role], never: frozenset[str]) -> dict[str, Role]:
    """The registered domains that the mail names, each with the first of these roles; those of `never` left out."""
    found: dict[str, Role] = {}
    for role, domain in _named(mail):
        if role in roles and domain and not within(domain, never):
            found.setdefault(organisation(domain), role)
    return found


def host_of(target: str) -> str:
    """The host that a link leads to, in the form of `as_domain`; "" for none, and for an address."""
    try:
        return as_domain(urlsplit(target[:LONGEST_LINK]).hostname or "")
    except ValueError:
        return ""


def _named(mail: Mail) -> Iterator[tuple[Role, str]]:
    yield "sender", as_domain(domain_of(mail.envelope.sender))
    for mailbox in mailboxes_of(mail.root, "From"):
        yield "from", mailbox.domain
    for mailbox in mailboxes_of(mail.root, "Reply-To"):
        yield "reply-to", mailbox.domain
    yield "helo", as_domain(mail.client.helo)
    for link in mail.reading.links:
        yield "link", host_of(link.target)
