"""OpenDocument packages (odt, ods, odp; ODF 1.3 part 2) and EPUB: XML parts, scripts, embedded objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.extract.documents.legacy_fonts import with_legacy_readings
from gateway.extract.documents.markup import Malformed, walked
from gateway.extract.documents.open_text import OpenText
from gateway.extract.documents.package import parts_by
from gateway.extract.formats import Fact, Locked, Member, Reader
from gateway.extract.room import Room
from gateway.reading import Blind, Reason, Trait
from gateway.traits import Mark

_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_ENCRYPTED = re.compile(rb"<(?:\w+:)?encryption-data[\s/>]|<(?:\w+:)?EncryptedData[\s/>]")
_DULL = re.compile(r"(?:^|/)(?:mimetype|settings\.xml|manifest\.rdf|layout-cache)$|^Configurations2/|^Thumbnails/")
_BASIC = re.compile(r"(?:^|/)(?:Basic|Dialogs)/.+\.(?:xml|xlb|xba|xdl)$")
_CODE = re.compile(rb"<script:module\b[^>]{0,400}>\s*(?:REM[^\n]{0,200}\s*)?(?:Sub\s+Main\s*(?:End\s+Sub)?)?\s*<")


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """All parts; the manifest, which says what is encrypted, first."""
    fonts: set[str] = set()
    yield from with_legacy_readings(_facts(data, place, room, fonts), fonts)


def read_book(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """An EPUB: its pages are files of their own."""
    for name, content in parts_by(data, room, lambda _: 0):
        if name == "META-INF/encryption.xml" and b"EncryptedData" in content and b"font" not in content.lower():
            yield Blind(place=place, reason=Reason.ENCRYPTED, detail=name)
        if not name.endswith(("mimetype", ".css", ".otf", ".ttf")):
            yield Member(names=(name.rpartition("/")[2],), content=content)


READERS: Mapping[str, Reader] = {**dict.fromkeys(("odt", "ods", "odp"), read), "epub": read_book}


def _facts(data: bytes, place: str, room: Room, fonts: set[str]) -> Iterator[Fact]:
    for name, content in parts_by(data, room, lambda name: name != "META-INF/manifest.xml"):
        if name == "META-INF/manifest.xml":
            if _ENCRYPTED.search(content):
                raise Locked("an OpenDocument file with a password")
        elif _BASIC.search(name):
            if not name.endswith((".xlb", "-lc.xml", "-lb.xml")) and not _CODE.search(content):
                yield Trait(word=Mark.MACRO, detail=name[:100])
        elif name.startswith("Scripts/"):
            yield Trait(word=Mark.MACRO, detail=name[:100])
            yield Member(names=(name.rpartition("/")[2],), content=content)
        elif _DULL.search(name):
            continue
        elif _XML.match(content):
            yield from _xml(name, content, place, room, fonts)
        elif content:
            if "Object" in name and not name.startswith("ObjectReplacements/"):
                yield Trait(word=Mark.OLE_OBJECT, detail=name[:100])
            yield Member(names=(name.rpartition("/")[2],), content=content)


def _xml(name: str, content: bytes, place: str, room: Room, fonts: set[str]) -> Iterator[Fact]:
    text = OpenText(place, "odt")
    try:
        yield from walked(content, text, room)
    except Malformed as problem:
        yield Blind(place=place, reason=Reason.CORRUPT, detail=f"{name[:80]}: {problem}")
    fonts |= text.fonts
