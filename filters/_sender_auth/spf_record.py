"""An SPF record as text to its terms (RFC 7208 sections 4.6.1, 5, 6 and 12)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

VERSION = "v=spf1"

LONGEST = 16_384
"""Characters of a record: it has to fit into a DNS answer, and the largest in use have 4,000."""

LONGEST_SPEC = 512
"""Characters of a domain with macros; the longest name has 253."""

Result = Literal["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"]

QUALIFIERS: dict[str, Result] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}

_DIRECTIVE = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9_.-]*)(?:([:/])(.*))?", re.DOTALL)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_CIDRS = re.compile(r"(.*?)(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?", re.DOTALL)
_EXPAND = r"%\{[slodiphv][0-9]*r?[.\-+,/_=]*\}|%%|%_|%-"
_MACRO_STRING = re.compile(rf"(?:{_EXPAND}|[!-$&-~])*+", re.IGNORECASE)
_LAST_LABEL = r"[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9]"
_DOMAIN_END = re.compile(rf".*(?:\.(?:{_LAST_LABEL})\.?|{_EXPAND})", re.IGNORECASE)


class PermanentError(Exception):
    """The domain's records are wrong (permerror); its text says how."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One directive: what it says where it matches, and what it matches. `spec` is a domain with macros, "" for the
    domain that is being asked about; `network` is for ip4 and ip6, the prefix lengths for a and mx."""

    result: Result
    name: str
    spec: str = ""
    network: IPv4Network | IPv6Network | None = None
    prefix4: int = 32
    prefix6: int = 128


@dataclass(frozen=True, slots=True)
class Record:
    """A whole record; `redirect` and `exp` are domains with macros, "" where they are not given."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str = ""
    exp: str = ""


def is_spf(text: str) -> bool:
    """True if a TXT record is one of SPF's (section 4.5)."""
    return text[: len(VERSION)].lower() == VERSION and text[len(VERSION) : len(VERSION) + 1] in ("", " ")


def parse(text: str) -> Record:
    """The terms of a record that `is_spf`. Raises PermanentError."""
    if len(text) > LONGEST:
        raise PermanentError("the record is too long")
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, str] = {}
    for term in text[len(VERSION) :].split(" "):
        if not term:
            continue
        if found := _MODIFIER.fullmatch(term):
            _modifier(found[1].lower(), found[2], modifiers)
        elif directive := _DIRECTIVE.fullmatch(term):
            mechanisms.append(_mechanism(term, *directive.groups(default="")))
        else:
            raise PermanentError(f"{term[:80]!a} is no term")
    return Record(tuple(mechanisms), modifiers.get("redirect", ""), modifiers.get("exp", ""))


def _modifier(name: str, value: str, modifiers: dict[str, str]) -> None:
    if name not in ("redirect", "exp"):
        if not _MACRO_STRING.fullmatch(value):  # section 6: unknown ones are ignored where their syntax is right
            raise PermanentError(f"{name}= is no modifier")
        return
    if name in modifiers:
        raise PermanentError(f"{name}= stands twice")
    modifiers[name] = _domain_spec(value)


def _mechanism(term: str, qualifier: str, name: str, mark: str, rest: str) -> Mechanism:
    result, name = QUALIFIERS[qualifier or "+"], name.lower()
    match name:
        case "all" if not mark:
            return Mechanism(result, name)
        case "include" | "exists" if mark == ":":
            return Mechanism(result, name, _domain_spec(rest))
        case "ptr" if mark != "/":
            return Mechanism(result, name, _domain_spec(rest) if mark else "")
        case "a" | "mx":
            return _with_prefixes(result, name, mark, rest)
        case "ip4" | "ip6" if mark == ":":
            return Mechanism(result, name, network=_network(name, rest))
        case _:
            raise PermanentError(f"{term[:80]!a} is no mechanism")


def _with_prefixes(result: Result, name: str, mark: str, rest: str) -> Mechanism:
    found = _CIDRS.fullmatch(f"/{rest}" if mark == "/" else rest)
    assert found is not None
    spec, four, six = found.groups()
    if mark == ":":
        spec = _domain_spec(spec)
    if (mark != ":" and spec) or int(four or 0) > 32 or int(six or 0) > 128:
        raise PermanentError(f"{name} has a wrong prefix length")
    return Mechanism(result, name, spec, prefix4=int(four) if four else 32, prefix6=int(six) if six else 128)


def _network(name: str, text: str) -> IPv4Network | IPv6Network:
    address, slash, length = text.partition("/")
    if slash and not re.fullmatch("0|[1-9][0-9]{0,2}", length, re.ASCII):
        raise PermanentError(f"{name} has a wrong prefix length")
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise PermanentError(f"{text[:80]!a} is no address") from None
    if network.version != int(name[-1]) or "%" in address:
        raise PermanentError(f"{text[:80]!a} is no address for {name}")
    return network


def _domain_spec(text: str) -> str:
    """Section 7.1: macros, then a last label that is not all digits, or a macro at the end."""
    if len(text) > LONGEST_SPEC or not _MACRO_STRING.fullmatch(text) or not _DOMAIN_END.fullmatch(text):
        raise PermanentError(f"{text[:80]!a} is no domain")
    return text
