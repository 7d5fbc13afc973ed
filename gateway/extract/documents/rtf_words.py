"""Control words of RTF 1.9.1 that matter: what is text, what is said beside it, what is no text at all."""

from __future__ import annotations

import binascii

from gateway.reading import Zone

CHARACTERS = {
    **dict.fromkeys(("par", "line", "sect", "page", "column", "row", "nestrow", "softline", "softpage"), "\n"),
    **dict.fromkeys(("tab", "cell", "nestcell"), "\t"),
    **dict.fromkeys(("emspace", "enspace", "qmspace"), " "),
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
}

ZONES = {
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), Zone.PAGE_HEADER),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), Zone.PAGE_FOOTER),
    **dict.fromkeys(("footnote", "ftnsep", "aftnsep"), Zone.NOTE),
    **dict.fromkeys(("annotation", "atnauthor"), Zone.COMMENT),
    **dict.fromkeys(("shptxt", "dptxbxtext"), Zone.TEXT_BOX),
    "result": Zone.ATTACHMENT,
}
"""Destinations with text, starred or not."""

PROPERTIES = frozenset(
    {"title", "subject", "author", "manager", "company", "operator", "category", "keywords", "comment", "doccomm"}
    | {"propname", "staticval", "docvar"}
)

SHAPE_TEXTS = frozenset({"gtextUNICODE", "wzDescription", "wzTooltip", "pihlShape"})
"""Properties of shapes that a person reads: WordArt (watermarks, mostly), what is said in place of a picture."""

DROPPED = frozenset(
    {"fonttbl", "colortbl", "stylesheet", "listtable", "listoverridetable", "revtbl", "rsidtbl", "generator"}
    | {"pict", "objdata", "objclass", "objname", "template", "fldinst", "datafield", "themedata", "colorschememapping"}
    | {"datastore", "latentstyles", "filetbl", "mmath", "wgrffmtfilter", "passwordhash", "linkbase", "sp", "sn", "sv"}
    | {"hlsrc", "hl", "hlloc", "fname", "upr", "private", "xe", "tc", "bkmkstart", "bkmkend", "atrfstart", "atrfend"}
    | {"atnid", "atntime", "atndate", "info", "panose", "falt", "pgptbl", "shpinst", "nonshppict", "formfield"}
    | {"xmlnstbl", "creatim"}
)
"""Destinations whose characters are no text."""

KNOWN = (
    CHARACTERS.keys()
    | ZONES.keys()
    | PROPERTIES
    | DROPPED
    | {"u", "uc", "f", "af", "fcharset", "ansicpg", "cpg", "v", "webhidden", "plain", "objlink", "objautlink", "objocx"}
    | {"field", "fldrslt"}
)
"""Every word that means something here; all others are how the text looks."""

CHARSETS = {
    0: "cp1252",
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "cp1361",
    134: "gbk",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}
"""Of \\fcharsetN."""

PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"\x01\0\0\0", b"\xd7\xcd\xc6\x9a", b"GIF8", b"MZ", b"PK\x03\x04", b"%PDF")
"""How pictures begin, and what is no picture."""

_NOT_HEX = bytes(set(range(256)) - set(b"0123456789ABCDEFabcdef"))


def unhexed(text: bytes) -> bytes:
    """Hexadecimal digits to bytes; all else between them is nothing, as to Word."""
    clean = text.translate(None, _NOT_HEX)
    return binascii.unhexlify(clean[: len(clean) // 2 * 2])
