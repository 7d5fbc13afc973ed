"""VBA's compression ([MS-OVBA] 2.4.1): runs of a token byte and eight literals or copies."""

from __future__ import annotations

SOURCE = 2 * 1024 * 1024
"""Bytes of one module's source that are unfolded; a module has at most 64 K lines."""


def decompressed(data: bytes) -> bytes:
    """The content of a compressed container, as far as it is one; b"" if it does not begin like one."""
    if data[:1] != b"\x01":
        return b""
    out = bytearray()
    at = 1
    while at + 2 <= len(data) and len(out) < SOURCE:
        header = int.from_bytes(data[at : at + 2], "little")
        if header >> 12 & 7 != 3:
            break
        stop = min(at + 3 + (header & 0xFFF), len(data))
        if header & 0x8000:
            _chunk(data[at + 2 : stop], out)
        else:
            out += data[at + 2 : stop]
        at = stop
    return bytes(out)


def _chunk(data: bytes, out: bytearray) -> None:
    start = len(out)
    at = 0
    while at < len(data):
        flags = data[at]
        at += 1
        for bit in range(8):
            if at >= len(data):
                return
            if not flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            token = int.from_bytes(data[at : at + 2], "little")
            at += 2
            done = len(out) - start
            if not done:
                return
            bits = max((done - 1).bit_length(), 4)
            length, back = (token & (0xFFFF >> bits)) + 3, (token >> (16 - bits)) + 1
            if back > done:
                return
            for _ in range(length):
                out.append(out[-back])
