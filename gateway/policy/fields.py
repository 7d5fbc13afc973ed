"""What a rule wants of the fields of a finding, read by the types that the filter declares for them.

The file before is `when.py`; the file after is `found.py`, which holds findings against what is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from gateway.policy.catalogue import testable_fields
from gateway.policy.matchers import Matcher, OneOf, Truthful
from gateway.policy.names import FindingName, PolicyReader
from gateway.policy.values import WORD, Amount, parse_comparison, read_values
from gateway.schema.nodes import ListNode, MapNode, Node, ScalarNode, quote
from gateway.schema.reader import INVALID, Invalid


def read_field(key: ScalarNode, node: Node, found: tuple[FindingName, ...], reader: PolicyReader) -> Matcher | Invalid:
    """What is wanted of the field named by `key`, which all the findings must have, with the same type."""
    types = []
    for name in found:
        known = testable_fields(name.cls)
        if key.text not in known:
            return reader.unknown(key, f"field of {name.filter}.{name.code}", known)
        types.append(known[key.text])
    if any(kind != types[0] for kind in types):
        return reader.problem(key, f"field {quote(key.text)} is not of one type in all these findings")
    return _wanted(node, types[0], reader)


def words_of(kind: Any) -> tuple[str, ...]:
    """The words that a field of this type may hold; none if any text will do."""
    if get_origin(kind) is Literal:
        return tuple(str(word) for word in get_args(kind))
    return tuple(str(member.value) for member in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()


def _wanted(node: Node, kind: Any, reader: PolicyReader) -> Matcher | Invalid:
    if kind is bool:
        wanted = reader.read(node, bool)
        return INVALID if isinstance(wanted, Invalid) else Truthful(wanted)
    if kind in (int, float):
        return _numbers(node, reader)
    words = words_of(kind)
    strange = [item for item in _scalars(node) if item.text not in words] if words else []
    for item in strange:
        reader.choice(item, words)
    return INVALID if strange else read_values(node, reader, WORD)


def _scalars(node: Node) -> Iterator[ScalarNode]:
    """The plain values that are written: one, a list of them, or a list under `in` or `not_in`."""
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, ListNode):
        yield from (item for item in node.items if isinstance(item, ScalarNode))
    elif isinstance(node, MapNode):
        for key, value in node.entries:
            if key.text in ("in", "not_in") and isinstance(value, ListNode):
                yield from _scalars(value)


def _numbers(node: Node, reader: PolicyReader) -> Matcher | Invalid:
    if isinstance(node, ListNode) and not node.items:
        return reader.problem(node, f"{node.place}: an empty list never matches")
    matchers = [_number(item, reader) for item in (node.items if isinstance(node, ListNode) else (node,))]
    good = tuple(matcher for matcher in matchers if not isinstance(matcher, Invalid))
    return INVALID if len(good) < len(matchers) else good[0] if len(good) == 1 else OneOf(good)


def _number(node: Node, reader: PolicyReader) -> Matcher | Invalid:
    comparison = parse_comparison(node.text) if isinstance(node, ScalarNode) else None
    return comparison or reader.wrong(node, Amount.EXPECTED)
