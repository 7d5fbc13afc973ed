"""What a file is by its bytes.

A kind is one short word ("pe", "docx", "html"). Signatures are the formats' own; where a format is a container (zip,
OLE, XML) the kind is what the container holds, as far as the bytes given show it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

SNIFFED = 64 * 1024
"""Bytes of a file that are looked at: an ISO image names itself at 32 kB, most formats in the first kilobyte."""

_MARKER_WINDOW = 4 * 1024
"""Bytes of a text in which a script's marks are looked for; the first lines name the language or never do."""

MAX_MEMBERS = 200
"""Local headers of a zip that are read; those that tell an Office file from a jar are the first ten."""

EXECUTABLE_KINDS = frozenset(
    {"pe", "dos", "elf", "mach-o", "class", "jar", "apk", "dex", "wasm", "msi", "lnk", "chm", "deb", "rpm", "crx"}
)
SCRIPT_KINDS = frozenset(
    {"script", "hta", "wsf", "batch", "vbscript", "javascript", "powershell", "php", "reg", "internet-shortcut"}
)
ARCHIVE_KINDS = frozenset(
    {"zip", "7z", "rar", "gzip", "bzip2", "xz", "zstd", "tar", "cab", "iso", "arj", "lzh", "ace", "vhd", "vhdx", "vmdk"}
    | {"wim", "tnef", "dmg", "cpio", "compress", "lzip", "lz4", "xar"}
)
IMAGE_KINDS = frozenset({"png", "jpeg", "gif", "bmp", "tiff", "webp", "ico", "heif", "psd", "emf", "wmf"})
MEDIA_KINDS = frozenset({"mp3", "wav", "avi", "ogg", "flac", "mp4", "asf", "matroska", "midi", "swf"})
TEXT_KINDS = frozenset({"text", "html", "xml", "svg", "mail", "empty"}) | SCRIPT_KINDS

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x7fELF", "elf"),
    (0, b"\xfe\xed\xfa\xce", "mach-o"),
    (0, b"\xfe\xed\xfa\xcf", "mach-o"),
    (0, b"\xce\xfa\xed\xfe", "mach-o"),
    (0, b"\xcf\xfa\xed\xfe", "mach-o"),
    (0, b"dex\n", "dex"),
    (0, b"\0asm", "wasm"),
    (0, b"L\0\0\0\x01\x14\x02\0", "lnk"),
    (0, b"ITSF", "chm"),
    (0, b"!<arch>\ndebian", "deb"),
    (0, b"\xed\xab\xee\xdb", "rpm"),
    (0, b"Cr24", "crx"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"MSCF\0\0\0\0", "cab"),
    (0, b"\x60\xea", "arj"),
    (0, b"MSWIM\0\0\0", "wim"),
    (0, b"\x78\x9f\x3e\x22", "tnef"),
    (0, b"conectix", "vhd"),
    (0, b"vhdxfile", "vhdx"),
    (0, b"KDMV", "vmdk"),
    (0, b"070701", "cpio"),
    (0, b"070702", "cpio"),
    (0, b"070707", "cpio"),
    (0, b"\xc7\x71", "cpio"),
    (0, b"\x1f\x9d", "compress"),
    (0, b"LZIP\x01", "lzip"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"xar!", "xar"),
    (2, b"-lh", "lzh"),
    (7, b"**ACE**", "ace"),
    (257, b"ustar", "tar"),
    (32769, b"CD001", "iso"),
    (0, b"{\\rt", "rtf"),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", "onenote"),
    (0, b"!BDN", "pst"),
    (0, b"SQLite format 3\0", "sqlite"),
    (0, b"ActiveMime", "activemime"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF8", "gif"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"8BPS", "psd"),
    (0, b"\0\0\x01\0", "ico"),
    (0, b"\xd7\xcd\xc6\x9a", "wmf"),
    (40, b" EMF", "emf"),
    (8, b"WEBP", "webp"),
    (8, b"WAVE", "wav"),
    (8, b"AVI ", "avi"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"ID3", "mp3"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"MThd", "midi"),
    (0, b"FWS", "swf"),
    (0, b"CWS", "swf"),
    (4, b"ftyphei", "heif"),
    (4, b"ftypmif1", "heif"),
    (4, b"ftyp", "mp4"),
)
_SIGNATURES_AT = {
    at: tuple(signature for place, signature, _ in _SIGNATURES if place == at)
    for at in {at for at, _, _ in _SIGNATURES}
}

# Within the first kilobyte of a PDF (Adobe's implementation note 13): programs skip what stands before.
_PDF_WITHIN = 1_024

_ZIP_MEMBERS = (
    (b"META-INF/MANIFEST.MF", "jar"),
    (b"AndroidManifest.xml", "apk"),
)
_OPEN_DOCUMENT = {b"text": "odt", b"spreadsheet": "ods", b"presentation": "odp"}
_OFFICE_FOLDERS = ((b"word/", "docx", "docm"), (b"xl/", "xlsx", "xlsm"), (b"ppt/", "pptx", "pptm"))

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MSI_CLASS = b"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"
_OLE_STREAMS = tuple(
    (name.encode("utf-16-le"), kind)
    for name, kind in (
        ("EncryptedPackage", "encrypted-office"),
        ("WordDocument", "doc"),
        ("Workbook", "xls"),
        ("PowerPoint Document", "ppt"),
        ("__nameid_version1.0", "msg"),
    )
)

