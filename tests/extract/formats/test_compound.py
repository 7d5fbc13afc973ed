"""Compound files written here sector by sector ([MS-CFB]): Word, Excel, PowerPoint, Outlook, macros, packages."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.extract.documents.ole_objects import ole1_facts, package_facts
from gateway.extract.documents.ovba import decompressed
from gateway.extract.formats import Fact, Locked, Member
from gateway.extract.formats.compound import read, read_active_mime
from gateway.extract.formats.outlook import read as read_message
from gateway.extract.room import Full, Room
from gateway.mime.kinds import kind_of
from gateway.reading import Blind, Link, Text, Trait, Zone
from gateway.traits import Mark

FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound(streams: dict[str, bytes], classes: dict[str, bytes] | None = None) -> bytes:
    """A compound file with streams by path ("Macros/VBA/dir"); small ones go to the mini stream, as they must."""
    entries: list[dict[str, object]] = [{"name": "Root Entry", "kind": 5, "kids": []}]
    places: dict[str, int] = {"": 0}
    for path, content in streams.items():
        parts = path.split("/")
        for depth, name in enumerate(parts):
            key = "/".join(parts[: depth + 1])
            if key not in places:
                last = depth == len(parts) - 1
                places[key] = len(entries)
                entries[places["/".join(parts[:depth])]]["kids"].append(len(entries))  # type: ignore[attr-defined]
                entries.append(
                    {"name": name, "kind": 2 if last else 1, "kids": [], "content": content if last else b""}
                )
                entries[-1]["class"] = (classes or {}).get(key, bytes(16))
    sectors: list[bytes] = []
    table: list[int] = []

    def chain(content: bytes) -> int:
        if not content:
            return END
        first = len(sectors)
        pieces = [content[at : at + 512].ljust(512, b"\0") for at in range(0, len(content), 512)]
        sectors.extend(pieces)
        table.extend([*range(first + 1, first + len(pieces)), END])
        return first

    mini, mini_table = b"", list[int]()
    for entry in entries[1:]:
        content = bytes(entry.get("content", b""))  # type: ignore[call-overload]
        if 0 < len(content) < 4096:
            first = len(mini) // 64
            count = -(-len(content) // 64)
            mini += content.ljust(count * 64, b"\0")
            mini_table += [*range(first + 1, first + count), END]
            entry["start"] = first
        else:
            entry["start"] = chain(content)
    entries[0]["start"], entries[0]["content"] = chain(mini), mini
    mini_fat = (
        chain(b"".join(struct.pack("<I", each) for each in mini_table).ljust(512, b"\xff")) if mini_table else END
    )
    directory = b""
    rights = {a: b for entry in entries for a, b in zip(entry["kids"], entry["kids"][1:], strict=False)}  # type: ignore
    for at, entry in enumerate(entries):
        name = str(entry["name"]).encode("utf-16-le") + b"\0\0"
        kids: list[int] = entry["kids"]  # type: ignore[assignment]
        directory += (
            name.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(name), entry["kind"], 1, FREE, rights.get(at, FREE), kids[0] if kids else FREE)
            + bytes(entry.get("class", bytes(16)))  # type: ignore[call-overload]
            + bytes(20)
            + struct.pack("<IQ", entry["start"], len(bytes(entry.get("content", b""))))  # type: ignore[call-overload]
        )
    directory_at = chain(directory.ljust(-(-len(directory) // 512) * 512, b"\0"))
    fats = -(-(len(table) + 8) // 128)
    fat_at = len(sectors)
    table += [FAT] * fats
    table += [FREE] * (fats * 128 - len(table))
    sectors += [struct.pack("<128I", *table[at : at + 128]) for at in range(0, fats * 128, 128)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, fats, directory_at, 0, 4096, mini_fat, int(mini_fat != END), END, 0)
    header += b"".join(struct.pack("<I", fat_at + at if at < fats else FREE) for at in range(109))
    return header + b"".join(sectors)


def found(data: bytes) -> list[Fact]:
    return list(read(data, "1", Room()))


def marks(facts: list[Fact]) -> set[str]:
    return {fact.word for fact in facts if isinstance(fact, Trait)}


def members(facts: list[Fact]) -> list[Member]:
    return [fact for fact in facts if isinstance(fact, Member)]


def text_in(facts: list[Fact], zone: Zone) -> str:
    return "\n".join(fact.content for fact in facts if isinstance(fact, Text) and fact.zone is zone)


def packed(source: bytes) -> bytes:
    """VBA's container with literals only."""
    out = b"\x01"
    for at in range(0, len(source), 3600):
        piece = source[at : at + 3600]
        tokens = b"".join(b"\0" + piece[i : i + 8] for i in range(0, len(piece), 8))
        out += struct.pack("<H", 0xB000 | (len(tokens) - 1)) + tokens
    return out


