"""What a value may be compared with: lists, patterns, numbers, networks. Each says in words what it wants.

A matcher is asked about all values a message shows for one thing (the languages of a text, the names of a file): it
matches if one of them does. `Without` matches if none of them is listed.
"""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Protocol

from gateway.schema.pattern import Pattern

SHOWN = 80
"""Characters of a value in an explanation; what a stranger wrote is no reason for a page of text."""

NULL_SENDER = "<>"
"""How a policy writes the null reverse-path (RFC 5321 section 4.5.5)."""


def shown(value: object) -> str:
    """A value for an explanation: quoted, short, with whatever does not print escaped."""
    text = str(value)
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def folded(text: str) -> str:
    """Text for comparison: case and the two ways of writing Vietnamese (NFC, NFD) make no difference."""
    return unicodedata.normalize("NFC", text).casefold().strip()


def text_keys(value: Any) -> tuple[str, ...]:
    """The key under which a list holds a value."""
    return (folded(str(value)),)


@lru_cache(maxsize=4096)
def address_keys(address: str) -> tuple[str, ...]:
    """Every entry of a list that would cover an address: itself, `@its.domain`, `.its.domain` and the domains above."""
    if not address:
        return (NULL_SENDER,)
    lower = folded(address)
    local, at, domain = lower.rpartition("@")
    if not at:
        return (lower,)
    domain = domain.rstrip(".")
    labels = domain.split(".")
    above = ("." + ".".join(labels[start:]) for start in range(len(labels)))
    return (f"{local}@{domain}", f"@{domain}", *above)


def host_keys(name: str) -> tuple[str, ...]:
    """Every entry that would cover a host name: itself, and `.domain` for it and the domains above."""
    labels = folded(name).rstrip(".").split(".")
    return (".".join(labels), *("." + ".".join(labels[start:]) for start in range(len(labels))))


class Matcher(Protocol):
    """Something that values of a message can be held against; `str()` of it reads after "wanted"."""

    def matches(self, values: Sequence[Any], day: date) -> bool:
        """True if one of the values is what is wanted on that day."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """The values of a list, each with the last day it counts."""

    label: str
    until: Mapping[str, date] = field(hash=False)
    keys: Callable[[Any], tuple[str, ...]] = text_keys

    def matches(self, values: Sequence[Any], day: date) -> bool:
        until = self.until
        for value in values:
            for key in self.keys(value):
                if key in until and until[key] >= day:
                    return True
        return False

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class Without:
    """None of the values is listed."""

    listed: Listed | Networks

    def matches(self, values: Sequence[Any], day: date) -> bool:
        return not self.listed.matches(values, day)

    def __str__(self) -> str:
        return f"not {self.listed}"


@dataclass(frozen=True, slots=True)
class Matching:
    """A pattern (RE2: linear time) that is found anywhere in the value; `^` and `$` bind it to the ends."""

    pattern: Pattern

    def matches(self, values: Sequence[Any], day: date) -> bool:
        return any(self.pattern.search(str(value)) for value in values)

    def __str__(self) -> str:
        return f"a match of {shown(self.pattern)}"


@dataclass(frozen=True, slots=True)
class Contains:
    """A text that is found anywhere in the value, in any case."""

    text: str

    def matches(self, values: Sequence[Any], day: date) -> bool:
        wanted = folded(self.text)
        return any(wanted in folded(str(value)) for value in values)

    def __str__(self) -> str:
        return f"something with {shown(self.text)}"


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
"""How a comparison begins. Two characters are looked for first."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number compared with a limit; `written` is the policy's own text, "> 10MB"."""

    written: str
    holds: Callable[[Any, Any], bool]
    limit: float

    def matches(self, values: Sequence[Any], day: date) -> bool:
        return any(value is not None and self.holds(value, self.limit) for value in values)

    def __str__(self) -> str:
        return self.written


@dataclass(frozen=True, slots=True)
class Truthful:
    """Yes or no."""

    wanted: bool

    def matches(self, values: Sequence[Any], day: date) -> bool:
        return self.wanted in values

    def __str__(self) -> str:
        return "yes" if self.wanted else "no"


@dataclass(frozen=True, slots=True)
class Networks:
    """Networks, each with the last day it counts; the addresses of messages come as text."""

    label: str
    until: Mapping[IPv4Network | IPv6Network, date] = field(hash=False)

    def matches(self, values: Sequence[Any], day: date) -> bool:
        return any(self._covers(address_of(value), day) for value in values)

    def _covers(self, address: IPv4Address | IPv6Address | None, day: date) -> bool:
        return address is not None and any(address in network and day <= last for network, last in self.until.items())

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of several matchers."""

    matchers: tuple[Matcher, ...]

    def matches(self, values: Sequence[Any], day: date) -> bool:
        return any(matcher.matches(values, day) for matcher in self.matchers)

    def __str__(self) -> str:
        return " or ".join(str(matcher) for matcher in self.matchers)


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address of its text; an IPv4 address in IPv6 form (RFC 4291 section 2.5.5.2) is the IPv4 address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
