"""Readers of formats: one module for a family, each with a table `READERS` of kinds (the words of
`gateway/mime/kinds.py`) and the functions that read them.

A reader is a generator:

    def read(data: bytes, place: str, room: Room) -> Iterator[Text | Link | Trait | Member | Blind]

- `data` is the whole file. `place` is put into each Text, Link and Blind as it is, or with what a person needs to find
  it behind it ("…/sheet3"). A Trait is of the file itself. A Member is a file inside: give it and forget it, the caller
  opens it (and lists it, takes its digest, finds out its kind, keeps its depth). Of an Office file each part that the
  reader does not read itself is a Member: a program hides in a picture's place.
- It runs in a process of its own that can open no file, start no thread and no process, and that is killed when it
  takes too long: **import at the top of the module**, never inside a function; whatever a library loads lazily must
  have been loaded when the module has been imported. What is imported costs every gateway memory once.
- It may raise anything. What it gave before counts; the exception becomes a Blind: `Full` its own reason, `Locked`
  "encrypted", MemoryError "too-big", any other "corrupt".
- Bytes that it unfolds itself are counted: `Meter(room, packed).more(n)` while unfolding, in chunks; so is work without
  output, by `room.check()` once in a loop. Members that are given as bytes have been counted by whoever unfolded them;
  texts and links are counted by the caller.
- Where `room.ocr` is true, pages that are pictures are Members (PNG, JPEG or TIFF): somebody else recognises them.
- Zip-based formats read their parts by `gateway/extract/zips.py`, which sees what any program would see.
- Kinds of text (text, html, svg, xml, scripts) are read by the caller; a reader of one of them adds to that.
- Silence means that all was read: what is not is a Blind with its reason.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from gateway.extract.room import Room
from gateway.reading import Blind, Link, Reason, Text, Trait

MAX_NAME = 255
"""Characters of a name that are part of a place; file systems take 255 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file inside a file. `names` are all it may be shown by, `label` is what its place is called before its name, ""
    if the name is enough. `content` is its bytes, None where it is listed only; `reason` says why it is not there, or
    not all there. `size` is needed only where `content` is None, `media_type` and `charset` only where one is declared.
    """

    names: tuple[str, ...] = ()
    label: str = ""
    content: bytes | None = None
    size: int = 0
    media_type: str = ""
    charset: str = ""
    reason: Reason | None = None
    detail: str = ""

    def place_in(self, place: str) -> str:
        """Where it is, inside the file at `place`."""
        name = self.names[0][:MAX_NAME] if self.names else ""
        return "/".join(piece for piece in (place, self.label, name) if piece) or "?"


class Locked(Exception):
    """A password is needed to read this."""


Fact = Text | Link | Trait | Member | Blind
Reader = Callable[[bytes, str, Room], Iterator[Fact]]


@cache
def readers() -> Mapping[str, tuple[Reader, ...]]:
    """All readers by kind; a kind that several modules name is read by each. Imports every module of this folder."""
    found: dict[str, tuple[Reader, ...]] = {}
    for module in sorted(each.name for each in pkgutil.iter_modules(__path__)):
        table: Mapping[str, Reader] = importlib.import_module(f"{__name__}.{module}").READERS
        for kind, reader in table.items():
            found[kind] = (*found.get(kind, ()), reader)
    return MappingProxyType(found)
