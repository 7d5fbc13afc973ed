"""Archives of members that libarchive knows: tar, 7z, rar, cab, iso, lzh, cpio, xar, deb."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.extract.archives import members
from gateway.extract.formats import Fact, Locked, Member, Reader
from gateway.extract.room import Room
from gateway.reading import Reason

_RAR_5 = b"Rar!\x1a\x07\x01\0"
_MAX_BLOCKS = 100_000
_FILE_BLOCK, _LOCK_BLOCK = 2, 4
_HAS_EXTRA, _HAS_DATA = 1, 2
_LOCK_RECORD = 1


def read_rar(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """RAR, of the old and of the fifth format."""
    if not data.startswith(_RAR_5):
        yield from members(data, "rar", place, room)
        return
    locked = locked_names(data)
    for fact in members(data, "rar5", place, room):
        if isinstance(fact, Member) and fact.names and fact.names[0].encode("utf-8", "replace") in locked:
            yield Member(names=fact.names, size=fact.size or len(fact.content or b""), reason=Reason.ENCRYPTED)
        else:
            yield fact


def locked_names(data: bytes) -> set[bytes]:
    """The names of encrypted members of a RAR 5 archive, of which libarchive does not tell (RARLAB's "RAR 5.0 archive
    format"). Raises Locked where the names themselves are encrypted."""
    found: set[bytes] = set()
    at = len(_RAR_5)
    for _ in range(_MAX_BLOCKS):
        size, head = _number(data, at + 4)
        stop = head + size
        if not size or stop > len(data):
            break
        kind, at = _number(data, head)
        flags, at = _number(data, at)
        extra_size, at = _number(data, at) if flags & _HAS_EXTRA else (0, at)
        data_size, at = _number(data, at) if flags & _HAS_DATA else (0, at)
        if kind == _LOCK_BLOCK:
            raise Locked("the names of its files, too")
        if kind == _FILE_BLOCK and _LOCK_RECORD in _record_kinds(data, max(stop - extra_size, at), stop):
            found.add(_file_name(data, at))
        at = stop + data_size
    return found


def _record_kinds(data: bytes, at: int, stop: int) -> Iterator[int]:
    while at < stop:
        size, head = _number(data, at)
        if not size:
            return
        yield _number(data, head)[0]
        at = head + size


def _file_name(data: bytes, at: int) -> bytes:
    flags, at = _number(data, at)
    _, at = _number(data, at)  # unpacked size
    _, at = _number(data, at)  # attributes
    at += 4 * bool(flags & 2) + 4 * bool(flags & 4)  # time, CRC
    _, at = _number(data, at)  # method
    _, at = _number(data, at)  # system
    length, at = _number(data, at)
    return data[at : at + length]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length: seven bits a byte, low ones first; ten bytes at most. And the byte behind it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at] if at < len(data) else 0
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            break
    return value, at


def _reader(archive: str) -> Reader:
    def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
        return members(data, archive, place, room)

    return read


READERS: Mapping[str, Reader] = {
    "rar": read_rar,
    "tar": _reader("tar"),
    "7z": _reader("7zip"),
    "cab": _reader("cab"),
    "iso": _reader("iso9660"),
    "lzh": _reader("lha"),
    "cpio": _reader("cpio"),
    "deb": _reader("ar"),
    "xar": _reader("xar"),
}
