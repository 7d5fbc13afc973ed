"""Archives that libarchive reads, block by block, so that the limits are ours."""

from __future__ import annotations

import ctypes
import logging
import struct
from collections.abc import Iterator

from libarchive import ffi
from libarchive.entry import ArchiveEntry
from libarchive.exception import ArchiveError
from libarchive.ffi import ARCHIVE_EOF
from libarchive.read import new_archive_read

from gateway.extract.formats import Fact, Locked, Member
from gateway.extract.room import Full, Meter, Room
from gateway.extract.zip_headers import decoded_names
from gateway.extract.zips import Entry
from gateway.reading import Blind, Reason, Trait
from gateway.traits import Mark

BLOCK = 64 * 1024
"""Bytes that are unpacked at once."""

_IS_ENCRYPTED = ffi.libarchive.archive_entry_is_encrypted
_IS_ENCRYPTED.argtypes = [ffi.c_archive_entry_p]

logging.getLogger("libarchive").setLevel(logging.CRITICAL)  # it warns of what strangers sent


def members(data: bytes, archive: str, place: str, room: Room) -> Iterator[Fact]:
    """What is in an archive of this format (libarchive's word), with links as traits.

    Raises ValueError where it is no such archive, or broken before its first member; Locked where its directory is
    encrypted; Full.
    """
    meter = Meter(room, len(data))
    with new_archive_read(archive, "none") as pointer:
        try:
            ffi.read_open_memory(pointer, data, len(data))
        except ArchiveError as problem:
            raise _told(problem) from None
        while True:
            entry = ArchiveEntry(pointer)
            try:
                if ffi.read_next_header2(pointer, entry._entry_p) == ARCHIVE_EOF:
                    return
            except ArchiveError as problem:
                raise _told(problem) from None
            names = _names(entry)
            kind = entry.filetype & 0o170000
            if kind == 0o040000:
                continue
            if entry.issym or entry.islnk:
                yield Trait(word=Mark.ARCHIVE_LINK, detail=f"{names[0]} -> {entry.linkpath}"[:300])
                continue
            if kind not in (0, 0o100000):
                yield Trait(word=Mark.ARCHIVE_DEVICE, detail=names[0])
                continue
            yield _member(pointer, entry, tuple(names), meter)
            if meter.spent:
                yield Blind(place=place, reason=Reason.BOMB, detail="not read to its end")
                return


def stream(data: bytes, packer: str, room: Room) -> Member:
    """What one packed stream holds (libarchive's word for the packer)."""
    meter = Meter(room, len(data))
    with new_archive_read("raw", packer) as pointer:
        entry = ArchiveEntry(pointer)
        try:
            ffi.read_open_memory(pointer, data, len(data))
            ffi.read_next_header2(pointer, entry._entry_p)
        except ArchiveError as problem:
            raise _told(problem) from None
        found = _member(pointer, entry, (), meter)
    return Member(label="content", content=found.content, reason=found.reason, detail=found.detail)


def member_alone(data: bytes, entry: Entry, room: Room) -> Member:
    """A zip's member that is packed in a way we do not know ourselves: given to libarchive in a zip of its own."""
    name = b"member"
    fields = (20, 0, entry.method, 0, 0, entry.crc or 0, entry.packed, entry.size, len(name), 0)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields) + name
    packed = data[entry.start : entry.start + entry.packed]
    central = struct.pack("<4sH5H3L2H", b"PK\x01\x02", 20, *fields) + struct.pack("<3H2L", 0, 0, 0, 0, 0) + name
    start = len(local) + len(packed)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), start, 0)
    listed = Member(names=entry.names, size=entry.size, reason=Reason.UNSUPPORTED, detail=f"method {entry.method}")
    try:
        for found in members(local + packed + central + end, "zip", "", room):
            if isinstance(found, Member) and found.content is not None and found.reason is None:
                return Member(names=entry.names, content=found.content)
    except (ValueError, Locked):
        pass
    return listed


def _member(pointer: int, entry: ArchiveEntry, names: tuple[str, ...], meter: Meter) -> Member:
    size = entry.size or 0
    reason, detail = None, ""
    chunks: list[bytes] = []
    try:
        meter.begin()
        if _IS_ENCRYPTED(entry._entry_p):
            raise Locked
        meter.expect(size)
        for chunk in _blocks(pointer):
            meter.more(len(chunk))
            chunks.append(chunk)
    except Full as full:
        reason, detail = full.reason, full.detail
    except Locked:
        reason = Reason.ENCRYPTED
    except ArchiveError as problem:
        told = _told(problem)
        reason = Reason.ENCRYPTED if isinstance(told, Locked) else Reason.CORRUPT
        if "unsupported" in str(told).lower():
            reason = Reason.UNSUPPORTED
        detail = str(told)
    content = b"".join(chunks) if reason in (None, Reason.CORRUPT) else None
    return Member(names=names, content=content or (None if reason else b""), size=size, reason=reason, detail=detail)


def _blocks(pointer: int) -> Iterator[bytes]:
    """The content of the current member; holes of sparse files are filled with zeros, a piece at a time."""
    buffer, size, offset = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_longlong()
    at = 0
    holes = ffi.format_name(pointer) != b"xar"  # whose offsets count from the archive's first member
    while ffi.read_data_block(pointer, ctypes.byref(buffer), ctypes.byref(size), ctypes.byref(offset)) != ARCHIVE_EOF:
        while holes and at < offset.value:
            hole = min(BLOCK, offset.value - at)
            at += hole
            yield bytes(hole)
        at += size.value
        start = buffer.value or 0
        for piece in range(0, size.value, BLOCK):
            yield ctypes.string_at(start + piece, min(BLOCK, size.value - piece))


def _names(entry: ArchiveEntry) -> list[str]:
    raw = ffi.entry_pathname(entry._entry_p)
    if raw is not None:
        return decoded_names(raw)
    wide = ffi.entry_pathname_w(entry._entry_p)
    return [wide or "?"]


def _told(problem: ArchiveError) -> Locked | ValueError:
    text = problem.msg if isinstance(problem.msg, str) else repr(problem.msg)
    encrypted = "encrypt" in text.lower() or "passphrase" in text.lower()
    return Locked(text) if encrypted else ValueError(text)
