"""What the sandboxed process says, as bytes: frames of a length and one JSON object. No code can be in them.

The far side has opened strangers' files and may be theirs: whatever is not exactly a frame as it should be is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pybase64

from gateway.reading import Blind, File, Link, Reading, Reason, Text, Trait, Zone

MAX_FRAME = 48 * 1024 * 1024
"""Bytes of one frame: a member of the greatest size that is held, in base64, and its names."""

MAX_FACTS = 200_000
"""Facts of one file; the reader's own limits on texts, links and files are far below."""

_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Marked:
    """A trait of the file that was the `file`-th to be told of, counted from 0."""

    file: int
    trait: Trait


@dataclass(frozen=True, slots=True)
class Done:
    """All was told. What was used of the room: bytes and files."""

    unfolded: int = 0
    files: int = 0


Told = Text | Link | File | Blind | Marked | Done


class Broken(Exception):
    """Not a frame, or not one that may come."""


def encoded(told: Told) -> bytes:
    """One frame."""
    body = json.dumps(_plain(told), separators=(",", ":")).encode()
    return len(body).to_bytes(_LENGTH, "big") + body


class Decoder:
    """Bytes in, in pieces of any size; what is told out. Raises Broken, at `limit` bytes in all too."""

    def __init__(self, limit: int) -> None:
        self._buffer = bytearray()
        self._left = limit
        self._facts = MAX_FACTS
        self.done = False

    def feed(self, data: bytes) -> Iterator[Told]:
        """What is complete by now."""
        self._left -= len(data)
        if self._left < 0:
            raise Broken("more than may be told")
        self._buffer += data
        at = 0
        try:
            while len(self._buffer) - at >= _LENGTH:
                length = int.from_bytes(self._buffer[at : at + _LENGTH], "big")
                if length > MAX_FRAME:
                    raise Broken(f"a frame of {length} bytes")
                stop = at + _LENGTH + length
                if len(self._buffer) < stop:
                    break
                told = _decoded(bytes(self._buffer[at + _LENGTH : stop]))
                at = stop
                self._facts -= 1
                if self.done or self._facts < 0:
                    raise Broken("something after the end, or no end")
                self.done = isinstance(told, Done)
                yield told
        finally:
            del self._buffer[:at]


def assembled(told: list[Told]) -> Reading:
    """All that was told as one reading. Marks of files that were never told of are refused: Broken."""
    files: list[File] = []
    traits: dict[int, list[Trait]] = {}
    for one in told:
        if isinstance(one, File):
            files.append(one)
        elif isinstance(one, Marked):
            traits.setdefault(one.file, []).append(one.trait)
    if any(not 0 <= number < len(files) for number in traits):
        raise Broken("a trait of no file")
    for number, found in traits.items():
        files[number] = replace(files[number], traits=tuple(dict.fromkeys(found)))
    return Reading(
        texts=tuple(one for one in told if isinstance(one, Text)),
        links=tuple(one for one in told if isinstance(one, Link)),
        files=tuple(files),
        blind=tuple(dict.fromkeys(one for one in told if isinstance(one, Blind))),
    )


def _plain(told: Told) -> list[Any]:
    match told:
        case Text():
            return ["text", told.place, told.zone.value, told.content, told.kind, told.charset]
        case Link():
            return ["link", told.place, told.target, told.text, told.source, told.button]
        case Blind():
            return ["blind", told.place, told.reason.value, told.detail]
        case Marked():
            return ["mark", told.file, told.trait.word, told.trait.detail]
        case Done():
            return ["done", told.unfolded, told.files]
        case File():
            content = None if told.content is None else _base64(told.content)
            about = [told.place, list(told.names), told.kind, told.media_type, told.size, told.depth]
            return ["file", *about, _base64(told.start), told.digest, content]


def _decoded(body: bytes) -> Told:
    try:
        match json.loads(body):
            case ["text", str(place), str(zone), str(content), str(kind), str(charset)]:
                return Text(place=place, zone=Zone(zone), content=content, kind=kind, charset=charset)
            case ["link", str(place), str(target), str(text), str(source), bool(button)]:
                return Link(place=place, target=target, text=text, source=source, button=button)
            case ["blind", str(place), str(reason), str(detail)]:
                return Blind(place=place, reason=Reason(reason), detail=detail)
            case ["mark", int(file), str(word), str(detail)]:
                return Marked(file, Trait(word=word, detail=detail))
            case ["done", int(unfolded), int(files)]:
                return Done(unfolded, files)
            case ["file", str(place), list(names), str(kind), str(media_type), int(size), int(depth), *rest]:
                return _file(place, names, kind, media_type, size, depth, rest)
    except (ValueError, RecursionError) as problem:  # JSONDecodeError, UnicodeDecodeError, an unknown word
        raise Broken(str(problem)) from None
    raise Broken("an unknown frame")


def _file(place: str, names: list[Any], kind: str, media_type: str, size: int, depth: int, rest: list[Any]) -> File:
    match rest:
        case [str(start), str(digest), str() | None as content] if all(isinstance(name, str) for name in names):
            return File(
                place=place,
                names=tuple(names),
                kind=kind,
                media_type=media_type,
                size=size,
                depth=depth,
                start=pybase64.b64decode(start, validate=True),
                digest=digest,
                content=None if content is None else pybase64.b64decode(content, validate=True),
            )
    raise Broken("an unknown frame")


def _base64(data: bytes) -> str:
    return pybase64.b64encode(data).decode()
