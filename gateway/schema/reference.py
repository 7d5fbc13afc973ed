"""The reference page of a dataclass that operators write: one Markdown table for it and for each it contains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.schema.docs import class_doc, field_docs
from gateway.schema.shapes import Key, Record, Sequence, Table, Union, expected, shape_of


def reference(cls: type, heading: str = "###") -> str:
    """Markdown: a heading, the docstring and a table of keys for the class and each dataclass reached from it."""
    return "\n".join(_section(record, heading) for record in _records(cls))


def table(cls: type) -> str:
    """The Markdown table of one dataclass's keys: key, type, default, meaning."""
    record = shape_of(cls)
    if not isinstance(record, Record):
        raise TypeError(f"{cls!r} has no keys")
    docs = field_docs(cls)
    rows = [_row(key, docs.get(key.name, "")) for key in record.keys.values()]
    return "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows, ""])


def _section(record: Record, heading: str) -> str:
    doc = class_doc(record.cls)
    return "\n".join([f"{heading} {record.cls.__name__}", "", *([doc, ""] if doc else []), table(record.cls)])


def _row(key: Key, doc: str) -> str:
    default = "required" if key.required else f"`{key.default}`" if key.default else '`""`'
    cells = [f"`{key.key}`", _words(key.type), default, doc]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _words(wanted: Any) -> str:
    match shape_of(wanted):
        case Sequence(item=item):
            return f"list of: {_words(item)}"
        case Table(value=value):
            return f"mapping of names to: {_words(value)}"
        case Record(cls=cls):
            return cls.__name__
        case Union(members=members, optional=optional):
            return " or ".join([*map(_words, members), *(["none"] if optional else [])])
        case _:
            return expected(wanted)


def _records(cls: type) -> Iterator[Record]:
    """The dataclass and all that are reached from its keys, each once, in the order they are met."""
    seen: list[Any] = []
    waiting: list[Any] = [cls]
    while waiting:
        wanted = waiting.pop(0)
        if wanted in seen:
            continue
        seen.append(wanted)
        match shape_of(wanted):
            case Record() as record:
                yield record
                waiting += [key.type for key in record.keys.values()]
            case Sequence(item=item):
                waiting.append(item)
            case Table(value=value):
                waiting.append(value)
            case Union(members=members):
                waiting += members
