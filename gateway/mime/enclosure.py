"""What can be taken out of a part though it is no span of the message: `Enclosure`, and how it lay there: `Means`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.reading import Reason

ENCLOSURE_LIMIT = 32 * 1024 * 1024
"""Bytes of one thing that is unpacked out of a part by a way that can make it longer than it was. Mail of 25 MB with
base64 holds files of 18 MB; what promises more than this is cut and said to be too big."""

MAX_ENCLOSURES = 200
"""Things taken out of one part by one means. A winmail.dat of a long thread has twenty."""


class Means(StrEnum):
    """How something lies within a part."""

    UUENCODE = "uuencode"
    XXENCODE = "xxencode"
    YENC = "yenc"
    BINHEX = "binhex"
    BASE64 = "base64"  # within a text, without a head
    CALENDAR = "calendar"  # inline in an iCalendar or vCard object
    TNEF = "tnef"  # winmail.dat
    APPLE = "apple"  # AppleSingle, AppleDouble, MacBinary
    CMS = "cms"  # S/MIME
    PGP = "pgp"
    MESSAGE = "message"  # a message, or a multipart, that only its bytes show, or under a transfer encoding
    PREAMBLE = "preamble"
    EPILOGUE = "epilogue"
    BOUNDARY = "boundary"  # a part for programs that take a line for a boundary if it only begins with one
    LINES = "lines"  # the message again, for programs that end lines at a lone CR, or do not see NUL bytes
    HEAD = "head"  # what follows a line that is no header field, for programs that begin the body there
    PARTIAL = "partial"  # message/partial
    EXTERNAL = "external"  # message/external-body


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """Something within a part. Its place is the part's, a slash, and `suffix` ("uuencode-1"), which has no slash.

    `media_type` is "" where nothing declares it; of a message it is one of `MESSAGES` and `content` begins with its
    head. `blind` tells why the content is missing or not all there, None if it is whole.
    """

    suffix: str
    how: Means
    content: bytes = b""
    names: tuple[str, ...] = ()
    media_type: str = ""
    charset: str = ""
    blind: Reason | None = None
