"""A text above the body that a person reads: where it goes, and how it gets there with the rest left as it is.

It is put in front of the encoded body wherever the part's charset and encoding can carry it; only where they cannot,
that one part is decoded and written anew in UTF-8.
"""

from __future__ import annotations

import binascii
import html
import re
import string

from gateway.mail import Part, Raw, Span
from gateway.mime.compose import Rewrite, base64_lines, content_fields, crlf_lines
from gateway.mime.decode import IDENTITY, decoded
from gateway.reply import printable
from gateway.text.charsets import OWN, codec_of, text_of

REWRITE_LIMIT = 1024 * 1024
"""Bytes of a body that are decoded and written anew for a banner; before a longer one it is put in ASCII."""

TAG_WITHIN = 256 * 1024
"""Bytes of an HTML body in which its <body> tag is looked for; long style sheets come before it."""

_SEALED = frozenset({"multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_CARRIERS = IDENTITY | {"base64", "quoted-printable"}
_STYLE = "border:1px solid #b58900;background:#fdf6e3;color:#333;padding:8px;margin:0 0 12px 0;font-family:sans-serif"
_ASCII = string.printable.replace("\x0b", "").replace("\x0c", "")

# A comment is passed over with all that is in it; one that does not end runs to the end of the document.
_LANDMARK = re.compile(rb"<!--.*?(?:-->|\Z)|<(body|/head|!doctype)\b", re.DOTALL | re.IGNORECASE)
_REST_OF_TAG = re.compile(rb"(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+>")


def bannered(part: Part) -> tuple[Part, ...]:
    """The parts that get the banner: the first text of a message, in each of its alternatives.

    None in what is signed or encrypted, which must stay as it is, and in mail without a text to read.
    """
    if not part.children:
        shown = part.media_type in ("text/plain", "text/html") and part.disposition != "attachment"
        return (part,) if shown and part.encoding in _CARRIERS else ()
    if part.media_type in _SEALED or not part.media_type.startswith("multipart/"):
        return ()
    if part.media_type == "multipart/alternative":
        return tuple(one for child in part.children for one in bannered(child))
    for child in part.children:
        if child.media_type in _SEALED:
            return ()
        if found := bannered(child):
            return found
    return ()


def with_banner(raw: Raw, part: Part, text: str) -> Rewrite:
    """The change that puts `text` above the text of the part."""
    return _in_html(raw, part, text) if part.media_type == "text/html" else _in_plain(raw, part, text)


def _in_plain(raw: Raw, part: Part, text: str) -> Rewrite:
    lines = crlf_lines(text) + "\r\n"
    data = _in_charset(lines, part)
    if data is None or not _fits(data, part):
        if part.size <= REWRITE_LIMIT or _in_charset("", part) is None:
            return _rewritten(part, lines + text_of(decoded(raw, part), _charset(part)))
        data = "".join(f"{printable(line)}\r\n" for line in lines.splitlines()).encode("ascii")
    return _inserted(part, data, part.body.start)


def _in_html(raw: Raw, part: Part, text: str) -> Rewrite:
    lines = "<br>\r\n".join(html.escape(line) for line in crlf_lines(text).splitlines())
    data = f'<div style="{_STYLE}">\r\n{lines}\r\n</div>\r\n'.encode("ascii", "xmlcharrefreplace")
    in_ascii = _in_charset("", part) is not None
    if part.encoding != "base64" and in_ascii:
        place = _place(raw[part.body.start : min(part.body.start + TAG_WITHIN, part.body.stop)])
        return _inserted(part, b"\r\n" * bool(place) + data, part.body.start + place)
    if part.size > REWRITE_LIMIT and in_ascii:
        return _inserted(part, data, part.body.start)
    content = decoded(raw, part)
    if not in_ascii:
        content = text_of(content, _charset(part)).encode("utf-8", "replace")
    place = _place(content[:TAG_WITHIN])
    content = content[:place] + data + content[place:]
    return Rewrite(part, part.body, base64_lines(content)) if in_ascii else _rewritten(part, content.decode())


def _charset(part: Part) -> str:
    return part.parameters.get("charset", "")


def _in_charset(text: str, part: Part) -> bytes | None:
    """`text` in the part's charset; None if it has no place there, or if the charset is not written as ASCII is."""
    codec = codec_of(_charset(part) or "us-ascii")
    if codec is None or codec in OWN:
        return text.encode() if text.isascii() else None
    try:
        return text.encode(codec) if _ASCII.encode(codec) == _ASCII.encode("ascii") else None
    except UnicodeError:
        return None


def _fits(data: bytes, part: Part) -> bool:
    return part.encoding != "7bit" or data.isascii()


def _inserted(part: Part, data: bytes, at: int) -> Rewrite:
    """`data` put into the body at `at`, in the body's encoding, which goes on undisturbed behind it."""
    if part.encoding == "quoted-printable":
        data = binascii.b2a_qp(data)
    elif part.encoding == "base64":
        while len(data) % 3:  # whole groups need no padding, so that decoding goes on
            data += b"\r\n"
        data = base64_lines(data)
    return Rewrite(part, Span(at, at), data)


def _rewritten(part: Part, text: str) -> Rewrite:
    return Rewrite(
        part,
        part.body,
        base64_lines(text.encode("utf-8", "replace")),
        content_fields(part.media_type),
        ("content-type", "content-transfer-encoding", "content-md5", "content-length"),
    )


def _place(data: bytes) -> int:
    """Where a text goes in an HTML document: behind <body>, or </head>, or <!doctype>, or at the start."""
    places: dict[bytes, int] = {}
    for landmark in _LANDMARK.finditer(data):
        if not landmark[1]:
            continue
        name = landmark[1].lower()
        rest = _REST_OF_TAG.match(data, landmark.end())
        end = rest.end() if rest else data.find(b">", landmark.end()) + 1
        places.setdefault(name, end)
        if name == b"body":
            break
    return places.get(b"body") or places.get(b"/head") or places.get(b"!doctype") or 0
