"""RTF (version 1.9.1): text by zones, fields, objects, pictures, templates.

Word reads almost anything as RTF, and skips what it does not know; so does this: no document is too broken. Objects
are hexadecimal digits with anything between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.extract.documents.fields import Fields, remote
from gateway.extract.documents.legacy_fonts import with_legacy_readings
from gateway.extract.documents.ole_objects import ole1_facts
from gateway.extract.documents.rtf_words import (
    CHARACTERS,
    CHARSETS,
    DROPPED,
    KNOWN,
    PICTURES,
    PROPERTIES,
    SHAPE_TEXTS,
    ZONES,
    unhexed,
)
from gateway.extract.documents.story import Story
from gateway.extract.formats import Fact, Member, Reader
from gateway.extract.room import Full, Room
from gateway.reading import Link, Reason, Trait, Zone
from gateway.text.charsets import guessed, text_of
from gateway.traits import Mark

DEPTH = 20_000
"""Groups within groups. Word gives up far earlier; attacks nest millions to use up a reader's stack."""

KEPT = frozenset({"objdata", "objclass", "template", "linkbase", "fonttbl", "pict", "hlsrc", "hl", "hlloc", "sn", "sv"})
"""Destinations that are no text, and looked at when they are over."""

FONTS = 4_096
"""Fonts of a document that are remembered."""

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|((?:\\'[0-9a-fA-F]{2}){1,4096})|\\([^a-zA-Z]|\Z)"
    rb"|([{}])|[\r\n\0]+|([^\\{}\r\n\0]+)",
    re.DOTALL,
)


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """All of it."""
    reader = _RichText(data, place, room)
    yield from with_legacy_readings(reader.facts(), reader.fonts)


READERS: Mapping[str, Reader] = {"rtf": read}


class _State:
    """What a group inherits from the one around it."""

    __slots__ = ("charset", "destination", "hidden", "skipped", "zone")

    def __init__(self) -> None:
        self.destination = ""  # "" is text that is shown
        self.charset = ""
        self.hidden = False
        self.skipped = 1  # characters behind a \u that stand for it in old readers
        self.zone: Zone | None = None

    def copy(self) -> _State:
        other = _State()
        other.destination, other.charset, other.hidden = self.destination, self.charset, self.hidden
        other.skipped, other.zone = self.skipped, self.zone
        return other


class _RichText:
    def __init__(self, data: bytes, place: str, room: Room) -> None:
        self._data, self._place, self._room = data, place, room
        self.fonts: set[str] = set()
        self._story = Story("rtf")
        self._fields = Fields()
        self._state = _State()
        self._groups: list[tuple[_State, bool]] = []
        self._own = False  # the state was made for this group, and may be changed
        self._page = "cp1252"
        self._font_charsets: dict[int, str] = {}
        self._font = 0
        self._pending = bytearray()  # characters of one charset
        self._taken: dict[str, list[bytes]] = {}  # what stands in destinations that are no text
        self._skip = self._high = 0  # characters still to be left out; half of a pair
        self._shape_property = ""
        self._starred = False
        self._found: list[Fact] = []

    def facts(self) -> Iterator[Fact]:
        data, at, count = self._data, 0, 0
        while at < len(data):
            token = _TOKEN.match(data, at)
            if token is None:
                break
            at = token.end()
            count += 1
            if count % 16384 == 0:
                self._room.check()
            word, number, code, sign, brace, text = token.groups()
            if word is not None:
                if word == b"bin":
                    length = max(int(number or 0), 0)
                    self._binary(data[at : at + length])
                    at += length
                else:
                    self._word(word.decode(), int(number) if number else None)
            elif text is not None:
                self._text(text)
            elif code is not None:
                self._codes(unhexed(code))
            elif sign is not None:
                self._sign(sign)
            elif brace == b"{":
                self._open()
            elif brace == b"}":
                self._close()
            if self._found:
                yield from self._found
                self._found = []
        while self._groups:
            self._close()
        self._flush()
        yield from self._found
        yield from self._fields.rest(self._place)
        yield from self._story.texts(self._place)

    def _open(self) -> None:
        if len(self._groups) >= DEPTH:
            raise Full(Reason.TOO_DEEP, f"more than {DEPTH} groups within each other")
        self._flush()
        self._groups.append((self._state, self._own))
        self._own = False
        self._starred = False
        self._skip = 0

    def _close(self) -> None:
        self._flush()
        if not self._groups:
            return
        inner = self._state
        self._state, self._own = self._groups.pop()
        self._skip = 0
        if inner.destination != self._state.destination:
            self._left(inner.destination)
        if inner.zone is not self._state.zone and inner.zone is not None:
            self._story.line(inner.zone)

    def _change(self) -> _State:
        if not self._own:
            self._state, self._own = self._state.copy(), True
        return self._state

    def _word(self, word: str, number: int | None) -> None:
        if self._skip and word != "u":
            self._skip -= 1  # a control word counts as one character, section "Unicode RTF"
        if word not in KNOWN and not self._starred:
            return
        if word == "u":
            self._flush()
            self._unicode((number or 0) & 0xFFFF)
        elif word == "uc":
            self._change().skipped = min(max(number or 0, 0), 32)
        elif word in CHARACTERS:
            self._write(CHARACTERS[word])
        elif word in ("f", "af"):
            self._flush()
            self._font = number or 0
            if self._state.destination != "fonttbl":
                self._change().charset = self._font_charsets.get(self._font, "")
        elif word == "fcharset" and self._state.destination == "fonttbl":
            if len(self._font_charsets) < FONTS:
                self._font_charsets[self._font] = CHARSETS.get(number or 0, "")
        elif word in ("ansicpg", "cpg"):
            self._flush()
            self._page = f"cp{number}"
        elif word in ("v", "webhidden"):
            self._flush()
            self._change().hidden = number != 0
        elif word == "plain":
            self._flush()
            self._change().hidden = False
        elif word in ("objlink", "objautlink"):
            self._found.append(Trait(word=Mark.EXTERNAL_LINK, detail=f"\\{word}"))
        elif word == "objocx":
            self._found.append(Trait(word=Mark.ACTIVEX, detail=f"\\{word}"))
        else:
            self._destination(word)
        self._starred = False

    def _destination(self, word: str) -> None:
        if word in DROPPED or (self._starred and word not in ZONES and word not in PROPERTIES):
            self._flush()
            self._change().destination = word
        elif word in PROPERTIES:
            self._flush()
            state = self._change()
            state.zone, state.destination = Zone.PROPERTY, ""
        elif word in ZONES:
            self._flush()
            state = self._change()
            state.zone, state.destination = ZONES[word], ""
        elif word == "field":
            self._fields.begin()
            self._change().destination = "field"
        elif word == "fldrslt":
            self._flush()
            self._fields.separate()
            self._change().destination = ""

    def _left(self, destination: str) -> None:
        """A destination is over: what stood in it."""
        taken = b"".join(self._taken.pop(destination, ()))
        match destination:
            case "field":
                self._found += self._fields.end(self._place)
            case "objdata":
                self._found += ole1_facts(unhexed(taken))
            case "objclass":
                self._found.append(Trait(word=Mark.OLE_OBJECT, detail=text_of(taken, self._page)[:100]))
            case "template" | "linkbase":
                target = guessed(taken).strip()
                if remote(target):
                    self._found.append(Trait(word=Mark.REMOTE_TEMPLATE, detail=target[:300]))
                    self._found.append(Link(place=self._place, target=target, source="template"))
            case "fonttbl":
                self.fonts.update(name.strip() for name in text_of(taken, self._page).split(";"))
            case "pict":
                content = unhexed(taken)
                if content.startswith(PICTURES):
                    self._found.append(Member(content=content))
            case "sn":
                self._shape_property = guessed(taken).strip()
            case "sv" if self._shape_property in SHAPE_TEXTS:
                self._story.line(Zone.TEXT_BOX)
                self._story.write(guessed(taken) + "\n", Zone.TEXT_BOX)
            case "hlsrc" | "hl" | "hlloc":
                self._found.append(Link(place=self._place, target=text_of(taken, self._page).strip(), source="shape"))

    def _text(self, text: bytes) -> None:
        if self._skip:
            skipped = min(self._skip, len(text))
            self._skip -= skipped
            text = text[skipped:]
        if self._state.destination in ("", "fldinst"):
            self._pending += text
        else:
            self._keep(text)

    def _codes(self, codes: bytes) -> None:
        self._text(codes.hex().encode() if self._state.destination == "objdata" else codes)

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._starred = True
        elif sign == b"~":
            self._write(" ")
        elif sign == b"_":
            self._write("-")
        elif sign in (b"\\", b"{", b"}"):
            self._text(sign)
        elif sign in (b"\r", b"\n"):
            self._write("\n")

    def _unicode(self, number: int) -> None:
        self._skip = self._state.skipped
        if 0xD800 <= number < 0xDC00:
            self._high = number
            return
        if 0xDC00 <= number < 0xE000:
            number = 0x10000 + (self._high - 0xD800 << 10) + number - 0xDC00 if self._high else 0xFFFD
        self._high = 0
        self._write(chr(number - 0xF000 if 0xF000 <= number < 0xF100 else number))

    def _binary(self, content: bytes) -> None:
        if self._state.destination in ("objdata", "pict"):
            self._keep(content.hex().encode())

    def _keep(self, text: bytes) -> None:
        if self._state.destination in KEPT:
            self._taken.setdefault(self._state.destination, []).append(text)

    def _flush(self) -> None:
        if self._pending:
            text = text_of(bytes(self._pending), self._state.charset or self._page)
            self._pending.clear()
            self._write(text)

    def _write(self, text: str) -> None:
        if self._pending:
            self._flush()
        state = self._state
        if state.destination == "fldinst" or (not state.destination and self._fields.in_code):
            self._fields.code(text)
        elif not state.destination:
            if state.zone is None:
                self._fields.result(text)
            self._story.write(text, Zone.HIDDEN if state.hidden else state.zone)
        elif state.destination in ("sv", "template"):
            self._keep(text.encode())
