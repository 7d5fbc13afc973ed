"""The properties of a message as Outlook lays them into a TNEF attribute ([MS-OXTNEF] section 2.1.3.4)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from gateway.text.charsets import text_of

MAX_PROPERTIES = 2_000
"""Properties read of one attribute: a message has a hundred."""

MAX_VALUES = 1_000
"""Values of one property that are passed over."""

_FIXED = {0x01: 4, 0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_OBJECT, _STRING, _UNICODE, _BINARY = 0x0D, 0x1E, 0x1F, 0x102
_VARIABLE = frozenset({_OBJECT, _STRING, _UNICODE, _BINARY})
_MANY = 0x1000
_NAMED = 0x8000


class Property(NamedTuple):
    """One property: its identifier, the type of its value, and the first of its values."""

    id: int
    type: int
    value: bytes

    def text(self, code_page: str) -> str:
        """The value as text; strings of one byte a character are in the message's code page."""
        charset = "utf-16-le" if self.type == _UNICODE else code_page
        return text_of(self.value, charset).rstrip("\0")


def properties(data: bytes) -> Iterator[Property]:
    """The properties, as far as they can be made out: one of an unknown type ends them."""
    at = 4
    for _ in range(min(int.from_bytes(data[:4], "little"), MAX_PROPERTIES)):
        if at + 4 > len(data):
            return
        kind, number = struct.unpack_from("<HH", data, at)
        at = _behind_name(data, at + 4) if number >= _NAMED else at + 4
        many, kind = bool(kind & _MANY), kind & ~_MANY
        variable = kind in _VARIABLE
        if not variable and kind not in _FIXED:
            return
        count = 1
        if variable or many:
            count, at = int.from_bytes(data[at : at + 4], "little"), at + 4
        first = b""
        for place in range(min(count, MAX_VALUES)):
            length = _FIXED.get(kind, 0)
            if variable:
                length, at = int.from_bytes(data[at : at + 4], "little"), at + 4
            if place == 0:
                first = data[at : at + length]
            at += length + -length % 4
            if at > len(data):
                break
        yield Property(number, kind, first)


def _behind_name(data: bytes, at: int) -> int:
    """Where a property with a name goes on: behind a GUID, and a number or a text padded to four bytes."""
    named_by_text = data[at + 16 : at + 20] == b"\x01\0\0\0"
    if not named_by_text:
        return at + 24
    length = int.from_bytes(data[at + 20 : at + 24], "little")
    return at + 24 + length + -length % 4
