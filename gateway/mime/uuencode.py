"""Files in the text of a mail as they were sent before MIME: uuencode, its base64 form, xxencode.

Outlook, Thunderbird and scanners take what is between a line `begin MODE NAME` and a line `end` (POSIX.1, uuencode) for
an attachment, wherever in a text it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from gateway.mail import Raw, Span
from gateway.mime.decode import lenient_base64, uuencoded_line
from gateway.mime.enclosure import MAX_ENCLOSURES, Enclosure, Means
from gateway.mime.scan import WINDOW, line_starts, line_windows
from gateway.reading import Reason
from gateway.text.charsets import guessed

MAX_MARKS = 1_000
"""Files within one text whose names are listed."""

LONGEST_LINE = 256
"""Bytes in which the first line of a file is looked for; one has 62."""

# A mode, as POSIX has it, or none: Outlook takes two spaces for it.
_BEGIN = re.compile(rb"begin(-base64)?(?:[ \t]+[0-7]{3,4}[ \t]+|[ \t]{2,})([^\r\n]{1,255})\r?(?:\n|\Z)")
_MARK = b"begin"
_LONGEST_MARK = 300
_END = re.compile(rb"^(?:end|====)[ \t]*+\r?(?:\n|\Z)|^(?=begin(?:-base64)?[ \t])", re.IGNORECASE | re.MULTILINE)
_XX = b"+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FROM_XX = bytes.maketrans(_XX, bytes(range(32, 96)))


def names_in_text(raw: Raw, body: Span) -> list[str]:
    """The names of the files within a text, as far as MAX_MARKS."""
    if len(body) <= WINDOW and _MARK not in raw[body.start : body.stop]:
        return []
    return [_name(begin) for _, begin in islice(_marks(raw, body.start, body.stop), MAX_MARKS)]


def uuencoded(text: bytes) -> Iterator[Enclosure]:
    """The files within a text, decoded."""
    at, number = 0, 0
    for start, begin in _marks(text, 0, len(text)):
        if start < at:
            continue
        first = start + begin.end()
        end = _END.search(text, first)
        stop, at = (end.start(), end.end()) if end else (len(text), len(text))
        how = _how(text, first, stop)
        content = b"".join(_blocks(text, first, stop, how, in_base64=begin[1] is not None))
        if not content and not end:
            continue
        number += 1
        if number > MAX_ENCLOSURES:
            yield Enclosure(suffix="uuencode", how=Means.UUENCODE, blind=Reason.TOO_MANY)
            return
        names = (_name(begin),) if _name(begin) else ()
        yield Enclosure(suffix=f"uuencode-{number}", how=how, content=content, names=names)


def _marks(raw: Raw, start: int, stop: int) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Where a line begins that begins a file, and what it says."""
    for at in line_starts(raw, _MARK, start, stop):
        begin = _BEGIN.match(raw[at : min(at + _LONGEST_MARK, stop)])
        if begin:
            yield at, begin


def _name(begin: re.Match[bytes]) -> str:
    return guessed(begin[2]).strip()


def _how(text: bytes, start: int, stop: int) -> Means:
    """Whether the first line is as long as uuencode has it, or as xxencode."""
    lines = text[start : min(start + LONGEST_LINE, stop)].split(b"\n")
    first = next((line.rstrip() for line in lines if line.strip()), b"")
    return Means.XXENCODE if not _fits(first) and _fits(first.translate(_FROM_XX)) else Means.UUENCODE


def _blocks(text: bytes, start: int, stop: int, how: Means, *, in_base64: bool) -> Iterator[bytes]:
    if in_base64:
        yield lenient_base64(text[start:stop])
        return
    for block in line_windows(text, start, stop):
        lines = block.split(b"\n")
        if how is Means.XXENCODE:
            lines = [line.rstrip(b"\r ").translate(_FROM_XX) for line in lines]
        yield b"".join(uuencoded_line(line.rstrip(b"\r")) for line in lines)


def _fits(line: bytes) -> bool:
    """True if a line is as long as its first character says; some encoders add a checksum character or two."""
    expected = (((line[0] - 32) & 63) + 2) // 3 * 4 + 1 if line else 0
    return expected <= len(line) <= expected + 2
