"""The words of traits: what a file has in it that its kind does not tell. The list is closed, so that a policy that
names one can be checked."""

from __future__ import annotations

from enum import StrEnum


class Mark(StrEnum):
    """The word of a `Trait`. Its detail says which, what or where to."""

    MACRO = "macro"
    """A VBA or Basic program in a document. Projects without a line of code, as spreadsheets have them, are none."""

    AUTO_MACRO = "auto-macro"
    """A macro that runs by itself when the document is opened, closed or printed; the detail is its name."""

    XLM_MACRO = "xlm-macro"
    """An Excel 4 macro sheet, or a call of a function that only macro sheets have."""

    DDE = "dde"
    """A field or formula that asks another program, and so starts it (DDE, DDEAUTO, `=cmd|...`)."""

    REMOTE_TEMPLATE = "remote-template"
    """A template that is fetched from another machine when the document is opened, with the macros in it."""

    EXTERNAL_LINK = "external-link"
    """Something of the document that is fetched from elsewhere when it is opened: an object, a frame, a workbook."""

    ACTIVEX = "activex"
    """A control that is a program of the reader's machine; the detail is its class."""

    OLE_OBJECT = "ole-object"
    """An object of another program, embedded or linked; the detail is its class."""

    PACKAGE = "package"
    """A file wrapped as an icon to be opened from the document (Packager); the detail is its name."""

    EQUATION = "equation"
    """An object of the old equation editor, which reads it with well-known holes (CVE-2017-11882)."""

    EMBEDDED_FILE = "embedded-file"
    """A file attached to the document itself; the detail is its name."""

    LEGACY_FONT = "legacy-font"
    """Vietnamese that is no Unicode: letters that only mean something in fonts of TCVN3 (.VnTime) or VNI."""

    HIDDEN_SHEET = "hidden-sheet"
    """A sheet that the program's menus do not bring back (very hidden); the detail is its name."""

    JAVASCRIPT = "javascript"
    """A script in a PDF or a form."""

    LAUNCH = "launch"
    """An action that starts a program or opens a file of the reader's machine."""

    OPEN_ACTION = "open-action"
    """Something that happens when the document is opened or a page shown, and is no mere jump to a place in it."""

    SUBMIT = "submit"
    """A form that sends what is filled in to elsewhere."""

    RICH_MEDIA = "rich-media"
    """Flash, 3D or video in a PDF."""

    URI = "uri"
    """A PDF with links to the web."""

    IMAGE_ONLY = "image-only"
    """A document whose pages are pictures: what they say was not read."""

    SCRIPT = "script"
    """A program in a page or a picture (HTML, SVG, HTA): elements, event attributes or addresses that run."""

    HTML_SMUGGLING = "html-smuggling"
    """A page that builds a file on the reader's machine and has it saved, past all that looks at downloads."""

    PASSWORD_FORM = "password-form"  # noqa: S105
    """A page as a file that asks for a password."""

    SHORTCUT = "shortcut"
    """A shortcut; the detail is what it opens, with the arguments."""

    APPENDED = "appended"
    """Data behind the end of the file as its format has it."""

    AMBIGUOUS_ARCHIVE = "ambiguous-archive"
    """An archive in which programs find different files, or different content in one; the detail says by what."""

    ARCHIVE_LINK = "archive-link"
    """A link in an archive: the detail is its name and where it leads."""

    ARCHIVE_DEVICE = "archive-device"
    """A device, pipe or socket in an archive; the detail is its name."""
