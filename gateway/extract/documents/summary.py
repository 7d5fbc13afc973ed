"""Property sets of compound files ([MS-OLEPS]): title, author, subject and all other texts."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.text.charsets import text_of

PROPERTIES = 512
"""Properties of one set; those of a document are twenty, and some of its author's own."""

_NARROW, _WIDE, _VECTOR_NARROW, _VECTOR_WIDE = 0x1E, 0x1F, 0x101E, 0x101F
_CODE_PAGE = 1


def property_texts(data: bytes) -> Iterator[str]:
    """The texts of a property set stream."""
    for number in range(min(_long(data, 24), 2)):
        base = _long(data, 28 + 20 * number + 16)
        count = min(_long(data, base + 4), PROPERTIES)
        places = [(_long(data, base + 8 + 8 * at), base + _long(data, base + 12 + 8 * at)) for at in range(count)]
        page = next((_long(data, place + 4) & 0xFFFF for key, place in places if key == _CODE_PAGE), 1252)
        for _, place in places:
            yield from _texts(data, place, page)


def _texts(data: bytes, place: int, page: int) -> Iterator[str]:
    kind = _long(data, place)
    count = 1
    at = place + 4
    if kind in (_VECTOR_NARROW, _VECTOR_WIDE):
        count, at = min(_long(data, at), PROPERTIES), at + 4
    elif kind not in (_NARROW, _WIDE):
        return
    for _ in range(count):
        length = _long(data, at)
        wide = kind in (_WIDE, _VECTOR_WIDE)
        content = data[at + 4 : at + 4 + length * (2 if wide else 1)]
        at += 4 + len(content) + (-len(content) % 4 if wide else 0)
        charset = "utf-16-le" if wide or page == 1200 else "utf-8" if page == 65001 else f"cp{page}"
        if text := text_of(content, charset).rstrip("\0"):
            yield text


def _long(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
