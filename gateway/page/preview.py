"""What a message holds, for the page: its texts as plain text, its files by name, type, size and hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.mail import Part, Raw
from gateway.mime.decode import decoded
from gateway.mime.parse import parse
from gateway.page.hypertext import text_of_html
from gateway.page.visible import visible, visible_line
from gateway.text.charsets import text_of

PART_LIMIT = 128 * 1024
"""Bytes read of one text: forty pages, more than anybody reads before he decides."""

SHOWN_LIMIT = 32 * 1024
"""Characters shown of one text."""

MOST_TEXTS = 20
"""Texts that are shown; honest mail has two, a forwarded thread a few more."""

MOST_FILES = 100
"""Files that are listed; of the others the page gives the number."""

NAME_LIMIT = 300
"""Characters of a name; no system has file names longer than 255."""

MOST_NAMES = 3
"""Names shown of one file: it has several where mail programs disagree."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text; `cut` tells that there is more of it than is shown."""

    label: str
    media_type: str
    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class File:
    """One file: `size` in bytes after decoding, `sha256` of these bytes in hexadecimal digits."""

    names: tuple[str, ...]
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """All strings are harmless text, to be escaped like any other. `more_*` are those that are not shown."""

    texts: tuple[Text, ...] = ()
    files: tuple[File, ...] = ()
    more_texts: int = 0
    more_files: int = 0
    defects: tuple[str, ...] = ()


def preview(raw: Raw) -> Preview:
    """Texts and files of a message, for any bytes. It decodes and hashes every file: large mail belongs in a thread."""
    parts = parse(raw).walk()
    leaves = [part for part in parts if not part.children]
    texts = [part for part in leaves if _is_text(part)]
    files = [part for part in leaves if not _is_text(part)]
    return Preview(
        texts=tuple(_text(raw, part) for part in texts[:MOST_TEXTS]),
        files=tuple(_file(raw, part) for part in files[:MOST_FILES]),
        more_texts=max(len(texts) - MOST_TEXTS, 0),
        more_files=max(len(files) - MOST_FILES, 0),
        defects=_defects(parts),
    )


def _is_text(part: Part) -> bool:
    return part.media_type.startswith("text/") and not part.names and part.disposition != "attachment"


def _text(raw: Raw, part: Part) -> Text:
    content = decoded(raw, part, PART_LIMIT + 1)
    text = text_of(content[:PART_LIMIT], part.parameters.get("charset", ""))
    if part.media_type == "text/html":
        text = text_of_html(text)
    cut = len(content) > PART_LIMIT or len(text) > SHOWN_LIMIT
    return Text(part.label, visible_line(part.media_type, NAME_LIMIT), visible(text[:SHOWN_LIMIT]), cut)


def _file(raw: Raw, part: Part) -> File:
    content = decoded(raw, part)
    names = tuple(visible_line(name, NAME_LIMIT) for name in part.names[:MOST_NAMES])
    media_type = visible_line(part.media_type, NAME_LIMIT)
    return File(names, media_type, len(content), hashlib.sha256(content).hexdigest())


def _defects(parts: Sequence[Part]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(defect for part in parts for defect in part.defects))
