"""Domain names: in the form in which they are compared and asked for, and who registered them."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

LONGEST_NAME = 253
"""Characters of a name without the last dot (RFC 1035 section 2.3.4)."""

LONGEST_LABEL = 63

_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)

Address = IPv4Address | IPv6Address


def is_name(text: str) -> bool:
    """True for what a zone can hold: labels of 1 to 63 octets, not too long in all. Characters are not judged."""
    return 0 < len(text) <= LONGEST_NAME and all(0 < len(label) <= LONGEST_LABEL for label in text.split("."))


@lru_cache(maxsize=4096)
def as_domain(text: str) -> str:
    """A mail domain or host as it is compared and asked for: lower case, A-labels (RFC 5890), no last dot.

    "" for what is none: a single label, an address, characters that names do not have.
    """
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = name[: LONGEST_NAME + 1].encode("idna").decode("ascii").lower()
        except UnicodeError:
            return ""
    good = is_name(name) and _HOST.fullmatch(name) and not name.rpartition(".")[2].isdigit()
    return name if good else ""


@lru_cache(maxsize=4096)
def organisation(domain: str) -> str:
    """The organisational domain (RFC 7489 section 3.2): what was registered below a public suffix, private registries
    included; the name itself where it is a public suffix."""
    return _suffixes().privatesuffix(domain) or domain


@lru_cache(maxsize=4096)
def public_suffix(domain: str) -> str:
    """The public suffix that a domain is registered under, "" for one that is not below any."""
    suffix = _suffixes().publicsuffix(domain) or ""
    return suffix if suffix != domain else ""


@lru_cache(maxsize=4096)
def is_registrable(domain: str) -> bool:
    """True for a domain below a public suffix that there is: `ke-hoach.docx` and `TS.Nguyen` are no domains."""
    return bool(_suffixes().privatesuffix(domain, accept_unknown=False))


def within(domain: str, domains: frozenset[str]) -> bool:
    """True if the domain is one of these or below one."""
    while domain:
        if domain in domains:
            return True
        domain = domain.partition(".")[2]
    return False


def as_address(text: str) -> Address | None:
    """The IP address that a text is, an IPv4 address where IPv6 wraps one (RFC 4291 section 2.5.5.2); else None."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def backwards(address: Address) -> str:
    """The address as lists and reverse zones are asked for it, without the zone (RFC 5782 sections 2.1 and 2.4)."""
    if isinstance(address, IPv4Address):
        return ".".join(reversed(str(address).split(".")))
    return ".".join(reversed(address.exploded.replace(":", "")))


def reverse_name(address: Address) -> str:
    """The name at which the PTR records of an address are (RFC 1035 section 3.5, RFC 3596 section 2.5)."""
    return f"{backwards(address)}.{'in-addr' if isinstance(address, IPv4Address) else 'ip6'}.arpa"


def load_suffixes() -> None:
    """Reads the list of public suffixes, which takes a tenth of a second; once. Whoever asks first waits for it."""
    _suffixes()


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
