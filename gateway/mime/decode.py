"""A part's content: transfer encodings undone as the most lenient mail program does it, in windows.

What a strict decoder refuses (RFC 2045 section 6.8 lets it skip foreign characters, some skip more), a victim's program
may still open; so nothing here fails.
"""

from __future__ import annotations

import binascii
import re
import string
from collections.abc import Callable, Iterable, Iterator

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

BASE64_THROUGH_PADDING, BASE64_FOR_URLS, BASE64_BY_LINES = "base64/padding", "base64/url", "base64/lines"
QUOTED_PRINTABLE_BY_ESCAPE = "quoted-printable/escape"
VARIANTS = {
    "base64": (BASE64_THROUGH_PADDING, BASE64_FOR_URLS, BASE64_BY_LINES),
    "quoted-printable": (QUOTED_PRINTABLE_BY_ESCAPE,),
}
"""How other programs undo an encoding where it is broken: padding inside base64 is one more foreign character; "-" and
"_" are of its alphabet (RFC 4648 section 5); a line with a foreign character is none; each escape of quoted-printable
is undone on its own."""

UUENCODE_GROWTH = 2
"""Bytes for each character of a uuencoded line at most. A line may promise zeros that it does not have, for spaces at
its end get lost; a line of one character promises 45."""

_ALPHABET = (string.ascii_letters + string.digits + "+/").encode()
_FOREIGN = bytes(set(range(256)) - set(_ALPHABET) - set(b"="))
_FROM_URL = bytes.maketrans(b"-_", b"+/")
# A line of base64 holds nothing else: white space inside one, any other character, padding with more behind it.
_IRREGULAR_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]|[^\s][ \t]+[^\s]|=\s*[^=\s]|=(?:\s*=){2}")
_IRREGULAR_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*(?:\r?\n|\r?\Z))")
_SPACED_SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n)")
_UU_BEGIN = re.compile(rb"begin [0-7]{3,4} ")


def decoded(raw: Raw, part: Part, limit: int | None = None) -> bytes:
    """The content of a part, or its first `limit` bytes; no more is decoded than that."""
    return decoded_as(part.encoding, raw, part.body, limit)


def decoded_as(encoding: str, raw: Raw, body: Span, limit: int | None = None) -> bytes:
    """A body with this encoding undone, whatever its part says."""
    step = WINDOW if limit is None else max(min(WINDOW, 2 * limit), 1)
    chunks, length = [], 0
    for chunk in _chunks(windows(raw, body.start, body.stop, step), encoding):
        chunks.append(chunk)
        length += len(chunk)
        if limit is not None and length >= limit:
            break
    return b"".join(chunks)[:limit]


def measured(raw: Raw, body: Span, encoding: str) -> tuple[int, bool]:
    """How many bytes a body has after decoding, and whether it has what programs do not agree on how to undo.

    Base64 is counted, not decoded, unless it has padding inside.
    """
    if encoding not in ENCODINGS or encoding in IDENTITY:
        return len(body), False
    odd = False
    if encoding == "base64":
        count, odd = _base64_count(raw, body)
        if count is not None:
            return count * 3 // 4, odd
    if encoding == "quoted-printable":
        if len(body) <= WINDOW:
            block = raw[body.start : body.stop]
            size = len(_quoted_printable_lines(block))
            return size, size != _regular_size(block) and irregular(block, encoding)
        odd = any(irregular(block, encoding) for block in windows(raw, body.start, body.stop))
    return sum(len(chunk) for chunk in _chunks(windows(raw, body.start, body.stop), encoding)), odd


def _regular_size(text: bytes) -> int:
    """What is left of quoted-printable where each equals sign begins an escape or ends a line."""
    return len(text) - 2 * text.count(b"=") - text.count(b"=\r\n")  # an escape has three bytes, so has a break


def lenient_base64(data: bytes) -> bytes:
    """`data` decoded: foreign characters are skipped, after padding it goes on, a missing end is made up."""
    return b"".join(_base64([data]))


