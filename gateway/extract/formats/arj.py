"""ARJ archives: every member is listed, those that are only stored are read. (No free library unpacks the others.)

Headers as in the archiver's own TECHNOTE.TXT: mark, size, fixed part, name, comment, checksum, extensions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from gateway.extract.formats import Fact, Member, Reader
from gateway.extract.room import Meter, Room
from gateway.extract.zip_headers import decoded_names
from gateway.reading import Blind, Reason

_MARK = b"\x60\xea"
_MAX_HEADER = 2_600
_GARBLED = 0x01
_STORED = 0
_FOLDER = 3


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """The members in their order."""
    at = _after_header(data, 0)  # the archive's own header
    meter = Meter(room, len(data))
    while data.startswith(_MARK, at):
        size = int.from_bytes(data[at + 2 : at + 4], "little")
        if size == 0:
            return
        header = data[at + 4 : at + 4 + size]
        start = _after_header(data, at)
        first, flags, method, kind = header[0], header[4], header[5], header[6]
        packed, unpacked = struct.unpack_from("<LL", header, 12)
        names = tuple(decoded_names(header[first:].partition(b"\0")[0]))
        at = start + packed
        if kind == _FOLDER:
            continue
        if flags & _GARBLED:
            yield Member(names=names, size=unpacked, reason=Reason.ENCRYPTED)
        elif method != _STORED:
            yield Member(names=names, size=unpacked, reason=Reason.UNSUPPORTED, detail=f"ARJ method {method}")
        else:
            meter.begin()
            meter.more(min(packed, len(data)))
            damage = Reason.CORRUPT if at > len(data) else None
            yield Member(names=names, content=data[start:at], reason=damage)
    yield Blind(place=place, reason=Reason.CORRUPT, detail="the archive has no end")


def _after_header(data: bytes, at: int) -> int:
    """The byte behind a header, its checksum and its extensions. Raises ValueError."""
    size = int.from_bytes(data[at + 2 : at + 4], "little")
    if not data.startswith(_MARK, at) or not 30 <= size <= _MAX_HEADER or at + 4 + size + 4 > len(data):
        raise ValueError("an ARJ header that is none")
    at += 4 + size + 4
    while extension := int.from_bytes(data[at : at + 2], "little"):
        at += 2 + extension + 4
    return at + 2


READERS: Mapping[str, Reader] = {"arj": read}
