"""A message in the form in which it was signed (RFC 6376 section 3.4), in pieces and without a copy of the whole.

Everything here is done by `bytes` methods that look at a whole window at once: 5 MB in about 10 ms, and in 30 ms where
every line has tabs, doubled spaces and spaces at its end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.mail import Raw, Span
from gateway.mime.scan import windows

EMPTY_LINES = 32_768
"""Empty lines that are put out at a time."""

_SPACE = re.compile(rb"[ \t\r\n]+")
_TAB_AS_SPACE = bytes.maketrans(b"\t", b" ")


@dataclass(frozen=True, slots=True)
class Form:
    """What is hashed of a body: in which form, by which function, at most how many octets of it (l=)."""

    relaxed: bool
    function: str
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Hashed:
    """A body's digest, and how many octets the form has in all."""

    digest: bytes
    size: int


def header(name: str, raw: bytes, text: bytes, *, relaxed: bool) -> bytes:
    """One field without its line ending: `raw` is all of it, `text` what follows the colon."""
    if relaxed:
        return name.lower().encode("ascii") + b":" + _SPACE.sub(b" ", text).strip(b" ")
    return _crlf(raw).removesuffix(b"\r\n")


def body_hashes(raw: Raw, body: Span, forms: Iterable[Form]) -> dict[Form, Hashed]:
    """The digests of a body: one pass for each form, whatever the number of lengths asked for."""
    groups: dict[tuple[bool, str], list[Form]] = {}
    for form in forms:
        groups.setdefault((form.relaxed, form.function), []).append(form)
    found: dict[Form, Hashed] = {}
    for (relaxed, function), group in groups.items():
        running = hashlib.new(function, usedforsecurity=False)
        cut = sorted({form.length for form in group if form.length is not None})
        digests: dict[int | None, bytes] = {}
        size = 0
        for piece in canonical_body(raw, body, relaxed=relaxed):
            while cut and cut[0] <= size + len(piece):
                part = running.copy()
                part.update(piece[: cut[0] - size])
                digests[cut.pop(0)] = part.digest()
            running.update(piece)
            size += len(piece)
        digests[None] = running.digest()
        for form in group:  # a body shorter than l= is hashed as it is; the size tells
            found[form] = Hashed(digests.get(form.length, digests[None]), size)
    return found


def canonical_body(raw: Raw, body: Span, *, relaxed: bool) -> Iterator[bytes]:
    """The body in the simple (section 3.4.3) or relaxed form (section 3.4.4)."""
    of_file = _is_of_file(raw, body)
    pending = 0  # line endings that count only if something follows
    held, begun = b"", False
    for window in windows(raw, body.start, body.stop):
        data = _crlf(held + window) if of_file else held + window
        data, held = _relaxed(data) if relaxed else _without_lone_cr(data)
        data, ends = _without_last_lines(data)
        if data:
            yield from _lines(pending)
            yield data
            begun, pending = True, 0
        pending += ends
    if held := (held.strip(b" ") if relaxed else held):
        yield from _lines(pending)
        yield held
        begun = True
    if begun or not relaxed:
        yield b"\r\n"


def _is_of_file(raw: Raw, body: Span) -> bool:
    """True if the first line of the body ends as lines of files do, without a CR. By SMTP none does; in a body whose
    first line ends with CRLF a lone LF is an octet like others."""
    before = b""
    for window in windows(raw, body.start, body.stop):
        if (at := window.find(b"\n")) >= 0:
            return (before + window[:at])[-1:] != b"\r"
        before = window[-1:]
    return False


def _crlf(data: bytes) -> bytes:
    """Lone LFs, which files have in the place of line endings, as CRLF."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _without_lone_cr(data: bytes) -> tuple[bytes, bytes]:
    """The data, and what may be half of a line ending."""
    return (data[:-1], b"\r") if data.endswith(b"\r") else (data, b"")


def _relaxed(data: bytes) -> tuple[bytes, bytes]:
    """White space in lines made one space, that at their ends taken away; and what cannot be judged yet."""
    if b"\t" in data:
        data = data.translate(_TAB_AS_SPACE)
    # No tab is left: tabs now mark the spaces that go, for to overwrite and delete is twice as fast as to replace.
    if b"  " in data:
        while b"   " in data:  # leaves a third of the longest run each time
            data = data.replace(b"   ", b"\t\t ").translate(None, b"\t")
        data = data.replace(b"  ", b"\t ")
    kept = len(data) - data.endswith(b"\r")
    if data[kept - 1 : kept] == b" ":
        kept -= 1
    data, held = data[:kept], data[kept:]
    data = data.replace(b" \r\n", b"\t\r\n")
    return data.translate(None, b"\t") if b"\t" in data else data, held


def _without_last_lines(data: bytes) -> tuple[bytes, int]:
    """The data up to its last line endings, and how many there are."""
    tail = data[len(data.rstrip(b"\r\n")) :]
    if not tail.endswith(b"\n"):
        return data, 0
    ends = (len(tail) - max(tail.rfind(b"\r\r"), tail.rfind(b"\n\n")) - 1) // 2
    return data[: len(data) - 2 * ends], ends


def _lines(count: int) -> Iterator[bytes]:
    while count > 0:
        yield b"\r\n" * min(count, EMPTY_LINES)
        count -= EMPTY_LINES
