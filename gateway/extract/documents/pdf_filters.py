"""Filters of PDF streams (ISO 32000-1, 7.4), as far as object streams have them in practice or in attacks."""

from __future__ import annotations

import binascii
import re
import zlib
from collections.abc import Callable

from gateway.extract.inflate import Inflater, unfolded
from gateway.extract.room import Meter

_NAMES = re.compile(rb"/F(?:ilter)?\s*(?:(/[A-Za-z0-9]+)|\[([^\]]{0,400})\])")
_EACH = re.compile(rb"/([A-Za-z0-9]+)")
_NOT_HEX = bytes(set(range(256)) - set(b"0123456789ABCDEFabcdef"))
_NOT_85 = bytes(set(range(256)) - {*range(0x21, 0x76), 0x7A})
_SHORT = {b"Fl": b"FlateDecode", b"AHx": b"ASCIIHexDecode", b"A85": b"ASCII85Decode", b"RL": b"RunLengthDecode"}


class UnknownFilter(ValueError):
    """A filter that is not undone here; its name is the text."""


def filters(dictionary: bytes) -> list[bytes]:
    """The filters that a stream's dictionary names, in the order of decoding."""
    found = _NAMES.search(dictionary)
    if not found:
        return []
    names = _EACH.findall(found[1] or found[2])
    return [_SHORT.get(name, name) for name in names]


def decoded(data: bytes, names: list[bytes], meter: Meter) -> bytes:
    """The content of a stream, as far as it is whole. Raises UnknownFilter, and Full."""
    for name in names:
        decode = _DECODERS.get(name)
        if decode is None:
            raise UnknownFilter(name.decode("latin-1"))
        data = decode(data, meter)
    return data


def _flate(data: bytes, meter: Meter) -> bytes:
    content = unfolded(Inflater(zlib.MAX_WBITS), memoryview(data), meter).content
    return content or unfolded(Inflater(-zlib.MAX_WBITS), memoryview(data)[2:], meter).content


def _hex(data: bytes, meter: Meter) -> bytes:
    digits = data.partition(b">")[0].translate(None, _NOT_HEX)
    meter.more(len(digits) // 2)
    return binascii.unhexlify(digits + b"0" * (len(digits) % 2))


def _base_85(data: bytes, meter: Meter) -> bytes:
    data = data.partition(b"~>")[0].removeprefix(b"<~").translate(None, _NOT_85)
    meter.more(len(data))
    out = bytearray()
    group: list[int] = []
    for byte in data:
        if byte == 0x7A and not group:
            out += b"\0\0\0\0"
            continue
        group.append(byte - 33)
        if len(group) == 5:
            out += _group(group)
            group = []
    if len(group) > 1:
        out += _group(group + [84] * (5 - len(group)))[: len(group) - 1]
    return bytes(out)


def _group(digits: list[int]) -> bytes:
    number = 0
    for digit in digits:
        number = number * 85 + digit
    return (number & 0xFFFFFFFF).to_bytes(4, "big")


def _run_length(data: bytes, meter: Meter) -> bytes:
    out = bytearray()
    at = 0
    while at < len(data) and data[at] != 128:
        length = data[at]
        if length < 128:
            out += data[at + 1 : at + 2 + length]
            at += 2 + length
        else:
            out += data[at + 1 : at + 2] * (257 - length)
            at += 2
        if len(out) & 0xFFFF < 256:
            meter.more(0)
    meter.more(len(out))
    return bytes(out)


_DECODERS: dict[bytes, Callable[[bytes, Meter], bytes]] = {
    b"FlateDecode": _flate,
    b"ASCIIHexDecode": _hex,
    b"ASCII85Decode": _base_85,
    b"RunLengthDecode": _run_length,
}
