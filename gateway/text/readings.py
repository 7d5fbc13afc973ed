"""Bytes to the texts that mail programs make of them: by the label, and by what the bytes themselves show.

Programs disagree on wrong and missing labels, so there may be several readings; the first is the most plausible.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.text.charsets import codec_of, decoded, name_of
from gateway.text.eastern import eastern_codec, wide_codec
from gateway.text.evidence import converted_in_part, old_encoding_of_bytes, old_encoding_of_text

MOST_READINGS = 3
"""Readings of one text: programs disagree on wrong labels, but not in more ways that make sense."""

FEW_ERRORS = 0.1
"""Share of the bytes above ASCII that are no UTF-8 in text that is still UTF-8: cut off, or pasted together."""

ENOUGH_TWICE = 3
"""Letters that look like UTF-8 read as Windows-1252 before a text is read so: no language has many such pairs."""


class Why(StrEnum):
    """What a charset was chosen by."""

    LABEL = "label"  # the sender's
    MARK = "mark"  # a byte order mark
    EVIDENCE = "evidence"  # the bytes make sense in it
    DEFAULT = "default"  # nothing speaks for any


@dataclass(frozen=True, slots=True)
class Decoded:
    """One reading: the text, the charset in lower case ("utf-8", "windows-1252", "tcvn3", ...), and why that one."""

    text: str
    charset: str
    why: Why


def read_text(data: bytes, label: str = "", inner: str = "") -> tuple[Decoded, ...]:
    """The plausible readings of `data`, at least one and at most three, the most plausible first.

    `label` is the charset that MIME names, `inner` the one that the text names itself (`meta_charset` of HTML). Lines
    end with "\\n" in all of them. Linear; never raises.
    """
    labels = list(dict.fromkeys(codec for codec in map(codec_of, (label, inner)) if codec))
    return _different(_readings(data, labels))


def reread(text: str) -> Iterator[Decoded]:
    """Other readings of a text that has been decoded already, such as a header field: none where it makes sense as it
    is. UTF-8 taken for Windows-1252 once too often; old Vietnamese encodings sent as Windows-1252; VIQR."""
    if once := _read_once_too_often(text):
        yield Decoded(once, "utf-8", Why.EVIDENCE)
    if encoding := old_encoding_of_text(text):
        yield Decoded(converted_in_part(text, encoding), encoding, Why.EVIDENCE)


_MARKS = (  # the longer ones first: UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF32_LE, "utf_32_le"),
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)
_ESCAPES = (
    (b"\x1b$)C", "iso2022_kr"),
    (b"\x1b$)A", "iso2022_cn"),
    (b"\x1b$", "iso2022_jp_2"),
    (b"\x1b(", "iso2022_jp_2"),
    (b"~{", "hz"),
)
_CARELESS = frozenset({"ascii", "utf_8", "cp1252", "cp1254", "cp1258", "iso8859_15"})
"""Labels that senders put on anything; all are as ASCII in seven bits."""
_UTF_7 = re.compile(rb"\+[A-Za-z0-9+/]{3}")
_WESTERN = re.compile("[\\s -\u024f\u0300-\u036f\u1e00-\u206f\u20ab\u20ac]+")
_ASCII = bytes(range(0x80))
_TWICE = re.compile("[ÃÄÆÅáâ][\x80-\xbf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")
_AS_BYTES = {ord(bytes([at]).decode("cp1252", "ignore") or chr(at)): at for at in range(0x80, 0xA0)}


def _readings(data: bytes, labels: list[str]) -> Iterator[Decoded]:
    trusted = [codec for codec in labels if codec not in _CARELESS and _is_whole(data, codec)]
    mark, codec = next((each for each in _MARKS if data.startswith(each[0])), (b"", ""))
    if mark:
        yield _by(data[len(mark) :], codec, Why.MARK)
    elif codec := wide_codec(data):
        yield _by(data, codec, Why.LABEL if codec in labels else Why.EVIDENCE)
        if "utf_8" in labels and _is_whole(data, "utf_8"):
            yield _by(data, "utf_8", Why.LABEL)
    elif data.isascii():
        yield from _seven_bits(data, labels)
        return
    else:
        yield from _eight_bits(data, labels, trusted)
    for codec in trusted:
        yield _by(data, codec, Why.LABEL)


def _seven_bits(data: bytes, labels: list[str]) -> Iterator[Decoded]:
    for codec in labels:
        if codec not in _CARELESS:
            yield _by(data, codec, Why.LABEL)
    for escape, codec in _ESCAPES:
        if escape in data and _is_whole(data, codec):
            yield _by(data, codec, Why.EVIDENCE)
            break
    if _UTF_7.search(data) and _is_whole(data, "utf_7") and _WESTERN.fullmatch(text := decoded(data, "utf_7")):
        yield Decoded(text, "utf-7", Why.EVIDENCE)
    text = data.decode("ascii")
    yield from reread(text)
    if labels and labels[0] in _CARELESS:
        yield Decoded(text, name_of(labels[0]), Why.LABEL)
    else:
        yield Decoded(text, "us-ascii", Why.DEFAULT)


def _eight_bits(data: bytes, labels: list[str], trusted: list[str]) -> Iterator[Decoded]:
    text = data.decode("utf-8", "replace")
    errors = text.count("\ufffd")
    if not errors or errors <= FEW_ERRORS * len(data.translate(None, _ASCII)):
        yield from reread(text)
        yield Decoded(text, "utf-8", Why.LABEL if "utf_8" in labels else Why.EVIDENCE)
        return
    if trusted:
        return
    guess = codec_of(old_encoding_of_bytes(data)) or eastern_codec(data)
    if guess:
        yield _by(data, guess, Why.LABEL if guess in labels else Why.EVIDENCE)
    named = [codec for codec in labels if codec != "ascii"]
    for codec in named:
        yield _by(data, codec, Why.LABEL)
    if not guess and named in ([], ["utf_8"]):
        yield _by(data, "cp1252", Why.DEFAULT)


def _is_whole(data: bytes, codec: str) -> bool:
    return "\ufffd" not in decoded(data, codec)


def _by(data: bytes, codec: str, why: Why) -> Decoded:
    return Decoded(decoded(data, codec), name_of(codec), why)


def _different(readings: Iterator[Decoded]) -> tuple[Decoded, ...]:
    found: dict[str, Decoded] = {}
    for each in readings:
        text = each.text.replace("\r\n", "\n").replace("\r", "\n")
        found.setdefault(text, Decoded(text, each.charset, each.why))
        if len(found) == MOST_READINGS:
            break
    return tuple(found.values())


def _read_once_too_often(text: str) -> str:
    """The text before it was UTF-8 taken for Windows-1252, or "" if it was not."""
    if len(_TWICE.findall(text)) < ENOUGH_TWICE:
        return ""
    try:
        return text.translate(_AS_BYTES).encode("latin-1").decode()
    except UnicodeError:
        return ""
