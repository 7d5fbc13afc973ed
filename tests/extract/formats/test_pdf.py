"""PDF files written here object by object."""

from __future__ import annotations

import zlib
from base64 import a85encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.extract.documents.pdf_scan import PIECE, Scan
from gateway.extract.formats import Fact, Locked, Member
from gateway.extract.formats.pdf import read
from gateway.extract.room import Full, Room
from gateway.mime.kinds import kind_of
from gateway.reading import Blind, Link, Reason, Text, Trait, Zone
from gateway.traits import Mark


def pdf(*objects: bytes, trailer: bytes = b"/Root 1 0 R") -> bytes:
    out, places = b"%PDF-1.7\n", list[int]()
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    end = b"trailer\n<</Size %d %s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, len(out))
    return out + head + table + end


def stream(content: bytes, about: bytes = b"", *, packed: bool = True) -> bytes:
    if packed:
        content, about = zlib.compress(content), about + b"/Filter/FlateDecode"
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (about, len(content), content)


def page(*more: bytes, catalog: bytes = b"", about: bytes = b"", content: bytes = b"(Xin chao) Tj") -> bytes:
    """A document of one page; `more` are objects from number 6 on."""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R %s>>" % catalog,
        b"<</Type/Pages/Count 1/Kids[4 0 R]>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>/XObject<</I 6 0 R>>>>"
        b"/Contents 5 0 R %s>>" % about,
        stream(b"BT /F 12 Tf 50 700 Td " + content + b" ET" if b"Tj" in content else content),
        *more,
    )


def found(data: bytes, *, pictures: int = 0) -> list[Fact]:
    return list(read(data, "1", Room(pictures=pictures)))


def marks(facts: list[Fact]) -> set[str]:
    return {fact.word for fact in facts if isinstance(fact, Trait)}


SCRIPT = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"
IN_STREAM = b"8 0 " + SCRIPT

CASES: dict[str, tuple[bytes, set[str]]] = {
    "a page": (page(), set()),
    "a jump when opened": (page(catalog=b"/OpenAction[4 0 R/Fit]"), set()),
    "a jump when opened, elsewhere": (page(b"<</S/GoTo/D[4 0 R/Fit]>>", catalog=b"/OpenAction 6 0 R"), set()),
    "a script when opened": (page(catalog=b"/OpenAction" + SCRIPT), {Mark.JAVASCRIPT, Mark.OPEN_ACTION}),
    "a script elsewhere": (page(SCRIPT, catalog=b"/OpenAction 6 0 R"), {Mark.JAVASCRIPT, Mark.OPEN_ACTION}),
    "escaped names": (page(b"<</S/J#61vaScript/#4aS(x)>>"), {Mark.JAVASCRIPT}),
    "a script that nothing leads to": (page(SCRIPT), {Mark.JAVASCRIPT}),
    "a script behind the end": (page() + b"9 0 obj" + SCRIPT + b"endobj", {Mark.JAVASCRIPT}),
    "a script in an object stream": (page(stream(IN_STREAM, b"/Type/ObjStm/N 1/First 4")), {Mark.JAVASCRIPT}),
    "an object stream by another name": (page(stream(IN_STREAM, b"/Type/Obj#53tm/N 1/First 4")), {Mark.JAVASCRIPT}),
    "an object stream that does not say so": (page(stream(IN_STREAM)), {Mark.JAVASCRIPT}),
    "an object stream, packed twice": (
        page(stream(zlib.compress(IN_STREAM).hex().encode(), b"/Type/ObjStm/Filter[/AHx/Fl]", packed=False)),
        {Mark.JAVASCRIPT},
    ),
    "an object stream in base 85": (
        page(stream(a85encode(IN_STREAM) + b"~>", b"/Type/ObjStm/Filter/ASCII85Decode", packed=False)),
        {Mark.JAVASCRIPT},
    ),
    "objects within an unpacked stream": (page(stream(b"9 0 obj" + SCRIPT, packed=False)), {Mark.JAVASCRIPT}),
    "a program": (page(b"<</S/Launch/Win<</F(cmd.exe)>>>>"), {Mark.LAUNCH}),
    "something on each page": (page(about=b"/AA<</O<</S/Launch/F(x)>>>>"), {Mark.LAUNCH, Mark.OPEN_ACTION}),
    "a form that is sent": (page(b"<</S/SubmitForm/F(http://evil/)>>"), {Mark.SUBMIT}),
    "a film": (page(b"<</Subtype/RichMedia>>"), {Mark.RICH_MEDIA}),
    "a document elsewhere": (page(b"<</S/GoToR/F(\\\\\\\\evil\\\\a.pdf)>>"), {Mark.EXTERNAL_LINK}),
}