EMPTY_MODULE = bytes(900) + packed(b'Attribute VB_Name = "Sheet1"\r\nOption Explicit\r\n')
MODULE = bytes(900) + packed(b'Attribute VB_Name = "M"\r\nSub AutoOpen()\r\n  Shell "calc"\r\nEnd Sub\r\n')


def package(label: str, content: bytes) -> bytes:
    name = label.encode()
    body = b"\x02\0" + name + b"\0" + b"C:\\x\\" + name + b"\0" + b"\0\0\x03\0" + struct.pack("<I", len(name) + 1)
    body += name + b"\0" + struct.pack("<I", len(content)) + content
    for text in (label, label, label):
        body += struct.pack("<I", len(text)) + text.encode("utf-16-le")
    return body


def native(label: str, content: bytes) -> bytes:
    body = package(label, content)
    return struct.pack("<I", len(body)) + body


def word(parts: dict[int, str], *, flags: int = 0, wide: bool = False) -> dict[str, bytes]:
    """WordDocument and 0Table; `parts` are texts by the place of their length in the header."""
    order = (0x4C, 0x50, 0x54, 0x5C, 0x60, 0x64, 0x68)
    text = "".join(parts.get(at, "") for at in order)
    header = bytearray(0x400)
    struct.pack_into("<HHH", header, 0, 0xA5EC, 0xC1, 0)
    struct.pack_into("<H", header, 0x0A, flags)
    for at in order:
        struct.pack_into("<I", header, at, len(parts.get(at, "")))
    body = text.encode("utf-16-le") if wide else text.encode("cp1252")
    where = 0x400 if wide else 0x400 * 2 | 0x40000000
    plc = struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, where, 0)
    clx = b"\x02" + struct.pack("<I", len(plc)) + plc
    struct.pack_into("<II", header, 0x1A2, 0, len(clx))
    return {"WordDocument": bytes(header) + body, "0Table": clx}


def record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def unicode(text: str) -> bytes:
    return struct.pack("<HB", len(text), 1) + text.encode("utf-16-le")


def workbook(*records: bytes, sheet: bytes = b"\0\0") -> dict[str, bytes]:
    title = b"\x05\0Sheet"
    start = record(0x809, struct.pack("<HH", 0x600, 5) + bytes(12))
    return {"Workbook": start + record(0x85, bytes(4) + sheet + title) + b"".join(records) + record(0x0A)}


SST = record(0xFC, struct.pack("<II", 2, 2) + unicode("Họ tên") + unicode("chưa dùng"))


def slide(kind: int, content: bytes, head: int = 0) -> bytes:
    return struct.pack("<HHI", head, kind, len(content)) + content


CASES: dict[str, tuple[dict[str, bytes], set[str]]] = {
    "a Word file": (word({0x4C: "Hello\r"}), set()),
    "macros that run by themselves": (
        {**word({0x4C: "a\r"}), "Macros/VBA/dir": b"x", "Macros/VBA/M": MODULE},
        {Mark.MACRO, Mark.AUTO_MACRO},
    ),
    "a project without a line of code": ({**workbook(), "_VBA_PROJECT_CUR/VBA/Sheet1": EMPTY_MODULE}, set()),
    "a project whose source was taken away": ({**workbook(), "_VBA_PROJECT_CUR/VBA/Sheet1": bytes(3000)}, {Mark.MACRO}),
    "a project whose source was emptied, its code not": (
        {**workbook(), "_VBA_PROJECT_CUR/VBA/Sheet1": bytes(3000) + EMPTY_MODULE},
        {Mark.MACRO},
    ),
    "a DDE field": (word({0x4C: '\x13DDEAUTO c:\\\\cmd.exe "/k calc"\x14x\x15\r'}), {Mark.DDE}),
    "a DDE field in a header": (word({0x4C: "a\r", 0x54: "\x13 DDE cmd \x15\r"}), {Mark.DDE}),
    "an object of Packager": (
        {**word({0x4C: "a\r"}), "ObjectPool/_1/\x01Ole10Native": native("a.exe", b"MZ")},
        {Mark.OLE_OBJECT, Mark.PACKAGE},
    ),
    "an equation": ({"\x01CompObj": bytes(40), "Equation Native": b"x"}, {Mark.EQUATION}),
    "a linked object": (
        {**word({0x4C: "a\r"}), "ObjectPool/_1/\x01Ole": b"\1\0\0\2\1\0\0\0" + "http://x.vn/a.doc".encode("utf-16-le")},
        {Mark.OLE_OBJECT, Mark.EXTERNAL_LINK},
    ),
    "an Excel 4 macro sheet": (workbook(sheet=b"\0\x01"), {Mark.XLM_MACRO}),
    "a very hidden sheet": (workbook(sheet=b"\x02\0"), {Mark.HIDDEN_SHEET}),
    "a built-in name Auto_Open": (
        workbook(record(0x18, struct.pack("<HBBH", 0x20, 0, 1, 0) + bytes(8) + b"\0\x01")),
        {Mark.AUTO_MACRO},
    ),
    "DDE in a workbook": (
        workbook(record(0x1AE, b"\0\0" + struct.pack("<HB", 8, 0) + b"cmd\x03/c x")),
        {Mark.DDE},
    ),
    "a workbook elsewhere": (
        workbook(record(0x1AE, b"\1\0" + struct.pack("<HB", 15, 0) + b"\x01\x05http://e/x.xl")),
        {Mark.EXTERNAL_LINK},
    ),
    "a formula as a text": (workbook(record(0x204, bytes(6) + unicode("=cmd|'/c calc'!A1"))), {Mark.DDE}),
    "a slide that runs a program": (
        {"PowerPoint Document": slide(0x0FF3, bytes(8) + b"\x02" + bytes(7)), "Current User": bytes(20)},
        {Mark.LAUNCH},
    ),
}


