"""A part's content: transfer encodings undone as the most lenient mail program does it, in windows.

What a strict decoder refuses (RFC 2045 section 6.8 lets it skip foreign characters, some skip more), a victim's program
may still open; so nothing here fails.
"""

from __future__ import annotations

import binascii
import re
import string
from collections.abc import Iterable, Iterator

import pybase64

from gateway.mail import Part, Raw, Span
from gateway.mime.scan import WINDOW, windows

MAX_PADDINGS = 1_000
"""Padding signs in one base64 body after which decoding begins anew, as programs do that read joined bodies one after
the other. Honest bodies have two; beyond this padding is skipped like any foreign character."""

IDENTITY = frozenset({"7bit", "8bit", "binary"})
UUENCODE = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})
ENCODINGS = IDENTITY | UUENCODE | {"base64", "quoted-printable"}
"""The encodings that are undone; any other is taken as identity."""

_ALPHABET = (string.ascii_letters + string.digits + "+/").encode()
_FOREIGN = bytes(set(range(256)) - set(_ALPHABET) - set(b"="))
_SPACED_SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n)")
_UU_BEGIN = re.compile(rb"begin [0-7]{3,4} ")


def decoded(raw: Raw, part: Part, limit: int | None = None) -> bytes:
    """The content of a part, or its first `limit` bytes; no more is decoded than that."""
    step = WINDOW if limit is None else max(min(WINDOW, 2 * limit), 1)
    chunks, length = [], 0
    for chunk in _chunks(windows(raw, part.body.start, part.body.stop, step), part.encoding):
        chunks.append(chunk)
        length += len(chunk)
        if limit is not None and length >= limit:
            break
    return b"".join(chunks)[:limit]


def decoded_size(raw: Raw, body: Span, encoding: str) -> int:
    """How many bytes a body has after decoding. Base64 is counted, not decoded, unless it has padding inside."""
    if encoding == "base64":
        count = _base64_count(raw, body)
        if count is not None:
            return count * 3 // 4
    elif encoding not in ENCODINGS or encoding in IDENTITY:
        return len(body)
    return sum(len(chunk) for chunk in _chunks(windows(raw, body.start, body.stop), encoding))


def lenient_base64(data: bytes) -> bytes:
    """`data` decoded: foreign characters are skipped, after padding it goes on, a missing end is made up."""
    return b"".join(_base64([data]))


def _chunks(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding == "base64":
        return _base64(blocks)
    if encoding == "quoted-printable":
        return _quoted_printable(blocks)
    if encoding in UUENCODE:
        return _uuencoded(blocks)
    return iter(blocks)


def _base64(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest, paddings = b"", 0
    for block in blocks:
        clean = rest + block.translate(None, _FOREIGN)
        if b"=" in clean:
            *closed, clean = clean.split(b"=", MAX_PADDINGS - paddings)
            paddings += len(closed)
            yield b"".join(_base64_run(run) for run in closed if run)
            clean = clean.replace(b"=", b"")
        whole = len(clean) & ~3
        yield pybase64.b64decode(clean[:whole])
        rest = clean[whole:]
    yield _base64_run(rest)


def _base64_run(run: bytes) -> bytes:
    if len(run) % 4 == 1:  # six bits make no byte
        run = run[:-1]
    return pybase64.b64decode(run + b"=" * (-len(run) % 4))


def _base64_count(raw: Raw, body: Span) -> int | None:
    """How many characters of the alphabet the body has; None if some follow a padding sign."""
    count, padded = 0, False
    for window in windows(raw, body.start, body.stop):
        foreign = window.translate(None, _ALPHABET)
        here = len(window) - len(foreign)
        if padded and here:
            return None
        if b"=" in foreign:
            padded = True
            tail = window[window.index(b"=") :]
            if len(tail.translate(None, _ALPHABET)) < len(tail):
                return None
        count += here
    return count


def _quoted_printable(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        text = rest + block
        cut = text.rfind(b"\n") + 1
        if cut == 0:  # a line longer than a window: only an escape must stay in one piece
            escape = text.rfind(b"=", len(text) - 2)
            cut = escape if escape >= 0 else len(text)
        yield _quoted_printable_lines(text[:cut])
        rest = text[cut:]
    yield _quoted_printable_lines(rest)


def _quoted_printable_lines(text: bytes) -> bytes:
    if b"= " in text or b"=\t" in text:  # RFC 2045 section 6.7 rule 3: white space at a line's end is not content
        text = _SPACED_SOFT_BREAK.sub(b"=", text)
    return binascii.a2b_qp(text)


def _uuencoded(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest, inside = b"", False
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            if inside and line.rstrip() == b"end":
                inside = False
            elif inside:
                yield _uuencoded_line(line.rstrip(b"\r"))
            elif _UU_BEGIN.match(line):
                inside = True
        if len(rest) > WINDOW:  # no uuencoded line is longer than 62 characters
            rest = b""
    if inside and rest.rstrip() != b"end":
        yield _uuencoded_line(rest.rstrip(b"\r"))


def _uuencoded_line(line: bytes) -> bytes:
    if not line:
        return b""
    length = ((line[0] - 32) & 63) * 4 // 3 + 3  # some encoders add a checksum character
    try:
        return binascii.a2b_uu(line[:length])
    except binascii.Error:
        return b""
