"""Files of old Macintoshes: BinHex 4.0 in a text (RFC 1741), AppleSingle and AppleDouble (RFC 1740), MacBinary."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pybase64

from gateway.mime.enclosure import ENCLOSURE_LIMIT, Enclosure, Means
from gateway.reading import Reason

_MARK = b"(This file must be converted with BinHex"
_START = re.compile(rb"[^\r\n]{0,100}[\r\n\s]*:")
_HEX = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64 = bytes.maketrans(_HEX, _BASE64)
_FOREIGN = bytes(set(range(256)) - set(_HEX))
_RUN = re.compile(rb"\x90(.?)", re.DOTALL)

_APPLE = (b"\x00\x05\x16\x00", b"\x00\x05\x16\x07")
_MACBINARY_HEAD = 128
_DATA_FORK, _REAL_NAME = 1, 3


def binhexed(text: bytes) -> Iterator[Enclosure]:
    """The file in a text in BinHex: its data fork. There is one in a text; Macintosh programs look no further."""
    mark = text.find(_MARK)
    start = _START.match(text, mark + len(_MARK)) if mark >= 0 else None
    if start is None:
        return
    stop = text.find(b":", start.end())
    clean = text[start.end() : stop if stop >= 0 else len(text)].translate(_TO_BASE64, _FOREIGN)
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    packed = pybase64.b64decode(clean + b"=" * (-len(clean) % 4))
    data, cut = _expanded(packed, ENCLOSURE_LIMIT)
    # RFC 1741: length and name, version, type, creator, flags, length of the data, of the resources, CRC; the forks.
    length = data[0] if data else 0
    head = 1 + length + 1 + 4 + 4 + 2
    size = int.from_bytes(data[head : head + 4], "big")
    first = head + 4 + 4 + 2
    yield _file(Means.BINHEX, data[1 : 1 + length], data[first : first + size], cut and len(data) < first + size)


def apple_files(data: bytes, media_type: str) -> Iterator[Enclosure]:
    """The data fork of AppleSingle (RFC 1740 appendix A), and of MacBinary where the type declares it."""
    if data.startswith(_APPLE):
        name, content = b"", b""
        for number in range(min(int.from_bytes(data[24:26], "big"), 16)):
            entry = data[26 + 12 * number : 38 + 12 * number]
            kind, at, size = (int.from_bytes(entry[place : place + 4], "big") for place in (0, 4, 8))
            if kind == _DATA_FORK:
                content = data[at : at + size]
            elif kind == _REAL_NAME:
                name = data[at : at + min(size, 255)]
        if content:
            yield _file(Means.APPLE, name, content)
    elif "macbinary" in media_type and len(data) > _MACBINARY_HEAD and not data[0] and 0 < data[1] < 64:
        size = int.from_bytes(data[83:87], "big")
        yield _file(Means.APPLE, data[2 : 2 + data[1]], data[_MACBINARY_HEAD : _MACBINARY_HEAD + size])


def _file(how: Means, name: bytes, content: bytes, cut: bool = False) -> Enclosure:
    shown = name.decode("mac-roman", "replace")
    return Enclosure(
        suffix=how, how=how, content=content, names=(shown,) if shown else (), blind=Reason.TOO_BIG if cut else None
    )


def _expanded(packed: bytes, limit: int) -> tuple[bytes, bool]:
    """`packed` with its runs (0x90 and a count: the byte before, that many times) written out; and whether it was cut
    at the limit, for a run makes 255 bytes of two."""
    out, at = bytearray(), 0
    for run in _RUN.finditer(packed):
        if len(out) > limit:
            return bytes(out[:limit]), True
        out += packed[at : run.start()]
        at = run.end()
        count = run[1][0] if run[1] else 0
        out += out[-1:] * (count - 1) if count else b"\x90"
    out += packed[at:]
    return bytes(out[:limit]), len(out) > limit
