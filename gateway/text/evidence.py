"""Which charset bytes are in, and which old Vietnamese encoding, by what they look like.

A guess is made from a sample, in bounded time; where nothing is plausible there is no guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from unicodedata import normalize

from gateway.text import legacy
from gateway.text.syllables import is_syllable

SAMPLE = 16 * 1024
"""Bytes, or characters, that are looked at, from the first that tells something: pages of text."""

MOST_WORDS = 200
"""Different words that are judged; of garbled text five are enough."""

ENOUGH_WORDS = 2
"""Words with diacritics that must be syllables before a text counts as Vietnamese: a subject has few more."""

GOOD_SHARE = 0.75
"""Share of the words with diacritics that are syllables, in text read aright; the others are names and slips. What is
read wrongly has less than a half."""

ENOUGH_VIQR = 3
"""Different syllables with marks written behind vowels: one or two are arithmetic or typing errors."""

# Some encodings have capitals where ASCII has controls.
_BYTE_WORD = re.compile(
    "[A-Za-z\x01-\x08\x0e-\x1a\x1c-\x1f\x80-\xff]*[\x80-\xff][A-Za-z\x01-\x08\x0e-\x1a\x1c-\x1f\x80-\xff]*"
)
_LATIN1_WORD = re.compile(r"(?<![^\W\d_])[A-Za-z\xa1-\xff]*[\xa1-\xff][A-Za-z\xa1-\xff]*(?![^\W\d_])")
# What is in ISO 8859-1 and is no letter of Vietnamese in Unicode: all that is read wrongly has some of it.
_SUSPECT = re.compile("[\xa1-\xbfÄÅÆÇËÎÏÑÖ×ØÛÜÞßäåæçëîïñö÷øûüþÿ]")
_VIQR_SIGN = re.compile(r"[AEOaeo]\^|[OUou]\+|[Aa]\(|[Dd][Dd]")
_VIQR_WORD = re.compile(r"(?<![A-Za-z\\])(?:[AEIOUYaeiouy][(^+]?['`?~.]?|[A-Za-z])++")
_ASCII_LETTER = re.compile("[A-Za-z]")
_WORD = re.compile(r"[^\W\d_]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_HIGH = re.compile(rb"[\x80-\xff]")
_AROUND_WORDS = "“”‘’…–—•«»\x91\x92\x93\x94\x96\x97\x85"
_MODERN = re.compile("[ĂăĐđĨĩŨũƠơƯưẠ-ỹ]")


def old_encoding_of_bytes(data: bytes) -> str:
    """Which of the Vietnamese encodings of one byte for a letter, Windows-1258 among them, the data is in, or ""."""
    words = _different(_BYTE_WORD, _sample(data).decode("latin-1"))
    shares = {encoding: _good_share(map(reading, words)) for encoding, reading in _READINGS.items()}
    best = max(_READINGS, key=shares.__getitem__)
    enough = shares[best] * len(words) >= ENOUGH_WORDS and shares[best] >= GOOD_SHARE
    return best if enough and shares[best] > _good_share(words) else ""


def old_encoding_of_text(text: str) -> str:
    """Which Vietnamese encoding a text is in that was read as Windows-1252, or as ASCII where it is VIQR; or ""."""
    if suspect := _SUSPECT.search(text):
        start = max(suspect.start() - SAMPLE // 2, 0)
        words = _different(_LATIN1_WORD, text[start : start + SAMPLE])
        garbled = [word for word in words if not is_syllable(word.lower())]
        for encoding in ("tcvn3", "vni"):
            good = sum(is_syllable(legacy.converted(word, encoding).lower()) for word in garbled)
            if good >= ENOUGH_WORDS and good >= GOOD_SHARE * len(garbled):
                return encoding
    return "viqr" if _is_viqr(text) else ""


def converted_in_part(text: str, encoding: str) -> str:
    """A text that is Unicode in some lines and in an old encoding in others, all Unicode."""
    if not _MODERN.search(text):
        return legacy.converted(text, encoding)
    return "\n".join(_converted_line(line, encoding) for line in text.split("\n"))


def vietnamese_share(text: str) -> float:
    """How much of a text is Vietnamese: the share of its words with diacritics that are syllables, 0 to 1."""
    found = _NOT_ASCII.search(text)
    start = max(found.start() - 64, 0) if found else 0
    words = [word for word in _different(_WORD, text[start : start + SAMPLE]) if not word.isascii()]
    return _good_share(words)


def _converted_line(line: str, encoding: str) -> str:
    modern = len(_MODERN.findall(line))
    return line if modern and modern >= len(_SUSPECT.findall(line)) else legacy.converted(line, encoding)


def is_mixed(text: str) -> bool:
    """True if a text is Vietnamese in Unicode at one place and in an old encoding at another."""
    return bool(_MODERN.search(text)) and old_encoding_of_text(text) not in ("", "viqr")


def _is_viqr(text: str) -> bool:
    if "^" not in text and "+" not in text:  # the sign of ê, â and ô, that of ơ and ư: no sentence is without
        return False
    first = _VIQR_SIGN.search(text)
    if not first:
        return False
    start = max(first.start() - SAMPLE // 2, 0)
    words = {word for word in _different(_VIQR_WORD, text[start : start + SAMPLE]) if _VIQR_SIGN.search(word)}
    good = sum(legacy.converted(word, "viqr") != word for word in words)
    return good >= ENOUGH_VIQR and good >= GOOD_SHARE * len(words)


def _different(pattern: re.Pattern[str], text: str) -> set[str]:
    words: set[str] = set()
    for found in pattern.finditer(text):
        if _ASCII_LETTER.search(found[0]):  # signs alone are letters in one encoding or other
            words.add(found[0])
        if len(words) >= MOST_WORDS:
            break
    return words


def _good_share(words: Iterable[str]) -> float:
    judged = [is_syllable(word.strip(_AROUND_WORDS).lower()) for word in words]
    return sum(judged) / len(judged) if judged else 0.0


def _sample(data: bytes) -> bytes:
    found = _HIGH.search(data)
    return data[max(found.start() - 64, 0) : found.start() + SAMPLE] if found else b""


def _windows_1258(word: str) -> str:
    return normalize("NFC", word.encode("latin-1").decode("cp1258", "replace"))


_READINGS: dict[str, Callable[[str], str]] = {
    **{each: partial(legacy.converted, encoding=each) for each in ("tcvn3", "vni", "viscii", "vps", "tcvn5712")},
    "windows-1258": _windows_1258,
}
