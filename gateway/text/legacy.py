"""The encodings of Vietnamese from before Unicode, to Unicode.

TCVN3 (the ABC fonts, TCVN 5712:1993), VISCII (RFC 1456) and VPS have a byte for each letter; VNI writes a letter and
its marks as two; VIQR (RFC 1456) writes marks as punctuation.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from gateway.text.syllables import is_syllable

_TCVN_HIGH = (
    "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ\u00a0ĂÂÊÔƠƯĐăâêôơưđẰ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽ"
    "éẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
)
_VISCII_HIGH = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)
_VPS_HIGH = (
    "ÀẢÃẤẦẨọỗĂếềểệẮẰẲẾ\x91\x92ỀỂỄỐỒỔỖýỷỵỚỜỞ\u00a0ắằẳẵặỠớÙờởỡŨỨợỪổỬỲỸÍÌộỈĨÓửữÒỎÕựầÁÂấẩẫậđẻÉÊẹỉễịỹƯỦồốÔỏơÈừứÚũưÝẺßàáâ"
    "ãảạăçèéêẽìíîĩẴĐòóôõöƠụùúủüỶẼỳ"
)
_TCVN_LOW = {0x01: "Ú", 0x02: "Ụ", 0x04: "Ừ", 0x05: "Ử", 0x06: "Ữ", 0x11: "Ứ", 0x12: "Ự", 0x13: "Ỳ", 0x14: "Ỷ"}
_TCVN_LOW |= {0x15: "Ỹ", 0x16: "Ý", 0x17: "Ỵ"}
_VISCII_LOW = {0x02: "Ẳ", 0x05: "Ẵ", 0x06: "Ẫ", 0x14: "Ỷ", 0x19: "Ỹ", 0x1E: "Ỵ"}
_VPS_LOW = {0x02: "Ạ", 0x03: "Ậ", 0x04: "Ặ", 0x05: "Ẹ", 0x06: "Ệ", 0x10: "Ị", 0x11: "Ọ", 0x12: "Ộ", 0x13: "Ợ"}
_VPS_LOW |= {0x14: "Ụ", 0x15: "Ự", 0x19: "Ỵ", 0x1C: "Ẫ", 0x1D: "Ữ"}

_C1 = range(0x80, 0xA0)
_WINDOWS = {at: bytes([at]).decode("cp1252", "ignore") or chr(at) for at in _C1}
"""What Windows-1252 has where ISO 8859-1 has controls."""


def _table(low: dict[int, str], high: str) -> dict[int, str]:
    """From the characters of ISO 8859-1 and of Windows-1252 alike."""
    table = low | {0x80 + at: letter for at, letter in enumerate(high)}
    return table | {ord(_WINDOWS[at]): table[at] for at in _C1}


_TABLES = {
    "tcvn5712": _table(_TCVN_LOW, _TCVN_HIGH),
    "viscii": _table(_VISCII_LOW, _VISCII_HIGH),
    "vps": _table(_VPS_LOW, _VPS_HIGH),
}
# The fonts have no capitals with tones, and quotation marks in their place, as Windows-1252.
_TABLES["tcvn3"] = _WINDOWS | {0xA0 + at: letter for at, letter in enumerate(_TCVN_HIGH[0x20:])}

ENCODINGS = ("tcvn3", "vni", "viscii", "vps", "tcvn5712", "viqr")
"""All of them. "tcvn3" is what the fonts have, "tcvn5712" the standard with its capitals where controls are."""


def _vni_units() -> dict[str, str]:
    tones = ("\u0301", "\u0300", "\u0309", "\u0303", "\u0323")
    toned = dict(zip("ùøûõï", tones, strict=True))
    circumflex = dict(zip("âáàåãä", ("\u0302", *(f"\u0302{tone}" for tone in tones)), strict=True))
    breve = dict(zip("êéèúüë", ("\u0306", *(f"\u0306{tone}" for tone in tones)), strict=True))
    marks = dict.fromkeys("iuyôö", toned) | dict.fromkeys("eo", toned | circumflex) | {"a": toned | circumflex | breve}
    units = dict(zip("ñöôæóòîÑÖÔÆÓÒÎ", "đươỉĩịỵĐƯƠỈĨỊỴ", strict=True))
    for vowel, found in marks.items():
        for mark, accents in found.items():
            whole = normalize("NFC", units.get(vowel, vowel) + accents)
            units |= {
                vowel + mark: whole,
                vowel.upper() + mark.upper(): whole.upper(),
                vowel.upper() + mark: whole.upper(),
            }
    return units


_VNI_UNITS = _vni_units()
_VNI_UNIT = re.compile("|".join(sorted(_VNI_UNITS, key=len, reverse=True)))
_VIQR_MARKS = {"^": "\u0302", "(": "\u0306", "+": "\u031b"}
_VIQR_TONES = {"'": "\u0301", "`": "\u0300", "?": "\u0309", "~": "\u0303", ".": "\u0323"}
# A word of letters in which a vowel may have a mark and a tone behind it.
_VIQR_WORD = re.compile(r"(?<![A-Za-z\\])(?:[AEIOUYaeiouy][(^+]?['`?~.]?|[A-Za-z])++")
_VIQR_UNIT = re.compile(r"([AEIOUYaeiouy])([(^+]?)(['`?~.]?)|[Dd][Dd]")
_FONT = re.compile(r"(?P<tcvn3>\.vn|tcvn3)|(?P<vni>vni[- ])|(?P<vps>vps)|(?P<viscii>viscii)")


def decoded(data: bytes, encoding: str) -> str:
    """Bytes in one of `ENCODINGS` as Unicode text, composed."""
    return converted(data.decode("latin-1"), encoding)


def converted(text: str, encoding: str) -> str:
    """Text that was read as Windows-1252 or ISO 8859-1 and is in one of `ENCODINGS`, as Unicode, composed."""
    if encoding == "vni":
        return _VNI_UNIT.sub(lambda unit: _VNI_UNITS[unit[0]], text.translate(_WINDOWS))
    if encoding == "viqr":
        return _VIQR_WORD.sub(lambda word: _viqr(word[0]), text)
    return normalize("NFC", text.translate(_TABLES[encoding]))


def font_encoding(name: str) -> str:
    """Which of `ENCODINGS` a font of this name is for (".VnTime", "VNI-Times"), "" if for none of them."""
    found = _FONT.match(name.strip(" '\"").lower())
    return (found.lastgroup or "") if found else ""


def from_font(text: str, font: str) -> str:
    """A run of text in a document, as Unicode, by the name of its font. Text that is Unicode in spite of its font
    stays as it is; fonts whose name ends in "H" show capitals (".VnTimeH")."""
    encoding = font_encoding(font)
    if not encoding or any(ord(each) > 0xFF and ord(each) not in _TABLES["viscii"] for each in text):
        return text
    unicode = converted(text, encoding)
    return unicode.upper() if encoding == "tcvn3" and font.rstrip().endswith("H") else unicode


def _viqr(word: str) -> str:
    """A word, if it makes a syllable of Vietnamese; a sign at its end may be punctuation."""
    for stop in (len(word), len(word.rstrip("'`?~."))):
        unicode = normalize("NFC", _VIQR_UNIT.sub(_viqr_unit, word[:stop]))
        if is_syllable(unicode.lower()):
            return unicode + word[stop:]
    return word


def _viqr_unit(unit: re.Match[str]) -> str:
    if not unit[1]:
        return "Đ" if unit[0][0] == "D" else "đ"
    return unit[1] + _VIQR_MARKS.get(unit[2], "") + _VIQR_TONES.get(unit[3], "")
