"""Bytes from the next hop -> its replies, under limits. Sans-IO: nothing here waits or sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.reply import TEXT_LIMIT, Reply, printable

LINE_LIMIT = 2048
"""Octets of a reply line with CRLF. RFC 5321 section 4.5.3.1.5 allows 512; Postfix reads 2048 (line_length_limit)."""

LINES_LIMIT = 100
"""Lines of one reply. The longest known EHLO answers have about 40."""

REPLY_LIMIT = 65536
"""Octets of one reply, above LINES_LIMIT lines of the 512 octets that RFC 5321 allows."""

# RFC 5321 section 4.2: a code, then a space or "-" and text, or nothing. No reply begins with 1 in SMTP (4.2.1). A
# bare CR or LF would leave open how many replies there are.
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n\0]*))?")

# RFC 3463 section 2, at the start of the text (RFC 2034 section 4).
_STATUS = re.compile(r"([245])\.([0-9]{1,3}\.[0-9]{1,3})(?: |$)")


@dataclass(frozen=True, slots=True)
class HopReply:
    """A reply as the hop gave it: the code, and the text of each line without code and line ending."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def kind(self) -> int:
        """The first digit: 2 done, 3 go on, 4 not now, 5 no."""
        return self.code // 100

    def copied(self) -> Reply:
        """The reply for our client: the same code, printable US-ASCII text.

        An enhanced code of another class than the code's is dropped; where there is none it is X.0.0, for we offer
        ENHANCEDSTATUSCODES whatever the hop does (RFC 2034 section 3; RFC 3463 section 3.1 "undefined").
        """
        enhanced = ""
        texts = []
        for line in self.lines:
            text = line.decode("utf-8", "replace")
            if status := _STATUS.match(text):
                text = text[status.end() :]
                if int(status[1]) == self.kind:
                    enhanced = enhanced or status[2]
            plain = text.isascii() and text.isprintable() and len(text) <= TEXT_LIMIT
            texts.append(text if plain else printable(text))
        if not enhanced and self.kind != 3:
            enhanced = "0.0"
        return Reply(self.code, enhanced, "\n".join(texts))


class ReplyReader:
    """Collects bytes until they are whole replies."""

    __slots__ = ("_code", "_lines", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""
        self._code = 0
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def pending(self) -> bool:
        """True if a reply has begun and is not whole."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> Iterator[HopReply]:
        """The replies that are whole now. Raises ValueError, behind the good ones, for what is no reply."""
        data = self._rest + data
        start = 0
        while (end := data.find(b"\r\n", start)) >= 0:
            reply = self._line(data[start:end])
            start = end + 2
            self._rest = data[start:]
            if reply:
                yield reply
        self._rest = data[start:]
        if len(self._rest) > LINE_LIMIT:
            raise ValueError("reply line too long")

    def _line(self, line: bytes) -> HopReply | None:
        match = _LINE.fullmatch(line)
        if not match or len(line) + 2 > LINE_LIMIT:
            raise ValueError(f"not a reply: {line[:80]!r}")
        code = int(match[1])
        if self._lines and code != self._code:
            raise ValueError(f"reply changes its code from {self._code} to {code}")
        self._code = code
        self._lines.append(match[3] or b"")
        self._size += len(line)
        if len(self._lines) > LINES_LIMIT or self._size > REPLY_LIMIT:
            raise ValueError("reply too long")
        if match[2] == b"-":
            return None
        reply = HopReply(code, tuple(self._lines))
        self._lines, self._size = [], 0
        return reply
