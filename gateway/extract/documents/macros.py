"""VBA projects ([MS-OVBA]): is there a program in it, and does it run by itself?

A project without a line of code is none: old spreadsheets have one each. Source and compiled code are two things
("stomping" leaves the one and takes away the other), so a project counts as empty only where its source is there to
see and its compiled code is as small as that of an empty module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.extract.documents.compound import SIGNATURE, Compound, Path
from gateway.extract.documents.ovba import decompressed
from gateway.extract.room import Room
from gateway.reading import Trait
from gateway.traits import Mark

COMPOUND = SIGNATURE

EMPTY_CODE = 2_048
"""Bytes of compiled code before the source of a module without a line; Office writes 700 to 1,500."""

_STORAGE = "_VBA_PROJECT".encode("utf-16-le")
_SOURCE = re.compile(rb"\x01..\x00Attribut", re.DOTALL)
_NO_CODE = re.compile(rb"\s*+(?:Attribute |Option |'|Rem |VERSION |BEGIN|END\s*\r?\n|MultiUse)|\s*+\Z", re.IGNORECASE)
_RUNS_BY_ITSELF = re.compile(
    rb"\b(?:Sub|Function)\s+((?:auto_?(?:open|close|exec|exit|new)|document_?(?:open|close|new|beforeclose|beforesave)"
    rb"|workbook_(?:open|activate|beforeclose|beforesave|beforeprint|deactivate|addininstall)|worksheet_\w+"
    rb"|presentation_?(?:open|load|close)|slideshow\w*|newdocument|newmail\w*|application_startup"
    rb"|\w+_(?:painted|painting|gotfocus|lostfocus|mousehover|layout|resize|documentcomplete|onconnecting)))\b",
    re.IGNORECASE,
)
_REACHES_OUT = re.compile(
    rb"\b(Shell|ShellExecute|CreateObject|GetObject|URLDownloadToFile\w*|XMLHTTP|WScript\.\w+|Powershell|Environ"
    rb"|ADODB\.Stream|CallByName|VirtualAlloc\w*|CreateThread|RtlMoveMemory|Lib)\b",
    re.IGNORECASE,
)


def is_project(data: bytes, room: Room) -> bool:
    """True for a compound file that is a VBA project and nothing else: a document with one has it further inside."""
    if not data.startswith(SIGNATURE) or _STORAGE not in data:
        return False
    try:
        return ("VBA",) in Compound(data, room).storages
    except ValueError:
        return True


def project_facts(data: bytes, room: Room) -> Iterator[Trait]:
    """What a vbaProject.bin holds. One that cannot be read is a macro."""
    try:
        compound = Compound(data, room)
    except ValueError:
        yield Trait(word=Mark.MACRO, detail="a project that cannot be read")
        return
    storages = list(projects(compound))
    if not storages:
        yield Trait(word=Mark.MACRO, detail="a project without modules")
    for storage in storages:
        yield from macro_facts(compound, storage)


def projects(compound: Compound) -> Iterator[Path]:
    """The storages of a compound file that hold modules: those called VBA."""
    return (storage for storage in compound.storages if storage[-1:] and storage[-1].upper() == "VBA")


def macro_facts(compound: Compound, storage: Path) -> Iterator[Trait]:
    """What the modules of one project do."""
    modules: list[str] = []
    by_itself: list[str] = []
    reaching: list[str] = []
    for name in compound.streams_of(storage):
        if name.lower() == "dir" or name.lower().startswith(("_vba_project", "__srp_")):
            continue
        content = compound.read(*storage, name)
        found = _SOURCE.search(content)
        source = decompressed(content[found.start() :]) if found else b""
        if found and found.start() < EMPTY_CODE and all(map(_NO_CODE.match, source.splitlines())):
            continue
        modules.append(name)
        by_itself += [match[1].decode("latin-1") for match in _RUNS_BY_ITSELF.finditer(source)]
        reaching += [match[1].decode("latin-1") for match in _REACHES_OUT.finditer(source)]
    if modules:
        said = ", ".join(dict.fromkeys(reaching))
        yield Trait(word=Mark.MACRO, detail=(", ".join(modules) + (f": {said}" if said else ""))[:300])
    if by_itself:
        yield Trait(word=Mark.AUTO_MACRO, detail=", ".join(dict.fromkeys(by_itself))[:300])
