"""Archives for the tests, built byte by byte where no library makes them, and the worse ones on purpose."""

from __future__ import annotations

import binascii
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

import libarchive

EXE = b"MZ" + b"\x90\0" * 29 + struct.pack("<L", 64) + b"PE\0\0" + bytes(200)
SECRET = "hoá đơn bí mật".encode()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in files.items():
            file.writestr(name, content)
        file.comment = comment
    return buffer.getvalue()


def packed(archive: str, files: dict[str, bytes], packer: str | None = None) -> bytes:
    """By libarchive: 7zip, iso9660, cpio_newc, ustar, gnutar, ..."""
    pieces: list[bytes] = []

    def take(data: bytes) -> int:
        pieces.append(bytes(data))
        return len(data)

    with libarchive.custom_writer(take, archive, packer) as file:
        for name, content in files.items():
            file.add_file_from_memory(name, len(content), [content])
    return b"".join(pieces)


@dataclass
class Piece:
    """One member of a zip whose two headers need not agree. What is None is told truly."""

    name: bytes
    content: bytes = b""
    deflated: bool = True
    central_name: bytes | None = None
    central_method: int | None = None
    central_flags: int | None = None
    flags: int = 0
    size: int | None = None
    packed: int | None = None
    extra: bytes = b""
    listed: bool = True
    has_local: bool = True


def raw_deflate(content: bytes) -> bytes:
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return machine.compress(content) + machine.flush()


def zip_of(*pieces: Piece, prefix: bytes = b"", count: int | None = None, end: bool = True, offset: int = 0) -> bytes:
    """A zip with headers as they are asked for. `offset` is added to each offset that the directory gives."""
    body, directory, listed = bytearray(prefix), bytearray(), 0
    for piece in pieces:
        at = len(body) - len(prefix)
        data = raw_deflate(piece.content) if piece.deflated else piece.content
        method = 8 if piece.deflated else 0
        length = len(data) if piece.packed is None else piece.packed
        size = len(piece.content) if piece.size is None else piece.size
        crc = zlib.crc32(piece.content)
        if piece.has_local:
            fields = (20, piece.flags, method, 0, 0, crc, length, size, len(piece.name), len(piece.extra))
            body += struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields) + piece.name + piece.extra + data
        if piece.listed:
            listed += 1
            name = piece.name if piece.central_name is None else piece.central_name
            flags = piece.flags if piece.central_flags is None else piece.central_flags
            method = method if piece.central_method is None else piece.central_method
            sizes = (crc, len(data), size)
            fields = (20, 20, flags, method, 0, 0, *sizes, len(name), len(piece.extra), 0, 0, 0, 0, at + offset)
            directory += struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *fields) + name + piece.extra
    start = len(body) - len(prefix)
    number = listed if count is None else count
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, number, number, len(directory), start + offset, 0)
    return bytes(body + directory + (tail if end else b""))


def quoted_overlap(count: int, kernel: int) -> bytes:
    """David Fifield's zip bomb (2019): each member's data quotes the next one's header, and all share one kernel."""
    data = raw_deflate(bytes(kernel))
    names = [f"{number:X}".encode() for number in range(count)]
    crc_of, sizes = [0] * count, [0] * count
    body, locals_at = bytearray(data), [0] * count
    content_size, crc = kernel, zlib.crc32(bytes(kernel))
    tail, plain = bytes(data), bytes(kernel) if kernel <= 1 << 22 else b""
    headers: list[bytes] = []
    packed_size = len(data)
    for number in reversed(range(count)):
        sizes[number], crc_of[number] = content_size, crc
        header = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, packed_size, content_size, 1, 0)
        header = header[:26] + struct.pack("<H", len(names[number])) + header[28:30] + names[number]
        headers.append(header)
        quoted = struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF)
        content_size += len(header)
        packed_size += len(quoted) + len(header)
        crc = zlib.crc32(header) if not plain else zlib.crc32(header + plain)
        plain = header + plain if plain else b""
        tail = quoted + header + tail
    tail = tail[5:]
    del body
    directory, at = bytearray(), 0
    packed_sizes = []
    size = len(data)
    for header in headers:
        packed_sizes.append(size)
        size += 5 + len(header)
    packed_sizes.reverse()
    for number, header in enumerate(reversed(headers)):
        locals_at[number] = at
        fields = (20, 20, 0, 8, 0, 0, crc_of[number], packed_sizes[number], sizes[number], len(names[number]))
        directory += struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *fields, 0, 0, 0, 0, 0, at) + names[number]
        at += len(header) + 5
    ending = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(tail), 0)
    return bytes(tail + directory + ending)


