"""One file opened, and all files inside it, one after the other, to the bottom: a stream of what is found.

This runs in the sandboxed process (`worker.py`). It does no I/O and raises nothing: what goes wrong is told as Blind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.errors import Unavailable
from gateway.extract.formats import Fact, Locked, Member, readers
from gateway.extract.frames import Marked, Told
from gateway.extract.message import enclosed
from gateway.extract.room import Full, Room
from gateway.extract.texts import html_facts, text_facts
from gateway.extract.witness import Nature, kind_in, natures
from gateway.mime.enclosed import within
from gateway.mime.kinds import EXECUTABLE_KINDS, IMAGE_KINDS, MEDIA_KINDS, TEXT_KINDS
from gateway.reading import Blind, File, Link, Reason, Text, Trait, Zone

START = 1024
"""Bytes of a file's beginning that are told: what a person needs as evidence."""

MAX_NAMES = 8
"""Names of a file that are told; two headers read in two charsets make four."""

NOTHING_TO_READ = IMAGE_KINDS | MEDIA_KINDS | EXECUTABLE_KINDS | {"empty"}
"""Kinds that hold no text of a person and no files, as far as their own format goes."""

HYPERTEXT = frozenset({"html", "svg", "hta"})
TEXTS = TEXT_KINDS - HYPERTEXT - {"mail", "empty"}

_DAMAGED = frozenset({Reason.CORRUPT, Reason.BOMB})
_SIGNATURE_TYPES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})


@dataclass(slots=True)
class Opening:
    """The way down through one file. `told` counts the files, for the marks that belong to them."""

    room: Room
    told: int = 0
    _opened_as: set[tuple[str, str, str]] = field(default_factory=set)

    def open(self, member: Member, place: str, depth: int) -> Iterator[Told]:
        """What is found in a file, itself first. `place` is its own."""
        try:
            self.room.enter()
        except Full as full:
            yield Blind(place=place, reason=full.reason, detail=full.detail)
            return
        content = member.content
        if content is None:
            self.told += 1
            yield _listed(member, place, depth)
            yield Blind(place=place, reason=member.reason or Reason.UNSUPPORTED, detail=member.detail)
            return
        try:
            kind = kind_in(content)
        except Unavailable as problem:
            kind = "data"
            yield Blind(place=place, reason=Reason.UNSUPPORTED, detail=str(problem))
        if depth == 0:
            self.room.begin(len(content))
        digest = hashlib.sha256(content).hexdigest()
        claim = (digest, member.media_type, member.charset)
        if not member.names and claim in self._opened_as:
            return  # the same bytes as another reading of what is open already
        self._opened_as.add(claim)
        number, self.told = self.told, self.told + 1
        yield File(
            place=place,
            names=member.names[:MAX_NAMES],
            kind=kind,
            media_type=member.media_type,
            size=len(content),
            depth=depth,
            start=content[:START],
            digest=digest,
            content=self._kept(content, kind) if depth else None,
        )
        if member.reason is not None:
            yield Blind(place=place, reason=member.reason, detail=member.detail)
        yield from self._opened(member, content, kind, number, place, depth)

    def _opened(self, member: Member, content: bytes, kind: str, number: int, place: str, depth: int) -> Iterator[Told]:
        read = False
        for nature in natures(content, kind, member.names, member.media_type):
            data = content[nature.start :] if nature.start else content
            for facts in _facts(nature.kind, data, place, self.room, member.charset):
                if depth > self.room.depth:
                    yield Blind(place=place, reason=Reason.TOO_DEEP, detail=f"files within files, {depth} deep")
                    return
                read = True
                yield from self._read(facts, nature, number, place, depth)
        if depth <= self.room.depth:
            yield from self._read(self._enclosed(member, content), Nature(kind), number, place, depth)
        read |= self.told > number + 1
        if not read and kind not in NOTHING_TO_READ and not _signature(member, content):
            yield Blind(place=place, reason=Reason.UNSUPPORTED, detail=kind)

    def _read(self, facts: Iterator[Fact], nature: Nature, number: int, place: str, depth: int) -> Iterator[Told]:
        """What one reader gives, counted; what stops it is told, unless it was only tried."""
        count = 0
        reason, detail = None, ""
        try:
            for fact in facts:
                count += 1
                self.room.check()
                match fact:
                    case Member() if nature.doubtful and fact.reason in _DAMAGED:
                        continue
                    case Member():
                        yield from self.open(fact, fact.place_in(place), depth + 1)
                    case Trait():
                        yield Marked(number, fact)
                    case Text():
                        self.room.write(len(fact.content))
                        yield fact
                    case Link():
                        self.room.link()
                        yield fact
                    case Blind():
                        yield fact
        except Full as full:
            reason, detail = full.reason, full.detail
        except Locked as locked:
            reason, detail = Reason.ENCRYPTED, str(locked)
        except MemoryError:
            reason, detail = Reason.TOO_BIG, "needs more memory than it may have"
        except Exception as problem:  # a reader's bug or a broken file: either way it was not read to its end
            if not nature.guessed or (count and not nature.doubtful):
                reason, detail = Reason.CORRUPT, f"{nature.kind}: {type(problem).__name__}: {problem}"[:300]
        if reason is not None:
            yield Blind(place=place, reason=reason, detail=detail)

    def _enclosed(self, member: Member, content: bytes) -> Iterator[Fact]:
        """What lies in it under another encoding (`gateway/mime/enclosed.py`)."""
        for enclosure in within(content, member.media_type, member.names):
            self.room.unfold(len(enclosure.content))
            yield enclosed(enclosure, "")

    def _kept(self, content: bytes, kind: str) -> bytes | None:
        """The content, where somebody will look at it and there is room."""
        room = self.room
        if len(content) <= room.keep:
            room.keep -= len(content)
            return content
        if kind in IMAGE_KINDS and len(content) <= room.pictures:
            room.pictures -= len(content)
            return content
        return None


def _facts(kind: str, data: bytes, place: str, room: Room, charset: str) -> Iterator[Iterator[Fact]]:
    """Each way to read a file of this kind."""
    if kind in HYPERTEXT:
        yield html_facts(data, place, Zone.ATTACHMENT, charset)
    elif kind in TEXTS:
        yield text_facts(data, place, Zone.ATTACHMENT, charset, kind)
    for reader in readers().get(kind, ()):
        yield reader(data, place, room)


def _listed(member: Member, place: str, depth: int) -> File:
    return File(
        place=place,
        names=member.names[:MAX_NAMES],
        media_type=member.media_type,
        size=member.size,
        depth=depth,
    )


def _signature(member: Member, content: bytes) -> bool:
    """True for a signature that lies beside what it signs: DER, a sequence of known length (RFC 8551 section 3.5)."""
    return member.media_type in _SIGNATURE_TYPES and content[:1] == b"\x30" and len(content) < 64 * 1024
