"""Declared types as the reader sees them: one shape for each annotation.

Reading, JSON Schema and reference pages all go by these. `shape_of` raises TypeError for an annotation that cannot be
read; that is a mistake in the program, never in a file.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from gateway.schema.nodes import ListNode, MapNode, Node, ScalarNode, quote
from gateway.schema.scalars import SCALARS, ScalarType

NOTHING = frozenset({"", "none", "null", "~"})
"""Plain scalars, in lower case, that mean None where None is allowed."""

_KINDS: Mapping[type[Node], str] = {ScalarNode: "a single value", ListNode: "a list", MapNode: "a mapping"}
_ALL_KINDS = frozenset(_KINDS)


@dataclass(frozen=True, slots=True)
class Position:
    """Where something is in an operator's file; line and column count from 1, 0 where it is in no file."""

    path: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


NOWHERE = Position()
"""The default of a field that gets its position from the reader, for values that are made by hand."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value with a rule of its own."""

    type: ScalarType


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; `values` has what each word means."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of values of one type; a single value may stand for a list of one where the items are single values."""

    item: Any
    build: Callable[[Iterable[Any]], Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping whose keys are free."""

    key: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Union:
    """One of several types that differ by the kind of node; more than one may be single values, tried in order."""

    members: tuple[Any, ...]
    optional: bool


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a dataclass: the field's `name`, the `key` in the file, its type, and the field for its default."""

    name: str
    key: str
    type: Any
    field: Field[Any]

    @property
    def required(self) -> bool:
        """True if the field has no default."""
        return self.field.default is MISSING and self.field.default_factory is MISSING

    @property
    def default(self) -> str:
        """The default as it would be written; a field whose default depends on the machine tells it in its metadata."""
        if told := self.field.metadata.get("default"):
            return str(told)
        factory = self.field.default_factory
        return written(self.field.default if factory is MISSING else factory(), self.type)


@dataclass(frozen=True, slots=True)
class Record:
    """A dataclass: a mapping whose keys are its fields. `position` names the field that gets the mapping's place."""

    cls: type
    keys: Mapping[str, Key]
    position: str


@dataclass(frozen=True, slots=True)
class Custom:
    """A class that reads itself from a node (`from_node`); `NODES` may name the kinds of node it reads."""

    cls: Any


@dataclass(frozen=True, slots=True)
class Raw:
    """A node that is handed on as it is."""

    cls: type[Node]


Shape = Scalar | Choice | Sequence | Table | Union | Record | Custom | Raw


@lru_cache(maxsize=4096)
def shape_of(wanted: Any) -> Shape:
    """The shape of an annotation. Raises TypeError for one that cannot be read from a file."""
    if wanted in SCALARS:
        return Scalar(SCALARS[wanted])
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments)
    if origin is Literal and all(isinstance(word, str) for word in arguments):
        return Choice({word: word for word in arguments})
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return Sequence(arguments[0], tuple)
    if origin is frozenset:
        return Sequence(arguments[0], frozenset)
    if origin is Mapping:
        return Table(*arguments)
    return _class(wanted)


def _class(wanted: Any) -> Shape:
    if hasattr(wanted, "from_node"):
        return Custom(wanted)
    if isinstance(wanted, type) and issubclass(wanted, Node):
        return Raw(wanted)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return Choice({_word(member): member for member in wanted})
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _record(wanted)
    if hasattr(wanted, "__supertype__"):
        return shape_of(wanted.__supertype__)
    raise TypeError(f"{wanted!r} cannot be read from a file")


def _word(member: Enum) -> str:
    return member.value if isinstance(member.value, str) else member.name.lower()


def _record(cls: type) -> Record:
    hints = get_type_hints(cls)
    keys = [
        Key(field.name, field.metadata.get("key", field.name), hints[field.name], field)
        for field in fields(cls)
        if field.init and hints[field.name] is not Position
    ]
    position = next((field.name for field in fields(cls) if field.init and hints[field.name] is Position), "")
    return Record(cls, {key.key: key for key in keys}, position)


def _union(arguments: tuple[Any, ...]) -> Union:
    members = [argument for argument in arguments if argument is not types.NoneType]
    # IPv4Network | IPv6Network is one thing to an operator, and dissolves in a wider union.
    for scalar in SCALARS:
        parts = get_args(scalar)
        if parts and all(part in members for part in parts):
            members = [member for member in members if member not in parts] + [scalar]
    for kind in (ListNode, MapNode):
        if sum(kind in kinds(member) for member in members) > 1:
            raise TypeError(f"two members of the union {members!r} are read from {_KINDS[kind]}")
    return Union(tuple(members), len(members) < len(arguments) and types.NoneType in arguments)


def kinds(wanted: Any) -> frozenset[type[Node]]:
    """The kinds of node that a value of this type may be written as."""
    match shape_of(wanted):
        case Scalar() | Choice():
            return frozenset({ScalarNode})
        case Sequence(item=item):
            return frozenset({ListNode}) | (kinds(item) & {ScalarNode})
        case Table() | Record():
            return frozenset({MapNode})
        case Union(members=members, optional=optional):
            own = frozenset({ScalarNode}) if optional else frozenset()
            return own.union(*(kinds(member) for member in members))
        case Custom(cls=cls):
            return frozenset(getattr(cls, "NODES", _ALL_KINDS))
        case Raw(cls=cls):
            return frozenset(kind for kind in _KINDS if issubclass(kind, cls))


def expected(wanted: Any) -> str:
    """The type in the words of a message: "must be ..."."""
    match shape_of(wanted):
        case Scalar(type=scalar):
            return scalar.expected
        case Choice(values=values):
            return one_of(values)
        case Union(members=members, optional=optional):
            return " or ".join([*map(expected, members), *(["none"] if optional else [])])
        case Custom(cls=cls) if hasattr(cls, "EXPECTED"):
            return str(cls.EXPECTED)
        case _:
            return " or ".join(words for kind, words in _KINDS.items() if kind in kinds(wanted))


def one_of(words: Iterable[str]) -> str:
    """`one of "a", "b"`, or the only word."""
    quoted = [quote(word) for word in words]
    return quoted[0] if len(quoted) == 1 else "one of " + ", ".join(quoted)


def written(value: Any, wanted: Any) -> str:
    """A value of that type as an operator would write it on one line; for defaults in pages and schemas."""
    if value is None:
        shape = shape_of(wanted)
        return "none" if isinstance(shape, Union) and shape.optional else "-"
    match shape_of(wanted):
        case Scalar(type=scalar):
            return scalar.write(value)
        case Choice(values=values):
            return next(word for word, meaning in values.items() if meaning == value)
        case Sequence(item=item):
            items = [written(one, item) for one in value]
            return f"[{', '.join(sorted(items) if isinstance(value, frozenset) else items)}]"
        case Union(members=[only]):
            return written(value, only)
        case Table() | Record():
            return "{}"
        case _:
            return str(value)
