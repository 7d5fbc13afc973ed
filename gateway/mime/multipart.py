"""The body of a multipart to the spans of its parts (RFC 2046 section 5.1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway.mail import Raw, Span
from gateway.mime.defects import Defect
from gateway.mime.scan import blank, occurrences

MAX_BOUNDARIES = 4
"""Readings of one boundary parameter that are followed; each costs one pass over the body."""

BOUNDARY_LIMIT = 1_000
"""Octets of a boundary. RFC 2046 allows 70; some readers take any, but none more than a line (RFC 5321: 1000)."""

_TRAILER = 100
"""Octets looked at behind a boundary: transport padding is white space (RFC 2046), a few characters at most."""

_REST_OF_LINE = re.compile(rb"(--)?[ \t]*(?:\r?\n|\r?\Z)")
_LIKELY_BOUNDARY = re.compile(rb"(?:\A|\n)--([^\r\n]{1,70})")
_GUESSED_WITHIN = 64 * 1024


_Line = tuple[int, int, bool]
"""A line that is a boundary: where the line before it ends, where the next one begins, and whether it closes."""


@dataclass(slots=True)
class Room:
    """How many parts and lines that begin with a boundary may still be looked at in a message."""

    parts: int
    lines: int


@dataclass(slots=True)
class Split:
    """The parts of a multipart, the texts around them, and what is odd about it.

    `prefixes` are the places of lines that begin with a boundary and go on.
    """

    parts: list[Span] = field(default_factory=list)
    texts: list[tuple[Span, Defect]] = field(default_factory=list)
    prefixes: list[int] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)


def boundaries(raw: Raw, body: Span, values: Iterable[str]) -> tuple[list[bytes], list[Defect]]:
    """The delimiters that some reader looks for, given every reading of the parameter."""
    found: dict[bytes, None] = {}
    for value in values:
        # RFC 2046 section 5.1.1: no boundary ends in white space; what a transport adds there is not part of it.
        found |= dict.fromkeys((value.rstrip().encode(), value.rstrip().encode("latin-1", "replace")))
    usable = [boundary for boundary in found if len(boundary) <= BOUNDARY_LIMIT][:MAX_BOUNDARIES]
    if len(usable) > 1:
        return usable, [Defect.TWO_BOUNDARIES]
    if usable:
        return usable, [] if usable[0] else [Defect.EMPTY_BOUNDARY]
    guess = _LIKELY_BOUNDARY.search(raw[body.start : min(body.start + _GUESSED_WITHIN, body.stop)])
    return ([guess[1].rstrip()] if guess else []), [Defect.NO_BOUNDARY]


def split(raw: Raw, body: Span, delimiters: Iterable[bytes], room: Room) -> Split:
    """Splits a body at every line that is one of the delimiters."""
    result = Split()
    lines = list[_Line]()
    for delimiter in delimiters:
        lines += _lines(raw, body, delimiter, room, result)
    start, closed, within = body.start, False, False
    for end, following, closing in sorted(set(lines)):
        if within:
            result.parts.append(Span(start, max(start, end)))
        elif end > start:
            _note_text(raw, start, end, closed, result)
        if closed and not closing:
            result.defects.append(Defect.PARTS_AFTER_END)
        start, within, closed = following, not closing, closed or closing
    if not lines:
        result.defects.append(Defect.BOUNDARY_ABSENT)
    elif within:
        result.defects.append(Defect.NO_END_BOUNDARY)
        result.parts.append(Span(start, body.stop))
    elif body.stop > start:
        _note_text(raw, start, body.stop, closed, result)
    if len(result.parts) > room.parts:
        result.defects.append(Defect.LIMIT_PARTS)
        del result.parts[room.parts :]
    room.parts -= len(result.parts)
    return result


def _lines(raw: Raw, body: Span, delimiter: bytes, room: Room, result: Split) -> Iterator[_Line]:
    """Each line that is the delimiter."""
    needle = b"\n--" + delimiter
    for at in occurrences(raw, needle, max(body.start - 1, 0), body.stop):
        room.lines -= 1
        if room.lines < 0:
            result.defects.append(Defect.LIMIT_PARTS)
            return
        after = at + len(needle)
        trailer = raw[after : min(after + _TRAILER, body.stop)]
        end = at - (raw[at - 1 : at] == b"\r" and at > body.start)
        if trailer.startswith(b"\r\n"):
            yield end, after + 2, False
        elif rest := _REST_OF_LINE.match(trailer):
            yield end, after + rest.end(), rest[1] is not None
        else:
            result.prefixes.append(at + 1)
            result.defects.append(Defect.BOUNDARY_PREFIX)


def _note_text(raw: Raw, start: int, stop: int, closed: bool, result: Split) -> None:
    if not blank(raw, start, stop):
        result.texts.append((Span(start, stop), Defect.EPILOGUE if closed else Defect.PREAMBLE))
        result.defects.append(result.texts[-1][1])
