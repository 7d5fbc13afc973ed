"""One sentence in many writings, made by the tests themselves: the tables here are the other way round than ours."""

from __future__ import annotations

import unicodedata

_VNI_TONES = {"": "", "\u0301": "ù", "\u0300": "ø", "\u0309": "û", "\u0303": "õ", "\u0323": "ï"}
_VNI_CIRCUMFLEX = {"": "â", "\u0301": "á", "\u0300": "à", "\u0309": "å", "\u0303": "ã", "\u0323": "ä"}
_VNI_BREVE = {"": "ê", "\u0301": "é", "\u0300": "è", "\u0309": "ú", "\u0303": "ü", "\u0323": "ë"}
_VNI_WHOLE = {"í": "í", "ì": "ì", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î", "đ": "ñ"}
_TCVN3 = dict(
    zip(
        "ăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵĂÂÊÔƠƯĐ",
        bytes.fromhex(
            "a8a9aaabacadaeb5b6b7b8b9bbbcbdbec6c7c8c9cacbcccecfd0d1d2d3d4d5d6d7d8dcdddedfe1e2"
            "e3e4e5e6e7e8e9eaebecedeeeff1f2f3f4f5f6f7f8f9fafbfcfdfea1a2a3a4a5a6a7"
        ).decode("latin-1"),
        strict=True,
    )
)
_VIQR = {"\u0302": "^", "\u0306": "(", "\u031b": "+"}
_VIQR_TONES = {"\u0301": "'", "\u0300": "`", "\u0309": "?", "\u0303": "~", "\u0323": "."}


def _parts(letter: str) -> tuple[str, str, str]:
    """A letter, its mark and its tone."""
    apart = unicodedata.normalize("NFD", letter)
    mark = next((each for each in apart[1:] if each in _VIQR), "")
    tone = next((each for each in apart[1:] if each in _VIQR_TONES), "")
    return apart[0], mark, tone


def vni(text: str) -> str:
    """As VNI shows when it is read as Windows-1252."""
    return "".join(_vni(letter) for letter in text)


def _vni(letter: str) -> str:
    lower = letter.lower()
    if lower in _VNI_WHOLE:
        return _VNI_WHOLE[lower] if letter == lower else _VNI_WHOLE[lower].upper()
    base, mark, tone = _parts(lower)
    signs = {"\u0302": _VNI_CIRCUMFLEX, "\u0306": _VNI_BREVE}.get(mark, _VNI_TONES)
    if mark == "\u031b":
        base = {"o": "ô", "u": "ö"}[base]
    written = base + signs[tone] if lower.isalpha() and not lower.isascii() else lower
    return written if letter == lower else written.upper()


def tcvn3(text: str) -> str:
    """As the fonts of TCVN3 have it when it is read as Windows-1252; they have no capitals with tones."""
    return "".join(_TCVN3.get(letter) or _TCVN3.get(letter.lower(), letter) for letter in text)


def viqr(text: str) -> str:
    """RFC 1456."""
    written = []
    for letter in text:
        if letter in "đĐ":
            written.append("dd" if letter == "đ" else "DD")
            continue
        base, mark, tone = _parts(letter) if letter.isalpha() else (letter, "", "")
        written.append(base + _VIQR.get(mark, "") + _VIQR_TONES.get(tone, ""))
    return "".join(written)


def windows_1258(text: str) -> bytes:
    """Letters with their marks, tones behind them."""
    return b"".join(_windows_1258(letter) for letter in text)


def _windows_1258(letter: str) -> bytes:
    if not letter.isalpha() or letter in "đĐ":
        return letter.encode("cp1258")
    base, mark, tone = _parts(letter)
    return (unicodedata.normalize("NFC", base + mark) + tone).encode("cp1258")
