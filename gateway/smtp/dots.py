"""The pieces of a message -> what follows DATA on the wire (RFC 5321 section 4.5.2), block by block, without a copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.mail import Raw, Span

BLOCK = 128 * 1024
"""Bytes read at once: large enough that Python's cost for a block vanishes, small beside 200 messages in flight."""


def slices(raw: Raw, pieces: Sequence[bytes | Span]) -> Iterator[bytes]:
    """The bytes of the pieces in order, none empty, none longer than BLOCK."""
    for piece in pieces:
        source, start, stop = (raw, piece.start, piece.stop) if isinstance(piece, Span) else (piece, 0, len(piece))
        for at in range(start, stop, BLOCK):
            yield source[at : min(at + BLOCK, stop)]


def stuffed(raw: Raw, pieces: Sequence[bytes | Span]) -> Iterator[bytes]:
    """Blocks of the message with its dots doubled; the last block ends with the end of data, CRLF "." CRLF.

    A message that does not end with CRLF gets one. A dot is doubled behind every LF, not only behind CRLF: in a
    message with CRLF line endings that is the same, and should a bare LF ever get here, no lenient hop finds an end of
    data behind it (CVE-2023-51764).
    """
    held: list[bytes] = []
    size = 0
    tail = b"\r\n"
    for block in slices(raw, pieces):
        if block.startswith(b".") and tail.endswith(b"\n"):
            held.append(b".")
        dots = block.rfind(b".") + 1  # a single byte is found a hundred times as fast as two, and base64 has no dot
        held += [block[:dots].replace(b"\n.", b"\n.."), block[dots:]]
        tail = (tail + block[-2:])[-2:]
        size += len(block)
        if size >= BLOCK:
            yield b"".join(held)
            held, size = [], 0
    held.append(b".\r\n" if tail == b"\r\n" else b"\r\n.\r\n")
    yield b"".join(held)
