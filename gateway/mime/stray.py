"""Mail within a text whose head got lost: a bounce that quotes it, a head that ended too soon, a body without a head.

Programs differ on where a head ends and which boundary counts. Whatever the cause, the parts stand in a text that was
not split; they are found by their own form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.mime.decode import lenient_base64
from gateway.mime.enclosure import MAX_ENCLOSURES, Enclosure, Means
from gateway.mime.kinds import SNIFFED, kind_of
from gateway.mime.scan import line_starts
from gateway.reading import Reason

MAX_MARKS = 1_000
"""Lines that look like a boundary before a field and are looked at."""

MAX_DASHES = 200_000
"""Lines that begin with two hyphens; a printed table of many pages has some thousands."""

SEARCHED = 1024 * 1024
"""Bytes of a text searched for base64 that nothing announces; no program shows it as a file."""

HEAD_SEARCHED = 16 * 1024
"""Bytes of a text in which a head must end that it begins with."""

LEAST_BASE64 = 60
"""Characters that make a block of base64 worth a look; the EICAR test file has 92."""

_FIELD = rb"[!-9;-~]{1,100}+[ \t]*+:[^\n]*+(?:\n|\Z)(?:[ \t]++[^\n]*+(?:\n|\Z))*+"
_HEAD = re.compile(rb"(?:From [^\n]*+\n)?(?:" + _FIELD + rb")++")
_ABOUT_CONTENT = re.compile(rb"^(?:content-(?:type|transfer-encoding|disposition)|mime-version)[ \t]*:", re.I | re.M)
_PART = re.compile(rb"--([^\r\n]{1,200})\r?\n(?:" + _FIELD + rb"){0,8}?content-[a-z-]{1,40}[ \t]*:", re.IGNORECASE)
_LIKELY = re.compile(rb"--[^\r\n]{1,200}+\r?\n[!-9;-~]{1,100}+[ \t]*+:")
_PART_WITHIN = 4 * 1024
_BASE64 = re.compile(rb"^(?:[A-Za-z0-9+/]{4,}+={0,2}[ \t]*+(?:\r?\n|\Z))++", re.MULTILINE)


def multipart_in(text: bytes) -> Iterator[Enclosure]:
    """A text from the first line on that begins a part, as the multipart whose body it is."""
    looked = 0
    for number, at in enumerate(line_starts(text, b"--", 0, len(text))):
        if number < MAX_DASHES and not _LIKELY.match(text, at):
            continue
        looked += 1
        if looked > MAX_MARKS or number >= MAX_DASHES:
            yield Enclosure(suffix="parts", how=Means.MESSAGE, blind=Reason.TOO_MANY)
            return
        part = _PART.match(text[at : at + _PART_WITHIN])
        if part:
            boundary = part[1].rstrip().replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            head = b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n'
            yield Enclosure(suffix="parts", how=Means.MESSAGE, content=head + text[at:], media_type="message/rfc822")
            return


def message_in(text: bytes) -> Iterator[Enclosure]:
    """A text that begins with the head of a part or a message, as that."""
    start = text[:HEAD_SEARCHED].lstrip(b" \t\r\n")
    head = _HEAD.match(start)
    if head and _ABOUT_CONTENT.search(head[0]):
        content = text[min(len(text), HEAD_SEARCHED) - len(start) :]
        yield Enclosure(suffix="message", how=Means.MESSAGE, content=content, media_type="message/rfc822")


def base64_in(text: bytes) -> Iterator[Enclosure]:
    """The files in base64 within a text: blocks of lines that decode to something of a known kind."""
    number = 0
    for block in _BASE64.finditer(text[:SEARCHED]):
        if len(block[0]) < LEAST_BASE64:
            continue
        content = lenient_base64(block[0])
        if kind_of(content[:SNIFFED]) == "data":
            continue
        number += 1
        yield Enclosure(suffix=f"base64-{number}", how=Means.BASE64, content=content)
        if number == MAX_ENCLOSURES:
            return
