"""What files are by their first bytes; the samples are written here, byte by byte."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mime.claims import EXPECTED, EXPECTED_OF_TYPE, contradicted
from gateway.mime.kinds import binary_kind_of, encrypted, kind_of


def zipped(*names: str, first: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, first)
    return out.getvalue()


PE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(100)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)
LOCKED_ZIP = bytearray(zipped("a.txt"))
LOCKED_ZIP[6] |= 1

KINDS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "a Windows program": (PE, "pe"),
    "a DOS program": (b"MZ\x90\0\x03" + bytes(80), "dos"),
    "a text that begins with MZ": (b"MZ is a mark of zinc plants, and this goes on for more than one line.", "text"),
    "a Linux program": (b"\x7fELF\x02\x01\x01", "elf"),
    "a macOS program": (b"\xcf\xfa\xed\xfe\x07\0\0\x01", "mach-o"),
    "a macOS program for two processors": (b"\xca\xfe\xba\xbe\0\0\0\x02", "mach-o"),
    "a Java class": (b"\xca\xfe\xba\xbe\0\0\0\x34", "class"),
    "a jar": (zipped("META-INF/MANIFEST.MF", "A.class"), "jar"),
    "an Android package": (zipped("AndroidManifest.xml", "classes.dex"), "apk"),
    "a zip": (zipped("a.txt", "b.txt"), "zip"),
    "a zip behind other bytes": (b"\x01\x02" + zipped("a.txt"), "zip"),
    "a Word file": (zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "docx"),
    "a Word file with macros": (zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "docm"),
    "an Excel file": (zipped("_rels/.rels", "xl/workbook.xml"), "xlsx"),
    "a PowerPoint file": (zipped("[Content_Types].xml", "ppt/presentation.xml"), "pptx"),
    "an OpenDocument text": (zipped("mimetype", first=b"application/vnd.oasis.opendocument.text"), "odt"),
    "an OpenDocument table": (zipped("mimetype", first=b"application/vnd.oasis.opendocument.spreadsheet"), "ods"),
    "an old Word file": (OLE + "WordDocument".encode("utf-16-le"), "doc"),
    "an old Excel file": (OLE + "Workbook".encode("utf-16-le"), "xls"),
    "an encrypted Office file": (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted-office"),
    "an installer": (OLE + b"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", "msi"),
    "another compound file": (OLE, "ole"),
    "a shortcut": (b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0", "lnk"),
    "a help file": (b"ITSF\x03\0", "chm"),
    "a PDF": (b"%PDF-1.7\n", "pdf"),
    "a PDF behind junk": (b"junk" * 100 + b"%PDF-1.7\n", "pdf"),
    "rich text": (b"{\\rtf1", "rtf"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c\0", "7z"),
    "RAR": (b"Rar!\x1a\x07\0", "rar"),
    "a tar": (b"a.txt" + bytes(252) + b"ustar\0", "tar"),
    "a disk image": (bytes(32769) + b"CD001", "iso"),
    "a cabinet": (b"MSCF\0\0\0\0", "cab"),
    "Outlook's own format": (b"\x78\x9f\x3e\x22", "tnef"),
    "a PNG": (b"\x89PNG\r\n\x1a\n", "png"),
    "a JPEG": (b"\xff\xd8\xff\xe0", "jpeg"),
    "a film": (b"\0\0\0\x18ftypmp42", "mp4"),
    "a shell script": (b"#!/bin/sh\nexit\n", "script"),
    "a batch file": (b"@echo off\r\n", "batch"),
    "an HTML application": (b"<html><HTA:APPLICATION id=x></html>", "hta"),
    "a Windows script file": (b'<?xml version="1.0"?>\n<job id="x"><script language="JScript">', "wsf"),
    "VBScript": (b'Set s = CreateObject("WScript.Shell")', "vbscript"),
    "JScript": (b"var s = new ActiveXObject('x');", "javascript"),
    "PowerShell": (b"powershell -EncodedCommand AAAA", "powershell"),
    "PowerShell in UTF-16": ("Invoke-Expression $x".encode("utf-16"), "powershell"),
    "PHP": (b"<?php echo 1;", "php"),
    "registry entries": (b"Windows Registry Editor Version 5.00\r\n", "reg"),
    "a link file": (b"[InternetShortcut]\r\nURL=x", "internet-shortcut"),
    "a drawing": (b'<svg xmlns="x">', "svg"),
    "a page": (b"<!DOCTYPE html><p>", "html"),
    "XML": (b'<?xml version="1.0"?><a/>', "xml"),
    "a message": (b"Received: from a\r\n", "mail"),
    "a text with a byte order mark": (b"\xef\xbb\xbfxin ch\xc3\xa0o", "text"),
    "a text": ("Kính gửi các đơn vị".encode(), "text"),
    "bytes of no known form": (bytes(range(32)), "data"),
}


@pytest.mark.parametrize(("data", "kind"), KINDS.values(), ids=KINDS)
def test_kind(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind


ENCRYPTED = {
    "a zip": (zipped("a.txt"), False),
    "a zip with a password": (bytes(LOCKED_ZIP), True),
    "RAR 4": (b"Rar!\x1a\x07\0" + bytes(20), False),
    "RAR 4 with encrypted names": (b"Rar!\x1a\x07\0\0\0\x73\x80\0", True),
    "RAR 5": (b"Rar!\x1a\x07\x01\0" + b"\0\0\0\0\x05\x01\0", False),
    "RAR 5 with encrypted names": (b"Rar!\x1a\x07\x01\0" + b"\0\0\0\0\x05\x04\0", True),
    "an Office file with a password": (OLE + "EncryptedPackage".encode("utf-16-le"), True),
    "a PDF with a password": (b"%PDF-1.7\n<< /Encrypt 5 0 R >>", True),
    "a PDF": (b"%PDF-1.7\n", False),
    "nothing": (b"", False),
}


@pytest.mark.parametrize(("data", "expected"), ENCRYPTED.values(), ids=ENCRYPTED)
def test_encrypted(data: bytes, expected: bool) -> None:
    assert encrypted(data, kind_of(data)) is expected


CLAIMS = {
    "what it says": ("pdf", ["pdf", "application/pdf"], []),
    "a program called a document": ("pe", ["pdf", "application/pdf"], ["pdf", "application/pdf"]),
    "a picture of another format": ("png", ["jpg", "image/jpeg"], []),
    "an encrypted document": ("encrypted-office", ["docx"], []),
    "an unknown extension": ("pe", ["xyz", "application/octet-stream"], []),
    "an empty file": ("empty", ["pdf"], []),
    "a text that is a script": ("powershell", ["txt", "text/plain"], []),
    "a text that is a program": ("pe", ["txt", "text/plain"], ["txt", "text/plain"]),
}


@pytest.mark.parametrize(("kind", "claims", "expected"), CLAIMS.values(), ids=CLAIMS)
def test_contradicted(kind: str, claims: list[str], expected: list[str]) -> None:
    assert contradicted(kind, claims) == expected


@given(
    st.sampled_from([data for data, _ in KINDS.values()]),
    st.binary(max_size=40),
    st.sampled_from([*EXPECTED, *EXPECTED_OF_TYPE]),
)
def test_cut_and_broken_files_have_a_kind(data: bytes, noise: bytes, claim: str) -> None:
    for broken in (noise, data[: len(noise)], data[:40] + noise, noise + data[:200]):
        kind = kind_of(broken)
        assert kind
        assert binary_kind_of(broken) in ("", kind)
        assert encrypted(broken, kind) in (True, False)
        assert contradicted(kind, [claim]) in ([], [claim])
