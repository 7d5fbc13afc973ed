"""What a file is to any program that might open it: its kind by its bytes, archives that begin further on, and what
its name or declared type makes a program take it for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.extract.zip_headers import END, END_LENGTH, LOCAL, local_header
from gateway.mime.kinds import ARCHIVE_KINDS, SNIFFED, kind_of
from gateway.mime.libmagic import KINDS, media_type_of
from gateway.mime.names import last_extensions

MAX_FALSE = 64
"""Places that only look like the start of an archive before no more are tried."""

ZIPPED = frozenset(
    {"zip", "jar", "apk", "epub", "docx", "docm", "xlsx", "xlsm", "pptx", "pptm", "odt", "ods", "odp", "crx"}
)
"""Kinds that are zip files: a zip in them is no second nature."""

HOLDERS = ARCHIVE_KINDS | {"doc", "xls", "ppt", "msg", "msi", "ole", "encrypted-office", "onenote", "pst"}
"""Kinds that hold files as they are, or in pieces: what looks like a zip in them may be one of those."""

_BEHIND = (
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c\0", "7z"),
    (b"MSCF\0\0\0\0", "cab"),
    (b"**ACE**", "ace"),
)
_METHODS = frozenset({*range(15), 18, 19, *range(93, 100)})  # APPNOTE 4.4.5

_BY_TYPE = {
    "message/rfc822": "mail",
    "message/global": "mail",
    "message/rfc822-headers": "mail",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "image/svg+xml": "svg",
    "multipart/related": "mail",
}
_BY_EXTENSION = {
    **dict.fromkeys(("eml", "mht", "mhtml", "mime"), "mail"),
    **dict.fromkeys(("html", "htm", "xhtml", "shtml", "xht", "hta"), "html"),
    **dict.fromkeys(("txt", "csv", "tsv", "log", "md", "ics", "vcf", "json", "xml", "yaml", "ini", "sql"), "text"),
    "svg": "svg",
    # Formats without a mark of their own at the front, or with an older one.
    "tar": "tar",
    "iso": "iso",
    "img": "iso",
    "lzh": "lzh",
    "lha": "lzh",
    "lzma": "lzma",
}
TEXTUAL = frozenset({"text", "html", "svg", "xml", "mail"})
"""Kinds that a program takes a file for by its name alone, whatever is in it."""


@dataclass(frozen=True, slots=True)
class Nature:
    """One thing that a file is: its kind, and where it begins. `claimed` if only its name or declared type says so;
    `doubtful` if it may as well be a file inside, seen through its holder's packing: damage to it means nothing."""

    kind: str
    start: int = 0
    claimed: bool = False
    doubtful: bool = False

    @property
    def guessed(self) -> bool:
        """True if it may turn out to be nothing of the kind."""
        return self.claimed or self.start > 0


def kind_in(data: bytes) -> str:
    """The kind by the bytes. Raises Unavailable.

    libmagic is asked where our own signatures see nothing. Not of texts: it takes two milliseconds, and what it knows
    better is binary.
    """
    start = data[:SNIFFED]
    kind = kind_of(start)
    return KINDS.get(media_type_of(start), kind) if kind == "data" else kind


def natures(data: bytes, kind: str, names: tuple[str, ...], media_type: str) -> Iterator[Nature]:
    """All that a file of this kind is as well, itself first."""
    yield Nature(kind)
    extensions = last_extensions(names)
    claims = [_BY_TYPE.get(media_type, ""), *(_BY_EXTENSION.get(one, "") for one in extensions)]
    for claim in dict.fromkeys(claims):
        if claim and claim != kind and not (claim == "text" and kind in TEXTUAL):
            yield Nature(claim, claimed=True)
    if kind not in ZIPPED and (at := _zip_behind(data)) >= 0:
        sure = kind not in HOLDERS or "zip" in extensions or _ends_the_file(data)
        yield Nature("zip", at, doubtful=not sure)
    for signature, behind in _BEHIND:
        at = data.find(signature, 1)
        if at > 0 and behind != kind:
            yield Nature(behind, at, doubtful=kind in HOLDERS and behind not in extensions)
    if kind != "pdf" and (at := data.find(b"%PDF-", 0, 1_024)) >= 0:
        yield Nature("pdf", at)


def _ends_the_file(data: bytes) -> bool:
    """True if a zip's directory ends where the file does: programs that open zips look there."""
    tail = data.rfind(END)
    comment_length = int.from_bytes(data[tail + END_LENGTH - 2 : tail + END_LENGTH], "little")
    return tail >= 0 and tail + END_LENGTH + comment_length == len(data)


def _zip_behind(data: bytes) -> int:
    """Where a zip file begins that is appended to, or hidden in, something else; -1 if nowhere."""
    at = 0
    for _ in range(MAX_FALSE):
        at = data.find(LOCAL, at)
        if at < 0:
            break
        header = local_header(data, at)
        if header and header.method in _METHODS and 0 < len(header.raw_name) <= 1_024 and header.raw_name[0] >= 32:
            return at
        at += 4
    return -1
