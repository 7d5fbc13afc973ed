"""Messages as files: .eml, .mht, what is attached as message/rfc822 under a transfer encoding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gateway.extract.formats import Fact, Member, Reader
from gateway.extract.message import contents
from gateway.extract.room import Room
from gateway.mime.parse import parse
from gateway.reading import Trait


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """Each part of the message as of one that came by itself."""
    for fact in contents(data, parse(data)):
        room.check()
        if isinstance(fact, (Member, Trait)):
            yield fact
        else:
            yield replace(fact, place=f"{place}/{fact.place}" if fact.place else place)


READERS: Mapping[str, Reader] = {"mail": read}
