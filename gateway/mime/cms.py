"""S/MIME to the entity inside: the content of signed and compressed data, and whether it is encrypted (RFC 5652, 8551).

No signature is checked here. The walk follows the few elements on the way; programs write them in BER, with lengths
left open and the content in pieces, as well as in DER.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from gateway.mime.decode import lenient_base64
from gateway.mime.enclosure import ENCLOSURE_LIMIT, Enclosure, Means
from gateway.reading import Reason

MAX_WRAPS = 5
"""Signed within signed within compressed data: what is followed. Triple wrapping (RFC 2634) needs three."""

MAX_PIECES = 200_000
"""Elements passed over in one walk. 25 MB in pieces of 1000 bytes, the least that any program makes, are 25,000."""

_SEQUENCE, _OBJECT_ID, _OCTETS, _CONSTRUCTED_OCTETS, _EXPLICIT = 0x30, 0x06, 0x04, 0x24, 0xA0
_OPEN = 0x80
_PKCS7 = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07"  # 1.2.840.113549.1.7
_SMIME = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"  # 1.2.840.113549.1.9.16.1
_SIGNED, _COMPRESSED = _PKCS7 + b"\x02", _SMIME + b"\x09"
_ENCRYPTED = frozenset({_PKCS7 + b"\x03", _PKCS7 + b"\x04", _PKCS7 + b"\x06", _SMIME + b"\x17"})
_ARMOUR = re.compile(rb"-----BEGIN (?:PKCS7|CMS)-----\s([A-Za-z0-9+/=\s]+)", re.IGNORECASE)
_ARMOURED_WITHIN = 1_024
_ID_WITHIN = 32


class _Element(NamedTuple):
    """An element of BER: its tag, and where its content lies. `stop` of an open length is where its parent's ends."""

    tag: int
    start: int
    stop: int
    open: bool


def is_enveloped(start: bytes) -> bool:
    """True if a file that begins so is S/MIME data."""
    return (start[:1] == b"\x30" and _PKCS7 in start[:_ID_WITHIN]) or _ARMOUR.search(start) is not None


def enveloped(data: bytes) -> Iterator[Enclosure]:
    """The entity within S/MIME data, head and body; one that is blind if it is encrypted; none if it is neither."""
    armour = _ARMOUR.search(data[:_ARMOURED_WITHIN])
    if armour:
        data = lenient_base64(data[armour.start(1) :].partition(b"-----")[0])
    for wrap in range(MAX_WRAPS):
        kind, content = _content(data)
        if kind in _ENCRYPTED:
            yield Enclosure(suffix="cms", how=Means.CMS, blind=Reason.ENCRYPTED)
            return
        blind = None
        if kind == _COMPRESSED:
            content, blind = _inflated(content)
        if kind not in (_SIGNED, _COMPRESSED) or not content:
            return
        data = content
        if not _is_wrapped(data) or wrap == MAX_WRAPS - 1:
            yield Enclosure(suffix="cms", how=Means.CMS, content=content, media_type="message/rfc822", blind=blind)
            return


def _is_wrapped(data: bytes) -> bool:
    return data[:1] == b"\x30" and _content(data)[0] in (_SIGNED, _COMPRESSED, *_ENCRYPTED)


def _content(data: bytes) -> tuple[bytes, bytes]:
    """The type of a ContentInfo (RFC 5652 section 3), and the content of what it encapsulates (section 5.2)."""
    info = _elements(data, 0, len(data), 1)
    if not info or info[0].tag != _SEQUENCE:
        return b"", b""
    members = _elements(data, info[0].start, info[0].stop, 2)
    if [one.tag for one in members] != [_OBJECT_ID, _EXPLICIT]:
        return b"", b""
    kind = data[members[0].start : members[0].stop]
    if kind not in (_SIGNED, _COMPRESSED):
        return kind, b""
    inner = _elements(data, members[1].start, members[1].stop, 1)
    fields = _elements(data, inner[0].start, inner[0].stop, 3) if inner else []
    if len(fields) < 3 or fields[2].tag != _SEQUENCE:
        return kind, b""
    encapsulated = _elements(data, fields[2].start, fields[2].stop, 2)
    if len(encapsulated) < 2 or encapsulated[1].tag != _EXPLICIT:
        return kind, b""  # signed from outside: the content is elsewhere in the mail
    return kind, _octets(data, encapsulated[1])


def _elements(data: bytes, start: int, stop: int, most: int) -> list[_Element]:
    found, at = list[_Element](), start
    while at < stop and len(found) < most:
        element = _element(data, at, stop)
        if element is None or (element.tag == 0 and element.start == element.stop):
            break
        found.append(element)
        if len(found) < most:
            at = _end(data, element) if element.open else element.stop
    return found


def _element(data: bytes, at: int, stop: int) -> _Element | None:
    if at + 2 > stop or data[at] & 0x1F == 0x1F:  # tags of many bytes are not used here
        return None
    length, start = data[at + 1], at + 2
    if length == _OPEN:
        return _Element(data[at], start, stop, True)
    if length > _OPEN:
        count = length & 0x7F
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    return _Element(data[at], start, min(start + length, stop), False)


def _end(data: bytes, element: _Element) -> int:
    """Where an element of open length ends: behind the end-of-contents that belongs to it (X.690 section 8.1.5)."""
    at, depth = element.start, 1
    for _ in range(MAX_PIECES):
        inner = _element(data, at, element.stop)
        if inner is None:
            break
        if inner.open:
            at, depth = inner.start, depth + 1
            continue
        at = inner.stop
        if inner.tag == 0 and inner.start == inner.stop:
            depth -= 1
            if not depth:
                return at
    return element.stop


def _octets(data: bytes, wrapper: _Element) -> bytes:
    """The octets in an element: of an OCTET STRING, or of all its pieces."""
    pieces, at, stop = list[bytes](), wrapper.start, _end(data, wrapper) if wrapper.open else wrapper.stop
    for _ in range(MAX_PIECES):
        element = _element(data, at, stop)
        if element is None:
            break
        if element.tag == _CONSTRUCTED_OCTETS or element.open:
            at = element.start
            continue
        if element.tag == _OCTETS:
            pieces.append(data[element.start : element.stop])
        at = element.stop
    return b"".join(pieces)


def _inflated(data: bytes) -> tuple[bytes, Reason | None]:
    """RFC 3274: the content is a zlib stream."""
    engine = zlib.decompressobj()
    try:
        content = engine.decompress(data, ENCLOSURE_LIMIT)
    except zlib.error:
        return b"", None
    return content, Reason.TOO_BIG if engine.unconsumed_tail else None