@pytest.mark.parametrize(("data", "expected"), CASES.values(), ids=CASES)
def test_marks(data: bytes, expected: set[str]) -> None:
    assert marks(found(data)) == expected


def test_text_and_links_of_a_page() -> None:
    link = b"<</Type/Annot/Subtype/Link/Rect[40 690 200 715]/A<</S/URI/URI(http://a.vn/x)>>>>"
    facts = found(page(link, about=b"/Annots[6 0 R]"))
    assert [fact.content for fact in facts if isinstance(fact, Text)] == ["Xin chao"]
    assert [(fact.target, fact.text) for fact in facts if isinstance(fact, Link)] == [("http://a.vn/x", "Xin chao")]
    assert marks(facts) == {Mark.URI}


def test_comments_form_fields_and_properties() -> None:
    note = b"<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(a comment)>>"
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(f)/V(filled in)/Rect[0 0 9 9]>>"
    data = page(note, field, b"<</Title(the title)>>", about=b"/Annots[6 0 R 7 0 R]")
    facts = found(data.replace(b"/Root 1 0 R", b"/Root 1 0 R/Info 8 0 R"))
    said = {(fact.zone, fact.content) for fact in facts if isinstance(fact, Text)}
    assert {(Zone.COMMENT, "a comment"), (Zone.ATTACHMENT, "filled in"), (Zone.PROPERTY, "the title")} <= said


def test_attached_files_are_members() -> None:
    names = b"/Names<</EmbeddedFiles<</Names[(a.exe) 6 0 R]>>>>"
    file = b"<</Type/Filespec/F(a.exe)/EF<</F 7 0 R>>>>"
    facts = found(page(file, stream(b"MZ program", b"/Type/EmbeddedFile"), catalog=names))
    assert [(fact.names, fact.content) for fact in facts if isinstance(fact, Member)] == [(("a.exe",), b"MZ program")]
    assert marks(facts) == {Mark.EMBEDDED_FILE}


PICTURE = stream(bytes(10_000), b"/Subtype/Image/Width 100/Height 100/ColorSpace/DeviceGray/BitsPerComponent 8")


def test_a_page_that_is_a_picture_is_told_and_given_where_pictures_are_read() -> None:
    data = page(PICTURE, content=b"q 500 0 0 700 50 50 cm /I Do Q")
    assert marks(found(data)) == {Mark.IMAGE_ONLY}
    assert not [fact for fact in found(data) if isinstance(fact, Member)]
    pictures = [fact for fact in found(data, pictures=1) if isinstance(fact, Member)]
    assert [kind_of(picture.content or b"") for picture in pictures] == ["png"]


def test_a_font_of_tcvn3_gives_a_second_reading() -> None:
    data = page(content="(Céng hßa x· héi chñ nghÜa) Tj".encode("cp1252"))
    data = data.replace(b"/BaseFont/Helvetica", b"/BaseFont/.VnTime/Encoding/WinAnsiEncoding")
    facts = found(data)
    assert any(isinstance(fact, Text) and "Cộng hòa xã hội chủ nghĩa" in fact.content for fact in facts)
    assert Mark.LEGACY_FONT in marks(facts)


# RC4 of 40 bits with a user's password; the keys need not be right for the document to be closed.
ENCRYPTION = b"<</Filter/Standard/V 1/R 2/O(%s)/U(%s)/P -4>>" % (b"o" * 32, b"u" * 32)


