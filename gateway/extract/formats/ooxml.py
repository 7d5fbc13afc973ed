"""Office Open XML: docx, xlsx, xlsb, pptx and those with macros (ECMA-376).

Parts are told by what they are, not by their names: any part may have any name, and the relations say who uses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.extract.documents import macros, markup
from gateway.extract.documents.binary_sheet import BinarySheet, binary_strings
from gateway.extract.documents.legacy_fonts import with_legacy_readings
from gateway.extract.documents.markup import Enough, Malformed, value, walked
from gateway.extract.documents.office_text import OfficeText
from gateway.extract.documents.package import parts_by
from gateway.extract.documents.plain_xml import PlainXml
from gateway.extract.documents.relations import Relation, external_facts, owner_of, relation
from gateway.extract.documents.sheet_text import Sheet, Strings, Styles
from gateway.extract.formats import Fact, Member, Reader
from gateway.extract.room import Room
from gateway.mime.kinds import SNIFFED, kind_of
from gateway.reading import Blind, Link, Reason, Trait, Zone
from gateway.traits import Mark

_SHEET_ROOTS = frozenset(
    {"worksheet", "macrosheet", "dialogsheet", "chartsheet", "workbook", "externalLink", "connections", "table"}
)
_XML = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*<")
_FILES = frozenset({"aFChunk", "package", "oleObject", "attachedToolbars"})
_PICTURES = frozenset({"image", "hdphoto", "thumbnail", "media", "audio", "video", "font", "printerSettings", "ink"})
# Parts of no text and no danger, if they are what they say: their bytes are data of one program.
_DULL = re.compile(r"\.(?:odttf|fntdata)$|printerSettings\d*\.bin$|binaryIndex\d*\.bin$", re.IGNORECASE)
_MACROS = re.compile(r"vbaProject\w*\.bin$", re.IGNORECASE)


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """All parts: relations first, then shared strings and styles, then the rest in the order of the file."""
    fonts: set[str] = set()
    yield from with_legacy_readings(_Package(place, room, fonts).facts(data), fonts)


READERS: Mapping[str, Reader] = dict.fromkeys(("docx", "docm", "xlsx", "xlsm", "xlsb", "pptx", "pptm"), read)


class _Package:
    def __init__(self, place: str, room: Room, fonts: set[str]) -> None:
        self.place, self.room, self.fonts = place, room, fonts
        self.relations: dict[str, dict[str, Relation]] = {}
        self.kinds: dict[str, set[str]] = {}  # the parts by how others use them
        self.strings: list[str] = []
        self.pointed: set[int] = set()
        self.dates: frozenset[int] = frozenset()
        self.used: set[tuple[str, str]] = set()

    def facts(self, data: bytes) -> Iterator[Fact]:
        for name, content in parts_by(data, self.room, _rank):
            if _XML.match(content):
                yield from self._xml(name, content)
            else:
                yield from self._binary(name, content)
        yield from self._rest()

    def _xml(self, name: str, content: bytes) -> Iterator[Fact]:
        try:
            root = _Root()
            markup.parse(content, root, self.room)
            if name.endswith(".rels") or root.name == "Relationships":
                yield from self._relations(name, content)
            elif root.name == "sst":
                yield from self._shared_strings(content)
            elif root.name == "styleSheet":
                styles = Styles()
                markup.parse(content, styles, self.room)
                self.dates |= styles.dates
                self.fonts |= styles.fonts
            elif root.name in _SHEET_ROOTS:
                yield from self._sheet(name, content)
            elif "aFChunk" in self.kinds.get(name, ()) or root.name.lower() in ("html", "svg"):
                yield Member(names=(name.rpartition("/")[2],), content=content)
            elif name.startswith("customXml/"):
                yield from walked(content, PlainXml(self.place, "xml", Zone.PROPERTY), self.room)
            else:
                text = OfficeText(self.place, "docx", self.relations.get(name, {}))
                yield from walked(content, text, self.room)
                self.fonts |= text.fonts
                self.used |= {(name, identity) for identity in text.used}
        except Malformed as problem:
            if self.kinds.get(name, set()) & _FILES or b"<html" in content[:4096].lower():
                yield Member(names=(name.rpartition("/")[2],), content=content)
            else:
                yield Blind(place=self.place, reason=Reason.CORRUPT, detail=f"{name[:80]}: {problem}")

    def _sheet(self, name: str, content: bytes) -> Iterator[Fact]:
        sheet = Sheet(self.place, self.strings, self.dates, self.relations.get(name, {}))
        yield from walked(content, sheet, self.room)
        self.pointed |= sheet.pointed
        self.used |= {(name, identity) for identity in sheet.used}

    def _shared_strings(self, content: bytes) -> Iterator[Fact]:
        strings = Strings()
        markup.parse(content, strings, self.room)
        self.strings += strings.strings
        yield from ()

    def _relations(self, name: str, content: bytes) -> Iterator[Fact]:
        owner = owner_of(name)
        reader = _Relations(owner)
        markup.parse(content, reader, self.room)
        for each in reader.found:
            self.relations.setdefault(owner, {})[each.id] = each
            if not each.external:
                self.kinds.setdefault(each.target, set()).add(each.kind)
            if "acrosheet" in each.kind:
                yield Trait(word=Mark.XLM_MACRO, detail=each.target[:100])
            yield from external_facts(each, self.place)

    def _binary(self, name: str, content: bytes) -> Iterator[Fact]:
        used_as = self.kinds.get(name, set())
        if "vbaProject" in used_as or _MACROS.search(name) or macros.is_project(content, self.room):
            yield from macros.project_facts(content, self.room)
        elif name.endswith(".bin") and name.startswith("xl/") and not content.startswith(macros.COMPOUND):
            if name.rpartition("/")[2].lower() == "sharedstrings.bin":
                self.strings += binary_strings(content, self.room)
            elif not _DULL.search(name):
                yield from BinarySheet(self.place, self.strings, self.pointed, self.room).facts(content)
        elif content and not _DULL.search(name) and not (used_as & _PICTURES and kind_of(content[:SNIFFED]) == "data"):
            if used_as & {"oleObject", "package"}:
                yield Trait(word=Mark.OLE_OBJECT, detail=name[:100])
            elif "activeX" in name:
                yield Trait(word=Mark.ACTIVEX, detail=name[:100])
            yield Member(names=(name.rpartition("/")[2],), content=content)

    def _rest(self) -> Iterator[Fact]:
        """Links that no text showed, and strings that no cell points to."""
        for owner, relations in self.relations.items():
            for each in relations.values():
                if each.external and each.kind == "hyperlink" and (owner, each.id) not in self.used:
                    yield Link(place=self.place, target=each.target)
        if self.strings:
            lost = [text for at, text in enumerate(self.strings) if at not in self.pointed]
            yield from PlainXml.text(self.place, "xlsx", Zone.HIDDEN, lost)


class _Root:
    """The name of a document's root."""

    def __init__(self) -> None:
        self.name = ""

    def start(self, name: str, _: Mapping[str, str]) -> None:
        self.name = name
        raise Enough

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


class _Relations:
    def __init__(self, owner: str) -> None:
        self.found: list[Relation] = []
        self._owner = owner

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship":
            words = (value(attributes, key) for key in ("Id", "Type", "Target", "TargetMode"))
            self.found.append(relation(self._owner, *words))

    def end(self, name: str) -> None: ...

    def data(self, text: str) -> None: ...


def _rank(name: str) -> int:
    lower = name.lower()
    if lower.endswith(".rels"):
        return 0
    if "sharedstrings" in lower or "styles" in lower:
        return 1
    return 2
