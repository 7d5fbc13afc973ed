"""The framing of the milter protocol, versions 2 to 6: bytes to commands. Pure: no socket, no clock.

A packet is a length (4 octets, network order), a command octet and its data (Sendmail's libmilter `mfdef.h`, Postfix's
`src/milter/milter8.c`). What commands and answers there are is in `commands.py` and `answers.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from gateway.milter.answers import Said, encode
from gateway.milter.commands import READERS, Command

PACKET_LIMIT = 1 << 20
"""Octets of a packet: libmilter's MDS_1M, the most that any version may negotiate. Postfix's own greatest header is
100 kB, a piece of a body 64 kB."""

LENGTH = struct.Struct("!I")


class MilterError(Exception):
    """The MTA broke the protocol: a packet that is too long, empty, unknown or malformed. The session must end."""


class Decoder:
    """Bytes in, commands out. Between two feeds it never holds more than one packet that has not come whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._needed = LENGTH.size

    @property
    def waiting(self) -> int:
        """Octets of a packet that has not come whole."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Command]:
        """The commands that are whole with these bytes, one by one as they are read. Raises MilterError."""
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return
            data = bytes(self._buffer)
            self._buffer = bytearray()
        at, size = 0, len(data)
        self._needed = LENGTH.size
        try:
            while size - at >= LENGTH.size:
                [length] = LENGTH.unpack_from(data, at)
                if not 1 <= length <= PACKET_LIMIT:
                    raise MilterError(f"a packet of {length} octets")
                start, stop = at + LENGTH.size, at + LENGTH.size + length
                if stop > size:
                    self._needed = stop - at
                    break
                at = stop
                yield _command(data[start], data[start + 1 : stop])
        finally:
            if at < size:
                self._buffer += data[at:]


def _command(code: int, data: bytes) -> Command:
    reader = READERS.get(code)
    if reader is None:
        raise MilterError(f"an unknown command {code:#04x}")
    try:
        return reader(data)
    except ValueError as error:
        raise MilterError(f"{chr(code)}: {error}") from None


def packet(said: Said) -> bytes:
    """An answer or a change as it goes on the wire. Raises ValueError for what no packet can say."""
    content = encode(said)
    return LENGTH.pack(len(content)) + content
