"""A part's content as each program would have it: the encodings and types that some program takes, undone and named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.mail import Part, Raw, Span
from gateway.mime.declared import Declared, declared
from gateway.mime.decode import ENCODINGS, IDENTITY, UUENCODE, VARIANTS, decoded_as, irregular
from gateway.mime.parse import MESSAGES
from gateway.mime.scan import windows

MAX_READINGS = 6
"""Readings of one part: three encodings and the variants of one come to less."""

LOOKED_AT = 64 * 1024
"""Bytes of a body by which it is seen what it is encoded in."""

LEAST_BASE64 = 24
"""Bytes by which base64 is told from a word."""

MAX_CLAIMS = 20
"""Places in a head that speak of an encoding and are looked at."""

_CLAIM_WITHIN = 60
_AS_IT_IS = "8bit"
_WORDS = (b"base64", b"quoted-printable", b"uuencode", b"x-uue")
_BASE64_LINES = re.compile(
    rb"\s*+(?:[A-Za-z0-9+/]{20,}+={0,2}[ \t]*+\r?\n)*+(?:[A-Za-z0-9+/]{4,}+={0,2}\s*+)?", re.ASCII
)
_SOFT_BREAK = re.compile(rb"=[ \t]*\r?\n")
_ESCAPE = re.compile(rb"=[0-9A-F]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One reading of a part's content. `media_types` and `charsets` are all that some program takes it for, best first;
    `encoding` is the one undone; `first` is true for the reading by the book, which is what `Part.size` counts."""

    content: bytes
    encoding: str
    media_types: tuple[str, ...]
    charsets: tuple[str, ...] = ()
    first: bool = True


def readings(raw: Raw, part: Part, limit: int | None = None) -> Iterator[Content]:
    """The content of a part as each program would have it, each at most its first `limit` bytes, best first.

    One for an ordinary leaf, none for an ordinary branch; several where programs disagree, and only if they differ.
    """
    head = raw[part.head.start : part.head.stop]
    said = declared(head)
    types = tuple(dict.fromkeys([part.media_type, *said.media_types]))
    if part.children:
        types = tuple(one for one in types if not one.startswith("multipart/") and one not in MESSAGES)
        if not types:
            return
    encodings = list(dict.fromkeys(_encodings(raw, part.body, part.encoding, said, head)))
    seen = set[tuple[int, int]]()
    for encoding in encodings:
        content = decoded_as(encoding, raw, part.body, limit)
        mark = (len(content), hash(content)) if len(encodings) > 1 else (0, 0)
        if mark in seen:
            continue
        first = not seen and not part.children
        yield Content(content=content, encoding=encoding, media_types=types, charsets=said.charsets, first=first)
        seen.add(mark)
        if len(seen) == MAX_READINGS:
            return


def _encodings(raw: Raw, body: Span, by_the_book: str, said: Declared, head: bytes) -> Iterator[str]:
    """The encodings to undo, best first; one may come twice."""
    yield by_the_book
    odd = False
    for encoding in said.encodings or (by_the_book,):
        yield encoding
        if encoding in VARIANTS and any(irregular(block, encoding) for block in windows(raw, body.start, body.stop)):
            yield from VARIANTS[encoding]
            odd = True
    if odd or by_the_book in UUENCODE or (said.media_types[:1] and said.media_types[0] in MESSAGES):
        yield _AS_IT_IS  # some programs show what they cannot decode, and what stands around it
    yield from _claims(head)
    if by_the_book not in ENCODINGS or (by_the_book in IDENTITY and not said.encodings):
        yield from _by_looks(raw[body.start : min(body.start + LOOKED_AT, body.stop)])


def _claims(head: bytes) -> Iterator[str]:
    """The encodings that a head names in a field that is no Content-Transfer-Encoding by the book."""
    for piece in head.lower().split(b"encoding", MAX_CLAIMS)[1:]:
        for word in _WORDS:
            if word in piece[:_CLAIM_WITHIN]:
                yield word.decode()


def _by_looks(start: bytes) -> Iterator[str]:
    """The encoding of a body for which none is declared, or none that is known."""
    if _SOFT_BREAK.search(start) and _ESCAPE.search(start):
        yield "quoted-printable"
    if len(start) >= LEAST_BASE64 and _BASE64_LINES.fullmatch(start[: start.rfind(b"\n") + 1] or start):
        yield "base64"
