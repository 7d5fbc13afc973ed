"""OpenPGP to the content inside, where it is not encrypted: literal and compressed packets (RFC 9580)."""

from __future__ import annotations

import bz2
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from gateway.mime.decode import lenient_base64
from gateway.mime.enclosure import ENCLOSURE_LIMIT, MAX_ENCLOSURES, Enclosure, Means
from gateway.reading import Reason
from gateway.text.charsets import guessed

MAX_PACKETS = 1_000
"""Packets read of one message."""

MAX_LAYERS = 3
"""Compressed within compressed. RFC 9580 section 10.3 allows it, no program makes it."""

# RFC 9580 section 6.2: armour. The text of a signed message is in the open; keys and signatures hold no content.
_ARMOUR = re.compile(
    rb"-----BEGIN PGP MESSAGE(?:, PART [^\r\n-]{1,20})?-----[ \t]*\r?\n"
    rb"(?:[!-9;-~]{1,40}: ?[^\n]{0,500}\n)*+([^-]*+)"
)
_CHECKSUM = re.compile(rb"\n=[A-Za-z0-9+/]{4}\s*\Z")
_ENCRYPTED = frozenset({1, 3, 9, 18, 20})
_ONE_PASS, _SIGNATURE, _COMPRESSED, _MARKER, _LITERAL, _PADDING = 4, 2, 8, 10, 11, 21


class _Packet(NamedTuple):
    tag: int
    body: bytes
    stop: int


def armoured(text: bytes) -> Iterator[Enclosure]:
    """What the PGP messages within a text hold."""
    for number, armour in enumerate(_ARMOUR.finditer(text), 1):
        if number > MAX_ENCLOSURES:
            yield Enclosure(suffix="pgp", how=Means.PGP, blind=Reason.TOO_MANY)
            return
        yield from packets(lenient_base64(_CHECKSUM.sub(b"", armour[1])), f"pgp-{number}")


def packets(data: bytes, suffix: str = "pgp", layers: int = MAX_LAYERS) -> Iterator[Enclosure]:
    """What a PGP message in binary form holds: its content, or one that is blind if it is encrypted."""
    at = 0
    for _ in range(MAX_PACKETS):
        packet = _packet(data, at)
        if packet is None:
            return
        at = packet.stop
        if packet.tag in _ENCRYPTED:
            yield Enclosure(suffix=suffix, how=Means.PGP, blind=Reason.ENCRYPTED)
            return
        if packet.tag == _LITERAL:
            yield _literal(packet.body, suffix)
        elif packet.tag == _COMPRESSED:
            content, cut = _inflated(packet.body)
            if cut or not layers:
                yield Enclosure(suffix=suffix, how=Means.PGP, blind=Reason.TOO_BIG if cut else Reason.TOO_DEEP)
            if layers:
                yield from packets(content, suffix, layers - 1)
        elif packet.tag not in (_ONE_PASS, _SIGNATURE, _MARKER, _PADDING):
            return


def _literal(body: bytes, suffix: str) -> Enclosure:
    """RFC 9580 section 5.9: format, name, date, content."""
    length = body[1] if len(body) > 1 else 0
    name = guessed(body[2 : 2 + length])
    names = (name,) if name not in ("", "_CONSOLE") else ()
    return Enclosure(suffix=suffix, how=Means.PGP, content=body[2 + length + 4 :], names=names)


def _packet(data: bytes, at: int) -> _Packet | None:
    if at >= len(data) or not data[at] & 0x80:
        return None
    if data[at] & 0x40:
        return _in_pieces(data, data[at] & 0x3F, at + 1)
    width = (1, 2, 4, 0)[data[at] & 3]  # section 4.2.2: the old form; 3 means as far as there are bytes
    start = at + 1 + width
    length = int.from_bytes(data[at + 1 : start], "big") if width else len(data)
    return _Packet(data[at] >> 2 & 15, data[start : start + length], min(start + length, len(data)))


def _in_pieces(data: bytes, tag: int, at: int) -> _Packet:
    """Section 4.2.1: the new form, whose body may come in pieces."""
    pieces, partial = list[bytes](), True
    while partial and at < len(data) and len(pieces) < len(data) // 256 + 8:
        octet, partial = data[at], False
        if octet < 192:
            length, at = octet, at + 1
        elif octet < 224:
            length, at = ((octet - 192) << 8) + int.from_bytes(data[at + 1 : at + 2], "big") + 192, at + 2
        elif octet == 255:
            length, at = int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
        else:
            length, at, partial = 1 << (octet & 31), at + 1, True
        pieces.append(data[at : at + length])
        at += length
    return _Packet(tag, b"".join(pieces), min(at, len(data)))


def _inflated(body: bytes) -> tuple[bytes, bool]:
    """Section 5.6: an algorithm, and what it packed."""
    algorithm, packed = body[:1], body[1:]
    try:
        if algorithm == b"\0":
            return packed, False
        if algorithm == b"\3":
            unpacker = bz2.BZ2Decompressor()
            content = unpacker.decompress(packed, ENCLOSURE_LIMIT)
            return content, not unpacker.eof and not unpacker.needs_input
        inflater = zlib.decompressobj(-zlib.MAX_WBITS if algorithm == b"\1" else zlib.MAX_WBITS)
        content = inflater.decompress(packed, ENCLOSURE_LIMIT)
        return content, bool(inflater.unconsumed_tail)
    except (zlib.error, OSError):
        return b"", False
