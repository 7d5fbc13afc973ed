"""Macros in SPF records (RFC 7208 section 7)."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from urllib.parse import quote

from gateway.dns.names import LONGEST_NAME, Address

LONGEST_EXPANSION = 2_000
"""Characters of an expanded text: a name has at most 253, an explanation is a line."""

_MACRO = re.compile(r"%(?:\{([a-z])([0-9]*)(r?)([.\-+,/_=]*)\}|(.))", re.IGNORECASE | re.DOTALL)
_UNRESERVED = "-._~"


@dataclass(frozen=True, slots=True)
class Values:
    """What the macros stand for; `receiver` is our own name, `validated` asks for the client's name."""

    local: str
    sender_domain: str
    domain: str
    client: Address
    helo: str
    receiver: str
    validated: Callable[[], Awaitable[str]]


async def expand(text: str, values: Values, *, explanation: bool = False) -> str:
    """The text with its macros expanded; as a domain (the default) it loses labels on the left until it fits."""
    pieces: list[str] = []
    at = 0
    for macro in _MACRO.finditer(text):
        pieces.append(text[at : macro.start()])
        at = macro.end()
        letter, digits, backwards, delimiters, escape = macro.groups()
        if escape is not None:
            pieces.append({"%": "%", "_": " ", "-": "%20"}.get(escape, macro[0]))
            continue
        value = await _value(letter.lower(), values, explanation=explanation)
        value = _transformed(value, digits, bool(backwards), delimiters)
        pieces.append(quote(value, safe=_UNRESERVED) if letter.isupper() else value)
    whole = "".join([*pieces, text[at:]])[:LONGEST_EXPANSION]
    return whole if explanation else _fitting(whole)


async def _value(letter: str, values: Values, *, explanation: bool) -> str:
    match letter:
        case "s":
            return f"{values.local}@{values.sender_domain}"
        case "l":
            return values.local
        case "o":
            return values.sender_domain
        case "d":
            return values.domain
        case "i":
            if isinstance(values.client, IPv4Address):
                return str(values.client)
            return ".".join(values.client.exploded.replace(":", "").upper())
        case "p":
            return await values.validated()
        case "v":
            return "in-addr" if isinstance(values.client, IPv4Address) else "ip6"
        case "h":
            return values.helo
        case "c" if explanation:
            return str(values.client)
        case "r" if explanation:
            return values.receiver
        case "t" if explanation:
            return str(int(time.time()))
        case _:
            return "unknown"


def _transformed(value: str, digits: str, backwards: bool, delimiters: str) -> str:
    """Split at the delimiters, turned round, the last so many parts, joined by dots (section 7.3)."""
    parts = re.split(f"[{re.escape(delimiters or '.')}]", value)
    if backwards:
        parts.reverse()
    if digits:
        parts = parts[-min(int(digits[:9]), len(parts)) :]
    return ".".join(parts)


def _fitting(domain: str) -> str:
    while len(domain.rstrip(".")) > LONGEST_NAME and "." in domain:
        domain = domain.partition(".")[2]
    return domain
