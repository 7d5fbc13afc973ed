"""The old Excel format, BIFF 5 to 8 ([MS-XLS]): cells row by row, and what a workbook runs or fetches."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

from gateway.extract.documents.binary_sheet import rk
from gateway.extract.documents.fields import dde_formula
from gateway.extract.documents.story import Story
from gateway.extract.documents.workbook_strings import Pieces, shared_strings
from gateway.extract.formats import Fact, Locked
from gateway.extract.room import Room
from gateway.reading import Link, Trait, Zone
from gateway.text.charsets import text_of
from gateway.traits import Mark

_BOF, _EOF, _CONTINUE, _FILE_PASS, _CODE_PAGE = 0x809, 0x0A, 0x3C, 0x2F, 0x42
_SST, _SHEET, _NAME, _LINK_BOOK, _LINK_SHEET, _HYPERLINK = 0xFC, 0x85, 0x18, 0x1AE, 0x17, 0x1B8
_BIFF_8 = 0x0600
_MACRO_SHEET, _VERY_HIDDEN = 1, 2
_BUILT_IN = {1: "Auto_Open", 2: "Auto_Close", 10: "Auto_Activate", 11: "Auto_Deactivate"}  # [MS-XLS] 2.5.114
_LINK_SHEET_OWN = re.compile("[\x02-\x04]?\\Z|\x03")  # of this very workbook
_AS_SLASH = dict.fromkeys(range(1, 9), "/")


def workbook_facts(stream: bytes, place: str, room: Room) -> Iterator[Fact]:
    """All cells and names. Raises Locked, after what stands before the password's record."""
    yield from _Workbook(place, room).facts(stream)


def _records(stream: bytes, room: Room) -> Iterator[tuple[int, list[bytes]]]:
    """Each record with its continuations."""
    at = count = 0
    kind, pieces = -1, list[bytes]()
    while at + 4 <= len(stream):
        count += 1
        if count % 8192 == 0:
            room.check()
        number, length = struct.unpack_from("<HH", stream, at)
        content = stream[at + 4 : at + 4 + length]
        at += 4 + length
        if number == _CONTINUE and kind >= 0:
            pieces.append(content)
            continue
        if kind >= 0:
            yield kind, pieces
        kind, pieces = number, [content]
        if number == 0 and not length and not stream[at : at + 64].strip(b"\0"):
            break
    if kind >= 0:
        yield kind, pieces


