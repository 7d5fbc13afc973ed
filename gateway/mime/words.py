"""Encoded words in header fields (RFC 2047): read as mail programs read them, and written for our own fields."""

from __future__ import annotations

import binascii
import re

from gateway.mime.decode import lenient_base64
from gateway.text.charsets import text_of

ENCODED_WORD_LIMIT = 75
"""Octets of one encoded word. RFC 2047 section 2."""

_PREFIX, _SUFFIX = b"=?utf-8?b?", b"?="
_OVERHEAD = len(_PREFIX) + len(_SUFFIX)
# The charset may carry a language after an asterisk (RFC 2231 section 5), and may be missing. In the text, spaces and
# question marks are wrong and common. A word that the end of the field cuts off is one if it has no space. The text
# ends where another word begins, so that many a "=?" costs no more than one look each.
_WORD = re.compile(
    r"=\?([^?*\s]{0,64})(?:\*[^?\s]{0,64})?\?([BbQq])\?"
    r"(?:((?:[^?=]|=(?!\?(?!=))|\?(?!=))*+)\?=|([^\s?]++)\??\Z)"
)


def decode_words(text: str) -> str:
    """`text` with its encoded words decoded. Neighbours in one charset are decoded together: many a sender cuts a
    character in two."""
    if "=?" not in text:
        return text
    pieces, run, at = list[str](), b"", 0
    run_charset: str | None = None
    for word in _WORD.finditer(text):
        gap = text[at : word.start()]
        charset = word[1].lower()
        if gap.strip() or charset != run_charset:
            pieces.append(text_of(run, run_charset or ""))
            run, joined = b"", run_charset is not None and not gap.strip()
            pieces.append("" if joined else gap)  # RFC 2047 section 6.2: white space between two words is not shown
        run += _payload(word[2], word[3] or word[4] or "")
        run_charset, at = charset, word.end()
    pieces += (text_of(run, run_charset or ""), text[at:])
    return "".join(pieces)


def encode_words(text: str, first_room: int) -> list[bytes]:
    """`text` as UTF-8 encoded words of at most 75 octets, the first at most `first_room`, none inside a character.

    A first word is put out even where `first_room` is too small for one character.
    """
    words: list[bytes] = []
    room, chunk = _octets(first_room), b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if chunk and len(chunk) + len(octets) > room:
            words.append(_written(chunk))
            room, chunk = _octets(ENCODED_WORD_LIMIT), b""
        chunk += octets
    words.append(_written(chunk))
    return words


def _payload(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding not in "Bb":
        return binascii.a2b_qp(data, header=True)
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except binascii.Error:
        return lenient_base64(data)


def _octets(room: int) -> int:
    return (min(room, ENCODED_WORD_LIMIT) - _OVERHEAD) // 4 * 3


def _written(chunk: bytes) -> bytes:
    return _PREFIX + binascii.b2a_base64(chunk, newline=False) + _SUFFIX
