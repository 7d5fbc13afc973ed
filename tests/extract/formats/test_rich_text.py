"""RTF: text by zones, and the tricks that Word reads all the same."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.extract.formats import Fact, Member
from gateway.extract.formats.rich_text import read
from gateway.extract.room import Full, Room
from gateway.reading import Link, Text, Trait, Zone
from gateway.traits import Mark


def found(body: str) -> list[Fact]:
    head = r"{\rtf1\ansi\ansicpg1258{\fonttbl{\f0\fcharset163 Times;}{\f1\fcharset204 Cyr;}{\f2 .VnTime;}}"
    return list(read((head + body + "}").encode("latin-1"), "1", Room()))


def text_in(facts: list[Fact], zone: Zone) -> str:
    return "".join(fact.content for fact in facts if isinstance(fact, Text) and fact.zone is zone and not fact.charset)


ZONES: dict[str, tuple[str, Zone, str]] = {
    "plain": (r"a {\b b} c\par d", Zone.ATTACHMENT, "a b c\nd"),
    "unicode": (r"\u7871?t", Zone.ATTACHMENT, "ết"),
    "unicode for two characters": (r"\uc2\u7871\'61\'62t", Zone.ATTACHMENT, "ết"),
    "unicode below zero": (r"\u-25?x", Zone.ATTACHMENT, "\uffe7x"),
    "a pair": (r"\u-10179?\u-8704?", Zone.ATTACHMENT, "😀"),
    "half a pair": (r"\u-8704?", Zone.ATTACHMENT, "\ufffd"),
    "codes of the page": (r"xin ch\'e0o", Zone.ATTACHMENT, "xin chào"),
    "codes of a font": (r"{\f1 \'cf\'f0}\f0 \'e0", Zone.ATTACHMENT, "Прà"),
    "words cut by groups and lines": ("b{}\\'ed\r\n m{\\i }\\u7853?t", Zone.ATTACHMENT, "bí mật"),
    "a table": (r"a\cell b\cell\row c", Zone.ATTACHMENT, "a\tb\t\nc"),
    "a field's result": (r"{\field{\*\fldinst PAGE}{\fldrslt 12}}", Zone.ATTACHMENT, "12"),
    "hidden": (r"a{\v secret}b", Zone.HIDDEN, "secret"),
    "header": (r"{\headerf top}", Zone.PAGE_HEADER, "top\n"),
    "footer": (r"{\footer foot}", Zone.PAGE_FOOTER, "foot\n"),
    "note": (r"a{\footnote note}", Zone.NOTE, "note\n"),
    "comment": (r"a{\*\annotation said}", Zone.COMMENT, "said\n"),
    "box": (r"{\shp{\*\shpinst{\sp{\sn a}{\sv 1}}{\shptxt box}}}", Zone.TEXT_BOX, "box\n"),
    "watermark": (r"{\shp{\*\shpinst{\sp{\sn gtextUNICODE}{\sv M\u7852?T}}}}", Zone.TEXT_BOX, "MẬT\n"),
    "title": (r"{\info{\title the title}}", Zone.PROPERTY, "the title\n"),
    "what is no text": (r"{\*\generator x;}{\stylesheet y;}{\*\unknown z}a", Zone.ATTACHMENT, "a"),
    "an unfinished file": (r"{{{\b text", Zone.ATTACHMENT, "text"),
}


@pytest.mark.parametrize(("body", "zone", "text"), ZONES.values(), ids=ZONES)
def test_text(body: str, zone: Zone, text: str) -> None:
    assert text_in(found(body), zone) == text


def object_of(kind: bytes, native: bytes) -> bytes:
    name = struct.pack("<I", len(kind) + 1) + kind + b"\0"
    return struct.pack("<II", 0x501, 2) + name + bytes(8) + struct.pack("<I", len(native)) + native


PACKAGE = object_of(
    b"Package",
    b"\x02\0a.exe\0C:\\a.exe\0\0\0\x03\0" + struct.pack("<I", 9) + b"C:\\a.exe\0" + struct.pack("<I", 4) + b"MZ!!",
).hex()

MARKS: dict[str, tuple[str, set[str]]] = {
    "nothing": (r"{\b a}", set()),
    "a template of one's own": (r"{\*\template C:\\a.dotm}", set()),
    "a remote template": (r"{\*\template http://evil/a.dotm}", {Mark.REMOTE_TEMPLATE}),
    "a remote template in numbers": (
        r"{\*\template " + "".join(rf"\u{ord(letter)}?" for letter in "http://evil/a") + "}",
        {Mark.REMOTE_TEMPLATE},
    ),
    "DDE": (r'{\field{\*\fldinst DDEAUTO cmd "/k calc"}{\fldrslt x}}', {Mark.DDE}),
    "DDE in pieces": (r"{\field{\*\fldinst {D}{\b D}{EAU}{TO cmd}}{\fldrslt x}}", {Mark.DDE}),
    "a picture from elsewhere": (r'{\field{\*\fldinst INCLUDEPICTURE "http://evil/a.png"}}', {Mark.EXTERNAL_LINK}),
    "an object": (rf"{{\object\objemb{{\*\objdata {PACKAGE}}}}}", {Mark.OLE_OBJECT, Mark.PACKAGE}),
    "an object without a star, spaced": (
        rf"{{\object{{\objdata {' '.join(PACKAGE)}}}}}",
        {Mark.OLE_OBJECT, Mark.PACKAGE},
    ),
    "an object cut by groups and words": (
        rf"{{\object{{\*\objdata {PACKAGE[:41]}{{}}\par {{\b {PACKAGE[41:]}}}}}}}",
        {Mark.OLE_OBJECT, Mark.PACKAGE},
    ),
    "an equation": (rf"{{\*\objdata {object_of(b'equation.3', b'x').hex()}}}", {Mark.OLE_OBJECT, Mark.EQUATION}),
    "a linked object": (r"{\object\objautlink x}", {Mark.EXTERNAL_LINK}),
    "a control": (r"{\object\objocx x}", {Mark.ACTIVEX}),
    "a legacy font": (
        r"\f2 C\'e9ng h\'dfa x\'b7 h\'e9i ch\'f1 ngh\'dca".replace("f2 ", "f2\\fcharset0 "),
        {Mark.LEGACY_FONT},
    ),
}


@pytest.mark.parametrize(("body", "expected"), MARKS.values(), ids=MARKS)
def test_marks(body: str, expected: set[str]) -> None:
    assert {fact.word for fact in found(body) if isinstance(fact, Trait)} == expected


def test_the_file_in_an_object_comes_out_also_as_raw_bytes() -> None:
    raw = bytes.fromhex(PACKAGE).decode("latin-1")
    facts = found(rf"{{\object{{\*\objdata\bin{len(raw)} {raw}}}}}")
    assert [(fact.names, fact.content) for fact in facts if isinstance(fact, Member)] == [(("a.exe",), b"MZ!!")]


def test_a_picture_is_a_member_and_so_is_a_program_in_its_place() -> None:
    facts = found(rf"{{\pict\pngblip {b'MZ program'.hex()}}}")
    assert [fact.content for fact in facts if isinstance(fact, Member)] == [b"MZ program"]


def test_links_have_their_text() -> None:
    facts = found(r'{\field{\*\fldinst HYPERLINK "http://a.vn/"}{\fldrslt \u273?\'e2y}}')
    assert [(fact.target, fact.text) for fact in facts if isinstance(fact, Link)] == [("http://a.vn/", "đây")]


def test_depth_is_bounded() -> None:
    with pytest.raises(Full):
        found("{" * 30_000)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="{}\\'*-\r\n 0123456789abfuvxobjdatpcirw", max_size=300))
def test_any_text_is_read(body: str) -> None:
    for fact in found(body):
        if isinstance(fact, Text):
            fact.content.encode()
