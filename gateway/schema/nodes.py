"""YAML text to a tree of nodes that know their place: the file before is the operator's, the file after `reader.py`.

Only the plain part of YAML is taken: mappings, lists, and scalars that are kept as the text that was written (`on`,
`NO`, `22:30` and `0123` are what they look like). Anchors, aliases, tags, several documents and doubled keys are
problems. The tree is built from the events of PyYAML's C parser with a stack of our own, so that no depth of nesting
reaches Python's recursion and every limit is met before the memory is spent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import yaml

from gateway.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from yaml._yaml import Mark as _CMark

TEXT_LIMIT = 2_000_000
"""Octets of a file. A list of all a ministry's accounts belongs in a directory file, not in YAML."""

NODE_LIMIT = 200_000
"""Nodes of a file; about 100 MB of memory while it is read."""

DEPTH_LIMIT = 50
"""Mappings and lists inside each other. Conditions written by people stay under ten."""

PROBLEM_LIMIT = 200
"""Problems reported of the form of one file; a binary file by mistake does not fill a screen for an hour."""

# What YAML 1.2 section 5.1 calls non-printable, and the bidirectional controls that make a rule read other than it
# works (Unicode TR 36 section 2.10). In quotes they can still be written as an escape.
_UNWANTED = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
    "\U00010000-\U0010ffff]"
)
_UNWANTED_VALUE = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is in its document, as people write it: `str(place)` is "rules[0].then", "" for the document."""

    parent: Place | None = None
    step: str = ""

    def __str__(self) -> str:
        steps = []
        place: Place | None = self
        while place is not None:
            steps.append(place.step)
            place = place.parent
        return "".join(reversed(steps)).removeprefix(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What all nodes know: line and column of their first character, from 1, and their place in the document."""

    line: int
    column: int
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarNode(Node):
    """A single value. `text` is what it says, `written` what the file says, which is what messages show.

    They differ where a secret was put in. `quoted` is False for a plain scalar, such as an empty one.
    """

    text: str
    written: str
    quoted: bool

    @property
    def empty(self) -> bool:
        """True if nothing was written: `key:` and no more."""
        return not self.quoted and not self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNode(Node):
    """A list, in the order of the file."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapNode(Node):
    """A mapping, in the order of the file; no two keys have the same text."""

    entries: tuple[tuple[ScalarNode, Node], ...]

    def get(self, key: str) -> Node | None:
        """The value of that key, or None where it is not written."""
        return next((value for name, value in self.entries if name.text == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenNode(Node):
    """A node whose problem is noted already; nothing more is said of it."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file that could be understood as YAML. `problems` are those of its form that do not hinder reading on."""

    path: str
    root: Node
    problems: tuple[Problem, ...] = ()


