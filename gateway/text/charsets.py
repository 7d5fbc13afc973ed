"""Bytes to text by the charset a sender names.

Names are looked up in a table of our own: Python's registry imports a module for each new name and remembers misses
for ever, and it has codecs that are no charsets (zip, idna, unicode_escape). The table holds the names that Python, the
WHATWG Encoding standard (section 4.2) and Vietnamese mail programs know.
"""

from __future__ import annotations

import re
from encodings.aliases import aliases
from functools import lru_cache

from gateway.text import legacy
from gateway.text.eastern import iso_2022_cn

OWN = frozenset({*legacy.ENCODINGS, "iso2022_cn"})
"""The codecs that are no codecs of Python: they are only read."""

_NOT_CHARSETS = frozenset(
    {
        *("base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "uu_codec", "zlib_codec", "rot_13"),
        *("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"),
    }
)
_ALSO_KNOWN = {
    "utf_8": "unicode_1_1_utf_8 unicode11utf8 unicode20utf8 x_unicode20utf8 utf8mb4 utf8mb3 utf_8_sig",
    "utf_16": "unicode iso_10646_ucs_2 ucs_2 csunicode unicodefeff",
    "utf_16_be": "unicodefffe",
    "utf_32": "ucs_4 iso_10646_ucs_4",
    "utf_7": "unicode_1_1_utf_7 csunicode11utf7",
    "ascii": "ansi_x3_4_1968 iso_ir_6 us ascii7",
    "cp1252": "x_cp1252 ansi",
    "cp1250": "x_cp1250",
    "cp1251": "x_cp1251",
    "cp1253": "x_cp1253",
    "cp1254": "x_cp1254",
    "cp1255": "x_cp1255",
    "cp1256": "x_cp1256",
    "cp1257": "x_cp1257",
    "cp1258": "x_cp1258",
    "cp866": "dos_866",
    "cp874": "windows_874 dos_874 tis_620 iso_8859_11 iso8859_11 tis620_2533",
    "iso8859_2": "csisolatin2",
    "iso8859_15": "csisolatin9",
    "iso8859_6": "asmo_708 ecma_114 iso_8859_6_e iso_8859_6_i csiso88596e csiso88596i",
    "iso8859_7": "ecma_118 elot_928 sun_eu_greek",
    "iso8859_8": "iso_8859_8_e iso_8859_8_i logical visual csiso88598e csiso88598i",
    "koi8_r": "koi koi8 cskoi8r",
    "koi8_u": "koi8_ru",
    "mac_roman": "x_mac_roman macintosh csmacintosh mac",
    "mac_cyrillic": "x_mac_cyrillic x_mac_ukrainian",
    "gb18030": "gb_2312 x_gbk gb2312_80 chinese csgb2312 csiso58gb231280 euc_cn x_euc_cn gb_2312_80",
    "big5hkscs": "big5_hkscs cn_big5 x_x_big5 csbig5",
    "cp932": "x_sjis ms_kanji windows_31j ms932 csshiftjis",
    "euc_jp": "x_euc_jp x_euc cseucpkdfmtjapanese",
    "cp949": "ks_c_5601 ksc_5601 iso_ir_149 korean windows_949 csksc56011987 ks_c_5601_1989 cseuckr x_windows_949",
    "iso2022_cn": "iso_2022_cn iso_2022_cn_ext csiso2022cn",
    "hz": "hz_gb_2312 hzgb",
    "tcvn5712": "tcvn tcvn_5712 tcvn5712_1 tcvn5712_1_1993 x_viet_tcvn x_viet_tcvn5712 csviettcvn",
    "tcvn3": "abc x_abc x_viet_abc x_tcvn3 x_viet_tcvn3",
    "viscii": "viscii1_1_1 csviscii x_viet_viscii x_viscii",
    "viqr": "csviqr x_viet_viqr",
    "vni": "x_viet_vni x_vni vni_win x_vni_win",
    "vps": "x_viet_vps x_vps",
}
_CODECS = {
    name: codec
    for name, codec in {
        **{codec: codec for codec in aliases.values()},
        **aliases,
        **{codec: codec for codec in _ALSO_KNOWN},
        **{name: codec for codec, names in _ALSO_KNOWN.items() for name in names.split()},
    }.items()
    if codec not in _NOT_CHARSETS
}
# Programs read the one as the other, which has more letters (WHATWG Encoding section 4.2): in the first two 0x80 to
# 0x9f are letters and quotes.
_READ_AS = {
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_NAMES = {"utf_8": "utf-8", "ascii": "us-ascii", "big5hkscs": "big5", "cp932": "shift_jis", "cp949": "euc-kr"}
_NAMES |= {f"cp125{number}": f"windows-125{number}" for number in range(9)} | {"cp874": "windows-874"}
_NAMES |= {f"iso8859_{number}": f"iso-8859-{number}" for number in range(1, 17)}
_NAMES |= {"utf_7": "utf-7", "utf_16": "utf-16", "utf_16_le": "utf-16le", "utf_16_be": "utf-16be", "koi8_r": "koi8-r"}
_NAMES |= {"utf_32": "utf-32", "utf_32_le": "utf-32le", "utf_32_be": "utf-32be", "koi8_u": "koi8-u", "euc_jp": "euc-jp"}
_ISO_8859 = re.compile(r"\Aiso_?8859_?(?=\d)")
_PUNCTUATION = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=256)
def codec_of(charset: str) -> str | None:
    """The codec of a charset: Python's name, or one of `OWN`; None if it has none or is no charset."""
    name = _PUNCTUATION.sub("_", charset[:64].strip().lower()).strip("_")
    codec = _CODECS.get(name) or _CODECS.get(_ISO_8859.sub(r"iso8859_", name))
    return _READ_AS.get(codec, codec) if codec else None


def name_of(codec: str) -> str:
    """The usual name of a codec's charset: "windows-1258", "tcvn3"."""
    return _NAMES.get(codec, codec.replace("_", "-"))


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
    return decoded(data, codec)


def decoded(data: bytes, codec: str) -> str:
    """`data` by a codec that `codec_of` gave, U+FFFD for what is invalid."""
    if codec in legacy.ENCODINGS:
        return legacy.decoded(data, codec)
    if codec == "iso2022_cn":
        return iso_2022_cn(data)
    try:
        return data.decode(codec, "replace")
    except (LookupError, UnicodeError):  # a codec without "replace" for its state
        return guessed(data)
