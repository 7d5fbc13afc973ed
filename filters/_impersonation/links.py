"""Links that lead elsewhere than they say, or to where anybody puts up what he likes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from filters._impersonation.domains import mixed, readable
from filters._impersonation.lists import Hosts
from gateway.dns.names import as_address, as_domain, is_registrable, organisation, within
from gateway.reading import Link

Trick = Literal["address", "userinfo", "homograph", "script", "form", "shortener", "hosting"]

LONGEST = 4_000
"""Characters of a target, and of the text of a link, that are looked at."""

LONGEST_HOST = 100
"""Characters of a host that is no name which are told."""

_SCHEMES = ("http", "https", "ftp", "")
_SHOWN = re.compile(r"(?:(?:https?|ftp)://)?((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})(?=[:/?#\s]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads: `host` in the form of `as_domain`, "" for an address; `trick` if there is one; `written` is
    the host as it stands there, or the scheme of a link without one."""

    host: str
    trick: Trick | None
    written: str


def target_of(link: Link, known: Hosts) -> Target | None:
    """Where a link leads; None for one that leads nowhere on the web."""
    text = link.target[:LONGEST]
    if text[:11].lower() == "javascript:" or text[:5].lower() == "data:":
        return Target("", "script", text.partition(":")[0].lower())
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not host:
        return None
    domain = as_domain(host)
    return Target(domain, _trick(parts, host, domain, known), domain or host[:LONGEST_HOST])


def shown_host(link: Link) -> str:
    """The host that the text of a link shows, "" for none. Words that end in a dot and another are none: the last
    label must be a suffix under which names are registered."""
    text = link.text[:LONGEST].strip()
    if link.source == "text" or "." not in text:
        return ""
    found = _SHOWN.match(text)
    host = as_domain(found[1]) if found else ""
    if found is None or not is_registrable(host):
        return ""
    whole = found.end() == len(text) or text[found.end()] in ":/?#" or "://" in found[0]
    return host if whole else ""


def mismatches(links: Iterable[Link], known: Hosts, rewriters: frozenset[str]) -> Iterator[tuple[Link, str, str]]:
    """The links that show another organisation's host than they lead to: link, shown, host."""
    for link in links:
        shown = shown_host(link)
        if not shown:
            continue
        target = target_of(link, known)
        if target and not within(target.host, rewriters) and organisation(target.host) != organisation(shown):
            yield link, shown, target.written


def _trick(parts: SplitResult, host: str, domain: str, known: Hosts) -> Trick | None:
    if not domain:
        return "address" if as_address(host) is not None or re.fullmatch(r"[0-9.x]+", host, re.ASCII) else None
    if "@" in parts.netloc:
        return "userinfo"
    if mixed(readable(domain)):
        return "homograph"
    if within(domain, known.form) and ("docs.google.com" not in domain or "/forms/" in parts.path):
        return "form"
    if within(domain, known.shortener):
        return "shortener"
    return "hosting" if within(domain, known.hosting) else None
