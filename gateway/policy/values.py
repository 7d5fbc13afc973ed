"""How the values a condition wants are written, and the matchers they become.

Everything that lists values can be written in the same five ways: one value, a list of values, `{in: LIST}`,
`{not_in: LIST}`, `{matches: PATTERN}` (and a list of these). LIST is the name of a list of the policy, or a list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_network
from typing import Any, ClassVar

from gateway.policy.matchers import (
    NULL_SENDER,
    OPERATORS,
    Comparison,
    Contains,
    Listed,
    Matcher,
    Matching,
    Networks,
    OneOf,
    Without,
    address_keys,
    folded,
    host_keys,
    text_keys,
)
from gateway.policy.names import PolicyReader
from gateway.schema.nodes import ListNode, MapNode, Node, ScalarNode, quote
from gateway.schema.pattern import Pattern
from gateway.schema.reader import INVALID, Invalid, Reader
from gateway.schema.scalars import parse_size

LABEL_LIMIT = 120
"""Characters of the values that an explanation lists as wanted."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A kind of value: what a message calls it, what its text must be (ValueError otherwise), what it becomes."""

    noun: str
    parse: Callable[[str], Any]
    keys: Callable[[Any], tuple[str, ...]] | None

    @property
    def operators(self) -> tuple[str, ...]:
        """What may be asked of such values; networks are no texts that a pattern could be found in."""
        return ("in", "not_in", "matches", "contains") if self.keys else ("in", "not_in")

    def matcher(self, label: str, until: Mapping[Any, date]) -> Listed | Networks:
        """The matcher for values with the last day on which each counts."""
        return Networks(label, until) if self.keys is None else Listed(label, until, self.keys)


def _address(text: str) -> str:
    """`a@b`, `@b`, `.b` or `<>`; a bare domain could mean two things and is refused."""
    lower = folded(text).rstrip(".")
    if lower in (NULL_SENDER, "postmaster"):  # RFC 5321 section 4.5.1: the one address that needs no domain
        return lower
    local, at, domain = lower.rpartition("@")
    if not at and not lower.startswith("."):
        raise ValueError(text)
    name = domain if at else lower[1:]
    if not all(name.split(".")) or any(char.isspace() for char in lower):
        raise ValueError(text)
    return f"{local}@{domain}" if at else lower


def _host(text: str) -> str:
    lower = folded(text).rstrip(".")
    if not all(lower.removeprefix(".").split(".")) or any(char.isspace() or char in "@/*" for char in lower):
        raise ValueError(text)
    return lower


