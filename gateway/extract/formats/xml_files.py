"""XML files: Word 2003 and Excel 2003 documents, flat Office and OpenDocument files, and any other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.extract.documents.legacy_fonts import with_legacy_readings
from gateway.extract.documents.markup import walked
from gateway.extract.documents.office_text import OfficeText
from gateway.extract.documents.open_text import OpenText
from gateway.extract.documents.plain_xml import PlainXml
from gateway.extract.formats import Fact, Reader
from gateway.extract.room import Room
from gateway.reading import Link, Trait, Zone
from gateway.traits import Mark

_OFFICE = re.compile(rb"<(?:\w+:)?(?:wordDocument|Workbook|package)[\s>]")
_OPEN = re.compile(rb"<(?:\w+:)?document(?:-content)?\s[^>]{0,8000}urn:oasis:names:tc:opendocument")
_BEGINNING = 16 * 1024
# Windows opens these by name: what they start is in an element of theirs.
_STARTS = re.compile(
    rb"<(?:\w+:)?(DeepLink|SimpleLocation|url|IconPath|IconReference|iconReference)\b[^>]{0,200}>\s*([^<]{1,2000})"
)


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """The text, and what Office documents of this form run and fetch."""
    beginning = data[:_BEGINNING]
    handler: OfficeText | OpenText | PlainXml
    if _OFFICE.search(beginning):
        handler = OfficeText(place, "xml", {})
    elif _OPEN.search(beginning):
        handler = OpenText(place, "odt")
    else:
        handler = PlainXml(place, "xml", Zone.ATTACHMENT)
        for found in _STARTS.finditer(beginning):
            target = found[2].decode("utf-8", "replace").strip()
            if found[1] == b"DeepLink" or target.startswith(("\\\\", "http", "file:")):
                yield Trait(word=Mark.SHORTCUT, detail=target[:300])
                yield Link(place=place, target=target, source="shortcut")
    yield from with_legacy_readings(walked(data, handler, room), getattr(handler, "fonts", set()))


READERS: Mapping[str, Reader] = {"xml": read}