@pytest.mark.parametrize(("streams", "expected"), CASES.values(), ids=CASES)
def test_marks(streams: dict[str, bytes], expected: set[str]) -> None:
    assert marks(found(compound(streams))) == expected


@pytest.mark.parametrize("wide", [False, True], ids=["8-bit", "UTF-16"])
def test_all_texts_of_a_word_file_by_zone(wide: bool) -> None:
    facts = found(
        compound(word({0x4C: "body\r", 0x50: "note\r", 0x54: "head\r", 0x5C: "said\r", 0x64: "box\r"}, wide=wide))
    )
    assert text_in(facts, Zone.ATTACHMENT) == "body\n"
    assert text_in(facts, Zone.NOTE) == "note\n"
    assert text_in(facts, Zone.PAGE_HEADER) == "head\n"
    assert text_in(facts, Zone.COMMENT) == "said\n"
    assert text_in(facts, Zone.TEXT_BOX) == "box\n"


def test_cells_row_by_row_and_strings_that_no_cell_shows() -> None:
    cell = record(0xFD, struct.pack("<HHHI", 0, 0, 0, 0)) + record(0x203, struct.pack("<HHHd", 0, 1, 0, 1.5))
    facts = found(compound(workbook(SST, cell, record(0x27E, struct.pack("<HHHI", 1, 0, 0, 7 << 2 | 2)))))
    assert text_in(facts, Zone.ATTACHMENT) == "Họ tên\t1.5\n7\t"
    assert text_in(facts, Zone.HIDDEN) == "chưa dùng"
    assert "Sheet" in text_in(facts, Zone.PROPERTY)


def test_a_string_that_goes_on_in_the_next_record_in_another_width() -> None:
    head = struct.pack("<II", 1, 1) + struct.pack("<HB", 6, 0) + b"abc"
    table = record(0xFC, head) + record(0x3C, b"\x01" + "đêt".encode("utf-16-le"))
    facts = found(compound(workbook(table, record(0xFD, struct.pack("<HHHI", 0, 0, 0, 0)))))
    assert text_in(facts, Zone.ATTACHMENT) == "abcđêt\t"


def test_texts_of_slides_and_notes_and_objects() -> None:
    inner = compound({"Workbook": b"x"})
    stream = slide(0x0FA0, "Chào".encode("utf-16-le")) + slide(0x03F0, slide(0x0FA8, b"note"), 0xF)
    stream += slide(0x1011, struct.pack("<I", len(inner)) + zlib.compress(inner), 0x10)
    facts = found(compound({"PowerPoint Document": stream, "Current User": bytes(20)}))
    assert text_in(facts, Zone.ATTACHMENT) == "Chào\n"
    assert text_in(facts, Zone.NOTE) == "note\n"
    assert [member.content for member in members(facts)] == [inner]


