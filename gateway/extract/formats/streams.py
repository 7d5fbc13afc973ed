"""One file packed alone: gzip, bzip2, xz, zstd, compress, lzip, lz4, lzma. What comes out is its one member."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping

from gateway.extract.archives import stream
from gateway.extract.formats import Fact, Member, Reader
from gateway.extract.inflate import LZMA_MEMORY, Content, Decompressor, Inflater, unfolded
from gateway.extract.room import Full, Meter, Room
from gateway.reading import Reason, Trait
from gateway.text.charsets import guessed
from gateway.traits import Mark

MAX_STREAMS = 1_000
"""Streams in a row that are read as one file, as the programs do (RFC 1952 section 2.2)."""

_GZIP = b"\x1f\x8b"


def read_gzip(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """RFC 1952. The name in the header is told as well."""
    name = _gzip_name(data)
    yield from _streams(data, room, lambda: Inflater(zlib.MAX_WBITS | 16), (name,) if name else (), _GZIP)


def read_bzip2(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """bzip2."""
    yield from _streams(data, room, bz2.BZ2Decompressor, (), b"BZh")


def read_xz(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """xz."""
    yield from _streams(data, room, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, LZMA_MEMORY), (), b"\xfd7zXZ\0")


def _by_libarchive(packer: str) -> Reader:
    def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
        yield stream(data, packer, room)

    return read


def _streams(
    data: bytes, room: Room, start: Callable[[], Decompressor], names: tuple[str, ...], signature: bytes
) -> Iterator[Fact]:
    meter = Meter(room, len(data))
    pieces: list[bytes] = []
    at, reason, detail = 0, None, ""
    try:
        for _ in range(MAX_STREAMS):
            result: Content = unfolded(start(), memoryview(data)[at:], meter)
            pieces.append(result.content)
            at += result.used
            if result.damage:
                reason, detail = Reason.CORRUPT, result.damage
                break
            if not data.startswith(signature, at):
                break
    except Full as full:
        yield Member(names=names, label="content", reason=full.reason, detail=full.detail)
        return
    yield Member(names=names, label="content", content=b"".join(pieces), reason=reason, detail=detail)
    rest = data[at:].lstrip(b"\0")
    if rest and reason is None:
        yield Trait(word=Mark.AMBIGUOUS_ARCHIVE, detail="something behind its end")
        yield Member(label="rest", content=rest)


def _gzip_name(data: bytes) -> str:
    """RFC 1952 section 2.3.1: after the extra field, if there is one, ended by a NUL."""
    if len(data) < 12 or not data[3] & 8:
        return ""
    at = 10
    if data[3] & 4:
        at += 2 + int.from_bytes(data[10:12], "little")
    return guessed(data[at : at + 1024].partition(b"\0")[0])


READERS: Mapping[str, Reader] = {
    "gzip": read_gzip,
    "bzip2": read_bzip2,
    "xz": read_xz,
    **{packer: _by_libarchive(packer) for packer in ("zstd", "compress", "lzip", "lz4", "lzma")},
}
