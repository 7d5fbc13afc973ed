"""Files in the text of a mail as Usenet sends them: yEnc (version 1.3 of its specification, yence.sourceforge.net)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.mime.enclosure import MAX_ENCLOSURES, Enclosure, Means
from gateway.mime.scan import occurrences, windows
from gateway.reading import Reason
from gateway.text.charsets import guessed

# The name is the last word of the line and may hold spaces.
_BEGIN = re.compile(rb"=ybegin [^\r\n]{0,300}?\bname=([^\r\n]{0,255})\r?\n(?:=ypart [^\r\n]{0,300}\r?\n)?")
_LONGEST_BEGIN = 1_200
_ESCAPED = re.compile(rb"=(.)", re.DOTALL)
_MINUS_42 = bytes((value - 42) % 256 for value in range(256))
_UNESCAPED = {bytes([value]): bytes([(value - 64) % 256]) for value in range(256)}


def yencoded(text: bytes) -> Iterator[Enclosure]:
    """The files within a text, decoded. Parts of one file that came in several messages are given as they are."""
    at, number = 0, 0
    for start in occurrences(text, b"=ybegin ", 0, len(text)):
        if start < at:
            continue
        begin = _BEGIN.match(text[start : start + _LONGEST_BEGIN])
        if begin is None:
            continue
        number += 1
        if number > MAX_ENCLOSURES:
            yield Enclosure(suffix="yenc", how=Means.YENC, blind=Reason.TOO_MANY)
            return
        first = start + begin.end()
        found = text.find(b"=yend", first)
        at = found if found >= 0 else len(text)
        name = guessed(begin[1]).strip()
        content = b"".join(_decoded(text, first, at))
        yield Enclosure(suffix=f"yenc-{number}", how=Means.YENC, content=content, names=(name,) if name else ())


def _decoded(text: bytes, start: int, stop: int) -> Iterator[bytes]:
    rest = b""
    for window in windows(text, start, stop):
        plain = rest + window.translate(None, b"\r\n\0")  # none of these is ever written unescaped
        pending = (len(plain) - len(plain.rstrip(b"="))) % 2
        rest = b"=" * pending
        plain = plain[: len(plain) - pending]
        yield _ESCAPED.sub(lambda escape: _UNESCAPED[escape[1]], plain).translate(_MINUS_42)
