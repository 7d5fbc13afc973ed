"""Small real files that carry a text: what a word processor, a spreadsheet or a printer would make of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from xml.sax.saxutils import escape

_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/{part}" ContentType="{kind}"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" '
    'Target="{target}"/></Relationships>'
)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OFFICE = "application/vnd.openxmlformats-officedocument"


def docx(text: str) -> bytes:
    """A Word document, a paragraph for each line; a line with tabs is a row of a table."""
    body = "".join(_paragraph(line) if "\t" not in line else _row(line) for line in text.split("\n"))
    return _package(
        {
            "[Content_Types].xml": _TYPES.format(
                part="word/document.xml", kind=f"{_OFFICE}.wordprocessingml.document.main+xml"
            ),
            "_rels/.rels": _RELATIONS.format(kind="officeDocument", target="word/document.xml"),
            "word/document.xml": _document(body),
        }
    )


def docx_header(text: str) -> bytes:
    """A Word document whose first short line stands in the page header."""
    lines = text.split("\n")
    head = next((line for line in lines if 0 < len(line.strip()) <= 20), lines[0])
    body = "".join(_paragraph(line) for line in lines if line is not head)
    return _package(
        {
            "[Content_Types].xml": _TYPES.format(
                part="word/document.xml", kind=f"{_OFFICE}.wordprocessingml.document.main+xml"
            ),
            "_rels/.rels": _RELATIONS.format(kind="officeDocument", target="word/document.xml"),
            "word/_rels/document.xml.rels": _RELATIONS.format(kind="header", target="header1.xml"),
            "word/header1.xml": f'<?xml version="1.0"?><w:hdr xmlns:w="{_WORD}">{_paragraph(head)}</w:hdr>',
            "word/document.xml": _document(body),
        }
    )


def xlsx(text: str) -> bytes:
    """A workbook, a row for each line."""
    rows = "".join(
        "<row>"
        + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in line.split("\t"))
        + "</row>"
        for line in text.split("\n")
    )
    relations = f'<Relationship Id="s1" Type="{_RELATED}/worksheet"'
    return _package(
        {
            "[Content_Types].xml": _TYPES.format(
                part="xl/workbook.xml", kind=f"{_OFFICE}.spreadsheetml.sheet.main+xml"
            ),
            "_rels/.rels": _RELATIONS.format(kind="officeDocument", target="xl/workbook.xml"),
            "xl/_rels/workbook.xml.rels": '<?xml version="1.0"?><Relationships xmlns='
            '"http://schemas.openxmlformats.org/package/2006/relationships">'
            f'{relations} Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/workbook.xml": f'<?xml version="1.0"?><workbook xmlns="{_SHEET}" xmlns:r="{_RELATED}"><sheets>'
            '<sheet name="1" sheetId="1" r:id="s1"/></sheets></workbook>',
            "xl/worksheets/sheet1.xml": f'<?xml version="1.0"?><worksheet xmlns="{_SHEET}">'
            f"<sheetData>{rows}</sheetData></worksheet>",
        }
    )


def pdf(text: str) -> bytes:
    """A printed page: glyphs by number, with the map to Unicode that programs write for copying."""
    used = sorted({character for character in text if character not in "\n\t"})
    codes = {character: number for number, character in enumerate(used, 1)}
    mapping = "\n".join(f"<{code:04x}> <{character.encode('utf-16-be').hex()}>" for character, code in codes.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        + "".join(
            f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n"
            for block in _blocks(mapping.split("\n"), 100)
        )
        + "endcmap end end"
    ).encode()
    lines = []
    for number, line in enumerate(text.split("\n")):
        for column, cell in enumerate(line.split("\t")):
            shown = "".join(f"{codes[character]:04x}" for character in cell)
            lines.append(f"BT /F 11 Tf 1 0 0 1 {40 + 260 * column} {800 - 16 * number} Tm <{shown}> Tj ET")
    content = "\n".join(lines).encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 7 0 R>>",
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/X/DW 600/FontDescriptor 8 0 R"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(cmap), cmap),
        b"<</Type/FontDescriptor/FontName/X/Flags 4/FontBBox[0 0 600 800]/ItalicAngle 0/Ascent 800"
        b"/Descent -200/CapHeight 700/StemV 80>>",
    ]
    return _pdf_file(objects)


def plain_text(text: str) -> bytes:
    """A text file in UTF-8."""
    return text.encode()


def _blocks(items: list[str], size: int) -> list[list[str]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def _pdf_file(objects: list[bytes]) -> bytes:
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, one in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, one))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()


def _document(body: str) -> str:
    return f'<?xml version="1.0"?><w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'


def _paragraph(line: str) -> str:
    return f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>'


def _row(line: str) -> str:
    cells = "".join(f"<w:tc>{_paragraph(cell)}</w:tc>" for cell in line.split("\t"))
    return f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"


def _package(members: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


CARRIERS: dict[str, tuple[Callable[[str], bytes], str, str]] = {
    "docx": (docx, f"{_OFFICE}.wordprocessingml.document", "van-ban.docx"),
    "docx-header": (docx_header, f"{_OFFICE}.wordprocessingml.document", "van-ban.docx"),
    "xlsx": (xlsx, f"{_OFFICE}.spreadsheetml.sheet", "van-ban.xlsx"),
    "pdf": (pdf, "application/pdf", "van-ban.pdf"),
    "text": (plain_text, "text/plain", "van-ban.txt"),
}


def letter(content: bytes, media_type: str, name: str, subject: str = "Gửi văn bản") -> bytes:
    """A short mail with the file attached."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@tinhxa.gov.vn", "b@tinhxa.gov.vn", subject
    message.set_content("Kính gửi anh,\n\nEm gửi văn bản ạ.\n")
    kind, _, subtype = media_type.partition("/")
    message.add_attachment(content, maintype=kind, subtype=subtype, filename=name)
    return message.as_bytes()
