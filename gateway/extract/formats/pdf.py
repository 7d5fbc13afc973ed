"""PDF: text by pages, what is written on them, links, attached files; what it can do by `documents/pdf_scan.py`.

The pages are read by PDFium, which is C++ and sees hostile files every day in a browser's sandbox; ours is the
process that this runs in.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress

from gateway.extract.documents import markup, pdfium
from gateway.extract.documents.legacy_fonts import with_legacy_readings
from gateway.extract.documents.pdf_scan import Scan
from gateway.extract.documents.pdfium import Document, Page, PdfiumError
from gateway.extract.documents.plain_xml import PlainXml
from gateway.extract.documents.png import grey_png
from gateway.extract.formats import Fact, Locked, Member, Reader
from gateway.extract.room import Room
from gateway.reading import Blind, Link, Reason, Text, Trait, Zone
from gateway.traits import Mark

PAGES = 5_000
"""Pages that are read; a law gazette of a year has 2,000."""

ANNOTATIONS = 2_000
"""Annotations of one page."""

PICTURES = 20
"""Pages that are pictures and are given on to be recognised: 20 take a minute."""

PIXELS = 9_000_000
"""Of a page that is drawn: A4 at 150 dots an inch has 2.2 million."""

_SCALE = 150 / 72  # recognition wants 150 dots an inch at least
_SIGNS = str.maketrans({"\r": None, "\0": None, "\ufffe": None, "\x02": None, "\x03": None})


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """What it can do first: that needs no library, and holds for a document that cannot be opened."""
    scan = Scan(data, room)
    yield from scan.traits()
    yield from scan.blind(place)
    try:
        document = pdfium.opened(data)
    except PdfiumError as problem:
        if problem.err_code == pdfium.PASSWORD:
            raise Locked("a PDF with a password") from None
        raise ValueError(f"PDFium: {problem}") from None
    try:
        if scan.packed and pdfium.encrypted(document):
            inner = Scan(pdfium.decrypted(document), room)
            yield from inner.traits()
            scan.fonts |= inner.fonts
        count = len(document)
        if scan.endless():
            count = 0
            yield Blind(place=place, reason=Reason.BOMB, detail="forms that draw themselves")
        yield from with_legacy_readings(_facts(document, count, place, room), scan.fonts)
    finally:
        document.close()


READERS: Mapping[str, Reader] = {"pdf": read}


def _facts(document: Document, count: int, place: str, room: Room) -> Iterator[Fact]:
    said = document.get_metadata_dict(skip_empty=True)
    yield from PlainXml.text(place, "pdf", Zone.PROPERTY, [text for key, text in said.items() if "Date" not in key])
    for names, content in pdfium.attachments(document):
        yield Trait(word=Mark.EMBEDDED_FILE, detail=", ".join(names)[:300])
        yield _member(names, content)
    for packet in pdfium.forms(document):
        yield from _form(packet, place, room)
    if count > PAGES:
        yield Blind(place=place, reason=Reason.TOO_MANY, detail=f"{count} pages; {PAGES} are read")
    pictures = 0
    for number in range(min(count, PAGES)):
        room.check()
        try:
            page = document[number]
        except PdfiumError:
            yield Blind(place=place, reason=Reason.CORRUPT, detail=f"page {number + 1}")
            continue
        text = yield from _page(document, page, place, number)
        if not text and pdfium.has_picture(page):
            pictures += 1
            if room.ocr and pictures <= PICTURES:
                yield Member(names=(f"page-{number + 1}.png",), content=_drawn(page))
        page.close()
    if pictures:
        yield Trait(word=Mark.IMAGE_ONLY, detail=f"{pictures} of {count} pages")


def _page(document: Document, page: Page, place: str, number: int) -> Generator[Fact, None, bool]:
    """A generator whose value is true where the page has text."""
    texts = page.get_textpage()
    try:
        content = texts.get_text_range().translate(_SIGNS)
        if content.strip():
            yield Text(place=place, zone=Zone.ATTACHMENT, content=content, kind="pdf")
        for hit in pdfium.links(document, page):
            shown = texts.get_text_bounded(*hit.box).translate(_SIGNS) if hit.box else ""
            yield Link(place=place, target=hit.target, text=" ".join(shown.split()))
            if hit.launch:
                yield Trait(word=Mark.LAUNCH, detail=hit.target[:300])
    finally:
        texts.close()
    lines: dict[Zone, list[str]] = {}
    for annotation in pdfium.annotations_of(page, ANNOTATIONS):
        lines.setdefault(Zone.ATTACHMENT if annotation.kind == "widget" else Zone.COMMENT, []).append(annotation.text)
        if annotation.kind == "file":
            yield Trait(word=Mark.EMBEDDED_FILE, detail=f"page {number + 1}: {', '.join(annotation.names)}"[:300])
            yield _member(annotation.names, annotation.content)
    for zone, said in lines.items():
        yield from PlainXml.text(place, "pdf", zone, said)
    return bool(content.strip())


def _member(names: tuple[str, ...], content: bytes | None) -> Member:
    if content is None:
        return Member(names=names, reason=Reason.CORRUPT, detail="PDFium cannot take it out")
    return Member(names=names, content=content)


def _form(packet: bytes, place: str, room: Room) -> Iterator[Fact]:
    if b"<script" in packet or b":script" in packet:
        yield Trait(word=Mark.JAVASCRIPT, detail="in a form (XFA)")
    text = PlainXml(place, "pdf", Zone.ATTACHMENT)
    with suppress(markup.Malformed):  # packets may be pieces of a document of which only the whole is well-formed
        yield from markup.walked(packet, text, room)


def _drawn(page: Page) -> bytes:
    width, height = page.get_size()
    scale = min(_SCALE, math.sqrt(PIXELS / max(width * height, 1)))
    bitmap = page.render(scale=scale, grayscale=True)
    return grey_png(memoryview(bitmap.buffer).cast("B"), bitmap.width, bitmap.height, bitmap.stride)
