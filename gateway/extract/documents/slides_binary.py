"""Text of the old PowerPoint format ([MS-PPT]): records within records."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from gateway.extract.documents.macros import is_project, project_facts
from gateway.extract.documents.story import Story
from gateway.extract.formats import Fact, Locked, Member
from gateway.extract.room import Meter, Room
from gateway.reading import Link, Trait, Zone
from gateway.traits import Mark

RECORDS = 2_000_000
"""Records of a presentation; one of 300 slides has 100,000."""

_WIDE, _NARROW, _STRING, _OBJECT = 0x0FA0, 0x0FA8, 0x0FBA, 0x1011
_ACTION, _ADDRESS = 0x0FF3, 0x0FD7
_ZONES = {0x03F0: Zone.NOTE, 0x03F8: Zone.PAGE_HEADER, 0x2EE0: Zone.COMMENT, 0x0FD9: Zone.PAGE_FOOTER}
_ENCRYPTED = 0xF3D1C4DF  # the CurrentUserAtom's headerToken, section 2.3.2
_RUNS = {1: "macro", 2: "program"}  # InteractiveInfoActionEnum, section 2.13.9


def slides_facts(stream: bytes, current_user: bytes, place: str, room: Room) -> Iterator[Fact]:
    """Texts, what runs on a click, and embedded objects. Raises Locked."""
    if int.from_bytes(current_user[12:16], "little") == _ENCRYPTED:
        raise Locked("a presentation with a password")
    story = Story("ppt")
    ends: list[tuple[int, Zone]] = []  # where containers with a zone of their own end
    at = count = 0
    while at + 8 <= len(stream) and count < RECORDS:
        count += 1
        if count % 4096 == 0:
            room.check()
        while ends and at >= ends[-1][0]:
            ends.pop()
        head = int.from_bytes(stream[at : at + 2], "little")
        kind = int.from_bytes(stream[at + 2 : at + 4], "little")
        length = int.from_bytes(stream[at + 4 : at + 8], "little")
        at += 8
        if head & 0xF == 0xF:
            if kind in _ZONES:
                ends.append((at + length, _ZONES[kind]))
            continue
        content = stream[at : at + length]
        at += length
        zone = ends[-1][1] if ends else Zone.ATTACHMENT
        if kind in (_WIDE, _STRING):
            text = content.decode("utf-16-le", "replace")
            if kind == _STRING and "://" in text:
                yield Link(place=place, target=text.rstrip("\0"))
            story.write(_lines(text) + "\n", zone)
        elif kind == _NARROW:
            story.write(_lines(content.decode("latin-1")) + "\n", zone)
        elif kind == _ACTION and len(content) > 8 and content[8] in _RUNS:
            yield Trait(word=Mark.LAUNCH, detail=f"a click runs a {_RUNS[content[8]]}")
        elif kind == _OBJECT:
            packed = _object(content, head >> 4, room)
            if is_project(packed, room):
                yield from project_facts(packed, room)
            else:
                yield Member(content=packed)
    yield from story.texts(place)


def _object(content: bytes, instance: int, room: Room) -> bytes:
    """An object's storage; packed where the instance is 1, behind its size."""
    if instance != 1:
        return content
    meter = Meter(room, len(content))
    unpacker = zlib.decompressobj()
    out = [unpacker.decompress(content[4:], 1 << 18)]
    while unpacker.unconsumed_tail:
        meter.more(len(out[-1]))
        out.append(unpacker.decompress(unpacker.unconsumed_tail, 1 << 18))
    return b"".join(out)


def _lines(text: str) -> str:
    return text.replace("\r", "\n").replace("\x0b", "\n").replace("\0", "")
