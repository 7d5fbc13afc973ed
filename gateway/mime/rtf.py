"""RTF as Outlook compresses it ([MS-OXRTFCP]): LZ77 over a dictionary of 4 kB that begins with usual words."""

from __future__ import annotations

RTF_LIMIT = 4 * 1024 * 1024
"""Bytes unpacked of one text. Pictures and files are not in it: Outlook attaches them."""

_COMPRESSED, _PLAIN = b"LZFu", b"MELA"
_HEAD = 16
_RING = 4096
_SEED = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans "
    rb"SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""[MS-OXRTFCP] section 2.1.2.1: what the dictionary holds at the beginning."""


def uncompressed(data: bytes, limit: int = RTF_LIMIT) -> tuple[bytes, bool]:
    """The RTF, at most its first `limit` bytes, and whether there was more. What is not packed is given as it is."""
    if data[8:12] == _PLAIN:
        return data[_HEAD : _HEAD + limit], len(data) > _HEAD + limit
    if data[8:12] != _COMPRESSED:
        return data[:limit], len(data) > limit
    out = bytearray(_SEED)  # the dictionary is the last 4096 bytes of it
    limit += len(_SEED)
    at = _HEAD
    while at < len(data) and len(out) <= limit:
        control, at = data[at], at + 1
        if not control:
            out += data[at : at + 8]
            at += 8
            continue
        for bit in range(8):
            if at >= len(data):
                break
            if not control >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            token, at = int.from_bytes(data[at : at + 2], "big"), at + 2
            back = (len(out) - (token >> 4)) % _RING
            if back == 0:  # section 2.2.3: a reference to where the next byte goes is the end
                return bytes(out[len(_SEED) : limit]), len(out) > limit
            _copy(out, back, (token & 15) + 2)
    return bytes(out[len(_SEED) : limit]), len(out) > limit


def _copy(out: bytearray, back: int, length: int) -> None:
    """Appends what lies `back` bytes behind the end; it may run into what it appends."""
    start = len(out) - back
    piece = out[start : start + length] if start >= 0 else bytes(length)
    out += (piece * (length // len(piece) + 1))[:length]
