"""Files that open something else: shortcuts of Windows (lnk, [MS-SHLLINK]), of the web (url, website), and others that
are a few lines of text (scf, desktop, iqy, slk, rdp)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.extract.documents.fields import dde_formula, formula_facts, remote
from gateway.extract.formats import Fact, Member, Reader
from gateway.extract.room import Room
from gateway.reading import Link, Text, Trait, Zone
from gateway.text.readings import read_text
from gateway.traits import Mark

STRING = 32 * 1024
"""Characters of one string of a shortcut; Windows runs 8,191 of a command line."""

LINES = 64 * 1024
"""Bytes of a text in which such lines are looked for."""

APPENDED = 64
"""Bytes behind a shortcut's end that are no filling."""

_HEADER = 0x4C
_LISTED, _INFO, _UNICODE = 0x01, 0x02, 0x80
_STRINGS = ((0x04, "name"), (0x08, "path"), (0x10, "folder"), (0x20, "arguments"), (0x40, "icon"))
_ENVIRONMENT = 0xA0000001
_ENTRY = re.compile(
    r"^\s*(URL|BASEURL|IconFile|Exec|Icon|Command|WorkingDirectory|full address|alternate shell"
    r"|remoteapplicationprogram)"
    r"\s*(?:=|:s:)\s*(\S.{0,4000})$",
    re.IGNORECASE | re.MULTILINE,
)
_SHORTCUTS = re.compile(
    r"\A\W{0,9}\[(?:InternetShortcut|Shell|Desktop Entry|\{000214A0-0000-0000-C000-000000000046\}|RemoteApp)[\].]",
    re.IGNORECASE,
)
_REMOTE_DESKTOP = re.compile(r"^\s*(?:full address|remoteapplicationprogram):s:", re.IGNORECASE | re.MULTILINE)
_WEB_QUERY = re.compile(r"\AWEB\r?\n\d\r?\n(\S{1,2000})", re.IGNORECASE)
_SYLK = re.compile(r"\AID;P[A-Z]*[;\w]")
_SYLK_NAME = re.compile(r"^NN;N(auto_?\w{1,20});", re.IGNORECASE | re.MULTILINE)
_SYLK_MACRO = re.compile(r"^O;(?:[^;\n]{0,40};){0,20}E(?:;|\s|$)", re.MULTILINE)
_SYLK_FORMULA = re.compile(r"^C;[^\n]{0,4000}?;E([^;\n]{1,4000})", re.MULTILINE)


def read_lnk(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """Where a shortcut leads and with which arguments, and what is appended to it."""
    flags = _long(data, 20)
    at = _HEADER
    if flags & _LISTED:
        at += 2 + _short(data, at)
    target = ""
    if flags & _INFO:
        target = _local_path(data[at : at + _long(data, at)])
        at += max(_long(data, at), 4)
    said: dict[str, str] = {}
    for flag, name in _STRINGS:
        if flags & flag:
            length = _short(data, at) * (2 if flags & _UNICODE else 1)
            text = data[at + 2 : at + 2 + length]
            said[name] = text.decode("utf-16-le" if flags & _UNICODE else "cp1252", "replace")
            at += 2 + length
    while (size := _long(data, at)) >= 4 and at + size <= len(data):
        if _long(data, at + 4) == _ENVIRONMENT and not target:
            target = data[at + 268 : at + 788].decode("utf-16-le", "replace").partition("\0")[0]
        at += size
    shown = " ".join(filter(None, (target or said.get("path", ""), said.get("arguments", ""))))[:STRING]
    yield Trait(word=Mark.SHORTCUT, detail=" ".join(shown.split())[:1000])
    yield Text(place=place, zone=Zone.PROPERTY, content="\n".join((shown, *said.values()))[:STRING], kind="lnk")
    if remote(target):
        yield Link(place=place, target=target, source="shortcut")
    rest = data[at + 4 :]
    if len(rest.strip(b"\0")) > APPENDED:
        yield Trait(word=Mark.APPENDED, detail=f"{len(rest)} bytes")
        yield Member(content=rest)


def read_lines(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """What a text is that a program takes for more: a shortcut, a query, a table with formulas."""
    text = read_text(data[:LINES])[0].text
    if _SHORTCUTS.match(text) or _REMOTE_DESKTOP.search(text):
        for found in _ENTRY.finditer(text):
            target = found[2].strip()
            icon = found[1].lower() in ("iconfile", "icon")
            if icon and not remote(target):
                continue
            yield Trait(word=Mark.EXTERNAL_LINK if icon else Mark.SHORTCUT, detail=target[:1000])
            yield Link(place=place, target=target, source="shortcut")
    elif query := _WEB_QUERY.match(text):
        yield Trait(word=Mark.EXTERNAL_LINK, detail=query[1][:300])
        yield Link(place=place, target=query[1], source="query")
    elif _SYLK.match(text):
        yield from _sylk(text, place)
    if b"|" in data and (dde := dde_formula(read_text(data)[0].text)):
        yield Trait(word=Mark.DDE, detail=dde)


READERS: Mapping[str, Reader] = {
    "lnk": read_lnk,
    **dict.fromkeys(("internet-shortcut", "text", "batch"), read_lines),
}


def _sylk(text: str, place: str) -> Iterator[Fact]:
    """SYLK: a spreadsheet of the seventies that Excel opens still, macros and all."""
    if _SYLK_MACRO.search(text):
        yield Trait(word=Mark.XLM_MACRO, detail="macro sheet (SYLK)")
    if name := _SYLK_NAME.search(text):
        yield Trait(word=Mark.AUTO_MACRO, detail=name[1])
    for formula in _SYLK_FORMULA.finditer(text):
        yield from formula_facts(formula[1], place)


def _local_path(info: bytes) -> str:
    """The LinkInfo's path ([MS-SHLLINK] 2.3), in Unicode where it is there."""
    if _long(info, 4) >= 0x24 and (wide := _long(info, 28)):
        return info[wide:].decode("utf-16-le", "replace").partition("\0")[0]
    if _long(info, 8) & 1:
        begin = _long(info, 16)
        return info[begin:].partition(b"\0")[0].decode("cp1252", "replace")
    network = info[_long(info, 20) :]
    suffix = info[_long(info, 24) :].partition(b"\0")[0]
    share = network[_long(network, 8) :].partition(b"\0")[0]
    return b"\\".join(filter(None, (share, suffix))).decode("cp1252", "replace") if _long(info, 8) & 2 else ""


def _short(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _long(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
