"""Compound files: old Word, Excel and PowerPoint, objects of other programs, encrypted Office files.

Storages nest: an embedded document is a storage of its container, and is read as it would be alone.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping

from gateway.extract.documents.compound import Compound, Path
from gateway.extract.documents.fields import remote
from gateway.extract.documents.legacy_fonts import font_names, with_legacy_readings
from gateway.extract.documents.macros import macro_facts, projects
from gateway.extract.documents.ole_objects import package_facts
from gateway.extract.documents.plain_xml import PlainXml
from gateway.extract.documents.slides_binary import slides_facts
from gateway.extract.documents.summary import property_texts
from gateway.extract.documents.word_binary import word_facts
from gateway.extract.documents.workbook_binary import workbook_facts
from gateway.extract.formats import Fact, Locked, Member, Reader
from gateway.extract.inflate import Inflater, unfolded
from gateway.extract.room import Meter, Room
from gateway.reading import Blind, Link, Reason, Trait, Zone
from gateway.traits import Mark

FONTS_LOOKED_AT = 4 * 1024 * 1024
"""Bytes of a stream in which names of fonts are looked for."""

ACTIVE_MIME_HEADER = 256
"""Bytes in which the deflated part begins, at 0x32 mostly."""

_EQUATIONS = frozenset({"0002CE02-0000-0000-C000-000000000046", "0002CE03-0000-0000-C000-000000000046"})
_MAIN = frozenset({"worddocument", "workbook", "book", "powerpoint document"})
_ADDRESS = re.compile(rb"(?:(?:h\0t\0t\0p\0s?\0?:\0/\0/\0)|(?:f\0i\0l\0e\0:\0)|(?:\\\0\\\0))(?:[^\0]\0){1,1000}")
_OBJECTS = _MAIN | {"\x01compobj", "\x01ole", "\x01ole10native", "equation native"}


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """All storages, the outermost first."""
    compound = Compound(data, room)
    fonts: set[str] = set()
    yield from with_legacy_readings(_facts(compound, place, room, fonts), fonts)


def read_active_mime(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """What Word 2003 and web pages of Office keep macros in: a compound file, deflated behind a header of no use."""
    at = data.find(b"\x78", len("ActiveMime"), ACTIVE_MIME_HEADER)
    while at >= 0:
        if content := _inflated(data, at, room):
            yield Member(content=content)
            return
        at = data.find(b"\x78", at + 1, ACTIVE_MIME_HEADER)
    raise ValueError("nothing to unfold")


READERS: Mapping[str, Reader] = {
    **dict.fromkeys(("doc", "xls", "ppt", "ole", "encrypted-office"), read),
    "activemime": read_active_mime,
}


def _inflated(data: bytes, at: int, room: Room) -> bytes:
    return unfolded(Inflater(zlib.MAX_WBITS), memoryview(data)[at:], Meter(room, len(data))).content


def _facts(compound: Compound, place: str, room: Room, fonts: set[str]) -> Iterator[Fact]:
    known = False
    locked = ""
    for storage in projects(compound):
        known = True
        yield from macro_facts(compound, storage)
    for storage in compound.storages:
        if "VBA" in storage:
            continue
        try:
            for fact in _storage_facts(compound, storage, place, room):
                known = True
                yield fact
        except Locked as problem:
            locked = locked or str(problem)
        for name in compound.streams_of(storage):
            if name.lower() in ("workbook", "book", "1table", "0table", "powerpoint document"):
                fonts |= font_names(compound.read(*storage, name)[:FONTS_LOOKED_AT])
                known = True
    if locked:
        raise Locked(locked)
    if compound.damage:
        raise ValueError(compound.damage)
    if not known:
        yield Blind(place=place, reason=Reason.UNSUPPORTED, detail="a compound file of an unknown program")


def _storage_facts(compound: Compound, storage: Path, place: str, room: Room) -> Iterator[Fact]:
    streams = {name.lower(): name for name in compound.streams_of(storage)}

    def stream(name: str) -> bytes:
        return compound.read(*storage, streams[name]) if name in streams else b""

    if storage and streams.keys() & _OBJECTS:
        yield from _object_facts(compound, storage, stream("\x01compobj"))
    for name in streams:
        if name.endswith("summaryinformation"):
            texts = property_texts(stream(name))
            yield from PlainXml.text(place, "ole", Zone.PROPERTY, texts)
    if "encryptedpackage" in streams or "drmcontent" in "".join(streams):
        raise Locked("an Office file with a password")
    if "worddocument" in streams:
        yield from word_facts(stream("worddocument"), (stream("0table"), stream("1table")), place, room)
    for name in ("workbook", "book"):
        if name in streams:
            yield from workbook_facts(stream(name), place, room)
    if "powerpoint document" in streams:
        yield from slides_facts(stream("powerpoint document"), stream("current user"), place, room)
    if "\x01ole10native" in streams:
        yield from package_facts(stream("\x01ole10native"), prefixed=True)
    for name in ("package", "contents", "embeddedodf"):
        if name in streams:
            yield Member(content=stream(name))
    if "equation native" in streams:
        yield Trait(word=Mark.EQUATION, detail="Equation Native")
    for name in streams:
        if name[:1] == "_" and (content := stream(name))[4:5] == b"\x78":  # oledata.mso: objects by number, deflated
            yield Member(content=_inflated(content, 4, room))
    if "\x01ole" in streams:
        yield from _linked(stream("\x01ole"), place)


def _object_facts(compound: Compound, storage: Path, described: bytes) -> Iterator[Fact]:
    """What a storage inside another is: its class, and the name that its program gives it."""
    identity = compound.class_of(storage)
    length = int.from_bytes(described[28:32], "little")
    title = described[32 : 32 + min(length, 200)].rstrip(b"\0").decode("cp1252", "replace")
    yield Trait(word=Mark.OLE_OBJECT, detail=f"{title} {identity}".strip())
    if identity in _EQUATIONS:
        yield Trait(word=Mark.EQUATION, detail=identity)


def _linked(data: bytes, place: str) -> Iterator[Fact]:
    """The stream \\x01Ole ([MS-OLEDS] 2.3.3): where a linked object comes from."""
    if not int.from_bytes(data[4:8], "little") & 1:
        return
    for found in _ADDRESS.finditer(data):
        target = found[0].decode("utf-16-le", "replace").partition("\0")[0]
        yield Trait(word=Mark.EXTERNAL_LINK, detail=target[:300])
        if remote(target):
            yield Link(place=place, target=target, source="object")