def test_a_password_is_told() -> None:
    data = page(ENCRYPTION).replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 6 0 R/ID[(1)(1)]")
    with pytest.raises(Locked):
        found(data)


def test_escapes_are_undone_wherever_a_long_text_is_cut() -> None:
    for shift in range(40):
        script = b"<</S/#4a#61#76#61#53#63#72#69#70#74>>"
        data = pdf(b"<</Type/Catalog>>", b" " * (PIECE - 140 + shift * 3) + script)
        assert marks(list(Scan(data, Room()).traits())) == {Mark.JAVASCRIPT}


def test_marks_of_a_broken_document_are_told_before() -> None:
    facts = []
    with pytest.raises(ValueError):
        facts.extend(read(b"%PDF-1.4\n1 0 obj" + SCRIPT, "1", Room()))
    assert marks(facts) == {Mark.JAVASCRIPT}


def test_an_object_stream_that_cannot_be_unpacked_is_told() -> None:
    facts = found(page(stream(b"x", b"/Type/ObjStm/Filter/LZWDecode", packed=False)))
    assert [fact.reason for fact in facts if isinstance(fact, Blind)] == [Reason.UNSUPPORTED]


def test_an_object_stream_that_is_a_bomb_is_told() -> None:
    bomb = zlib.compress(zlib.compress(bytes(20_000_000)))
    with pytest.raises(Full) as full:
        found(page(stream(bomb, b"/Type/ObjStm/Filter[/FlateDecode/FlateDecode]", packed=False)))
    assert full.value.reason is Reason.BOMB


LOOPS = {
    "pages": pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 5/Kids[2 0 R 2 0 R]>>"),
    "forms": page(
        stream(b"/I Do " * 20, b"/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</I 6 0 R>>>>"), content=b"/I Do"
    ),
    "a length that is its own": page(b"<</Length 6 0 R>>\nstream\nx\nendstream"),
    "tables": page().replace(b"trailer\n<<", b"trailer\n<</Prev 9 "),
}


@pytest.mark.parametrize("data", LOOPS.values(), ids=LOOPS)
def test_a_document_that_leads_to_itself_ends(data: bytes) -> None:
    assert isinstance(found(data), list)


def form(*names: int, times: int = 2) -> bytes:
    """A form that draws others; number 6 is the first."""
    inner = b"".join(b"/I%d %d 0 R" % (name, name) for name in names)
    content = b"".join(b"/I%d Do " % name for name in names) * times
    return stream(content, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<<%s>>>>" % inner)


FORMS: dict[str, tuple[tuple[bytes, ...], bool]] = {
    "one": ((form(7), form()), False),
    "one that has many pictures": ((form(7, times=5000), PICTURE), False),
    "a chain": ((*(form(number, times=1) for number in range(7, 60)), form()), False),
    "itself": ((form(6),), True),
    "each other": ((form(7), form(6)), True),
    "itself by other objects": (
        (
            stream(b"/I Do /I Do", b"/Subtype/Form/BBox[0 0 9 9]/Resources 7 0 R"),
            b"<</XObject 8 0 R>>",
            b"<</I 6 0 R>>",
        ),
        True,
    ),
    "twice as much at each step": ((*(form(number) for number in range(7, 40)), form()), True),
}


@pytest.mark.parametrize(("objects", "endless"), FORMS.values(), ids=FORMS)
def test_forms_that_draw_each_other(objects: tuple[bytes, ...], endless: bool) -> None:
    reasons = [fact.reason for fact in found(page(*objects, content=b"/I Do")) if isinstance(fact, Blind)]
    assert reasons == ([Reason.BOMB] if endless else [])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 900))
def test_any_bytes_end(patch: bytes, at: int) -> None:
    data = bytearray(page(SCRIPT, stream(IN_STREAM, b"/Type/ObjStm"), catalog=b"/OpenAction 6 0 R"))
    data[at : at + len(patch)] = patch
    try:
        found(bytes(data))
    except (Locked, ValueError, Full):
        return
