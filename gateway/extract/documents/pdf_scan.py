"""What a PDF can do, by the names in it: found in the bytes, not through the document's tree, as readers repair broken
trees each in its own way and would not agree on what is reached.

Looked at are the text between streams, with names unescaped (`/J#53`), and what object streams unfold to.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from gateway.extract.documents.pdf_filters import UnknownFilter, decoded, filters
from gateway.extract.documents.pdf_forms import draws, endless, number_of
from gateway.extract.inflate import Inflater
from gateway.extract.room import Meter, Room
from gateway.reading import Blind, Reason, Trait
from gateway.traits import Mark

DICTIONARY = 4 * 1024
"""Bytes before a stream in which its dictionary is; the longest honest ones have some hundred."""

CONTENT = 64 * 1024
"""Packed bytes of a form's content that are looked at: those that draw many others are short."""

FIRSTS = 256
"""Different things that happen when a document is opened or a page shown; a long form has some dozen."""

PIECE = 256 * 1024
"""Bytes whose escapes are undone at once: each takes a hundred bytes meanwhile."""

STREAMS = 50_000
"""Streams that are looked at; a book of a thousand pages has 5,000."""

_STREAM = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
# How an object stream begins: numbers and places (7.5.7). A page's content may begin with numbers, too: 1 0 0 1 5 5 cm.
_OBJECTS = re.compile(rb"\s*\d{1,9}\s+0\s+(?:[1-9]\d{0,8}\s+[1-9]|[<\[(/])")
_FORM = re.compile(rb"/Subtype\s*/Form(?![A-Za-z])")
_END = rb"(?![A-Za-z0-9_.+-])"
_MARKS = tuple(
    (re.compile(pattern + _END), mark)
    for pattern, mark in (
        (rb"/(?:JavaScript|JS)", Mark.JAVASCRIPT),
        (rb"/Launch", Mark.LAUNCH),
        (rb"/EmbeddedFiles?", Mark.EMBEDDED_FILE),
        (rb"/(?:RichMedia|RichMediaContent|Flash|Movie|3D|U3D)", Mark.RICH_MEDIA),
        (rb"/(?:SubmitForm|ImportData)", Mark.SUBMIT),
        (rb"/URI", Mark.URI),
        (rb"/GoTo[RE][^>]{0,300}(?:\\\\\\\\|//)[^>]{0,300}", Mark.EXTERNAL_LINK),
    )
)
# Long enough not to be there by chance: readers that repair a document find objects in streams, too.
_IN_STREAMS = re.compile(rb"/(?:JavaScript|EmbeddedFile|RichMedia|SubmitForm|ImportData)|/S\s{0,4}/Launch")
_FIRST = re.compile(rb"/(OpenAction|AA)\s*(\[|<<|\d{1,9}\s+\d{1,9}\s+R)")
_JUMP = re.compile(rb"\s*(?:\[|<<(?:(?!/S\s*/)[^>]){0,300}/S\s*/GoTo(?![A-Za-z]))")
_FONT = re.compile(rb"[/+](\.Vn\w{2,20}|VNI-\w{2,20})")


