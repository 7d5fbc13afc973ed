"""Who sends a mail: the domain it says it is from, how sure that is, and what the catalogue knows of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Literal

from gateway.dns.names import organisation, within
from gateway.mail import Mail, Part, domain_of
from gateway.services import Catalogue, Known

Authentication = Literal["pass", "fail", "unknown"]

FIELD_LIMIT = 4000
"""Characters of a header field that are looked at."""

SIGNATURES = 8
"""DKIM signatures looked at; mail has one to three."""

_RESULT = re.compile(r"\b(dmarc|dkim|spf)\s*=\s*([a-z]+)([^;]*)", re.IGNORECASE)
_SIGNED_BY = re.compile(r"(?:^|;)\s*d\s*=\s*([^;\s]+)", re.IGNORECASE)
_IDENTITY = re.compile(r"(?:header\.d|header\.i|smtp\.mailfrom|smtp\.from)\s*=\s*\"?(?:[^@\s\"]*@)?([^\s\";()]+)", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """`domain` is the one the mail is from (From, or the envelope where that is missing), `known` its service.

    `official` is a body of the State or the organisation itself; `personal` a provider of private mailboxes; `by` a
    domain of the catalogue that signed in another's name.
    """

    name: str = ""
    local: str = ""
    domain: str = ""
    authentication: Authentication = "unknown"
    known: Known | None = None
    official: bool = False
    personal: bool = False

    @property
    def organisation(self) -> str:
        """The domain that was registered."""
        return organisation(self.domain)

    @property
    def address(self) -> str:
        """The whole address."""
        return f"{self.local}@{self.domain}" if self.domain else ""


def sender_of(mail: Mail, catalogue: Catalogue, authserv: str = "", official: frozenset[str] = frozenset()) -> Sender:
    """Who sends the mail.

    Identity counts unless it is known to be false: mail whose claim has failed has no service and is nobody's official
    mail here, it is the business of the filter for impersonation.
    """
    name, address = parseaddr((mail.root.header("From") or "")[:FIELD_LIMIT])
    if "@" not in address:
        address = mail.envelope.sender
    local, domain = address.rpartition("@")[0], domain_of(address)
    authentication = authenticated(mail.root, domain, authserv)
    believed = authentication != "fail"
    own = bool(domain) and within(domain, mail.domains)
    return Sender(
        name=name,
        local=local.lower(),
        domain=domain,
        authentication=authentication,
        known=(catalogue.known(domain) or _signer(mail.root, catalogue)) if believed else None,
        official=believed and (own or catalogue.is_official(domain, official)),
        personal=within(domain, catalogue.personal),
    )


def authenticated(root: Part, domain: str, authserv: str) -> Authentication:
    """Whether the domain is shown to be the sender: by what `authserv`, a host of ours, wrote on top of the mail.

    Only fields with that name count (RFC 8601 section 5: anybody can write others). DMARC decides where it was
    checked, else an aligned DKIM signature or SPF.
    """
    if not authserv:
        return "unknown"
    for header in root.headers:
        if header.name.lower() != "authentication-results":
            continue
        value = header.value[:FIELD_LIMIT]
        if value.partition(";")[0].split()[:1] != [authserv]:
            continue
        results = [(method.lower(), result.lower(), rest) for method, result, rest in _RESULT.findall(value)]
        for method, result, _ in results:
            if method == "dmarc" and result in ("pass", "fail"):
                return "pass" if result == "pass" else "fail"
        passed = [rest for method, result, rest in results if result == "pass"]
        shown = {organisation(found) for rest in passed for found in _IDENTITY.findall(rest)}
        aligned = organisation(domain) in shown
        return "pass" if aligned else "fail" if results else "unknown"
    return "unknown"


def _signer(root: Part, catalogue: Catalogue) -> Known | None:
    """The service that claims to have signed the mail, where its own domain is not the one in From."""
    signed = [header.value[:FIELD_LIMIT] for header in root.headers if header.name.lower() == "dkim-signature"]
    for value in signed[:SIGNATURES]:
        match = _SIGNED_BY.search(value)
        if match and not within(match[1], catalogue.platforms) and (known := catalogue.known(match[1])):
            return known
    return None
