"""Bytes to text by the charset a sender names.

Names are looked up in a table of our own: Python's registry imports a module for each new name and remembers misses
for ever, and it has codecs that are no charsets (zip, idna, unicode_escape).
"""

from __future__ import annotations

import re
from encodings.aliases import aliases
from functools import lru_cache

_NOT_CHARSETS = frozenset(
    {
        *("base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "uu_codec", "zlib_codec", "rot_13"),
        *("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"),
    }
)
_ALSO_KNOWN = {
    "windows_874": "cp874",
    "x_gbk": "gbk",
    "x_sjis": "shift_jis",
    "koi8_u": "koi8_u",
    "utf8mb4": "utf_8",
    "unicode": "utf_16",
    "utf_8_sig": "utf_8_sig",
}
_CODECS = {
    name: codec
    for name, codec in {**{codec: codec for codec in aliases.values()}, **aliases, **_ALSO_KNOWN}.items()
    if codec and codec not in _NOT_CHARSETS
}
# Mail programs read the one as the other (WHATWG Encoding, section 4.2): 0x80 to 0x9f are letters and quotes.
_READ_AS = {"latin_1": "cp1252", "iso8859_9": "cp1254", "iso8859_11": "cp874"}
_PUNCTUATION = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=256)
def codec_of(charset: str) -> str | None:
    """Python's name for a charset, or None if it has none or is not a charset."""
    codec = _CODECS.get(_PUNCTUATION.sub("_", charset.strip().lower()))
    return _READ_AS.get(codec, codec) if codec else None


def guessed(data: bytes) -> str:
    """Text of an unnamed charset: UTF-8 if it is valid, else one character for each byte (ISO 8859-1)."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def text_of(data: bytes, charset: str = "") -> str:
    """`data` as text. Unknown charsets, and 8-bit data called ASCII, are guessed; what is invalid becomes U+FFFD."""
    codec = codec_of(charset)
    if codec is None or codec == "ascii":
        return guessed(data)
    try:
        return data.decode(codec, "replace")
    except (LookupError, UnicodeError):  # a codec without "replace" for its state
        return guessed(data)