def quote(text: str) -> str:
    """A stranger's or operator's text as messages show it: in quotes, on one line, printable, cut at 60 characters."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    return '"' + _printable(shown).replace('"', '\\"') + '"'


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def decode(content: bytes, path: str) -> str:
    """The text of a file's content, which must be UTF-8; a byte order mark is dropped. Raises ConfigurationError."""
    if len(content) > TEXT_LIMIT:
        raise _too_big(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        message = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise ConfigurationError((_problem_at(path, before, len(before), message),)) from None


def compose(text: str, path: str) -> Document:
    """The nodes of a YAML text; `path` is the file's name for messages.

    Raises ConfigurationError where there is no tree to read: not YAML, a limit reached, empty, several documents,
    characters that may not be there. What can be read on after is a problem of the document: doubled keys, tags,
    anchors, aliases, keys that are no scalars.
    """
    if len(text) > TEXT_LIMIT or len(text.encode("utf-8", "replace")) > TEXT_LIMIT:
        raise _too_big(path)
    text = text.removeprefix("\ufeff")
    if unwanted := _UNWANTED.search(text):
        message = f"character U+{ord(unwanted[0]):04X} is not allowed; in double quotes it may be written as an escape"
        raise ConfigurationError((_problem_at(path, text, unwanted.start(), message),))
    composer = _Composer(path)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        composer.fail(_spot(error.problem_mark or error.context_mark), _syntax(error))
    except yaml.YAMLError as error:
        composer.fail(_Spot(), f"not YAML: {quote(str(error))}")
    except _Stopped:
        pass
    return composer.document()


def _too_big(path: str) -> ConfigurationError:
    return ConfigurationError((Problem(path, 1, 1, f"the file is bigger than {TEXT_LIMIT // 1_000_000} MB"),))


def _problem_at(path: str, text: str, offset: int, message: str) -> Problem:
    before = text[:offset]
    return Problem(path, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, message)


def _syntax(error: yaml.MarkedYAMLError) -> str:
    where = f" {error.context}" if error.context else ""
    if error.context and error.context_mark and error.context_mark.line != getattr(error.problem_mark, "line", None):
        where += f" that begins at line {error.context_mark.line + 1}"
    return f"not YAML: {error.problem}{where}"


class _Stopped(Exception):
    """The rest of the file is not looked at: a limit is reached."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """Line and column, from 1."""

    line: int = 1
    column: int = 1


def _spot(mark: yaml.Mark | _CMark | None) -> _Spot:
    return _Spot(mark.line + 1, mark.column + 1) if mark else _Spot()


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not been seen. The items of a mapping are its keys and values by turns."""

    spot: _Spot
    place: Place
    is_mapping: bool
    items: list[Node] = field(default_factory=list)

    def place_of_next(self, text: str) -> Place:
        """The place of the item that comes now, whose text (of a key) is `text`."""
        if not self.is_mapping:
            return Place(self.place, f"[{len(self.items)}]")
        key = self.items[-1] if len(self.items) % 2 else None
        return key.place if key else Place(self.place, "." + _printable(text[:_SHOWN]))


class _Composer:
    """Takes the parser's events in their order and has the document, or its problems, at their end."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._problems: list[Problem] = []
        self._unusable = False
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._nodes = 0

    def document(self) -> Document:
        """The whole document. Raises ConfigurationError where there is none."""
        root = self._root
        if root is None and not self._problems:
            self._note(_Spot(), "the file is empty")
        problems = tuple(sorted(self._problems)[:PROBLEM_LIMIT])
        if root is None or self._unusable:
            raise ConfigurationError(problems)
        return Document(self._path, root, problems)

    def fail(self, spot: _Spot, message: str) -> None:
        """Notes a problem after which there is nothing to read."""
        self._note(spot, message)
        self._unusable = True

    def take(self, event: yaml.Event) -> None:
        """One event. Raises _Stopped where a limit is reached."""
        spot = _spot(event.start_mark)
        match event:
            case yaml.DocumentStartEvent() if self._root is not None:
                self._stop(spot, "a second document begins here; only one is taken")
            case yaml.AliasEvent(anchor=anchor):
                self._count(spot)
                self._note(spot, f"alias {quote(f'*{anchor}')}: aliases are not taken, write the value out")
                self._add(BrokenNode(line=spot.line, column=spot.column, place=self._place("")))
            case yaml.ScalarEvent(value=text, style=style):
                self._count(spot)
                self._check_form(spot, event)
                if unwanted := _UNWANTED_VALUE.search(text):
                    self._note(spot, f"the value holds the control character U+{ord(unwanted[0]):04X}")
                self._add(self._scalar(spot, text, quoted=bool(style)))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._count(spot)
                self._check_form(spot, event)
                if len(self._open) == DEPTH_LIMIT:
                    self._stop(spot, f"nested deeper than {DEPTH_LIMIT} levels")
                self._open.append(_Open(spot, self._place(""), isinstance(event, yaml.MappingStartEvent)))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._add(self._close(self._open.pop()))

    def _count(self, spot: _Spot) -> None:
        self._nodes += 1
        if self._nodes > NODE_LIMIT:
            self._stop(spot, f"more than {NODE_LIMIT:,} values in one file")

    def _check_form(self, spot: _Spot, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag:
            self._note(spot, f"tag {quote(str(event.tag))}: tags are not taken, types are known from the keys")
        if event.anchor:
            self._note(spot, f"anchor {quote(f'&{event.anchor}')}: anchors and aliases are not taken")

    def _place(self, text: str) -> Place:
        return self._open[-1].place_of_next(text) if self._open else Place()

    def _scalar(self, spot: _Spot, text: str, *, quoted: bool) -> ScalarNode:
        return ScalarNode(
            line=spot.line, column=spot.column, place=self._place(text), text=text, written=text, quoted=quoted
        )

    def _add(self, node: Node) -> None:
        if self._open:
            self._open[-1].items.append(node)
        else:
            self._root = node

    def _close(self, ended: _Open) -> Node:
        line, column = ended.spot.line, ended.spot.column
        if not ended.is_mapping:
            return ListNode(line=line, column=column, place=ended.place, items=tuple(ended.items))
        seen: dict[str, tuple[ScalarNode, Node]] = {}
        for key, value in zip(ended.items[::2], ended.items[1::2], strict=True):
            spot = _Spot(key.line, key.column)
            if isinstance(key, BrokenNode):
                continue
            if not isinstance(key, ScalarNode):
                self._note(spot, "a key must be a single text, not a list or mapping")
            elif key.text in seen:
                first, _ = seen[key.text]
                before = f"previously defined at line {first.line}, column {first.column}"
                self._note(spot, f"duplicate key {quote(key.text)}; {before}")
            else:
                seen[key.text] = (key, value)
        return MapNode(line=line, column=column, place=ended.place, entries=tuple(seen.values()))

    def _note(self, spot: _Spot, message: str) -> None:
        self._problems.append(Problem(self._path, spot.line, spot.column, message))

    def _stop(self, spot: _Spot, message: str) -> NoReturn:
        self.fail(spot, message)
        raise _Stopped
