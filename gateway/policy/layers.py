"""The files a policy is made of, each before those that extend it, and what is written in each of them.

The file before is `load.py`; what becomes of things that several files say is in `merge.py`.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway.errors import ConfigurationError, Problem
from gateway.policy.model import PolicyFile, Version, WrittenException
from gateway.policy.names import DatedEntry, Entry, Names, PolicyReader
from gateway.policy.rule import WrittenRule
from gateway.schema.nodes import Document, ListNode, MapNode, Node, ScalarNode, compose, decode, quote
from gateway.schema.reader import Invalid, Reader
from gateway.schema.shapes import Position, Record, shape_of

DEPTH_LIMIT = 8
"""Files above each other: State, ministry, province, department and unit make five."""

CURRENT = Version(Version.EXPECTED)

FILE_LIMIT = 64
"""Files of one policy."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a policy, not yet understood."""

    path: Path
    document: Document

    def node(self, key: str) -> Node | None:
        """What is written under a key of the file."""
        return self.document.root.get(key) if isinstance(self.document.root, MapNode) else None

    def entries(self, key: str) -> tuple[tuple[ScalarNode, Node], ...]:
        """What is written in the mapping under a key of the file."""
        return node.entries if isinstance(node := self.node(key), MapNode) else ()

    def items(self, key: str) -> tuple[Node, ...]:
        """What is written in the list under a key of the file; a single value is a list of one."""
        node = self.node(key)
        return node.items if isinstance(node, ListNode) else (node,) if node is not None else ()


@dataclass(slots=True)
class Sources:
    """The files found so far, those that are extended before those that extend them, and what was wrong."""

    files: list[Source] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path, above: tuple[Path, ...] = (), said: Position | None = None) -> None:
        """Read the file and those it extends. `above` is the way that led here, `said` where the file is named."""
        said = said or Position(str(path), 1, 1)
        if path in above:
            way = " -> ".join(map(str, (*above[above.index(path) :], path)))
            return self._problem(said, f"these files extend each other: {way}")
        if any(source.path == path for source in self.files):
            return None
        if len(above) >= DEPTH_LIMIT or len(self.files) >= FILE_LIMIT:
            return self._problem(said, f"more than {DEPTH_LIMIT} files above each other, or {FILE_LIMIT} in all")
        try:
            document = compose(decode(path.read_bytes(), str(path)), str(path))
        except OSError as error:
            return self._problem(said, f"cannot read {quote(str(path))}: {error.strerror or error}")
        except ConfigurationError as error:
            self.problems.extend(error.problems)
            return None
        source = Source(path, document)
        for node, upper in _extended(source):
            self.add(upper, (*above, path), Position(str(path), node.line, node.column))
        self.files.append(source)
        return None

    def _problem(self, said: Position, message: str) -> None:
        self.problems.append(Problem(said.path, said.line, said.column, message))


def _extended(source: Source) -> Iterator[tuple[Node, Path]]:
    """The files that a file extends. What is no path is a problem of its reading, not of its finding."""
    for item in source.items("extends"):
        if isinstance(item, ScalarNode) and item.text:
            yield item, Path(os.path.normpath(source.path.parent / item.text))


def names_of(sources: list[Source], names: Names) -> Names:
    """`names` with the lists, rules and classes of retention of all files.

    What cannot be read here is a problem later, in its place.
    """
    lists: dict[str, tuple[DatedEntry, ...]] = {}
    rules: dict[str, None] = {}
    retention: dict[str, None] = {}
    for source in sources:
        reader = Reader(source.document)
        for name, values in source.entries("lists"):
            entries = reader.read(values, tuple[Entry, ...])
            found = () if isinstance(entries, Invalid) else tuple(entry.dated for entry in entries)
            lists[name.text] = lists.get(name.text, ()) + found
        retention |= {name.text: None for name, _ in source.entries("retention")}
        for item in source.items("rules"):
            if isinstance(item, MapNode) and isinstance(rule := item.get("id"), ScalarNode):
                rules[rule.text] = None
    return replace(names, lists=lists, rules=tuple(rules), retention=tuple(retention))


@dataclass(frozen=True, slots=True)
class Layer:
    """One file of a policy, understood: what is wrong in it is noted by its reader."""

    source: Source
    reader: PolicyReader
    file: PolicyFile

    @classmethod
    def of(cls, source: Source, names: Names) -> Layer:
        """Everything in the file that can be understood; one broken rule does not hide the mistakes of the next."""
        reader = PolicyReader(source.document, names)
        root = source.document.root
        record = shape_of(PolicyFile)
        assert isinstance(record, Record)
        if not isinstance(root, MapNode):
            reader.wrong(root, "a mapping")
            return cls(source, reader, PolicyFile(version=CURRENT))
        values: dict[str, Any] = {"version": CURRENT}
        for name, node in root.entries:
            if key := record.keys.get(name.text):
                value = _read(node, key.type, reader)
                values |= {} if isinstance(value, Invalid) else {key.name: value}
            else:
                reader.unknown_key(name, root, record.keys)
        if root.get("version") is None:
            reader.missing_key(root, "version")
        return cls(source, reader, PolicyFile(**values))


_ITEMS: Mapping[Any, Any] = {
    tuple[WrittenRule, ...]: WrittenRule,
    tuple[WrittenException, ...]: WrittenException,
}


def _read(node: Node, wanted: Any, reader: PolicyReader) -> Any:
    """A key of the file; of rules and exceptions, those that can be understood."""
    if wanted not in _ITEMS or not isinstance(node, ListNode):
        return reader.read(node, wanted)
    items = [reader.read(item, _ITEMS[wanted]) for item in node.items]
    return tuple(item for item in items if not isinstance(item, Invalid))
