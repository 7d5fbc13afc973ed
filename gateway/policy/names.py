"""What a policy may name: filters, lists, rules; and the reader that knows them while a policy is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Literal

from gateway.policy.catalogue import FilterKind
from gateway.schema.nodes import Document, MapNode, Node, Place, ScalarNode, quote
from gateway.schema.reader import INVALID, Invalid, Reader
from gateway.schema.shapes import Position, one_of
from gateway.verdict import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedEntry:
    """A list's value with who allowed it, on what basis, and until when; after that day it does not count."""

    value: str
    """The value itself."""
    approved_by: str = ""
    """Who decided it, by role."""
    basis: str = ""
    """The document it rests on."""
    expires: date = field(default=date.max, metadata={"default": "never"})
    """The last day on which it counts."""
    note: str = ""
    """For people."""
    where: Position


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a list, plain or as a mapping with its approval."""

    dated: DatedEntry
    NODES: ClassVar = (ScalarNode, MapNode)
    EXPECTED: ClassVar = 'a value, or a mapping with "value"'

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Entry | Invalid:
        """A bare value is an entry without approval."""
        if isinstance(node, MapNode):
            dated = reader.read(node, DatedEntry)
            return INVALID if isinstance(dated, Invalid) else cls(dated)
        value = reader.read(node, str)
        return INVALID if isinstance(value, Invalid) else cls(DatedEntry(value=value, where=reader.position(node)))


@dataclass(frozen=True, slots=True)
class Names:
    """Everything a condition may refer to, over all layers of a policy."""

    filters: Mapping[str, FilterKind] = field(default_factory=dict)
    lists: Mapping[str, tuple[DatedEntry, ...]] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    retention: tuple[str, ...] = ()


class PolicyReader(Reader):
    """A reader that knows the names a policy may use, and says what it expected where one is wrong."""

    def __init__(self, document: Document, names: Names) -> None:
        super().__init__(document)
        self.names = names

    def list_named(self, node: ScalarNode) -> tuple[DatedEntry, ...] | Invalid:
        """The entries of the list that a node names."""
        entries = self.names.lists.get(node.text)
        return self.unknown(node, "list", self.names.lists) if entries is None else entries

    def problem_at(self, where: Position, message: str) -> Literal[Invalid.INVALID]:
        """Notes a problem at a place that was kept when its node was read."""
        return self.problem(Node(line=where.line, column=where.column, place=Place()), message)

    def unknown(
        self, node: Node, what: str, options: Iterable[str], name: str | None = None
    ) -> Literal[Invalid.INVALID]:
        """Notes that nothing has the name that the node is, or the part of it that is `name`, and what there is."""
        if name is None:
            name = node.written if isinstance(node, ScalarNode) else ""
        return self.unknown_name(self.position(node), what, options, name)

    def unknown_name(self, where: Position, what: str, options: Iterable[str], name: str) -> Literal[Invalid.INVALID]:
        """The same at a place that was kept."""
        known = list(options)
        there = f"; expected {one_of(known)}" if known else f"; there is no {what}"
        return self.problem_at(where, f"unknown {what} {quote(name)}{there}{self._did_you_mean(name, known)}")


@dataclass(frozen=True, slots=True)
class FindingName:
    """A kind of finding, written `filter.code`."""

    filter: str
    code: str
    cls: type[Finding]
    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = 'a finding such as "attachments.executable"'

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> FindingName | Invalid:
        """The finding of that name, of those that the filters declare."""
        assert isinstance(node, ScalarNode)
        assert isinstance(reader, PolicyReader)
        name, dot, code = node.text.partition(".")
        if not dot:
            return reader.wrong(node, cls.EXPECTED)
        if (kind := reader.names.filters.get(name)) is None:
            return reader.unknown(node, "filter", reader.names.filters, name)
        if (finding := kind.findings.get(code)) is None:
            return reader.unknown(node, f"finding of {name}", kind.findings, code)
        return cls(name, code, finding)


@dataclass(frozen=True, slots=True)
class FilterName:
    """A filter that there is."""

    text: str
    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = "the name of a filter"

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> FilterName | Invalid:
        """The filter of that name."""
        assert isinstance(node, ScalarNode)
        assert isinstance(reader, PolicyReader)
        known = reader.names.filters
        return cls(node.text) if node.text in known else reader.unknown(node, "filter", known)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Which filters there are, the gateway knows."""
        return {"type": "string"}
