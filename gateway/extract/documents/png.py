"""Writes a grey picture as PNG (RFC 2083)."""

from __future__ import annotations

import struct
import zlib

_FAST = 1  # the picture goes to the next process, not to a disk


def grey_png(rows: memoryview, width: int, height: int, stride: int) -> bytes:
    """One byte a pixel, `stride` bytes a row."""
    packer = zlib.compressobj(_FAST)
    data = [packer.compress(b"\0" + bytes(rows[y * stride : y * stride + width])) for y in range(height)]
    data.append(packer.flush())
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b"".join(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(named: tuple[bytes, bytes]) -> bytes:
    name, content = named
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
