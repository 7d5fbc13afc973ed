"""New bytes for a message: header fields that cannot be malformed, and small text parts. Lines end in CRLF."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import pybase64

from gateway.mail import Part, Span
from gateway.mime.words import ENCODED_WORD_LIMIT, encode_words

LINE = 78
"""Octets of a line without its CRLF that ours keep to where they can. RFC 5322 section 2.1.1."""

TOKEN_LIMIT = 900
"""Octets of a word that is put out as it is: with a name in front of it a line must stay below 998 (RFC 5322)."""

_NAME = re.compile(r"[!-9;-~]{1,60}")
_WORD_WITH_SPACE = re.compile(r"\s*\S+")
_BASE64_LINE = 57  # octets that make a line of 76 characters (RFC 2045 section 6.8)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A change of a part's content: `body` in the place of the bytes at `span`; and, where the encoding changes,
    `fields` in the place of the header fields whose names begin with one of `replaced` (lower case)."""

    part: Part
    span: Span
    body: bytes
    fields: bytes = b""
    replaced: tuple[str, ...] = ()


def field(name: str, value: str) -> bytes:
    """A header field with its CRLF, folded, in encoded words where the value is not plain ASCII.

    Control characters in the value become spaces. Raises ValueError for a name that no field can have.
    """
    return f"{checked_name(name)}:".encode("ascii") + unstructured(value, len(name) + 1) + b"\r\n"


def checked_name(name: str) -> str:
    """The name of a header field, or ValueError (RFC 5322 section 2.2)."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header field")
    return name


def unstructured(value: str, column: int) -> bytes:
    """The text of a field, beginning with a space, to stand at `column`; without a line ending."""
    clean = one_line(value)
    if clean.isascii() and "=?" not in clean and all(len(word) < TOKEN_LIMIT for word in clean.split(" ")):
        return _folded(_WORD_WITH_SPACE.findall(f" {clean}"), column)
    words = encode_words(clean, max(LINE - column - 1, ENCODED_WORD_LIMIT // 2))
    return b" " + b"\r\n ".join(words)


def one_line(text: str) -> str:
    """`text` without control characters and line separators, which become spaces; trimmed."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") else char for char in text).strip()


def content_fields(media_type: str) -> bytes:
    """The fields of a text part whose body comes from `base64_lines` of UTF-8."""
    return f"Content-Type: {media_type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n".encode("ascii")


def notice(part: Part, text: str) -> Rewrite:
    """The change that puts a text in the place of a part."""
    head = content_fields("text/plain") + b"Content-Disposition: inline\r\n"
    return Rewrite(part, part.body, base64_lines(crlf_lines(text).encode("utf-8", "replace")), head, ("content-",))


def crlf_lines(text: str) -> str:
    """`text` with its lines ended by CRLF and no other control character than TAB."""
    lines = ["".join(c for c in line if c == "\t" or unicodedata.category(c) != "Cc") for line in text.splitlines()]
    return "".join(f"{line}\r\n" for line in lines)


def base64_lines(data: bytes) -> bytes:
    """`data` as base64 in lines of 76 characters, each ended by CRLF."""
    pieces = (data[at : at + _BASE64_LINE] for at in range(0, len(data), _BASE64_LINE))
    return b"".join(pybase64.b64encode(piece) + b"\r\n" for piece in pieces)


def _folded(words: list[str], column: int) -> bytes:
    lines, length = [""], column
    for word in words:
        if lines[-1] and length + len(word) > LINE:
            lines.append("")
            length = 0
        lines[-1] += word
        length += len(word)
    return "\r\n".join(lines).encode("ascii")
