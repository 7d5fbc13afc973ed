"""Records of a binary workbook, xlsb ([MS-XLSB] 2.3.2): strings, cells row by row, names of sheets, links."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from gateway.extract.documents.fields import dde_formula
from gateway.extract.documents.story import Story
from gateway.extract.formats import Fact
from gateway.extract.room import Room
from gateway.reading import Trait, Zone
from gateway.traits import Mark

RECORD = 4 * 1024 * 1024
"""Bytes of a record that are looked at; the largest, a cell's text, has 64 kB."""

_ROW, _STRING, _NAME, _SHEET = 0, 19, 39, 156
_BEGIN_LINK, _HEADERS, _COMMENT = 360, 479, 637
_INLINE = {6, 8, 17, 62}
_POINTS = {7, 18}
_COMPACT = range(12, 19)
_LINK_DDE, _LINK_OLE = 1, 2


def records(data: bytes, room: Room) -> Iterator[tuple[int, bytes]]:
    """Each record's number and content ([MS-XLSB] 2.1.4): both lengths are seven bits a byte."""
    at = 0
    count = 0
    while at < len(data):
        count += 1
        if count % 4096 == 0:
            room.check()
        number, at = _variable(data, at, 2)
        length, at = _variable(data, at, 4)
        yield number, data[at : at + min(length, RECORD)]
        at += length


def binary_strings(data: bytes, room: Room) -> list[str]:
    """The shared strings, in order."""
    return [_wide(content, 1)[0] for number, content in records(data, room) if number == _STRING]


class BinarySheet:
    """Any part of an xlsb, told by its records. `pointed` gathers which shared strings are shown."""

    def __init__(self, place: str, strings: Sequence[str], pointed: set[int], room: Room) -> None:
        self._place, self._strings, self._pointed, self._room = place, strings, pointed, room
        self._story = Story("xlsx")

    def facts(self, data: bytes) -> Iterator[Fact]:
        """What the part has."""
        for number, content in records(data, self._room):
            if number == _ROW:
                self._story.row()
            elif number < 19 or number == 62:
                yield from self._cell(number, content)
            else:
                yield from self._other(number, content)
        yield from self._story.texts(self._place)

    def _cell(self, number: int, content: bytes) -> Iterator[Fact]:
        at = 4 if number in _COMPACT else 8
        if number in _INLINE:
            shown = _wide(content, at + (number == 62))[0]
        elif number in _POINTS:
            index = int.from_bytes(content[at : at + 4], "little")
            self._pointed.add(index)
            shown = self._strings[index] if index < len(self._strings) else ""
        elif number in (2, 13) and len(content) >= at + 4:
            shown = rk(content[at : at + 4])
        elif number in (5, 9, 16) and len(content) >= at + 8:
            shown = f"{struct.unpack_from('<d', content, at)[0]:.15g}"
        else:
            return
        if shown[:1] in "=+-@" and (found := dde_formula(shown)):
            yield Trait(word=Mark.DDE, detail=found)
        self._story.write(shown)
        self._story.cell()

    def _other(self, number: int, content: bytes) -> Iterator[Fact]:
        if number == _SHEET:
            _, at = _wide(content, 8)
            title, _ = _wide(content, at)
            self._story.write(title + "\n", Zone.PROPERTY)
            if int.from_bytes(content[:4], "little") == 2:
                yield Trait(word=Mark.HIDDEN_SHEET, detail=title[:100])
        elif number == _NAME:
            title, _ = _wide(content, 9)
            if title.lower().removeprefix("_xlnm.").startswith(("auto_open", "auto_close", "auto_activate")):
                yield Trait(word=Mark.XLM_MACRO, detail=title[:100])
                yield Trait(word=Mark.AUTO_MACRO, detail=title[:100])
        elif number == _BEGIN_LINK:
            service, at = _wide(content, 2)
            topic, _ = _wide(content, at)
            if int.from_bytes(content[:2], "little") == _LINK_DDE:
                yield Trait(word=Mark.DDE, detail=f"{service} {topic}"[:300])
            elif int.from_bytes(content[:2], "little") == _LINK_OLE:
                yield Trait(word=Mark.EXTERNAL_LINK, detail=f"OLE link: {topic}"[:300])
        elif number == _HEADERS:
            at = 2
            for zone in (Zone.PAGE_HEADER, Zone.PAGE_FOOTER) * 3:
                text, at = _wide(content, at)
                self._story.write(text + "\n" if text else "", zone)
        elif number == _COMMENT:
            self._story.write(_wide(content, 1)[0] + "\n", Zone.COMMENT)


def rk(four: bytes) -> str:
    """A number in four bytes ([MS-XLSB] 2.5.122): 30 bits of an integer or of a double, perhaps times 100."""
    packed = int.from_bytes(four, "little")
    number: float
    if packed & 2:
        number = (packed >> 2) - (1 << 30 if packed >> 31 else 0)
    else:
        number = struct.unpack("<d", b"\0\0\0\0" + (packed & 0xFFFFFFFC).to_bytes(4, "little"))[0]
    return f"{number / 100 if packed & 1 else number:.15g}"


def _variable(data: bytes, at: int, most: int) -> tuple[int, int]:
    number = 0
    for place in range(most):
        byte = data[at] if at < len(data) else 0
        at += 1
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    return number, at


def _wide(content: bytes, at: int) -> tuple[str, int]:
    """An XLWideString at a place, and where it ends: four bytes of length, UTF-16. All ones is a null."""
    length = int.from_bytes(content[at : at + 4], "little")
    if length == 0xFFFFFFFF or at + 4 > len(content):
        return "", at + 4
    stop = at + 4 + 2 * length
    return content[at + 4 : stop].decode("utf-16-le", "replace"), stop
