"""Text of the old Word format ([MS-DOC]): the piece table says where it stands, the header which part is what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from gateway.extract.documents.fields import Fields
from gateway.extract.documents.story import Story
from gateway.extract.formats import Fact, Locked
from gateway.extract.room import Room
from gateway.reading import Blind, Reason, Zone

PIECES = 200_000
"""Pieces of a text: as many as a document has edits between two full saves."""

CHARACTERS = 32 * 1024 * 1024
"""Of a whole text; the format's own limit is 2**31 less 1, no document comes near."""

_WORD_6_LAST = 0xC0
_ENCRYPTED, _TABLE_1 = 0x0100, 0x0200
_PAIRS = 0x9A  # where the pairs of offset and length begin (FibRgFcLcb97)
_HEADERS, _CLX = 11, 33
_COUNTS = (
    (0x4C, Zone.ATTACHMENT),
    (0x50, Zone.NOTE),
    (0x54, Zone.PAGE_HEADER),
    (0x58, Zone.PROPERTY),  # macros of Word 6: never there
    (0x5C, Zone.COMMENT),
    (0x60, Zone.NOTE),
    (0x64, Zone.TEXT_BOX),
    (0x68, Zone.TEXT_BOX),
)
_HEADER_STORIES = 6  # separators of notes come first; then six a section: even, odd, and first page's
_SPECIAL = re.compile("[\x13\x14\x15]")
_SIGNS = str.maketrans(
    {"\r": "\n", "\x07": "\t", "\x0b": "\n", "\x0c": "\n", "\x0e": "\n", "\x1e": "-", "\x1f": None, "\xa0": " "}
    | dict.fromkeys("\x00\x01\x02\x03\x04\x05\x06\x08\x10\x11\x12", None)
)


def word_facts(stream: bytes, tables: tuple[bytes, bytes], place: str, room: Room) -> Iterator[Fact]:
    """All texts with their fields. `stream` is WordDocument, `tables` are 0Table and 1Table. Raises Locked."""
    version, flags = _short(stream, 2), _short(stream, 0x0A)
    if flags & _ENCRYPTED:
        raise Locked("a Word document with a password")
    if version <= _WORD_6_LAST or stream[:2] == b"\xdc\xa5":
        begin, stop = _long(stream, 0x18), _long(stream, 0x1C)
        text = stream[begin:stop].decode("cp1252", "replace")
        yield from _told(text, ((len(text), Zone.ATTACHMENT),), place)
        return
    table = tables[1] if flags & _TABLE_1 else tables[0]
    text = "".join(_pieces(stream, _pair(stream, table, _CLX), room))
    counts = [(_long(stream, at), zone) for at, zone in _COUNTS]
    if len(text) < counts[0][0] or not text:
        yield Blind(place=place, reason=Reason.CORRUPT, detail="the text is not where the piece table says")
    headers = _pair(stream, table, _HEADERS)
    yield from _told(text, _with_footers(counts, headers), place)


def _with_footers(counts: list[tuple[int, Zone]], table: bytes) -> Iterator[tuple[int, Zone]]:
    """The part with headers and footers cut up by its table (PlcfHdd)."""
    for length, zone in counts:
        if zone is not Zone.PAGE_HEADER:
            yield length, zone
            continue
        places = [_long(table, at) for at in range(0, len(table) - 3, 4)][:4096]
        done = 0
        for number, (begin, stop) in enumerate(pairwise(places)):
            if begin != done or not begin <= stop <= length:
                break
            footer = number >= _HEADER_STORIES and number % 6 in (2, 3, 5)
            yield stop - begin, Zone.PAGE_FOOTER if footer else Zone.PAGE_HEADER
            done = stop
        yield length - done, zone


def _pieces(stream: bytes, clx: bytes, room: Room) -> Iterator[str]:
    at = 0
    while clx[at : at + 1] == b"\x01":  # property changes come before the table
        at += 3 + _short(clx, at + 1)
    if clx[at : at + 1] != b"\x02":
        return
    table = clx[at + 5 : at + 5 + _long(clx, at + 1)]
    count = min((len(table) - 4) // 12, PIECES)
    left = CHARACTERS
    for number in range(count):
        if number % 4096 == 0:
            room.check()
        length = _long(table, 4 * number + 4) - _long(table, 4 * number)
        if length <= 0 or left <= 0:
            continue
        length = min(length, left)
        left -= length
        where = _long(table, 4 * (count + 1) + 8 * number + 2)
        if where & 0x40000000:
            begin = (where & 0x3FFFFFFF) // 2
            yield stream[begin : begin + length].decode("cp1252", "replace")
        else:
            yield stream[where : where + 2 * length].decode("utf-16-le", "replace")


def _told(text: str, counts: Iterator[tuple[int, Zone]] | tuple[tuple[int, Zone], ...], place: str) -> Iterator[Fact]:
    story = Story("doc")
    at = 0
    for length, zone in counts:
        if length <= 0 or at >= len(text):
            continue
        fields = Fields()
        last = 0
        part = text[at : at + length]
        at += length
        story.open(zone)
        for found in _SPECIAL.finditer(part):
            _write(story, fields, part[last : found.start()])
            last = found.end()
            if found[0] == "\x13":
                fields.begin()
            elif found[0] == "\x14":
                fields.separate()
            else:
                yield from fields.end(place)
        _write(story, fields, part[last:])
        yield from fields.rest(place)
        story.close()
    yield from story.texts(place)


def _write(story: Story, fields: Fields, text: str) -> None:
    if fields.in_code:
        fields.code(text)
        return
    shown = text.replace("\x07\x07", "\n").translate(_SIGNS)
    fields.result(shown)
    story.write(shown)


def _pair(stream: bytes, table: bytes, number: int) -> bytes:
    begin = _long(stream, _PAIRS + 8 * number)
    return table[begin : begin + _long(stream, _PAIRS + 8 * number + 4)]


def _short(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _long(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