def tower(levels: int, width: int, kernel: int) -> bytes:
    """Like 42.zip: a zip of `width` zips, of as many each, ...; at the bottom files of zeros."""
    inner = zipped({"0.dll": bytes(kernel)})
    for _ in range(levels):
        inner = zipped({f"lib {number}.zip": inner for number in range(width)})
    return inner


def rar_4(files: dict[str, bytes], flags: int = 0, head_flags: int = 0) -> bytes:
    """RAR 1.5 to 4, members only stored (technote.txt of UnRAR 4)."""
    out = b"Rar!\x1a\x07\0" + _rar_4_block(struct.pack("<BHH6x", 0x73, head_flags, 13))
    for name, content in files.items():
        encoded = name.encode()
        size = 32 + len(encoded)
        sizes = struct.pack(
            "<LLBLLBBHL", len(content), len(content), 2, zlib.crc32(content), 0, 29, 0x30, len(encoded), 0
        )
        out += _rar_4_block(struct.pack("<BHH", 0x74, 0x8000 | flags, size) + sizes + encoded) + content
    return out + _rar_4_block(struct.pack("<BHH", 0x7B, 0x4000, 7))


def _rar_4_block(body: bytes) -> bytes:
    return struct.pack("<H", zlib.crc32(body) & 0xFFFF) + body


def rar_5(files: dict[str, bytes], encrypted: bool = False) -> bytes:
    """RAR 5, members only stored (https://www.rarlab.com/technote.htm)."""
    out = b"Rar!\x1a\x07\x01\0" + _rar_5_block(_number(1) + _number(0) + _number(0))
    for name, content in files.items():
        encoded = name.encode()
        extra = b""
        if encrypted:  # record of type 1: version, flags, KDF count, salt, IV
            record = _number(1) + _number(0) + _number(0) + b"\x0f" + bytes(32)
            extra = _number(len(record)) + record
        facts = _number(4) + _number(len(content)) + _number(0o644) + struct.pack("<L", zlib.crc32(content))
        facts += _number(0) + _number(1) + _number(len(encoded)) + encoded
        flags = 2 | (1 if extra else 0)
        head = _number(2) + _number(flags) + (_number(len(extra)) if extra else b"") + _number(len(content))
        out += _rar_5_block(head + facts + extra) + content
    return out + _rar_5_block(_number(5) + _number(0) + _number(0))


def _rar_5_block(body: bytes) -> bytes:
    sized = _number(len(body)) + body
    return struct.pack("<L", zlib.crc32(sized)) + sized


def _number(value: int) -> bytes:
    out = bytearray()
    while True:
        out.append((value & 0x7F) | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def cab(files: dict[str, bytes]) -> bytes:
    """A cabinet with one folder that is not compressed ([MS-CAB])."""
    content = b"".join(files.values())
    blocks = [content[at : at + 32768] for at in range(0, len(content), 32768)] or [b""]
    entries, at = b"", 0
    for name, data in files.items():
        entries += struct.pack("<LLHHHH", len(data), at, 0, 0, 0, 0x20) + name.encode() + b"\0"
        at += len(data)
    data_at = 36 + 8 + len(entries)
    stored = b"".join(struct.pack("<LHH", 0, len(block), len(block)) + block for block in blocks)
    head = struct.pack("<4sLLLLLBBHHHHH", b"MSCF", 0, data_at + len(stored), 0, 44, 0, 3, 1, 1, len(files), 0, 0, 0)
    return head + struct.pack("<LHH", data_at, len(blocks), 0) + entries + stored


def lzh(files: dict[str, bytes]) -> bytes:
    """LHA, level 0 headers, method -lh0- (stored)."""
    out = b""
    for name, content in files.items():
        encoded = name.encode()
        body = b"-lh0-" + struct.pack("<LLLBB", len(content), len(content), 0, 0x20, 0) + bytes([len(encoded)])
        body += encoded + struct.pack("<H", _crc_16(content))
        out += bytes([len(body), sum(body) & 0xFF]) + body + content
    return out + b"\0"


def _crc_16(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def arj(files: dict[str, bytes], method: int = 0, flags: int = 0) -> bytes:
    """ARJ: the archive's own header, then the members."""
    out = _arj_header(b"a.arj", b"", 0, 2, 0)
    for name, content in files.items():
        out += _arj_header(name.encode(), content, method, 0, flags) + content
    return out + b"\x60\xea\0\0"


def _arj_header(name: bytes, content: bytes, method: int, kind: int, flags: int) -> bytes:
    fixed = struct.pack("<8B", 30, 11, 1, 0, flags, method, kind, 0)
    fixed += struct.pack("<LLLLHHH", 0, len(content), len(content), binascii.crc32(content), 0, 0, 0)
    body = fixed + name + b"\0\0"
    return b"\x60\xea" + struct.pack("<H", len(body)) + body + struct.pack("<LH", binascii.crc32(body), 0)