def _word(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return folded(text)


ADDRESS = Vocabulary('an address, "@domain", ".domain" (with its subdomains) or "<>"', _address, address_keys)
HOST = Vocabulary('a host name or ".domain" (with its subdomains)', _host, host_keys)
WORD = Vocabulary("a text", _word, text_keys)
NETWORK = Vocabulary('an address or network such as "10.0.0.0/8"', ip_network, None)


@dataclass(frozen=True, slots=True)
class Values:
    """What is wanted, ready to be held against a message. Subclasses say of what kind the values are."""

    matcher: Matcher
    VOCABULARY: ClassVar[Vocabulary] = WORD
    EXPECTED: ClassVar = "texts"

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Values | Invalid:
        """The values, written in one of the five ways."""
        assert isinstance(reader, PolicyReader)
        matcher = read_values(node, reader, cls.VOCABULARY)
        return INVALID if isinstance(matcher, Invalid) else cls(matcher)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The five ways, for editors."""
        one = {"type": ["string", "number"]}
        way = {"type": "object", "maxProperties": 1, "propertyNames": {"enum": list(cls.VOCABULARY.operators)}}
        return {"anyOf": [one, way, {"type": "array", "minItems": 1, "items": {"anyOf": [one, way]}}]}


@dataclass(frozen=True, slots=True)
class Words(Values):
    """Texts; case does not count."""


@dataclass(frozen=True, slots=True)
class Addresses(Values):
    """Mail addresses: `a@b.vn`, `@b.vn` (that domain), `.b.vn` (it and its subdomains), `<>` (the null sender)."""

    VOCABULARY: ClassVar[Vocabulary] = ADDRESS
    EXPECTED: ClassVar = "addresses"


@dataclass(frozen=True, slots=True)
class Hosts(Values):
    """Host names: `mx.b.vn`, or `.b.vn` (it and all below it)."""

    VOCABULARY: ClassVar[Vocabulary] = HOST
    EXPECTED: ClassVar = "host names"


@dataclass(frozen=True, slots=True)
class NetworkValues(Values):
    """Addresses and networks: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`."""

    VOCABULARY: ClassVar[Vocabulary] = NETWORK
    EXPECTED: ClassVar = "networks"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number to compare with: `"> 50"`, `">= 0.9"`, `"> 10MB"`, `"<= 3"`, or a plain number that must be equal."""

    matcher: Comparison
    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = 'a comparison such as "> 10", ">= 0.9" or "> 10MB"'

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Amount | Invalid:
        comparison = parse_comparison(node.text) if isinstance(node, ScalarNode) else None
        return cls(comparison) if comparison else reader.wrong(node, cls.EXPECTED)


def parse_comparison(text: str) -> Comparison | None:
    """The comparison that a text writes, None if it is not one."""
    sign = next((sign for sign in OPERATORS if text.startswith(sign)), "")
    number = text.removeprefix(sign).strip()
    try:
        limit = float(parse_size(number)) if number[-1:].isalpha() else float(number)
    except ValueError:
        return None
    if limit != limit or abs(limit) == float("inf"):
        return None
    return Comparison(text if sign else f"= {text}", OPERATORS[sign or "="], limit)


def read_values(node: Node, reader: PolicyReader, kind: Vocabulary) -> Matcher | Invalid:
    """The matcher for values of a kind, written in one of the five ways."""
    if isinstance(node, MapNode):
        return _operation(node, reader, kind)
    if isinstance(node, ScalarNode):
        return _inline((node,), reader, kind)
    assert isinstance(node, ListNode)
    if not node.items:
        return reader.problem(node, f"{node.place}: an empty list never matches")
    plain = tuple(item for item in node.items if isinstance(item, ScalarNode))
    matchers: list[Matcher | Invalid] = [_inline(plain, reader, kind)] if plain else []
    matchers += [read_values(item, reader, kind) for item in node.items if isinstance(item, MapNode)]
    for item in node.items:
        if isinstance(item, ListNode):
            matchers.append(reader.wrong(item, kind.noun))
    good = [matcher for matcher in matchers if not isinstance(matcher, Invalid)]
    if len(good) < len(matchers):
        return INVALID
    return good[0] if len(good) == 1 else OneOf(tuple(good))


def _operation(node: MapNode, reader: PolicyReader, kind: Vocabulary) -> Matcher | Invalid:
    """`{in: …}`, `{not_in: …}`, `{matches: …}`, `{contains: …}`: one of them."""
    known = kind.operators
    matchers: list[Matcher | Invalid] = []
    for key, value in node.entries:
        if key.text not in known:
            matchers.append(reader.unknown_key(key, node, known))
        else:
            matchers.append(_operator(key.text, value, reader, kind))
    if len(node.entries) != 1:
        return reader.problem(node, f"{node.place} must have one key, not {len(node.entries)}")
    return matchers[0]


def _operator(name: str, node: Node, reader: PolicyReader, kind: Vocabulary) -> Matcher | Invalid:
    if name == "matches":
        pattern = reader.read(node, Pattern)
        return INVALID if isinstance(pattern, Invalid) else Matching(pattern)
    if name == "contains":
        text = reader.read(node, str)
        return INVALID if isinstance(text, Invalid) else Contains(text)
    listed = _list(node, reader, kind)
    if isinstance(listed, Invalid):
        return INVALID
    return listed if name == "in" else Without(listed)


def _list(node: Node, reader: PolicyReader, kind: Vocabulary) -> Listed | Networks | Invalid:
    """The values of `in` and `not_in`: the name of a list, or a list of values."""
    if isinstance(node, ListNode):
        if not node.items:
            return reader.problem(node, f"{node.place}: an empty list says nothing")
        if wrong := [item for item in node.items if not isinstance(item, ScalarNode)]:
            return reader.wrong(wrong[0], kind.noun)
        return _inline(tuple(item for item in node.items if isinstance(item, ScalarNode)), reader, kind)
    if not isinstance(node, ScalarNode) or node.empty:
        return reader.wrong(node, "the name of a list, or a list")
    entries = reader.list_named(node)
    if isinstance(entries, Invalid):
        return INVALID
    until: dict[Any, date] = {}
    for entry in entries:
        try:
            value = kind.parse(entry.value)
        except ValueError:
            said = f"list {quote(node.text)} is used here for {kind.noun}, but has {quote(entry.value)}"
            return reader.problem(node, f"{said} at {entry.where}")
        until[value] = max(entry.expires, until.get(value, date.min))
    return kind.matcher(f"in list {node.text}", until)


def _inline(nodes: tuple[ScalarNode, ...], reader: PolicyReader, kind: Vocabulary) -> Listed | Networks | Invalid:
    until: dict[Any, date] = {}
    good = True
    for node in nodes:
        try:
            until[kind.parse(node.text)] = date.max
        except ValueError:
            good = bool(reader.wrong(node, kind.noun, _address_hint(node.text, kind))) and False
    label = " or ".join(node.text for node in nodes)
    label = label if len(label) <= LABEL_LIMIT else f"one of {len(nodes)} values"
    return kind.matcher(label, until) if good else INVALID


def _address_hint(text: str, kind: Vocabulary) -> str:
    """A bare domain is the likeliest mistake."""
    bare = kind is ADDRESS and "." in text and "@" not in text and not text.startswith(".") and " " not in text
    return f'; write "@{text}" for the domain, ".{text}" for its subdomains too' if bare else ""
