"""PDFium's C interface where pypdfium2 has no words for it: links, annotations, attached files, form packets."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import pypdfium2
import pypdfium2.raw as raw

STRING = 64 * 1024
"""Bytes of one string of a document that are read: an address, a comment, a field's value."""

NESTED = 3
"""Forms within forms in which a picture is looked for."""

ATTACHMENTS = 1_000
"""Attached files of a document that are read; a portfolio has some dozen."""

Document: TypeAlias = pypdfium2.PdfDocument
Page: TypeAlias = pypdfium2.PdfPage
PdfiumError = pypdfium2.PdfiumError

PASSWORD = raw.FPDF_ERR_PASSWORD

_KINDS = {
    raw.FPDF_ANNOT_WIDGET: "widget",
    raw.FPDF_ANNOT_FILEATTACHMENT: "file",
    raw.FPDF_ANNOT_LINK: "link",
    raw.FPDF_ANNOT_POPUP: "popup",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A link on a page: where it leads, and the box it is in (left, bottom, right, top), in points."""

    target: str
    launch: bool
    box: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is written on a page: `kind` is widget (a form's field), file, or other. `text` is what can be read."""

    kind: str
    text: str
    names: tuple[str, ...] = ()
    content: bytes | None = None


def opened(data: bytes) -> Document:
    """The document. Raises PdfiumError, whose `err_code` is PASSWORD if one is needed."""
    return Document(data)


def encrypted(document: Document) -> bool:
    """True if it opened without a password and is encrypted all the same, to forbid printing and the like."""
    return bool(raw.FPDF_GetSecurityHandlerRevision(document) != -1)


def decrypted(document: Document) -> bytes:
    """The document without its encryption, and without object streams."""
    out = io.BytesIO()
    document.save(out, flags=raw.FPDF_REMOVE_SECURITY)
    return out.getvalue()


def links(document: Document, page: Page) -> Iterator[Hit]:
    """The links of a page that lead out of the document."""
    position = ctypes.c_int(0)
    link = raw.FPDF_LINK()
    while raw.FPDFLink_Enumerate(page, position, link):
        action = raw.FPDFLink_GetAction(link)
        if not action:
            continue
        kind = raw.FPDFAction_GetType(action)
        if kind == raw.PDFACTION_URI:
            target = _bytes(lambda buffer, size: raw.FPDFAction_GetURIPath(document, action, buffer, size))  # noqa: B023
        elif kind in (raw.PDFACTION_LAUNCH, raw.PDFACTION_REMOTEGOTO, raw.PDFACTION_EMBEDDEDGOTO):
            target = _bytes(lambda buffer, size: raw.FPDFAction_GetFilePath(action, buffer, size))  # noqa: B023
        else:
            continue
        box = raw.FS_RECTF()
        placed = raw.FPDFLink_GetAnnotRect(link, box)
        where = (box.left, box.bottom, box.right, box.top) if placed else None
        yield Hit(target.decode("utf-8", "replace"), kind == raw.PDFACTION_LAUNCH, where)


def annotations_of(page: Page, most: int) -> Iterator[Annotation]:
    """What is written on a page, but links."""
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), most)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        try:
            kind = _KINDS.get(raw.FPDFAnnot_GetSubtype(annotation), "other")
            if kind in ("link", "popup"):
                continue
            keys = (b"TU", b"V") if kind == "widget" else (b"Contents", b"T", b"Subj")
            text = "\t".join(filter(None, (_said(annotation, key) for key in keys)))
            if kind == "file" and (file := raw.FPDFAnnot_GetFileAttachment(annotation)):
                yield Annotation(kind, text, *_file(file))
            elif text:
                yield Annotation(kind, text)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def has_picture(page: Page) -> bool:
    """True if there is a picture on the page, in however many forms."""
    return next(page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=NESTED), None) is not None


def attachments(document: Document) -> Iterator[tuple[tuple[str, ...], bytes | None]]:
    """Names and content of the document's attached files."""
    for number in range(min(raw.FPDFDoc_GetAttachmentCount(document), ATTACHMENTS)):
        if file := raw.FPDFDoc_GetAttachment(document, number):
            yield _file(file)


def forms(document: Document) -> Iterator[bytes]:
    """The packets of a form in XML (XFA)."""
    for number in range(min(max(raw.FPDF_GetXFAPacketCount(document), 0), 32)):
        size = ctypes.c_ulong(0)
        raw.FPDF_GetXFAPacketContent(document, number, None, 0, size)
        buffer = ctypes.create_string_buffer(size.value)
        if size.value and raw.FPDF_GetXFAPacketContent(document, number, buffer, size.value, size):
            yield buffer.raw


def _said(annotation: Any, key: bytes) -> str:
    return _wide(lambda buffer, size: raw.FPDFAnnot_GetStringValue(annotation, key, buffer, size))


def _file(file: Any) -> tuple[tuple[str, ...], bytes | None]:
    name = _wide(lambda buffer, size: raw.FPDFAttachment_GetName(file, buffer, size))
    size = ctypes.c_ulong(0)
    content: bytes | None = None
    if raw.FPDFAttachment_GetFile(file, None, 0, size):
        buffer = ctypes.create_string_buffer(size.value)
        if raw.FPDFAttachment_GetFile(file, buffer, size.value, size):
            content = buffer.raw[: size.value]
    return (name,) if name else (), content


def _bytes(call: Callable[[Any, int], int]) -> bytes:
    """A string by the usual way: the size first, then the string with its final zero."""
    size = min(call(None, 0), STRING)
    buffer = ctypes.create_string_buffer(size)
    call(buffer, size)
    return buffer.raw.rstrip(b"\0")


def _wide(call: Callable[[Any, int], int]) -> str:
    """The same for a string in UTF-16."""
    size = min(call(None, 0), STRING)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    call(ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return buffer.raw.decode("utf-16-le", "replace").rstrip("\0")