class Scan:
    """The names in a PDF. `fonts` are those of Vietnamese before Unicode; `packed` is true where objects are in
    streams, which are out of sight in an encrypted document."""

    def __init__(self, data: bytes, room: Room) -> None:
        self._data = data
        self._room = room
        self.fonts: set[str] = set()
        self.packed = False
        self._marks: dict[Mark, str] = {}
        self._firsts: dict[bytes, str] = {}
        self._texts: list[bytes] = []
        self._blind: list[str] = []
        self._forms: dict[int, tuple[bytes, int]] = {}
        for text in self._segments():
            self._look(text)
            self._texts.append(text)
        for found in _IN_STREAMS.finditer(data):
            self._look(found[0] + b" ")

    def traits(self) -> Iterator[Trait]:
        """One for each mark."""
        for target, name in self._firsts.items():
            if not self._harmless(target):
                self._marks.setdefault(Mark.OPEN_ACTION, name)
        for mark, detail in self._marks.items():
            yield Trait(word=mark, detail=detail)

    def blind(self, place: str) -> Iterator[Blind]:
        """What could not be looked at."""
        for problem in dict.fromkeys(self._blind):
            yield Blind(place=place, reason=Reason.UNSUPPORTED, detail=f"object stream: {problem}")

    def endless(self) -> bool:
        """True if drawing its pages would not end."""
        return endless(self._forms, self._texts)

    def _look(self, text: bytes) -> None:
        for pattern, mark in _MARKS:
            if mark not in self._marks and (found := pattern.search(text)):
                around = text[found.start() : found.start() + 120]
                self._marks[mark] = "".join(chr(byte) if 32 <= byte < 127 else " " for byte in around)
        for found in _FIRST.finditer(text):
            if len(self._firsts) >= FIRSTS:
                self._marks.setdefault(Mark.OPEN_ACTION, f"more than {FIRSTS} places")
                break
            target = found[2] if found[2][:1].isdigit() else text[found.start(2) : found.start(2) + 400]
            self._firsts[target] = found[1].decode()
        self.fonts.update(found[1].decode() for found in _FONT.finditer(text))

    def _segments(self) -> Iterator[bytes]:
        """Text outside of streams, and inside of object streams."""
        data, at = self._data, 0
        for number, found in enumerate(_STREAM.finditer(data)):
            if found.start() < at:
                continue
            if number >= STREAMS:
                self._blind.append(f"more than {STREAMS} streams")
                break
            if number % 256 == 0:
                self._room.check()
            text = _plain(data[at : found.start()])
            yield text
            stop = data.find(b"endstream", found.end())
            if stop < 0:
                stop = len(data)
            dictionary = text[-DICTIONARY:].rpartition(b" obj")[2]
            if _FORM.search(dictionary):
                self._forms[number_of(text)] = (dictionary, self._drawn(dictionary, found.end(), stop))
            else:
                yield from self._unfolded(dictionary, found.end(), stop)
            at = stop
        yield _plain(data[at:])

    def _unfolded(self, dictionary: bytes, start: int, stop: int) -> Iterator[bytes]:
        names = filters(dictionary)
        declared = b"/ObjStm" in dictionary
        if not declared and not (names == [b"FlateDecode"] and self._like_objects(start, stop)):
            if not names and b"/Image" not in dictionary:
                yield _plain(self._data[start:stop])
            return
        self.packed = True
        if b"/Predictor" in dictionary and b"/Predictor 1/" not in dictionary:
            self._blind.append("predictor")
            return
        try:
            yield _plain(decoded(self._data[start:stop], names, Meter(self._room, stop - start)))
        except UnknownFilter as unknown:
            self._blind.append(f"filter {unknown}")

    def _drawn(self, dictionary: bytes, start: int, stop: int) -> int:
        """What a form draws; one that names no other object, or cannot be unpacked, is not asked."""
        if b" R" not in dictionary:
            return 0
        meter = Meter(self._room, stop - start)
        try:
            return draws(decoded(self._data[start : min(stop, start + CONTENT)], filters(dictionary), meter))
        except UnknownFilter:
            return 0

    def _like_objects(self, start: int, stop: int) -> bool:
        try:
            beginning = Inflater(zlib.MAX_WBITS).decompress(self._data[start : min(stop, start + 64)], 32)
        except zlib.error:
            return False
        return _OBJECTS.match(beginning) is not None

    def _harmless(self, target: bytes) -> bool:
        """True for a jump to a place in the document, which is what most documents do when opened."""
        if not target[:1].isdigit():
            return _JUMP.match(target) is not None
        number, generation = target.split()[:2]
        pattern = re.compile(rb"(?<!\d)%s\s+%s\s+obj" % (number, generation))
        for text in self._texts:
            if found := pattern.search(text):
                return _JUMP.match(text, found.end()) is not None
        return not self._marks.keys() & {Mark.JAVASCRIPT, Mark.LAUNCH, Mark.SUBMIT, Mark.RICH_MEDIA}


def _plain(text: bytes) -> bytes:
    """Names without their escapes (7.3.5)."""
    if b"#" not in text:
        return text
    out, at = bytearray(), 0
    while at < len(text):
        stop = at + PIECE
        cut = text.find(b"#", stop - 2, stop)
        stop = cut if cut > at else stop
        out += _ESCAPED.sub(lambda found: bytes((int(found[1], 16),)), text[at:stop])
        at = stop
    return bytes(out)
