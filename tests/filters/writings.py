"""One text in the writings that people and programs give it: encodings of old, and what is done to hide words."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache

from gateway.text.legacy import decoded

_TONES = {"\u0301": "'", "\u0300": "`", "\u0309": "?", "\u0303": "~", "\u0323": "."}
_SHAPES = {"\u0302": "^", "\u0306": "(", "\u031b": "+"}
_LOOK_ALIKES = str.maketrans("AOTMKEHPCXaoecpxy", "АОТМКЕНРСХаоесрху")


@cache
def _letters(encoding: str) -> dict[str, bytes]:
    """Each letter's bytes: one, and where an encoding writes marks behind letters (VNI) two or three."""
    units = [bytes([first]) for first in range(256)]
    if encoding == "vni":
        marks = [bytes([first]) for first in range(0xC0, 256)]
        units += [bytes([letter]) + mark for letter in b"AEIOUYaeiouy\xd4\xf4\xd6\xf6" for mark in marks]
    table: dict[str, bytes] = {}
    for unit in units:
        letter = unicodedata.normalize("NFC", decoded(unit, encoding))
        if len(letter) == 1:
            table.setdefault(letter, unit)
    return table


def in_bytes(encoding: str) -> Callable[[str], bytes]:
    """The text in an 8-bit encoding of before Unicode. For capitals that it lacks people typed the small letter in a
    font of capitals."""

    def encode(text: str) -> bytes:
        table = _letters(encoding)
        composed = unicodedata.normalize("NFC", text)
        return b"".join(table.get(one) or table.get(one.lower(), b"?") for one in composed)

    return encode


def viqr(text: str) -> str:
    """RFC 1456: marks as signs behind the letter."""
    out = []
    for character in unicodedata.normalize("NFC", text):
        if character in "đĐ":
            out.append("dd" if character == "đ" else "DD")
            continue
        letter, *marks = unicodedata.normalize("NFD", character)
        shapes = "".join(_SHAPES.get(mark, "") for mark in marks)
        out.append(letter + shapes + "".join(_TONES.get(mark, "") for mark in marks))
    return "".join(out)


def cp1258(text: str) -> bytes:
    """Windows-1258: letters with their shape, tones as characters behind them."""
    out = []
    for character in unicodedata.normalize("NFC", text):
        letter, *marks = unicodedata.normalize("NFD", character)
        tones = "".join(mark for mark in marks if mark in _TONES)
        shaped = unicodedata.normalize("NFC", letter + "".join(mark for mark in marks if mark not in _TONES))
        out.append(shaped + tones)
    return "".join(out).encode("cp1258", "replace")


def bare(text: str) -> str:
    """Without diacritics."""
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def decomposed(text: str) -> str:
    """Letters and marks apart (NFD)."""
    return unicodedata.normalize("NFD", text)


def zero_width(text: str) -> str:
    """A zero-width character behind every second one of a word."""
    return "".join(
        character + ("\u200b" if number % 2 and character.isalpha() else "") for number, character in enumerate(text)
    )


def look_alikes(text: str) -> str:
    """Cyrillic letters for those Latin ones that look the same and bear no mark."""
    return text.translate(_LOOK_ALIKES)


def spaced(text: str) -> str:
    """Every letter by itself."""
    return " ".join(text.replace(" ", "  "))


def entities(text: str) -> str:
    """As numeric character references of HTML."""
    return "".join(f"&#{ord(character)};" if ord(character) > 127 else character for character in text)
