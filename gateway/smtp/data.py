"""The bytes between 354 and the final dot: where they end, what they say (RFC 5321 sections 4.1.1.4 and 4.5.2).

Sans-IO and never line by line: a message costs a few searches a chunk. Only `<CRLF>.<CRLF>` ends the data; a bare CR,
a bare LF or a NUL is never part of what comes out (RFC 5321 section 2.3.8; the smuggling attacks of CVE-2023-51764 and
its kin live on a receiver that is lenient in either).
"""

from __future__ import annotations

import re

_END = b"\r\n.\r\n"
_HOLD = len(_END) - 1
# Not `\r+\n`: what a run of CRs becomes would depend on how the network cut it.
_ANY_LINE_ENDING = re.compile(rb"\r\n|\r|\n")


class DataDecoder:
    """Takes the wire's bytes, gives the message's bytes.

    `strict` leaves a message with bare CR, LF or NUL marked as `tainted` (its bytes still come out, to be counted, and
    must not be used); otherwise such bytes are normalised: a bare CR or LF becomes CRLF, a NUL is dropped.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._held = b"\r\n"  # DATA's own line ending: a dot right after it begins a line
        self._borrowed = 2  # how many of the held bytes are not the message's
        self.tainted = False
        self.finished = False
        self.rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """The message's bytes that `chunk` completes. After the end, `finished` is set and `rest` is what followed."""
        data = self._held + chunk
        end = data.find(_END) if b"." in data else -1
        if end >= 0:
            self.finished = True
            self.rest = data[end + len(_END) :]
            self._held = b""
            return self._clean(data[: end + 2])
        cut = max(0, len(data) - _HOLD)
        # Never between the bytes of CR LF or CR LF dot: a CR in the last two bytes moves the cut before it.
        if (carriage := data.find(b"\r", max(0, cut - 2), cut)) >= 0:
            cut = carriage
        self._held = data[cut:]
        return self._clean(data[:cut])

    def _clean(self, data: bytes) -> bytes:
        # A single byte is found a hundred times as fast as two, and there is no dot in base64.
        dots = data.rfind(b".") + 1
        clean = data[:dots].replace(b"\r\n.", b"\r\n") + data[dots:]
        if b"\0" in data or data.replace(b"\r", b"").replace(b"\n", b"\r\n") != data:
            self.tainted = True
            if not self._strict:
                clean = _ANY_LINE_ENDING.sub(b"\r\n", clean).replace(b"\0", b"")
        if self._borrowed and clean:
            clean, self._borrowed = clean[self._borrowed :], 0
        return clean
