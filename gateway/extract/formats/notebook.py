"""OneNote sections (one, [MS-ONESTORE]): attached files, which a click opens from the page, and the text around them.

The structure is a log of revisions that few programs read whole. Files are found by the GUID before each
(FileDataStoreObject, 2.6.13), also those that a revision has deleted; texts by their look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.extract.documents.plain_xml import PlainXml
from gateway.extract.formats import Fact, Member, Reader
from gateway.extract.room import Full, Room
from gateway.reading import Reason, Trait, Zone
from gateway.traits import Mark

FILES = 1_000
"""Attached files of a section, pictures and their copies among them."""

TEXTS = 50_000
"""Pieces of text of a section."""

_FILE = b"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac"
_HEAD = 36  # GUID, length (8), unused (4), reserved (8)
# Letters in UTF-16: ASCII, Latin with Vietnamese, general punctuation.
_WIDE = re.compile(rb"(?:[\x20-\x7e\xa0-\xff\n\r\t]\0|[\0-\xff][\x01\x02\x03\x1e\x20]){4,4096}")
_FILE_NAME = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]{1,200}\.[A-Za-z0-9]{2,10}")


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """Attached files with all names that the section has, as nothing near says which is whose; then the texts."""
    spans = list(_spans(data))
    outside = b"\0\0".join(_outside(data, spans))
    lines: list[str] = []
    for found in _WIDE.finditer(outside):
        if len(lines) >= TEXTS:
            raise Full(Reason.TOO_MANY, f"more than {TEXTS} texts in a section")
        lines.append(found[0].decode("utf-16-le", "replace").strip())
    lines = list(dict.fromkeys(filter(None, lines)))
    names = tuple(line for line in lines if _FILE_NAME.fullmatch(line))
    for begin, stop in spans:
        room.check()
        content = data[begin:stop]
        if not content.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
            yield Trait(word=Mark.EMBEDDED_FILE, detail=", ".join(names)[:300])
            yield Member(names=names, content=content)
        else:
            yield Member(content=content)
    yield from PlainXml.text(place, "onenote", Zone.ATTACHMENT, lines)


READERS: Mapping[str, Reader] = {"onenote": read}


def _spans(data: bytes) -> Iterator[tuple[int, int]]:
    at = data.find(_FILE)
    for _ in range(FILES):
        if at < 0:
            return
        length = int.from_bytes(data[at + 16 : at + 24], "little")
        begin = at + _HEAD
        yield begin, min(begin + length, len(data))
        at = data.find(_FILE, begin + length if begin + length < len(data) else begin)
    if at >= 0:
        raise Full(Reason.TOO_MANY, f"more than {FILES} files in a section")


def _outside(data: bytes, spans: list[tuple[int, int]]) -> Iterator[bytes]:
    last = 0
    for begin, stop in spans:
        yield data[last:begin]
        last = stop
    yield data[last:]