class _Workbook:
    def __init__(self, place: str, room: Room) -> None:
        self._place, self._room = place, room
        self._story = Story("xls")
        self._strings: list[str] = []
        self._pointed: set[int] = set()
        self._version = _BIFF_8
        self._charset = "windows-1252"
        self._row = -1

    def facts(self, stream: bytes) -> Iterator[Fact]:
        try:
            for kind, pieces in _records(stream, self._room):
                if (told := _RECORDS.get(kind)) is not None:
                    yield from told(self, pieces)
            lost = [text for at, text in enumerate(self._strings) if at not in self._pointed]
            self._story.write("\n".join(lost), Zone.HIDDEN)
        finally:
            texts = list(self._story.texts(self._place))
        yield from texts

    def begin(self, pieces: list[bytes]) -> Iterator[Fact]:
        """BOF: the version, and what kind of sheet follows."""
        self._version = _short(pieces[0], 0)
        self._row = -1
        self._story.line()
        if _short(pieces[0], 2) == 0x40:
            yield Trait(word=Mark.XLM_MACRO, detail="macro sheet")

    def code_page(self, pieces: list[bytes]) -> Iterator[Fact]:
        """CODEPAGE: of 8-bit strings."""
        number = _short(pieces[0], 0)
        self._charset = "utf-16-le" if number == 1200 else f"cp{number}"
        yield from ()

    def password(self, _: list[bytes]) -> Iterator[Fact]:
        """FILEPASS: all that follows is encrypted."""
        raise Locked("a workbook with a password")

    def strings(self, pieces: list[bytes]) -> Iterator[Fact]:
        """SST"""
        self._strings += shared_strings(pieces)
        yield from ()

    def sheet(self, pieces: list[bytes]) -> Iterator[Fact]:
        """BOUNDSHEET: name, state and kind of a sheet."""
        state, kind = pieces[0][4] & 3, pieces[0][5]
        title = self._name(pieces[0], 6, pieces[0][6], skip=1)
        self._story.write(title + "\n", Zone.PROPERTY)
        if kind == _MACRO_SHEET:
            yield Trait(word=Mark.XLM_MACRO, detail=title[:100])
        if state == _VERY_HIDDEN:
            yield Trait(word=Mark.HIDDEN_SHEET, detail=title[:100])

    def name(self, pieces: list[bytes]) -> Iterator[Fact]:
        """Lbl: a defined name; those built in are numbers."""
        record = pieces[0]
        length = record[3]
        start = 14
        built_in = _short(record, 0) & 0x20
        number = record[start + 1 if self._version >= _BIFF_8 else start] if built_in and len(record) > start + 1 else 0
        title = _BUILT_IN.get(number, "") if built_in else self._name(record, start - 1, length, skip=1)
        if title.lower().startswith(("auto_open", "auto_close", "auto_activate", "auto_deactivate")):
            yield Trait(word=Mark.AUTO_MACRO, detail=title[:100])

    def link(self, pieces: list[bytes]) -> Iterator[Fact]:
        """SUPBOOK and, in BIFF 5, EXTERNSHEET: another document, or a program and its topic parted by \\x03."""
        record = pieces[0]
        if self._version < _BIFF_8:
            target = self._name(record, 0, record[0] if record else 0, skip=1)
            if _LINK_SHEET_OWN.match(target):
                return
        elif len(record) > 4:
            target = self._name(record, 2, _short(record, 2), skip=2)
        else:
            return
        if ("\x03" in target[1:] and not target.startswith("\x01")) or "|" in target:
            yield Trait(word=Mark.DDE, detail=target.replace("\x03", " ")[:300])
        elif "://" in target or "\\\\" in target or target[:3] == "\x01\x01@":
            yield Trait(word=Mark.EXTERNAL_LINK, detail=target.translate(_AS_SLASH)[:300])

    def hyperlink(self, pieces: list[bytes]) -> Iterator[Fact]:
        """HLink: its moniker's address, found by its look ([MS-OSHARED] 2.3.7)."""
        content = b"".join(pieces)[8:]
        for scheme in ("http", "\\\\", "mailto", "file:", "ftp:"):
            at = content.find(scheme.encode("utf-16-le"))
            if at >= 0:
                yield Link(place=self._place, target=content[at:].decode("utf-16-le", "replace").partition("\0")[0])
                return

    def label(self, pieces: list[bytes]) -> Iterator[Fact]:
        """LABEL, RSTRING: a cell with its text."""
        yield from self._cell(_short(pieces[0], 0), self._long_name(pieces, 6))

    def pointer(self, pieces: list[bytes]) -> Iterator[Fact]:
        """LABELSST: a cell with the number of its text."""
        index = _long(pieces[0], 6)
        self._pointed.add(index)
        text = self._strings[index] if index < len(self._strings) else ""
        yield from self._cell(_short(pieces[0], 0), text)

    def number(self, pieces: list[bytes]) -> Iterator[Fact]:
        """NUMBER"""
        if len(pieces[0]) >= 14:
            yield from self._cell(_short(pieces[0], 0), f"{struct.unpack_from('<d', pieces[0], 6)[0]:.15g}")

    def packed_number(self, pieces: list[bytes]) -> Iterator[Fact]:
        """RK"""
        if len(pieces[0]) >= 10:
            yield from self._cell(_short(pieces[0], 0), rk(pieces[0][6:10]))

    def packed_numbers(self, pieces: list[bytes]) -> Iterator[Fact]:
        """MULRK: neighbours in a row."""
        record = pieces[0]
        for at in range(4, len(record) - 7, 6):
            yield from self._cell(_short(record, 0), rk(record[at + 2 : at + 6]))

    def formula(self, pieces: list[bytes]) -> Iterator[Fact]:
        """FORMULA: its last result, if that is a number; a text comes as a record of its own."""
        record = pieces[0]
        if len(record) >= 14 and record[12:14] != b"\xff\xff":
            yield from self._cell(_short(record, 0), f"{struct.unpack_from('<d', record, 6)[0]:.15g}")

    def result(self, pieces: list[bytes]) -> Iterator[Fact]:
        """STRING: a formula's last result."""
        yield from self._cell(self._row, self._long_name(pieces, 0))

    def page_header(self, pieces: list[bytes]) -> Iterator[Fact]:
        """HEADER"""
        self._story.write(self._long_name(pieces, 0) + "\n", Zone.PAGE_HEADER)
        yield from ()

    def page_footer(self, pieces: list[bytes]) -> Iterator[Fact]:
        """FOOTER"""
        self._story.write(self._long_name(pieces, 0) + "\n", Zone.PAGE_FOOTER)
        yield from ()

    def text_object(self, pieces: list[bytes]) -> Iterator[Fact]:
        """TXO: the text of a box or a comment follows in a continuation."""
        if len(pieces) > 1 and pieces[1]:
            reader = Pieces([pieces[1][1:], *pieces[2:]])
            self._story.write(reader.characters(_short(pieces[0], 10), pieces[1][0] & 1) + "\n", Zone.TEXT_BOX)
        yield from ()

    def note(self, pieces: list[bytes]) -> Iterator[Fact]:
        """NOTE of BIFF 5: a comment's text; that of BIFF 8 is a text object."""
        if self._version < _BIFF_8:
            self._story.write(text_of(pieces[0][6:], self._charset) + "\n", Zone.COMMENT)
        yield from ()

    def _cell(self, row: int, text: str) -> Iterator[Fact]:
        if row != self._row:
            self._story.row()
            self._row = row
        if text[:1] in "=+-@" and (found := dde_formula(text)):
            yield Trait(word=Mark.DDE, detail=found)
        self._story.write(text)
        self._story.cell()

    def _name(self, record: bytes, at: int, length: int, *, skip: int) -> str:
        """A string whose length stands at `at` in `skip` bytes: with a flag whether it is wide, or in the code page."""
        at += skip
        if self._version >= _BIFF_8:
            return Pieces([record[at + 1 :]]).characters(length, record[at] & 1) if at < len(record) else ""
        return text_of(record[at : at + length], self._charset)

    def _long_name(self, pieces: list[bytes], at: int) -> str:
        """A string with two bytes of length."""
        record = pieces[0]
        if self._version >= _BIFF_8 and len(record) > at + 2:
            return Pieces([record[at + 3 :], *pieces[1:]]).characters(_short(record, at), record[at + 2] & 1)
        if self._version >= _BIFF_8:
            return ""
        return text_of(record[at + 2 : at + 2 + _short(record, at)], self._charset)


_RECORDS: dict[int, Callable[[_Workbook, list[bytes]], Iterator[Fact]]] = {
    _BOF: _Workbook.begin,
    _CODE_PAGE: _Workbook.code_page,
    _FILE_PASS: _Workbook.password,
    _SST: _Workbook.strings,
    _SHEET: _Workbook.sheet,
    _NAME: _Workbook.name,
    _LINK_BOOK: _Workbook.link,
    _LINK_SHEET: _Workbook.link,
    _HYPERLINK: _Workbook.hyperlink,
    0x204: _Workbook.label,
    0xD6: _Workbook.label,
    0xFD: _Workbook.pointer,
    0x203: _Workbook.number,
    0x27E: _Workbook.packed_number,
    0x7E: _Workbook.packed_number,
    0xBD: _Workbook.packed_numbers,
    0x06: _Workbook.formula,
    0x207: _Workbook.result,
    0x14: _Workbook.page_header,
    0x15: _Workbook.page_footer,
    0x1B6: _Workbook.text_object,
    0x1C: _Workbook.note,
}


def _short(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _long(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
