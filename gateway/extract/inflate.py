"""Packed bytes to content, counted while they unfold: deflate, bzip2, LZMA and their containers."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.extract.formats import Locked
from gateway.extract.room import Meter, Room

CHUNK = 256 * 1024
"""Bytes that are unfolded at once: the most by which a limit can be overrun."""

LZMA_MEMORY = 64 * 1024 * 1024
"""What a dictionary may take; xz -9 asks for 64 MB."""


Bytes = bytes | memoryview


class Damaged(ValueError):
    """Cannot be unfolded, or not to the end; `content` is what could be."""

    def __init__(self, problem: str, content: bytes = b"") -> None:
        super().__init__(problem)
        self.content = content


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A member's packed bytes: `packed` of them from `start`; `crc` is None where nothing gives it."""

    method: int
    packed: int
    size: int
    crc: int | None
    start: int
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """What came out. `used` is how many of the packed bytes it took; `damage` says in words what is wrong; `unknown`
    is true where it was not even tried."""

    content: bytes
    used: int
    damage: str = ""
    unknown: bool = False

    def whole(self) -> bytes:
        """The content. Raises Damaged where it is not all there."""
        if self.damage:
            raise Damaged(self.damage, self.content)
        return self.content


class Decompressor(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool:
        """True once the stream has ended."""
        ...

    @property
    def needs_input(self) -> bool:
        """True if nothing more comes without more bytes."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What stood behind the stream's end."""
        ...

    def decompress(self, data: Bytes, max_length: int = ..., /) -> bytes:
        """At most `max_length` bytes more."""
        ...


class Inflater:
    """zlib's decompressor in the shape of the others."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        """True once the stream has ended."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """True if nothing more comes without more bytes."""
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """What stood behind the stream's end."""
        return self._inner.unused_data

    def decompress(self, data: Bytes, max_length: int = 0, /) -> bytes:
        """At most `max_length` bytes more."""
        return self._inner.decompress(data or self._inner.unconsumed_tail, max_length)


def content_of(data: bytes, packed: Packed, room: Room) -> Content:
    """The content of a zip member, whatever of it can be had. Raises Full and Locked."""
    if packed.encrypted:
        raise Locked
    meter = Meter(room, packed.packed)
    meter.expect(packed.size)
    span = memoryview(data)[packed.start : packed.start + packed.packed]
    if packed.method == 0:
        meter.more(len(span))
        result = Content(bytes(span), len(span))
    elif packed.method in _METHODS:
        try:
            decompressor, skipped = _METHODS[packed.method](span)
        except (ValueError, lzma.LZMAError, struct.error) as problem:
            return Content(b"", 0, str(problem))
        result = unfolded(decompressor, span[skipped:], meter)
        # LZMA may leave out its end mark (APPNOTE 5.8.9): then the size tells.
        ended = packed.method == 14 and len(result.content) == packed.size
        result = Content(result.content, result.used + skipped, "" if ended else result.damage)
    else:
        return Content(b"", 0, f"packed by method {packed.method}", unknown=True)
    if not result.damage and packed.crc is not None and zlib.crc32(result.content) != packed.crc:
        return Content(result.content, result.used, "the CRC is wrong")
    return result


def unfolded(decompressor: Decompressor, data: Bytes, meter: Meter) -> Content:
    """All that comes out of one stream. Raises Full; damage is told in the result."""
    chunks: list[bytes] = []
    at, damage = 0, ""
    try:
        while not decompressor.eof:
            more: Bytes = b""
            if decompressor.needs_input:
                more = data[at : at + CHUNK]
                at += len(more)
            chunk = decompressor.decompress(more, CHUNK)
            if not chunk and not more and decompressor.needs_input:
                damage = "ends too early"
                break
            meter.more(len(chunk))
            chunks.append(chunk)
    except (OSError, ValueError, EOFError, zlib.error, lzma.LZMAError) as problem:
        damage = str(problem) or type(problem).__name__
    return Content(b"".join(chunks), at - len(decompressor.unused_data), damage)


def _lzma(span: Bytes) -> tuple[Decompressor, int]:
    """APPNOTE 5.8.8: version, length of the properties, the properties, then a stream without a head."""
    length = struct.unpack_from("<2xH", span)[0]
    if length != 5:
        raise ValueError("LZMA properties of another length")
    number, dictionary = struct.unpack_from("<BL", span, 4)
    if number >= 225 or dictionary > LZMA_MEMORY:
        raise ValueError("LZMA properties out of range")
    chosen = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": number % 9, "lp": number // 9 % 5}
    chosen["pb"] = number // 45
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chosen]), 9


_METHODS: dict[int, Callable[[Bytes], tuple[Decompressor, int]]] = {
    8: lambda span: (Inflater(-zlib.MAX_WBITS), 0),
    12: lambda span: (bz2.BZ2Decompressor(), 0),
    14: _lzma,
    95: lambda span: (lzma.LZMADecompressor(lzma.FORMAT_XZ, LZMA_MEMORY), 0),
}
"""APPNOTE 4.4.5."""
