"""Messages that hide something: a program, a virus or a forbidden phrase, each by one trick that its name tells.

Three hundred of them: the tricks of MIME (`tests/mime/tricks.py`), of archives (`tests/extract/archives.py`), of
documents, of HTML and of letters. A program and a virus must be found, or what holds them declared uninspectable; so
must a phrase wherever a person could read it.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import lzma
import tarfile
import zipfile
from email.message import EmailMessage
from itertools import product

from tests.extract import archives
from tests.extract.archives import EXE, Piece, packed, zip_of, zipped
from tests.filters import writings
from tests.filters.carriers import CARRIERS, docx, letter, pdf
from tests.mime.tricks import TRICKS

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""In two pieces, so that no scanner trips on this file."""

PHRASE = "Nạp lần đầu 100k tặng 300k, tài xỉu, nổ hũ, xóc đĩa, rút tiền nhanh, giftcode tân thủ"
"""What the shipped lexicon of gambling knows well."""

OCTETS = "application/octet-stream"


def with_file(content: bytes, name: str, media_type: str = OCTETS) -> bytes:
    """A short letter with one file."""
    return letter(content, media_type, name)


def with_text(body: bytes, kind: str = "text/plain; charset=utf-8", encoding: str = "8bit") -> bytes:
    """A letter that is one text."""
    head = f"From: a@x.vn\r\nTo: b@y.vn\r\nSubject: x\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}"
    return head.encode() + b"\r\n\r\n" + body


def _archives(payload: bytes, name: str) -> dict[str, bytes]:
    """The payload in archives of every kind that can be made here, and in broken and contradictory ones."""
    inner = {name: payload}
    plain = zipped(inner)
    stored = zipped(inner, zipfile.ZIP_STORED)
    half = len(plain) // 2
    cases: dict[str, tuple[bytes, str]] = {
        "a zip": (plain, "a.zip"),
        "a zip, stored": (stored, "a.zip"),
        "a zip, bzip2": (zipped(inner, zipfile.ZIP_BZIP2), "a.zip"),
        "a zip, lzma": (zipped(inner, zipfile.ZIP_LZMA), "a.zip"),
        "a zip called a picture": (plain, "a.jpg"),
        "a zip without a name's extension": (plain, "a"),
        "a zip in a zip in a zip": (zipped({"b.zip": zipped({"c.zip": plain})}), "a.zip"),
        "a zip of five levels": (_nested(plain, 5), "a.zip"),
        "a zip behind a picture": (b"\x89PNG\r\n\x1a\n" + bytes(500) + plain, "a.png"),
        "a zip behind a PDF": (pdf("Báo cáo") + plain, "a.pdf"),
        "a zip before junk": (plain + bytes(3000), "a.zip"),
        "a zip that is cut off": (stored[: len(stored) - 30], "a.zip"),
        "a zip without its directory": (zip_of(Piece(name.encode(), payload), end=False), "a.zip"),
        "a zip with two names for one file": (
            zip_of(Piece(b"a.txt", payload, central_name=name.encode())),
            "a.zip",
        ),
        "a zip whose directory does not list the file": (
            zip_of(Piece(b"a.txt", b"hello"), Piece(name.encode(), payload, listed=False)),
            "a.zip",
        ),
        "a zip that lies about the size": (zip_of(Piece(name.encode(), payload, size=3)), "a.zip"),
        "a zip that says the file is encrypted in its directory only": (
            zip_of(Piece(name.encode(), payload, central_flags=1)),
            "a.zip",
        ),
        "a zip with a password": (zip_of(Piece(name.encode(), payload, flags=1, central_flags=1)), "a.zip"),
        "a zip of an unknown method": (zip_of(Piece(name.encode(), payload, central_method=97)), "a.zip"),
        "a zip behind a program's head": (EXE + plain, "a.zip"),
        "a zip with a path": (zipped({f"../../../{name}": payload}), "a.zip"),
        "a zip with backslashes": (zipped({f"thu muc\\con\\{name}": payload}), "a.zip"),
        "a zip with ten thousand others": (
            zipped({**{f"{n}.txt": b"" for n in range(3_000)}, name: payload}, zipfile.ZIP_STORED),
            "a.zip",
        ),
        "a self-made archive in two halves": (plain[:half] + plain, "a.zip"),
        "gzip": (gzip.compress(payload), f"{name}.gz"),
        "gzip in two members": (gzip.compress(payload[:10]) + gzip.compress(payload[10:]), f"{name}.gz"),
        "bzip2": (bz2.compress(payload), f"{name}.bz2"),
        "xz": (lzma.compress(payload), f"{name}.xz"),
        "lzma alone": (lzma.compress(payload, lzma.FORMAT_ALONE), f"{name}.lzma"),
        "tar": (_tar(inner, "w"), "a.tar"),
        "tar.gz": (_tar(inner, "w:gz"), "a.tgz"),
        "tar.xz": (_tar(inner, "w:xz"), "a.tar.xz"),
        "7z": (packed("7zip", inner), "a.7z"),
        "7z called a document": (packed("7zip", inner), "a.docx"),
        "iso": (packed("iso9660", inner), "a.iso"),
        "cpio": (packed("cpio_newc", inner), "a.cpio"),
        "ar": (packed("ar_svr4", {name[:14]: payload}), "a.a"),
        "rar 4": (archives.rar_4(inner), "a.rar"),
        "rar 5": (archives.rar_5(inner), "a.rar"),
        "rar 5 with a password": (archives.rar_5(inner, encrypted=True), "a.rar"),
        "cab": (archives.cab(inner), "a.cab"),
        "lzh": (archives.lzh(inner), "a.lzh"),
        "arj": (archives.arj(inner), "a.arj"),
        "a zip in a docx": (_in_docx("word/embeddings/a.zip", plain), "a.docx"),
        "a file in a docx": (_in_docx(f"word/embeddings/{name}", payload), "a.docx"),
        "a file in a docx, called a picture": (_in_docx("word/media/image1.png", payload), "a.docx"),
        "a file in a message in a zip": (zipped({"a.eml": with_file(payload, name)}), "a.zip"),
    }
    return {what: with_file(content, file) for what, (content, file) in cases.items()}