def _chunks(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding == "base64":
        return _base64(blocks)
    if encoding == "quoted-printable":
        return _by_lines(blocks, _quoted_printable_lines)
    if encoding in UUENCODE:
        return _uuencoded(blocks)
    if encoding == BASE64_THROUGH_PADDING:
        return _base64(block.translate(None, b"=") for block in blocks)
    if encoding == BASE64_FOR_URLS:
        return _base64(block.translate(_FROM_URL) for block in blocks)
    if encoding == BASE64_BY_LINES:
        return _base64(_by_lines(blocks, _lines_of_base64))
    if encoding == QUOTED_PRINTABLE_BY_ESCAPE:
        return _by_lines(blocks, _each_escape)
    return iter(blocks)


def irregular(block: bytes, encoding: str) -> bool:
    """True if a piece of a body has what programs do not agree on how to undo."""
    if encoding == "base64":
        foreign = block.translate(None, _ALPHABET + b"\r\n")
        if not foreign.strip(b"="):  # most bodies: nothing, or padding, which is looked at from where it begins
            block = block[block.index(b"=") :] if foreign else b""
        return _IRREGULAR_BASE64.search(block) is not None
    return encoding == "quoted-printable" and _IRREGULAR_ESCAPE.search(block) is not None


def _base64(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest, paddings = b"", 0
    for block in blocks:
        clean = rest + block.translate(None, _FOREIGN)
        if b"=" in clean:
            *closed, clean = clean.split(b"=", MAX_PADDINGS - paddings)
            paddings += len(closed)
            yield b"".join(_base64_run(run) for run in closed if run)
            clean = clean.translate(None, b"=")
        whole = len(clean) & ~3
        yield pybase64.b64decode(clean[:whole])
        rest = clean[whole:]
    yield _base64_run(rest)


def _base64_run(run: bytes) -> bytes:
    if len(run) % 4 == 1:  # six bits make no byte
        run = run[:-1]
    return pybase64.b64decode(run + b"=" * (-len(run) % 4))


def _base64_count(raw: Raw, body: Span) -> tuple[int | None, bool]:
    """How many characters of the alphabet the body has, None if some follow a padding sign; and if it is irregular."""
    if len(body) <= WINDOW:  # most bodies are in one piece and end in their padding
        whole = raw[body.start : body.stop]
        foreign = whole.translate(None, _ALPHABET)
        padding = foreign.translate(None, b"\r\n")
        if padding in (b"", b"=", b"==") and whole.rstrip(b"\r\n").endswith(padding):
            return len(whole) - len(foreign), False
    count, padded, odd = 0, False, False
    for window in windows(raw, body.start, body.stop):
        foreign = window.translate(None, _ALPHABET)
        here = len(window) - len(foreign)
        if padded and here:
            return None, True
        if b"=" in foreign:
            padded = True
            tail = window[window.index(b"=") :]
            if len(tail.translate(None, _ALPHABET)) < len(tail):
                return None, True
        odd = odd or (bool(foreign.translate(None, b"\r\n=")) and irregular(window, "base64"))
        count += here
    return count, odd


def _by_lines(blocks: Iterable[bytes], undone: Callable[[bytes], bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        text = rest + block
        cut = text.rfind(b"\n") + 1
        if cut == 0:  # a line longer than a window: only an escape must stay in one piece
            escape = text.rfind(b"=", max(len(text) - 2, 0))
            cut = len(text[: escape + 1].rstrip(b"=")) if escape >= 0 else len(text)
            cut = cut or len(text)
        yield undone(text[:cut])
        rest = text[cut:]
    yield undone(rest)


def _lines_of_base64(text: bytes) -> bytes:
    return b"".join(line for line in text.split(b"\n") if not line.translate(None, _ALPHABET + b"=\r"))


def _quoted_printable_lines(text: bytes) -> bytes:
    if b"= " in text or b"=\t" in text:  # RFC 2045 section 6.7 rule 3: white space at a line's end is not content
        text = _SPACED_SOFT_BREAK.sub(b"=", text)
    return binascii.a2b_qp(text)


def _each_escape(text: bytes) -> bytes:
    """An equals sign in front of an escape stands for itself, and does not take the escape's own sign with it."""
    for _ in range(2):  # the second time finds what the first one made of three in a row
        text = text.replace(b"==", b"=3D=")
    return _quoted_printable_lines(text)


def _uuencoded(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest, inside = b"", False
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        content, inside = _uuencoded_lines(lines, inside)
        yield content
        if len(rest) > WINDOW:  # no uuencoded line is longer than 62 characters
            rest = b""
    yield _uuencoded_lines([rest], inside)[0]


def _uuencoded_lines(lines: Iterable[bytes], inside: bool) -> tuple[bytes, bool]:
    """What lines hold, the first being inside a file or not; and whether the next one is."""
    content = bytearray()
    for line in lines:
        if inside and line.rstrip() == b"end":
            inside = False
        elif inside:
            content += uuencoded_line(line.rstrip(b"\r"))
        elif _UU_BEGIN.match(line):
            inside = True
    return bytes(content), inside


def uuencoded_line(line: bytes) -> bytes:
    """One line of a uuencoded file; nothing where it cannot be one."""
    if not line:
        return b""
    length = ((line[0] - 32) & 63) * 4 // 3 + 3  # some encoders add a checksum character
    try:
        return binascii.a2b_uu(line[:length])[: UUENCODE_GROWTH * len(line)]
    except binascii.Error:
        return b""
