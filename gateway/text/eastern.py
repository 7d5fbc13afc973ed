"""Bytes in a charset of Cyrillic, Chinese, Japanese or Korean, or in Unicode without a mark: which, by their looks."""

from __future__ import annotations

import codecs
import re

SAMPLE = 16 * 1024
"""Bytes that are looked at: pages of text."""

FEWEST_HIGH = 6
"""Bytes above ASCII that a guess needs: three characters of two bytes, a word of Cyrillic."""

_CYRILLIC_RUN = re.compile(rb"[\x80-\xff]{3,}")
_COMMON_CYRILLIC = "оеаинтсрвлкмдпуяыьгзОЕАИНТ"
_CYRILLIC = {codec: frozenset(_COMMON_CYRILLIC.encode(codec)) for codec in ("cp1251", "koi8_r", "cp866", "iso8859_5")}
# Per charset of two bytes: the commonest first bytes. Kana; the syllables of Korean; the 3,755 commonest characters of
# Chinese by GB 2312; the 5,401 commonest by Big5.
_EASTERN: dict[str, tuple[frozenset[int], float]] = {
    "euc_jp": (frozenset({0xA4, 0xA5}), 0.3),
    "cp932": (frozenset({0x82, 0x83}), 0.3),
    "cp949": (frozenset(range(0xB0, 0xC9)), 0.8),
    "gb18030": (frozenset(range(0xB0, 0xD8)), 0.7),
    "big5hkscs": (frozenset(range(0xA4, 0xC7)), 0.7),
}
_DESIGNATION = re.compile(rb"\x1b\$[)*+].")
_SHIFTED = re.compile(rb"\x0e([^\x0f\r\n]*+)\x0f?")


def iso_2022_cn(data: bytes) -> str:
    """ISO-2022-CN as text (RFC 1922), as far as it is GB 2312: between SO and SI each letter is two bytes."""
    shifted = _SHIFTED.sub(lambda run: bytes(octet | 0x80 for octet in run[1]), _DESIGNATION.sub(b"", data))
    return shifted.decode("gb2312", "replace")


def wide_codec(data: bytes) -> str:
    """UTF-16 or UTF-32 without a byte order mark: the codec ("utf_16_le", ...) by where the NULs are, or ""."""
    sample = data[:SAMPLE]
    size = len(sample) & ~3
    if size < 4 or b"\0" not in sample:
        return ""
    zeros = [sample[at:size:4].count(0) * 4 / size for at in range(4)]
    if min(zeros[2:]) > 0.9 > zeros[0] or min(zeros[:2]) > 0.9 > zeros[3]:
        return "utf_32_le" if zeros[0] < zeros[3] else "utf_32_be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.3 and even < 0.05:
        return "utf_16_le"
    return "utf_16_be" if even > 0.3 and odd < 0.05 else ""


def eastern_codec(data: bytes) -> str:
    """The codec that bytes above ASCII make sense in as Chinese, Japanese, Korean or Cyrillic, or ""."""
    found = re.search(rb"[\x80-\xff]", data)
    sample = data[found.start() : found.start() + SAMPLE] if found else b""
    high = len(re.findall(rb"[\x80-\xff]", sample))
    if high < FEWEST_HIGH:
        return ""
    return _two_bytes(sample) or _cyrillic(sample, high)


def _two_bytes(sample: bytes) -> str:
    for codec, (common, share) in _EASTERN.items():
        firsts = _first_bytes(sample, codec)
        if firsts and sum(first in common for first in firsts) >= share * len(firsts):
            return codec
    return ""


def _first_bytes(sample: bytes, codec: str) -> list[int]:
    """The first byte of each character of two, or none where the sample is not in that charset."""
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        text = decoder.decode(sample)  # the sample may end inside a character
    except UnicodeDecodeError:
        return []
    return [
        octets[0] for octets in (each.encode(codec, "ignore") for each in text if each > "\x7f") if len(octets) == 2
    ]


def _cyrillic(sample: bytes, high: int) -> str:
    in_words = b"".join(_CYRILLIC_RUN.findall(sample))
    if len(in_words) < FEWEST_HIGH or 2 * len(in_words) < high:
        return ""
    shares = {codec: sum(octet in common for octet in in_words) / len(in_words) for codec, common in _CYRILLIC.items()}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] > 0.7 else ""