def _nested(content: bytes, levels: int) -> bytes:
    for level in range(levels):
        content = zipped({f"{level}.zip": content})
    return content


def _tar(files: dict[str, bytes], mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _in_docx(part: str, content: bytes) -> bytes:
    out = io.BytesIO(docx("Báo cáo"))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(part, content)
    return out.getvalue()


def _enclosed(payload: bytes, name: str) -> dict[str, bytes]:
    """The payload in messages in messages, and under names that hide what it is."""
    inner = with_file(payload, name)
    as_message = EmailMessage()
    as_message["Subject"] = "Fwd"
    as_message.set_content("see below")
    as_message.add_attachment(inner, maintype="application", subtype="octet-stream", filename="thu.eml")
    deep = inner
    for _ in range(12):
        deep = b"Subject: x\r\nContent-Type: message/rfc822\r\n\r\n" + deep
    coded = base64.encodebytes(inner).replace(b"\n", b"\r\n")
    return {
        "a message attached as a file": as_message.as_bytes(),
        "a message in twelve messages": deep,
        "a message under base64": b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + coded,
        "a message called a text": with_file(inner, "thu.txt", "text/plain"),
        "a file called a picture": with_file(payload, "anh.jpg", "image/jpeg"),
        "a file called a document": with_file(payload, "bao-cao.pdf", "application/pdf"),
        "a file without a name": with_file(payload, "", "application/pdf"),
        "a file declared as text": with_file(payload, "a.txt", "text/plain"),
        "a file behind a right-to-left mark": with_file(payload, "bao\u202excod.exe"),
        "a file with spaces before its extension": with_file(payload, f"bao cao.pdf{' ' * 60}.exe"),
    }


def _documents() -> dict[str, bytes]:
    """The phrase wherever a document has text, in each writing that survives there."""
    text = f"Kính gửi anh chị,\n{PHRASE}\nLiên hệ ngay"
    cases = {
        f"a phrase in a {carrier}, {writing}": letter(make(write(text)), media_type, name)
        for (carrier, (make, media_type, name)), (writing, write) in product(
            CARRIERS.items(),
            {"composed": str, "decomposed": writings.decomposed, "zero-width": writings.zero_width}.items(),
        )
        if carrier != "docx-header"
    }
    return cases | {
        "a phrase in a docx in a zip": with_file(zipped({"a.docx": docx(text)}), "a.zip"),
        "a phrase in a docx in a tar.gz in a zip": with_file(
            zipped({"a.tgz": _tar({"a.docx": docx(text)}, "w:gz")}), "a.zip"
        ),
        "a phrase in a docx's footnotes": with_file(
            _in_docx(
                "word/footnotes.xml",
                f"<w:footnotes xmlns:w='w'><w:p><w:r><w:t>{PHRASE}</w:t></w:r></w:p></w:footnotes>".encode(),
            ),
            "a.docx",
        ),
        "a phrase in an rtf, by code page and number": with_file(_rtf(PHRASE), "a.rtf", "application/rtf"),
        "a phrase in a csv": with_file(f"a,b\n{PHRASE},1\n".encode(), "a.csv", "text/csv"),
        "a phrase in a csv in UTF-16": with_file(f"a,b\n{PHRASE},1\n".encode("utf-16"), "a.csv", "text/csv"),
        "a phrase in a calendar": with_file(
            f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDESCRIPTION:{PHRASE}\nEND:VEVENT\nEND:VCALENDAR\n".encode(),
            "a.ics",
            "text/calendar",
        ),
        "a phrase in an attached page": with_file(f"<html><p>{PHRASE}</p></html>".encode(), "a.html", "text/html"),
        "a phrase in an attached message": with_file(with_text(PHRASE.encode()), "a.eml", "message/rfc822"),
        "a phrase in a picture's text (svg)": with_file(
            f"<svg xmlns='http://www.w3.org/2000/svg'><text>{PHRASE}</text></svg>".encode(), "a.svg", "image/svg+xml"
        ),
    }


def _rtf(text: str) -> bytes:
    return b"{\\rtf1\\ansi " + b"".join(
        character.encode() if character.isascii() else b"\\u%d?" % ord(character) for character in text
    ) + b"}"


def _letters() -> dict[str, bytes]:
    """The phrase in the body, in the writings that programs and people give it."""
    as_text = {
        "composed": PHRASE,
        "decomposed": writings.decomposed(PHRASE),
        "without diacritics": writings.bare(PHRASE),
        "with zero-width characters": writings.zero_width(PHRASE),
        "with look-alikes": writings.look_alikes(PHRASE),
        "in capitals": PHRASE.upper(),
        "letter by letter": "t à i  x ỉ u, n ổ  h ũ, x ó c  đ ĩ a, đ ổ i  t h ư ở n g, n ạ p  t i ề n",
        "with digits for letters": "tài x1u n0 hu xoc d1a b4n c4 d0i thu0ng".replace("1u", "ỉu"),
        "with stars in the words": "t*à*i x*ỉ*u, n*ổ h*ũ, x*ó*c đ*ĩ*a, đ*ổ*i t*h*ư*ở*n*g",
        "over short lines": PHRASE.replace(" ", "\r\n"),
        "with soft hyphens": PHRASE.replace("à", "\u00adà").replace("ổ", "\u00adổ"),
        "in full width": PHRASE.replace("tài", "ｔài").replace("nổ", "ｎổ"),
        "with wide spaces": PHRASE.replace(" ", "\u2003"),
    }
    cases = {f"a phrase {how}": with_text(text.encode()) for how, text in as_text.items()}
    for name, (encode, charset) in {
        "TCVN3": (writings.in_bytes("tcvn3"), "x-viet-tcvn3"),
        "TCVN3 called Latin-1": (writings.in_bytes("tcvn3"), "iso-8859-1"),
        "VNI called Windows-1252": (writings.in_bytes("vni"), "windows-1252"),
        "VISCII": (writings.in_bytes("viscii"), "viscii"),
        "VPS": (writings.in_bytes("vps"), "x-viet-vps"),
        "Windows-1258": (writings.cp1258, "windows-1258"),
        "Windows-1258 without a label": (writings.cp1258, "us-ascii"),
        "UTF-8 called ASCII": (str.encode, "us-ascii"),
        "UTF-8 called Latin-1": (str.encode, "iso-8859-1"),
        "UTF-16 with a mark": (lambda text: text.encode("utf-16"), "utf-16"),
        "UTF-16 called ASCII": (lambda text: text.encode("utf-16"), "us-ascii"),
        "UTF-7": (lambda text: text.encode("utf-7"), "utf-7"),
        "an unknown charset": (str.encode, "x-no-such-charset"),
        "VIQR": (lambda text: writings.viqr(text).encode(), "viqr"),
    }.items():
        body = base64.encodebytes(encode(f"Kính gửi anh chị. {PHRASE}. Liên hệ ngay."))
        cases[f"a phrase in {name}"] = with_text(body, f"text/plain; charset={charset}", "base64")
    pages = {
        "a page": f"<p>{PHRASE}</p>",
        "entities": f"<p>{writings.entities(PHRASE)}</p>",
        "hexadecimal entities": "<p>" + "".join(f"&#x{ord(one):x};" for one in PHRASE) + "</p>",
        "tags within words": "<p>" + "<b></b>".join(PHRASE) + "</p>",
        "comments within words": "<p>" + "<!-- x -->".join(PHRASE) + "</p>",
        "letters in spans": "<p>" + "".join(f"<span>{html.escape(one)}</span>" for one in PHRASE) + "</p>",
        "a table of letters": "<table><tr>" + "".join(f"<td>{word}</td>" for word in PHRASE.split()) + "</tr></table>",
        "white letters": f'<p style="color:#fff;background:#fff">{PHRASE}</p>',
        "letters of no size": f'<p style="font-size:0">{PHRASE}</p>',
        "what is not shown": f'<div style="display:none">{PHRASE}</div>',
        "a picture's description": f'<img src="x" alt="{PHRASE}">',
        "a title": f"<html><head><title>{PHRASE}</title></head><body>hello</body></html>",
        "a button": f'<a href="http://x.vn" style="background:#00f;padding:9px">{PHRASE}</a>',
        "an input's value": f'<input type="submit" value="{PHRASE}">',
        "unclosed tags": f"<div><p><b><i>{PHRASE}",
        "soft hyphens": "<p>" + PHRASE.replace("xỉ", "x&shy;ỉ") + "</p>",
        "a charset in the page": f'<meta charset="utf-8"><p>{PHRASE}</p>',
    }
    for how, page in pages.items():
        cases[f"a phrase in HTML, {how}"] = with_text(page.encode(), "text/html; charset=utf-8")
    subject = EmailMessage()
    subject["Subject"] = PHRASE
    subject.set_content("xem tieu de")
    cases["a phrase in the subject"] = subject.as_bytes()
    cases["a phrase in the subject, VIQR"] = f"Subject: {writings.viqr(PHRASE)}\r\n\r\nxem tieu de\r\n".encode()
    cases["a phrase in the subject, TCVN3 without a label"] = (
        b"Subject: " + writings.in_bytes("tcvn3")(PHRASE) + b"\r\n\r\nxem tieu de\r\n"
    )
    return cases


def bombs() -> dict[str, bytes]:
    """What is more than anybody unpacks: to be declared, in little time."""
    return {
        "a zip whose files overlap": with_file(archives.quoted_overlap(250, 1_000_000), "a.zip"),
        "a tower of zips": with_file(archives.tower(5, 16, 1_000_000), "a.zip"),
        "a gzip of a gigabyte of zeros": with_file(gzip.compress(bytes(300_000_000), 1), "a.gz"),
        "sixty messages within each other": b"Content-Type: message/rfc822\r\n\r\n" * 60 + b"Subject: x\r\n\r\nx",
    }


MESSAGES: dict[str, bytes] = {
    **{f"mime: {name}": raw for name, raw in TRICKS.items()},
    **{f"a program in {name}": raw for name, raw in _archives(EXE, "hoa-don.exe").items()},
    **{f"EICAR in {name}": raw for name, raw in _archives(EICAR, "eicar.com").items()},
    **{f"a program: {name}": raw for name, raw in _enclosed(EXE, "hoa-don.exe").items()},
    **{f"EICAR: {name}": raw for name, raw in _enclosed(EICAR, "eicar.txt").items()},
    **_documents(),
    **_letters(),
    **bombs(),
}
