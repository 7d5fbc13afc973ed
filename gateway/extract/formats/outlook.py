"""Outlook messages as files (msg, [MS-OXMSG]): each property is a stream, attachments and recipients are storages,
attached messages storages within those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.extract.documents.compound import Compound, Path
from gateway.extract.documents.ole_objects import package_facts
from gateway.extract.formats import Fact, Member, Reader
from gateway.extract.room import Full, Room
from gateway.mime.rtf import uncompressed
from gateway.reading import Blind, Link, Reason, Text, Zone
from gateway.text.charsets import text_of

DEPTH = 8
"""Messages attached to attached messages."""

ATTACHED = "__attach_version1.0_"
_STREAM = "__substg1.0_"
_NARROW, _WIDE, _BINARY, _OBJECT = "001E", "001F", "0102", "000D"
# [MS-OXPROPS]: what a person sees in the header of an open message.
_SHOWN = ("0037", "0C1A", "0C1F", "5D01", "0042", "0065", "0E04", "0E03")
_HEADERS, _BODY, _HTML, _RTF = "007D", "1000", "1013", "1009"
_DATA, _LONG_NAME, _NAME, _DISPLAYED, _TYPE, _LONG_PATH = "3701", "3707", "3704", "3001", "370E", "370D"
_CODE_PAGE = b"\x03\x00\xde\x3f"  # PidTagInternetCodepage as it is in the property stream


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """The message and all that is attached."""
    compound = Compound(data, room)
    yield from _message(compound, (), place, 0)
    if compound.damage:
        raise ValueError(compound.damage)


READERS: Mapping[str, Reader] = {"msg": read}


def _message(compound: Compound, storage: Path, place: str, depth: int) -> Iterator[Fact]:
    if depth > DEPTH:
        raise Full(Reason.TOO_DEEP, f"messages within messages, {depth} deep")
    page = _code_page(compound, storage)
    head = [_text(compound, storage, number, page) for number in _SHOWN]
    content = "\n".join(filter(None, head))
    if content:
        yield Text(place=place, zone=Zone.ATTACHMENT, content=content, kind="msg")
    if headers := _text(compound, storage, _HEADERS, page):
        yield Text(place=place, zone=Zone.PROPERTY, content=headers, kind="msg")
    if body := _text(compound, storage, _BODY, page):
        yield Text(place=place, zone=Zone.ATTACHMENT, content=body.replace("\r\n", "\n"), kind="msg")
    html = compound.read(*storage, f"{_STREAM}{_HTML}{_BINARY}")
    if not html and (text := _text(compound, storage, _HTML, page)):
        html, page = text.encode(), "utf-8"
    if html:
        yield Member(label="html", content=html, media_type="text/html", charset=page)
    if packed := compound.read(*storage, f"{_STREAM}{_RTF}{_BINARY}"):
        rtf, cut = uncompressed(packed)
        yield Member(label="rtf", content=rtf, reason=Reason.TOO_BIG if cut else None)
    length = len(storage)
    for inner in compound.storages:
        if len(inner) == length + 1 and inner[:length] == storage and inner[-1].lower().startswith(ATTACHED):
            yield from _attachment(compound, inner, page, place, depth)


def _attachment(compound: Compound, storage: Path, page: str, place: str, depth: int) -> Iterator[Fact]:
    said = [_text(compound, storage, number, page) for number in (_LONG_NAME, _NAME, _DISPLAYED)]
    names = tuple(dict.fromkeys(filter(None, said)))
    content = compound.read(*storage, f"{_STREAM}{_DATA}{_BINARY}")
    embedded = (*storage, f"{_STREAM}{_DATA}{_OBJECT}")
    media_type = _text(compound, storage, _TYPE, page).lower()
    if embedded in compound.storages:
        yield from _object(compound, embedded, f"{place}/{names[0] if names else storage[-1][-8:]}", depth)
    elif content:
        yield Member(names=names, content=content, media_type=media_type)
    elif path := _text(compound, storage, _LONG_PATH, page):
        yield Link(place=place, target=path, source="attachment")
        yield Blind(place=place, reason=Reason.ELSEWHERE, detail=path[:300])
    else:
        yield Member(names=names, content=b"", media_type=media_type)


def _object(compound: Compound, storage: Path, place: str, depth: int) -> Iterator[Fact]:
    """An attached message, or an object of another program, whose streams are looked at one by one."""
    names = list(compound.streams_of(storage))
    if any(name.lower().startswith("__properties_version1.0") for name in names):
        yield from _message(compound, storage, place, depth + 1)
        return
    for name in names:
        content = compound.read(*storage, name)
        if name.lower() == "\x01ole10native":
            yield from package_facts(content, prefixed=True)
        elif content and name[:1] >= " ":
            yield Member(names=(name,), content=content)


def _text(compound: Compound, storage: Path, number: str, page: str) -> str:
    if wide := compound.read(*storage, f"{_STREAM}{number}{_WIDE}"):
        return wide.decode("utf-16-le", "replace").rstrip("\0")
    return text_of(compound.read(*storage, f"{_STREAM}{number}{_NARROW}"), page).rstrip("\0")


def _code_page(compound: Compound, storage: Path) -> str:
    """Of 8-bit strings, from the fixed properties; UTF-8 or Windows-1252 is guessed where it is not said."""
    properties = compound.read(*storage, "__properties_version1.0")
    at = properties.find(_CODE_PAGE)
    number = int.from_bytes(properties[at + 8 : at + 12], "little") if at >= 0 else 0
    return {0: "", 65001: "utf-8", 20127: "ascii", 28591: "latin-1"}.get(number, f"cp{number}")
