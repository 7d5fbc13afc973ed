"""The lists in policies/lists/impersonation: whom forged mail poses as, where its links lead, what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeVar

from gateway.dns.names import as_domain
from gateway.schema.nodes import decode
from gateway.schema.reader import load

Theme = Literal[
    "mailbox-full", "mailbox-upgrade", "account-locked", "password-expiry", "verify-account", "held-mail",
    "shared-document", "payment-change", "gift-cards", "tax", "fine", "identity", "parcel", "bank-alert", "prize",
    "payroll",
]  # fmt: skip
"""What a lure is about."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A name that people trust: what shows it, and the domains that mail of that name comes from."""

    shows: tuple[str, ...]
    domains: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.shows or not self.domains or any(as_domain(domain) != domain for domain in self.domains):
            raise ValueError("a brand needs what shows it and domains, in lower case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """A file of names (names.yaml says how to write one)."""

    version: Literal["1"]
    official: tuple[str, ...] = ()
    support: tuple[str, ...] = ()
    brands: Mapping[str, Brand] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """hosts.yaml: hosts where anybody puts up what he likes."""

    version: Literal["1"]
    form: frozenset[str]
    shortener: frozenset[str]
    hosting: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lure:
    """The phrases of one theme and what it is worth."""

    weight: float
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lures:
    """lures.yaml: themes, and what presses and threatens."""

    version: Literal["1"]
    urges: tuple[str, ...]
    threats: tuple[str, ...]
    themes: Mapping[Theme, Lure]


@lru_cache(maxsize=1)
def hosts() -> Hosts:
    """The hosts that come with the program."""
    return _shipped("hosts.yaml", Hosts)


@lru_cache(maxsize=1)
def lures() -> Lures:
    """The lures that come with the program."""
    return _shipped("lures.yaml", Lures)


def names(more: tuple[Path, ...]) -> Names:
    """The names that come with the program and those of further files; a brand there takes the place of one here.

    Raises ConfigurationError with every problem at its place.
    """
    read = [_shipped("names.yaml", Names)]
    read += [load(decode(path.read_bytes(), str(path)), str(path), Names) for path in more]
    return Names(
        version="1",
        official=tuple(word for each in read for word in each.official),
        support=tuple(word for each in read for word in each.support),
        brands={name: brand for each in read for name, brand in each.brands.items()},
    )


def _shipped(name: str, wanted: type[T]) -> T:
    file = files("policies") / "lists" / "impersonation" / name
    return load(decode(file.read_bytes(), str(file)), str(file), wanted)
