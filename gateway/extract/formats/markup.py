"""What HTML, HTA and SVG files do beside showing a text: scripts, and files that they build on the reader's machine.

The text, the links and the frames of such a file are read by `gateway/extract/texts.py`; here it is a program.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

import pybase64

from gateway.extract.formats import Fact, Member, Reader
from gateway.extract.room import Meter, Room
from gateway.mime.kinds import SNIFFED, kind_of
from gateway.reading import Trait
from gateway.traits import Mark

BLOBS = 64
"""Hidden files of a page that are taken out."""

SMALLEST = 200
"""Characters of base64 that may be a file; shorter ones are keys, hashes and tracking pixels."""

PIECES = 500_000
"""Pieces of a text that a script puts together, as many as are joined."""

CODES = 300_000
"""Characters written as numbers that are one file; a longer list is read as several."""

SCRIPTED = 4 * 1024 * 1024
"""Bytes of a page in which the marks of a script are looked for beside its blobs."""

_MARKUP_TEXTS = frozenset({"text", "data", "empty"})
_RUNS = re.compile(
    rb"<\s{0,9}(?:\w{1,20}:)?script[\s>/]|\s+on(?:load|error|click|mouseover|begin|focus|start|toggle|pointer\w{1,9}|animation\w{1,9})\s{0,9}="
    rb"|(?:href|src|action|to|from|values|data)\s{0,9}=\s{0,9}[\"']?\s{0,9}(?:java|vb|live)script:",
    re.IGNORECASE,
)
_OBJECTS = re.compile(rb"<\s{0,9}(?:foreignObject|object|embed|applet|hta:application)[\s>/]", re.IGNORECASE)
_SAVES = re.compile(
    rb"\bmsSaveOrOpenBlob\b|\bmsSaveBlob\b|\bcreateObjectURL\b|\bshowSaveFilePicker\b|\bsaveAs\s{0,9}\("
    rb"|[\s\"'.\[(]download[\s\"'\]]{0,9}[=,>]|\.navigate\s{0,9}\(\s{0,9}[\"']data:|location(?:\.href)?\s{0,9}=\s{0,9}[\"']data:",
    re.IGNORECASE,
)
_BUILDS = re.compile(
    rb"\bnew\s{1,9}(?:Blob|File|Uint8Array)\b|\batob\s{0,9}\(|\bfromCharCode\b|\bunescape\s{0,9}\(|\bdecodeURIComponent\s{0,9}\("
    rb"|\bcharCodeAt\b|\bparseInt\s{0,9}\(|\bBase64\b",
    re.IGNORECASE,
)
_DATA_DOWNLOAD = re.compile(rb"href\s{0,9}=\s{0,9}[\"']?\s{0,9}data:[^,\s]{0,200},", re.IGNORECASE)
_DATA = re.compile(rb"data:([\w.+/-]{0,100})((?:;[\w.+=/-]{0,100}){0,8}),", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{%d,}={0,2}" % SMALLEST)
_HEX = re.compile(rb"[0-9A-Fa-f]{%d,}|(?:(?:\\x|%%)[0-9A-Fa-f]{2}){%d,%d}" % (2 * SMALLEST, SMALLEST // 4, CODES))
_CODES = re.compile(rb"(?:\d{1,3}\s{0,3},\s{0,3}){%d,%d}\d{1,3}" % (SMALLEST // 4, CODES))
_PASSWORD = re.compile(rb"<input\b[^<>]{0,500}type\s{0,9}=\s{0,9}[\"']?\s{0,9}password", re.IGNORECASE)
_JOINED = re.compile(rb"[\"'`]\s{0,20}\+\s{0,20}[\"'`]")
_QUOTES = frozenset({b'"', b"'", b"`"})
_UNQUOTED = re.compile(rb"[^\s<>\"'()]*")
_UNWANTED = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    """Marks, and as members the files in it."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode()
    code = data[:SCRIPTED]
    runs = _RUNS.search(code)
    if found := runs or _OBJECTS.search(code):
        detail = code[found.start() : found.start() + 120].decode("utf-8", "replace")
        yield Trait(word=Mark.SCRIPT, detail=" ".join(detail.split()))
    if _PASSWORD.search(code):
        yield Trait(word=Mark.PASSWORD_FORM)
    blobs = list(_blobs(data, room))
    members = [blob for blob in blobs if kind_of(blob[1][:SNIFFED]) not in _MARKUP_TEXTS]
    saved, built = _SAVES.search(code), _BUILDS.search(code)
    by = saved or built
    if runs and by and (members or (saved and built)):
        yield Trait(word=Mark.HTML_SMUGGLING, detail=by[0].decode("latin-1").strip()[:60])
    elif saved and _DATA_DOWNLOAD.search(code):
        yield Trait(word=Mark.HTML_SMUGGLING, detail="a download in the page itself")
    for media_type, content in blobs:
        if media_type or (media_type, content) in members:
            yield Member(content=content, media_type=media_type)


READERS: Mapping[str, Reader] = dict.fromkeys(("html", "svg", "hta", "javascript", "wsf"), read)


def _blobs(data: bytes, room: Room) -> Iterator[tuple[str, bytes]]:
    """Files written out in a text: data addresses (RFC 2397), long base64, hexadecimal, lists of codes."""
    meter = Meter(room, len(data))
    count = 0
    taken = 0
    for found in _DATA.finditer(data):
        room.check()
        if found.start() < taken or count >= BLOBS:
            continue
        stop = _end(data, found.end(), found)
        content = data[found.end() : stop]
        if b"base64" in found[2].lower():
            content = _base64(unquote_to_bytes(content) if b"%" in content else content)
        else:
            content = unquote_to_bytes(content)
        if len(content) >= 32:
            meter.more(len(content))
            count += 1
            taken = stop
            yield found[1].decode("latin-1").lower() or "text/plain", content
    joined = _JOINED.sub(b"", data, count=PIECES) if b"+" in data else data
    for pattern, decode in ((_BASE64, _base64), (_HEX, _hex), (_CODES, _codes)):
        for found in pattern.finditer(joined):
            room.check()
            if count >= BLOBS:
                return
            if joined[max(0, found.start() - 8) : found.start()].endswith(b"base64,"):
                continue
            content = decode(found[0])
            if content:
                meter.more(len(content))
                count += 1
                yield "", content


def _end(data: bytes, at: int, found: re.Match[bytes]) -> int:
    """Where a data address ends: at the quote before it, or at what no address has."""
    quote = data[found.start() - 1 : found.start()]
    if quote in _QUOTES:
        stop = data.find(quote, at)
        return stop if stop >= 0 else len(data)
    unquoted = _UNQUOTED.match(data, at)
    return unquoted.end() if unquoted else at


def _base64(text: bytes) -> bytes:
    clean = text.replace(b"-", b"+").replace(b"_", b"/").translate(None, _UNWANTED)
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    try:
        return pybase64.b64decode(clean + b"=" * (-len(clean) % 4))
    except (binascii.Error, ValueError):
        return b""


def _hex(text: bytes) -> bytes:
    digits = text.translate(None, b"\\x%")
    return binascii.unhexlify(digits[: len(digits) // 2 * 2])


def _codes(text: bytes) -> bytes:
    numbers = [int(number) for number in text.split(b",")]
    return bytes(numbers) if max(numbers) < 256 else b""
