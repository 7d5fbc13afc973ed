"""winmail.dat to what Outlook shows of it: files, enclosed messages, and the text in up to three forms ([MS-OXTNEF]).

Every form of the text is given, for programs show the one or the other. Lengths that a stranger writes are believed as
far as there are bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from gateway.mime.enclosure import MAX_ENCLOSURES, Enclosure, Means
from gateway.mime.mapi import Property, properties
from gateway.mime.rtf import uncompressed
from gateway.reading import Reason

MAX_ATTRIBUTES = 10_000
"""Attributes read of one file: a message has forty, an attachment seven."""

SIGNATURE = b"\x78\x9f\x3e\x22"
"""The first bytes, as they lie in the file. [MS-OXTNEF] section 2.1.3.1."""

# [MS-OXTNEF] section 2.1.3.1: tag and type of the attributes that hold something to be seen.
_SUBJECT, _BODY, _MESSAGE_PROPERTIES, _CODE_PAGE = 0x18004, 0x2800C, 0x69003, 0x69007
_BEGIN_FILE, _FILE_TITLE, _FILE_DATA, _FILE_PROPERTIES = 0x69002, 0x18010, 0x6800F, 0x69005

# [MS-OXPROPS]: the properties.
_P_SUBJECT, _P_BODY, _P_RTF, _P_HTML = 0x0037, 0x1000, 0x1009, 0x1013
_P_DATA, _P_MEDIA_TYPE = 0x3701, 0x370E
_P_NAMES = (0x3707, 0x3704, 0x3001, 0x370B)  # long name, short name, display name, path
_EMBEDDED_HEAD = 16  # an interface identifier in front of an enclosed TNEF


@dataclass(slots=True)
class _Draft:
    names: dict[str, None] = field(default_factory=dict)
    media_type: str = ""
    content: bytes = b""


def unwrapped(data: bytes) -> Iterator[Enclosure]:
    """What a winmail.dat holds. An enclosed message is again one, with the type application/ms-tnef."""
    at = data.find(SIGNATURE, 0, 64)  # some gateways leave bytes in front
    if at < 0:
        return
    code_page, draft, number = "cp1252", None, 0
    for tag, value in islice(_attributes(data, at + 6), MAX_ATTRIBUTES):
        if tag == _BEGIN_FILE:
            if draft is not None:
                number += 1
                yield from _file(draft, number)
            if number >= MAX_ENCLOSURES:
                yield Enclosure(suffix="tnef", how=Means.TNEF, blind=Reason.TOO_MANY)
                return
            draft = _Draft()
        elif tag == _CODE_PAGE:
            code_page = f"cp{int.from_bytes(value[:4], 'little')}"
        elif tag == _MESSAGE_PROPERTIES:
            yield from _texts(properties(value), code_page)
        elif tag in (_SUBJECT, _BODY):
            yield _text("subject" if tag == _SUBJECT else "body", value.rstrip(b"\0"), "text/plain", code_page)
        elif tag in (_FILE_TITLE, _FILE_DATA, _FILE_PROPERTIES):
            draft = draft or _Draft()
            _fill(draft, tag, value, code_page)
    if draft is not None:
        yield from _file(draft, number + 1)


def _attributes(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Tag and value of each attribute: level, tag, length, value, checksum ([MS-OXTNEF] section 2.1.3.1)."""
    while at + 9 <= len(data):
        tag, length = struct.unpack_from("<xII", data, at)
        yield tag, data[at + 9 : at + 9 + length]
        at += 9 + length + 2


def _texts(found: Iterator[Property], code_page: str) -> Iterator[Enclosure]:
    for one in found:
        if one.id == _P_SUBJECT:
            yield _text("subject", one.text(code_page).encode(), "text/plain", "utf-8")
        elif one.id == _P_BODY:
            yield _text("body", one.text(code_page).encode(), "text/plain", "utf-8")
        elif one.id == _P_HTML:
            yield _text("html", one.value, "text/html", "")
        elif one.id == _P_RTF:
            rtf, cut = uncompressed(one.value)
            blind = Reason.TOO_BIG if cut else None
            yield Enclosure(suffix="rtf", how=Means.TNEF, content=rtf, media_type="application/rtf", blind=blind)


def _text(suffix: str, content: bytes, media_type: str, charset: str) -> Enclosure:
    return Enclosure(suffix=suffix, how=Means.TNEF, content=content, media_type=media_type, charset=charset)


def _fill(draft: _Draft, tag: int, value: bytes, code_page: str) -> None:
    if tag == _FILE_TITLE:
        draft.names[Property(0, 0x1E, value).text(code_page)] = None
    elif tag == _FILE_DATA:
        draft.content = value
    else:
        found = {one.id: one for one in properties(value)}
        names = dict.fromkeys(found[name].text(code_page) for name in _P_NAMES if name in found)
        draft.names = names | draft.names
        if _P_MEDIA_TYPE in found:
            draft.media_type = found[_P_MEDIA_TYPE].text(code_page).strip().lower()
        if _P_DATA in found and not draft.content:
            draft.content = found[_P_DATA].value


def _file(draft: _Draft, number: int) -> Iterator[Enclosure]:
    draft.names.pop("", None)
    if not draft.content and not draft.names:
        return
    content, media_type = draft.content, draft.media_type
    if content[_EMBEDDED_HEAD : _EMBEDDED_HEAD + 4] == SIGNATURE:
        content, media_type = content[_EMBEDDED_HEAD:], "application/ms-tnef"
    yield Enclosure(
        suffix=f"tnef-{number}", how=Means.TNEF, content=content, names=tuple(draft.names), media_type=media_type
    )
