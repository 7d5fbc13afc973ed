"""XML to calls, hardened: entities are refused, depth is bounded, nothing is fetched, elements go by their local names
(a prefix can be renamed, `w:t` is `x:t` to Word)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol
from xml.parsers import expat

from gateway.extract.formats import Fact
from gateway.extract.room import Full, Room
from gateway.reading import Reason

CHUNK = 1024 * 1024
"""Bytes between two looks at the clock. Not less: expat 2.5 reads a token that is unfinished again with each chunk."""

DEPTH = 2_000
"""Elements inside each other. Word gives up at some hundred nested tables; only attacks have more."""

NAMES = 4_096
"""Distinct element names that are remembered; the largest vocabulary in use, WordprocessingML, has 1,500."""

Malformed = expat.ExpatError
"""What `parse` raises where it is no XML."""


class Handler(Protocol):
    """What `parse` calls. Names are local."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins; its attributes still have their prefixes (`value` finds one)."""

    def end(self, name: str) -> None:
        """An element ends."""

    def data(self, text: str) -> None:
        """Characters, as many as there are between two tags."""


class Teller(Handler, Protocol):
    """A handler that gathers facts."""

    def finish(self) -> list[Fact]:
        """All that was found, when the document is over or cannot be read on."""


class Enough(Exception):
    """For handlers: this document need not be read on."""


def value(attributes: Mapping[str, str], name: str) -> str:
    """An attribute by its local name, "" where there is none."""
    if name in attributes:
        return attributes[name]
    suffix = f":{name}"
    return next((text for key, text in attributes.items() if key.endswith(suffix)), "")


def parse(data: bytes, handler: Handler, room: Room) -> None:
    """Read a document. Raises Malformed, and Full: a declared entity is a bomb, too many levels are too deep."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 64 * 1024
    local: dict[str, str] = {}
    depth = 0

    def name_of(name: str) -> str:
        short = name.rpartition(":")[2]
        if len(local) < NAMES:
            local[name] = short
        return short

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise Full(Reason.TOO_DEEP, f"XML of more than {DEPTH} levels")
        handler.start(local.get(name) or name_of(name), attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(local.get(name) or name_of(name))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handler.data
    parser.EntityDeclHandler = _entity
    view = memoryview(data)
    try:
        for at in range(0, len(data), CHUNK):
            room.check()
            parser.Parse(view[at : at + CHUNK], False)
        parser.Parse(b"", True)
    except Enough:
        return


def walked(data: bytes, teller: Teller, room: Room) -> Iterator[Fact]:
    """What a handler found, also where the document breaks off. Raises as `parse` does, when all has been told."""
    problem: Exception | None = None
    try:
        parse(data, teller, room)
    except (Malformed, Full) as caught:
        problem = caught
    yield from teller.finish()
    if problem is not None:
        raise problem


def _entity(*_: object) -> None:
    raise Full(Reason.BOMB, "XML that declares entities")