_MARKERS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (rb"\A#!", "script"),
        (rb"<hta:application", "hta"),
        (rb"\A(?:<\?xml[^<]{0,200}+)?\s*+<(?:job|package|component|scriptlet)[\s>]", "wsf"),
        (rb"\A\s*@?echo off", "batch"),
        (rb"\A(?:windows registry editor|regedit4)", "reg"),
        (rb"\A\s*\[internetshortcut\]", "internet-shortcut"),
        (rb"<\?php", "php"),
        (rb"<svg[\s>]", "svg"),
        (rb"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]|<script[\s>]|<meta[\s]", "html"),
        (rb"new activexobject\(|\bwscript\.(?:createobject|shell)[^\n]*;", "javascript"),
        (rb"createobject\(\s*\"|\bon error resume next\b|\bwscript\.", "vbscript"),
        (rb"\binvoke-expression\b|\biex[ (]|-encodedcommand\b|\bnew-object\s+net\.|::frombase64string\(", "powershell"),
        (rb"\A<\?xml", "xml"),
        (rb"\A(?:received|return-path|from|mime-version|date): ", "mail"),
    )
)
_BOM = re.compile(rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def kind_of(data: bytes) -> str:
    """The kind of a file that begins with `data` (SNIFFED bytes are enough): "empty", "text" or "data" at the least."""
    return _by_signature(data) or _by_marker(data) or ("data" if data else "empty")


def binary_kind_of(data: bytes) -> str:
    """The same by signature alone, "" where there is none: for texts, in which a script's marks may be mere talk."""
    return _by_signature(data)


def encrypted(data: bytes, kind: str) -> bool:
    """True if the first bytes say that a password is needed; false may also mean that they do not tell."""
    test = _ENCRYPTED.get(kind)
    return kind == "encrypted-office" or (test is not None and test(data))


def _by_signature(data: bytes) -> str:
    if data.startswith(b"MZ"):
        header = int.from_bytes(data[60:64], "little")
        if data[header : header + 4] == b"PE\0\0":
            return "pe"
        if _BINARY.search(data[2:64]):
            return "dos"
    if data.startswith(b"PK\x03\x04"):
        return _in_zip(data)
    if data.startswith(_OLE):
        return _in_ole(data)
    if data.startswith(b"\xca\xfe\xba\xbe"):  # Java classes and fat Mach-O share it; 45 is the oldest class version
        return "class" if int.from_bytes(data[4:8], "big") >= 45 else "mach-o"
    if data.startswith(b"BM") and data[6:10] == b"\0\0\0\0":
        return "bmp"
    if any(data.startswith(signatures, at) for at, signatures in _SIGNATURES_AT.items()):
        return next(kind for at, signature, kind in _SIGNATURES if data.startswith(signature, at))
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    if b"PK\x03\x04" in data[:_PDF_WITHIN]:  # self-extracting, or disguised: programs open it all the same
        return _in_zip(data)
    return ""


def _by_marker(data: bytes) -> str:
    sample = data[:_MARKER_WINDOW]
    bom = _BOM.match(sample)
    if bom and len(bom[0]) == 2:
        sample = sample.replace(b"\0", b"")
    sample = sample[bom.end() :] if bom else sample
    if _BINARY.search(sample):
        return ""
    lower = sample.lower()
    for pattern, kind in _MARKERS:
        if pattern.search(lower):
            return kind
    return "text" if sample else ""


def _in_zip(data: bytes) -> str:
    names = _member_names(data)
    macros = any(name.endswith(b"vbaProject.bin") for name in names)
    if b"[Content_Types].xml" in names or any(name.startswith(b"_rels/") for name in names):
        for folder, plain, with_macros in _OFFICE_FOLDERS:
            if any(name.startswith(folder) for name in names):
                return with_macros if macros else plain
    if names[:1] == [b"mimetype"]:
        document = re.search(rb"application/(?:vnd\.oasis\.opendocument\.([a-z]+)|epub)", data[:200])
        if document:
            return _OPEN_DOCUMENT.get(document[1], "odt") if document[1] else "epub"
    return next((kind for name, kind in _ZIP_MEMBERS if name in names), "zip")


def _member_names(data: bytes) -> list[bytes]:
    """Names in the local headers (APPNOTE 4.3.7); the central directory is at the end of the file, out of sight."""
    names: list[bytes] = []
    at = data.find(b"PK\x03\x04")
    while at >= 0 and len(names) < MAX_MEMBERS:
        length = int.from_bytes(data[at + 26 : at + 28], "little")
        names.append(data[at + 30 : at + 30 + min(length, 512)])
        at = data.find(b"PK\x03\x04", at + 30)
    return names


def _in_ole(data: bytes) -> str:
    if _MSI_CLASS in data:
        return "msi"
    return next((kind for stream, kind in _OLE_STREAMS if stream in data), "ole")


def _zip_encrypted(data: bytes) -> bool:
    at = data.find(b"PK\x03\x04")
    return at >= 0 and bool(data[at + 6 : at + 7] and data[at + 6] & 1)  # APPNOTE 4.4.4, bit 0


def _rar_encrypted(data: bytes) -> bool:
    if data.startswith(b"Rar!\x1a\x07\x01\0"):
        return data[12:14].find(b"\x04") >= 0  # RAR 5: an archive encryption header comes first
    return bool(data[10:11] and data[10] & 0x80)  # RAR 4: main header, MHD_PASSWORD


_ENCRYPTED: dict[str, Callable[[bytes], bool]] = {
    **dict.fromkeys(("zip", "jar", "apk", "docx", "xlsx", "pptx", "odt", "ods", "odp"), _zip_encrypted),
    "rar": _rar_encrypted,
    "pdf": lambda data: b"/Encrypt" in data,
}
