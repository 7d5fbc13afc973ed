"""The three headers of a zip file (PKWARE's APPNOTE.TXT 4.3), each read alone and believed in nothing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
LOCAL_LENGTH, CENTRAL_LENGTH, END_LENGTH = 30, 46, 22

MAX_NAME = 1_024
"""Bytes of a name that are decoded; file systems take 255."""

MAX_CHAIN = 65_536
"""Headers in a row that are read: what a directory without zip64 can hold."""

_LOCAL = struct.Struct("<4xHHH4xLLLHH")
_CENTRAL = struct.Struct("<4xHHHH4xLLLHHHHHLL")
_END = struct.Struct("<10xHLLH")
_LOCATOR, _END_64 = b"PK\x06\x07", b"PK\x06\x06"
_LOCATOR_LENGTH, _END_64_LENGTH = 20, 56
_ZIP_64, _UNICODE_PATH = 0x0001, 0x7075
_UNKNOWN = 0xFFFFFFFF  # APPNOTE 4.4.8: the true value is in the zip64 extra field


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A local or central header. `stop` is the byte behind it; `offset` where a central one says its local one is."""

    stop: int
    raw_name: bytes
    names: tuple[str, ...]
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int = 0

    @property
    def encrypted(self) -> bool:
        """APPNOTE 4.4.4, bit 0."""
        return bool(self.flags & 1)

    @property
    def sizes_follow(self) -> bool:
        """APPNOTE 4.4.4, bit 3: sizes and CRC stand behind the data."""
        return bool(self.flags & 8)


@dataclass(frozen=True, slots=True)
class Directory:
    """Where a central directory may begin, and what may have to be added to the offsets in it."""

    start: int
    base: int


def local_header(data: bytes, at: int) -> Header | None:
    """The local header at a place, if there is one (APPNOTE 4.3.7)."""
    if at < 0 or not data.startswith(LOCAL, at) or len(data) < at + LOCAL_LENGTH:
        return None
    _, flags, method, crc, packed, size, name_length, extra_length = _LOCAL.unpack_from(data, at)
    name_at = at + LOCAL_LENGTH
    extra_at = name_at + name_length
    raw_name, extra = data[name_at:extra_at], data[extra_at : extra_at + extra_length]
    if size == _UNKNOWN or packed == _UNKNOWN:
        size, packed, _ = _long_sizes(extra, size, packed, 0)
    return Header(
        stop=min(extra_at + extra_length, len(data)),
        raw_name=raw_name,
        names=_names(raw_name, flags, extra),
        flags=flags,
        method=method,
        crc=crc,
        packed=packed,
        size=size,
    )


def central_headers(data: bytes, at: int) -> Iterator[Header]:
    """The central headers in a row from a place (APPNOTE 4.3.12), whatever count the directory's end gives."""
    for _ in range(MAX_CHAIN):
        if not data.startswith(CENTRAL, at) or len(data) < at + CENTRAL_LENGTH:
            return
        fields = _CENTRAL.unpack_from(data, at)
        _, _, flags, method, crc, packed, size, name_length, extra_length, comment_length, _, _, _, offset = fields
        name_at = at + CENTRAL_LENGTH
        extra_at = name_at + name_length
        raw_name, extra = data[name_at:extra_at], data[extra_at : extra_at + extra_length]
        if _UNKNOWN in (size, packed, offset):
            size, packed, offset = _long_sizes(extra, size, packed, offset)
        at = extra_at + extra_length + comment_length
        yield Header(
            stop=at,
            raw_name=raw_name,
            names=_names(raw_name, flags, extra),
            flags=flags,
            method=method,
            crc=crc,
            packed=packed,
            size=size,
            offset=offset,
        )


def end(data: bytes, at: int) -> tuple[list[Directory], bytes]:
    """What the end record at a place points to (APPNOTE 4.3.16, 4.3.14), each way of taking it, and the comment."""
    if not data.startswith(END, at) or len(data) < at + END_LENGTH:
        return [], b""
    _, size, offset, comment_length = _END.unpack_from(data, at)
    found = [Directory(at - size, at - size - offset), Directory(offset, 0)]
    locator = at - _LOCATOR_LENGTH
    if locator >= 0 and data.startswith(_LOCATOR, locator):
        for end_64 in (int.from_bytes(data[locator + 8 : locator + 16], "little"), locator - _END_64_LENGTH):
            if end_64 >= 0 and data.startswith(_END_64, end_64):
                size = int.from_bytes(data[end_64 + 40 : end_64 + 48], "little")
                offset = int.from_bytes(data[end_64 + 48 : end_64 + 56], "little")
                found += [Directory(end_64 - size, end_64 - size - offset), Directory(offset, 0)]
    usable = [one for one in dict.fromkeys(found) if one.start >= 0 and data.startswith(CENTRAL, one.start)]
    return usable, data[at + END_LENGTH : at + END_LENGTH + comment_length]


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        number, length = struct.unpack_from("<HH", extra, at)
        yield number, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _long_sizes(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """APPNOTE 4.5.3: those that are unknown stand there in this order."""
    values = [size, packed, offset]
    for number, field in _extra_fields(extra):
        if number == _ZIP_64:
            at = 0
            for index, value in enumerate(values):
                if value == _UNKNOWN and at + 8 <= len(field):
                    values[index] = int.from_bytes(field[at : at + 8], "little")
                    at += 8
            break
    return values[0], values[1], values[2]


def _names(raw: bytes, flags: int, extra: bytes) -> tuple[str, ...]:
    """Each reading of a name: by flag, by the unicode extra field, by the charsets that programs take it for."""
    found = []
    for number, field in _extra_fields(extra):
        if number == _UNICODE_PATH and len(field) > 5:  # APPNOTE 4.6.9; programs differ on a wrong CRC
            found.append(field[5 : 5 + MAX_NAME].decode("utf-8", "replace"))
            if int.from_bytes(field[1:5], "little") != zlib.crc32(raw):
                found.reverse()
    found += decoded_names(raw[:MAX_NAME], utf8=bool(flags & 0x800))
    return tuple(dict.fromkeys(found))


def decoded_names(raw: bytes, *, utf8: bool = False) -> list[str]:
    """A name of unknown charset: as UTF-8 if it is, else as Windows in Vietnam and as DOS would show it. What stands
    before a NUL is a name of its own: programs in C end there."""
    if utf8 or _is_utf8(raw):
        names = [raw.decode("utf-8", "replace")]
    else:
        names = [raw.decode(charset, "replace") for charset in ("cp1258", "cp437")]
    return [part for name in names for part in ([name, name.partition("\0")[0]] if "\0" in name else [name])]


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
