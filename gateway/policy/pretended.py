"""What filters find in a case's message because the case says so: for those that would ask a network or an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import NoneType
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from gateway.policy.catalogue import FilterKind, testable_fields
from gateway.policy.names import PolicyReader
from gateway.schema.nodes import ListNode, MapNode, Node, ScalarNode
from gateway.schema.reader import INVALID, Invalid, Reader
from gateway.verdict import Finding


@dataclass(frozen=True, slots=True)
class Pretended:
    """The findings of each filter that is not asked: `{sender_auth: [{dmarc: {result: fail}}], virus: []}`. A field
    that is left out is empty, or the first of its words."""

    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    NODES: ClassVar = (MapNode,)
    EXPECTED: ClassVar = "a mapping of filters to their findings"

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Pretended | Invalid:
        """Each filter's findings, by the types of their own fields."""
        assert isinstance(node, MapNode)
        assert isinstance(reader, PolicyReader)
        found: dict[str, tuple[Finding, ...] | Invalid] = {}
        for name, value in node.entries:
            if (kind := reader.names.filters.get(name.text)) is None:
                found[name.text] = reader.unknown(name, "filter", reader.names.filters)
            elif not isinstance(value, ListNode):
                found[name.text] = reader.wrong(value, "a list of findings")
            else:
                found[name.text] = _findings(value, kind, reader)
        good = {name: each for name, each in found.items() if not isinstance(each, Invalid)}
        return cls(good) if len(good) == len(found) else INVALID

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """A list for each filter; what is in it, the filter knows."""
        return {"type": "object", "additionalProperties": {"type": "array"}}


def _findings(node: ListNode, kind: FilterKind, reader: PolicyReader) -> tuple[Finding, ...] | Invalid:
    read = [_finding(item, kind, reader) for item in node.items]
    good = tuple(finding for finding in read if not isinstance(finding, Invalid))
    return good if len(good) == len(read) else INVALID


def _finding(node: Node, kind: FilterKind, reader: PolicyReader) -> Finding | Invalid:
    """One finding: its code alone, or with its fields."""
    if isinstance(node, ScalarNode):
        key, written = node, None
    elif isinstance(node, MapNode) and len(node.entries) == 1 and isinstance(node.entries[0][1], MapNode):
        key, written = node.entries[0]
    else:
        return reader.wrong(node, "a finding's code, or one with a mapping of its fields")
    if (cls := kind.findings.get(key.text)) is None:
        return reader.unknown(key, f"finding of {kind.name}", kind.findings, key.text)
    hints, known = get_type_hints(cls), testable_fields(cls)
    values: dict[str, Any] = {name: _empty(hints[name]) for name in known}
    for name, value in written.entries if isinstance(written, MapNode) else ():
        if name.text in known:
            values[name.text] = reader.read(value, hints[name.text])
        else:
            values[name.text] = reader.unknown(name, f"field of {kind.name}.{key.text}", known)
    return INVALID if any(value is INVALID for value in values.values()) else cls(**values)


def _empty(hint: Any) -> Any:
    """The value of a field of which a case says nothing."""
    arguments = get_args(hint)
    if NoneType in arguments:
        return None
    if get_origin(hint) is Literal:
        return arguments[0]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    return (get_origin(hint) or hint)()