LOCKED: dict[str, dict[str, bytes]] = {
    "a package of OOXML": {"EncryptedPackage": b"x", "EncryptionInfo": b"y"},
    "a Word file": word({0x4C: "secret\r"}, flags=0x100),
    "a workbook": workbook(record(0x2F, bytes(6))),
    "a presentation": {"PowerPoint Document": b"", "Current User": bytes(12) + struct.pack("<I", 0xF3D1C4DF)},
}


@pytest.mark.parametrize("streams", LOCKED.values(), ids=LOCKED)
def test_a_password_is_told(streams: dict[str, bytes]) -> None:
    with pytest.raises(Locked):
        found(compound(streams))


def test_macros_of_a_locked_file_are_told_before() -> None:
    facts: list[Fact] = []
    streams = {**workbook(record(0x2F, bytes(6))), "_VBA_PROJECT_CUR/VBA/M": MODULE}
    with pytest.raises(Locked):
        facts.extend(read(compound(streams), "1", Room()))
    assert marks(facts) == {Mark.MACRO, Mark.AUTO_MACRO}


def test_a_compound_file_of_nobody_is_not_passed_over() -> None:
    assert any(isinstance(fact, Blind) for fact in found(compound({"Something": b"x"})))


def test_a_package_is_a_file_with_all_its_names() -> None:
    trait, member = package_facts(native("tài liệu.exe", b"MZ" * 40), prefixed=True)
    assert isinstance(member, Member)
    assert member.content == b"MZ" * 40
    assert "tài liệu.exe" in member.names
    assert isinstance(trait, Trait)


def test_a_package_that_only_names_a_file_is_a_shortcut() -> None:
    body = b"\x02\0calc.exe\0C:\\Windows\\calc.exe\0\0\0\x01\0\x01\0C:\\Windows\\calc.exe\0"
    facts = list(package_facts(struct.pack("<I", len(body)) + body, prefixed=True))
    assert [(fact.word, fact.detail) for fact in facts if isinstance(fact, Trait)][1] == (
        Mark.SHORTCUT,
        "C:\\Windows\\calc.exe",
    )


def test_an_object_with_a_broken_header_is_given_from_its_signature_on() -> None:
    inner = compound({"x": b"y"})
    assert members(list(ole1_facts(b"\xff" * 20 + inner)))[0].content == inner


def test_active_mime_is_unfolded() -> None:
    inner = compound({"x": b"y"})
    data = b"ActiveMime\0\0" + bytes(38) + zlib.compress(inner)
    assert kind_of(data) == "activemime"
    assert members(list(read_active_mime(data, "1", Room())))[0].content == inner


def message(prefix: str = "", **properties: bytes) -> dict[str, bytes]:
    streams = {f"{prefix}__substg1.0_{name}": value for name, value in properties.items()}
    return {f"{prefix}__properties_version1.0": bytes(32), **streams}


def test_a_message_with_a_file_and_a_message_attached() -> None:
    streams = message(
        **{
            "0037001F": "Tiêu đề".encode("utf-16-le"),
            "1000001F": "nội dung".encode("utf-16-le"),
            "10130102": b"<b>x</b>",
        }
    )
    file = "__attach_version1.0_#00000000/"
    streams |= {f"{file}__substg1.0_37010102": b"MZ", f"{file}__substg1.0_3707001F": "a.exe".encode("utf-16-le")}
    inner = "__attach_version1.0_#00000001/__substg1.0_3701000D/"
    streams |= message(inner, **{"1000001E": b"inside"})
    facts = list(read_message(compound(streams), "1", Room()))
    texts = [fact.content for fact in facts if isinstance(fact, Text)]
    assert texts == ["Tiêu đề", "nội dung", "inside"]
    assert [(member.names, member.content) for member in members(facts)] == [((), b"<b>x</b>"), (("a.exe",), b"MZ")]


def test_an_attachment_that_is_elsewhere() -> None:
    file = "__attach_version1.0_#00000000/"
    streams = message() | {f"{file}__substg1.0_370D001F": r"\\evil\share\a.exe".encode("utf-16-le")}
    facts = list(read_message(compound(streams), "1", Room()))
    assert [type(fact) for fact in facts] == [Link, Blind]


def test_vba_copies_are_unfolded() -> None:
    assert decompressed(bytes.fromhex("0103b002614500")) == b"a" * 73  # [MS-OVBA] 3.2.3


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 4000))
def test_broken_files_raise_what_is_expected_and_end(patch: bytes, at: int) -> None:
    data = bytearray(compound({**word({0x4C: "Hello\r"}), **workbook(SST), "VBA/M": MODULE}))
    data[at : at + len(patch)] = patch
    with suppress(Locked, ValueError, Full):
        found(bytes(data))
