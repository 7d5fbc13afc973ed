"""Nodes to the values a type declares, every problem at once: the file before is `nodes.py`.

What can be read, by annotation: `str`, `int`, `float`, `bool`, `Duration`, `Size`, `date`, `time`, `Network`, `Path`,
`Pattern`, `Literal`, enumerations (by value if that is a text, else by name in lower case), `tuple[T, ...]`,
`frozenset[T]`, `Mapping[K, T]`, `T | None` (nothing, `none`, `null` or `~`), unions that differ by the kind of node,
frozen dataclasses, `Node` and its kinds (left as they are), and classes that read themselves:

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Self | Invalid: ...

The fields of a dataclass are its keys; `field(metadata={"key": "with"})` names one otherwise. A field with no default
is a required key. A field of type `Position` is no key: it gets the mapping's place in the file. A ValueError from
`__post_init__` or `from_node` is a problem at the node, a `Misfit` one at a key of it. A relative `Path` is taken from
the folder of the file that names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, overload

from gateway.errors import ConfigurationError, Problem
from gateway.schema.nodes import (
    PROBLEM_LIMIT,
    BrokenNode,
    Document,
    ListNode,
    MapNode,
    Node,
    ScalarNode,
    compose,
    quote,
)
from gateway.schema.scalars import ScalarType
from gateway.schema.shapes import (
    NOTHING,
    Choice,
    Custom,
    Position,
    Raw,
    Record,
    Scalar,
    Sequence,
    Table,
    Union,
    expected,
    kinds,
    one_of,
    shape_of,
)

T = TypeVar("T")


class Invalid(Enum):
    """What `Reader.read` gives where there was a problem; the problem is noted already."""

    INVALID = "invalid"


INVALID: Final = Invalid.INVALID

_WORD_LIMIT = 60
"""Characters up to which a word is compared with those that were expected."""


def load(text: str, path: str, wanted: type[T]) -> T:
    """The value of type `wanted` that a YAML text holds. Raises ConfigurationError with every problem."""
    document = compose(text, path)
    reader = Reader(document)
    value = reader.read(document.root, wanted)
    reader.finish()
    assert not isinstance(value, Invalid)
    return value


class Misfit(ValueError):
    """A value that fits its type and not its dataclass: raised by `__post_init__` to be reported at the key.

    The message goes on from the key: Misfit("deadline", "must be at most 90s").
    """

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        self.message = message
        super().__init__(f"{key} {message}")


class Reader:
    """Reads the nodes of one document and collects what is wrong with them, first of all the document's own problems.

    Methods that note a problem return INVALID, so that a `from_node` can return what they return.
    """

    def __init__(self, document: Document) -> None:
        self.path = document.path
        self._problems = list(document.problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything noted so far, in the order of the file."""
        return tuple(sorted(self._problems))

    def finish(self) -> None:
        """Raises ConfigurationError if anything was noted."""
        if self._problems:
            raise ConfigurationError(tuple(self._problems))

    def position(self, node: Node) -> Position:
        """The node's place in the file, to be kept; `str()` of it is "path:line:column"."""
        return Position(self.path, node.line, node.column)

    def relative(self, path: Path) -> Path:
        """The path as seen from the folder of the file that names it."""
        return Path(self.path).parent / path

    def problem(self, node: Node, message: str) -> Literal[Invalid.INVALID]:
        """Notes a problem at the node, in these words."""
        if len(self._problems) < PROBLEM_LIMIT and not isinstance(node, BrokenNode):
            self._problems.append(Problem(self.path, node.line, node.column, message))
        return INVALID

    def wrong(self, node: Node, expected: str, hint: str = "") -> Literal[Invalid.INVALID]:
        """Notes that the value is not of its type: "rules[0].then must be `expected`, not ...", and a hint."""
        return self.problem(node, f"{_place(node)} must be {expected}, not {_shown(node)}{hint}")

    def unknown_key(self, key: ScalarNode, mapping: Node, known: Iterable[str]) -> Literal[Invalid.INVALID]:
        """Notes a key that the mapping does not have, with those it has."""
        where = f" in {place}" if (place := str(mapping.place)) else ""
        options = list(known)
        expected = f"; expected {one_of(options)}" if options else ""
        hint = self._did_you_mean(key.written, options)
        return self.problem(key, f"unknown key {quote(key.written)}{where}{expected}{hint}")

    def missing_key(self, mapping: Node, key: str) -> Literal[Invalid.INVALID]:
        """Notes, at the mapping, that it must have the key."""
        where = f" in {place}" if (place := str(mapping.place)) else ""
        return self.problem(mapping, f"missing key {quote(key)}{where}")

    def choice(self, node: Node, options: Iterable[str]) -> str | Invalid:
        """The node's text if it is one of the options."""
        known = list(options)
        if not isinstance(node, ScalarNode):
            return self.wrong(node, one_of(known))
        if node.text not in known:
            return self.wrong(node, one_of(known), self._did_you_mean(node.written, known))
        return node.text

    @overload
    def read(self, node: Node, wanted: type[T]) -> T | Invalid: ...

    @overload
    def read(self, node: Node, wanted: object) -> Any: ...

    def read(self, node: Node, wanted: Any) -> Any:
        """The value of type `wanted` that the node holds, or INVALID. Raises TypeError for a type nobody can read."""
        if isinstance(node, BrokenNode):
            return INVALID
        match shape_of(wanted):
            case Scalar(type=scalar):
                return self._scalar(node, scalar)
            case Choice(values=values):
                word = self.choice(node, values)
                return INVALID if isinstance(word, Invalid) else values[word]
            case Sequence() as sequence:
                return self._sequence(node, sequence)
            case Table() as table:
                return self._table(node, table)
            case Union() as union:
                return self._union(node, union)
            case Record() as record:
                return self._record(node, record)
            case Custom(cls=cls):
                return self._custom(node, cls)
            case Raw(cls=cls):
                return node if isinstance(node, cls) else self.wrong(node, expected(wanted))

    def _scalar(self, node: Node, scalar: ScalarType) -> Any:
        if not isinstance(node, ScalarNode) or node.empty:
            return self.wrong(node, scalar.expected)
        try:
            value = scalar.parse(node.text)
        except ValueError:
            return self.wrong(node, scalar.expected)
        return self.relative(value) if isinstance(value, Path) else value

    def _sequence(self, node: Node, sequence: Sequence) -> Any:
        if isinstance(node, ListNode):
            items = node.items
        elif isinstance(node, ScalarNode) and not node.empty and ScalarNode in kinds(sequence.item):
            items = (node,)
        else:
            return self.wrong(node, "a list")
        values = [self.read(item, sequence.item) for item in items]
        return INVALID if any(value is INVALID for value in values) else sequence.build(values)

    def _table(self, node: Node, table: Table) -> Any:
        if not isinstance(node, MapNode):
            return self.wrong(node, "a mapping")
        pairs = [(self.read(key, table.key), self.read(value, table.value)) for key, value in node.entries]
        return INVALID if any(part is INVALID for pair in pairs for part in pair) else dict(pairs)

    def _union(self, node: Node, union: Union) -> Any:
        if union.optional and isinstance(node, ScalarNode) and not node.quoted and node.text.lower() in NOTHING:
            return None
        members = [member for member in union.members if type(node) in kinds(member)]
        if len(members) == 1:
            return self.read(node, members[0])
        before = len(self._problems)
        for member in members:
            value = self.read(node, member)
            if value is not INVALID:
                return value
            del self._problems[before:]
        return self.wrong(node, " or ".join(map(expected, members or union.members)))

    def _record(self, node: Node, record: Record) -> Any:
        if not isinstance(node, MapNode):
            return self.wrong(node, "a mapping")
        values: dict[str, Any] = {record.position: self.position(node)} if record.position else {}
        for name, value in node.entries:
            if key := record.keys.get(name.text):
                values[key.name] = self.read(value, key.type)
            else:
                values[name.text] = self.unknown_key(name, node, record.keys)
        for key in record.keys.values():
            if key.required and key.name not in values:
                values[key.name] = self.missing_key(node, key.key)
        if any(value is INVALID for value in values.values()):
            return INVALID
        try:
            return record.cls(**values)
        except Misfit as error:
            return self.problem(node.get(error.key) or node, _joined(node, f"{error.key} {error.message}"))
        except ValueError as error:
            return self.problem(node, _prefixed(node, str(error)))

    def _custom(self, node: Node, cls: Any) -> Any:
        if type(node) not in kinds(cls):
            return self.wrong(node, expected(cls))
        try:
            return cls.from_node(node, self)
        except ValueError as error:
            return self.problem(node, _prefixed(node, str(error)))

    def _did_you_mean(self, written: str, options: list[str]) -> str:
        # difflib is quadratic in the words: not for texts that are no words, nor for a file that is wrong all over.
        if len(written) > _WORD_LIMIT or len(self._problems) >= PROBLEM_LIMIT:
            return ""
        by_lower_case = {option.lower(): option for option in options}
        close = get_close_matches(written.lower(), by_lower_case, n=1)
        return f" (did you mean {quote(by_lower_case[close[0]])}?)" if close else ""


def _shown(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return "empty" if node.empty else quote(node.written)
    return "a list" if isinstance(node, ListNode) else "a mapping"


def _place(node: Node) -> str:
    return str(node.place) or "the file"


def _joined(node: Node, message: str) -> str:
    return f"{place}.{message}" if (place := str(node.place)) else message


def _prefixed(node: Node, message: str) -> str:
    return f"{place}: {message}" if (place := str(node.place)) else message
