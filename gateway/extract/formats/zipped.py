"""Zip archives, and what is one by another name. Members in every reading; encrypted ones are listed by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.extract.archives import member_alone
from gateway.extract.formats import Fact, Locked, Member, Reader
from gateway.extract.inflate import content_of
from gateway.extract.room import Full, Room
from gateway.extract.zips import Entry, listing
from gateway.mime.kinds import kind_of
from gateway.reading import Blind, Reason, Text, Trait, Zone
from gateway.text.charsets import guessed
from gateway.traits import Mark

_HONEST_SLACK = 64
"""Bytes behind a member's data that are not looked at: no program reads them, and no program fits in."""


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """The comment, the members, and a trait for each way in which programs would disagree on them."""
    found = listing(data, room)
    if not found.entries and not found.comment and not found.cut:
        raise ValueError("no member, no directory")
    for word in found.odd:
        yield Trait(word=Mark.AMBIGUOUS_ARCHIVE, detail=word)
    if found.comment:
        yield Text(place=place, zone=Zone.PROPERTY, content=guessed(found.comment), kind="zip")
    for entry in found.entries:
        if not entry.folder:
            yield from _member(data, entry, room)
    if found.cut:
        yield Blind(place=place, reason=Reason.TOO_MANY, detail="more members than are read")


def _member(data: bytes, entry: Entry, room: Room) -> Iterator[Fact]:
    size = entry.size
    if entry.overlaps:
        yield Member(names=entry.names, size=size, reason=Reason.BOMB, detail="shares its bytes with another member")
        return
    if entry.at < 0:
        yield Member(names=entry.names, size=size, reason=Reason.CORRUPT, detail="in the directory only")
        return
    try:
        content = content_of(data, entry, room)
    except Locked:
        yield Member(names=entry.names, size=size, reason=Reason.ENCRYPTED)
        return
    except Full as full:
        yield Member(names=entry.names, size=size, reason=full.reason, detail=full.detail)
        return
    if content.unknown:
        yield member_alone(data, entry, room)
        return
    reason = Reason.CORRUPT if content.damage else None
    yield Member(names=entry.names, content=content.content, reason=reason, detail=content.damage)
    slack = data[entry.start + content.used : entry.start + entry.packed]
    if not entry.open and not content.damage and len(slack) > _HONEST_SLACK and kind_of(slack) != "data":
        yield Trait(word=Mark.AMBIGUOUS_ARCHIVE, detail="more data than the member takes")
        yield Member(names=entry.names, label="slack", content=slack)


READERS: Mapping[str, Reader] = dict.fromkeys(("zip", "jar", "apk", "epub", "crx"), read)
