"""File names: which a part has, which extensions they have for some program, and what is hidden in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Literal
from urllib.parse import unquote_to_bytes

from gateway.text.charsets import guessed

SHOWN_LIMIT = 255
"""Characters of a name in findings and logs: what Windows allows in a file name."""

MAX_NAMES = 20
"""Names kept of one part: two parameters in two forms, each read in several ways, come to less."""

MAX_NAME = 1_000
"""Characters kept of each end of a name; no system has file names longer than 255."""

MAX_EXTENSION = 40
"""Characters of an extension; the longest with a meaning to Windows is a class id in braces, 38."""

_TAIL = 60
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROLS = "\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb"
_ZERO_WIDTH = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\u2800\u3164\ufeff\uffa0"
)
_SELECTORS = "\ufe00-\ufe0f\U000e0000-\U000e0fff"
_INVISIBLE = re.compile(f"[{_BIDI}{_CONTROLS}{_ZERO_WIDTH}{_SELECTORS}]")
_DOTS = str.maketrans({"\u3002": ".", "\uff61": ".", "\ua4f8": ".", "\u0701": ".", "\u0702": "."})
_PATH = re.compile(r"[/\\]")
_EDGES = " \t.'\",;"

Trick = Literal["bidi", "control", "zero-width", "spaces", "dots", "stream"]

_TRICKS: dict[Trick, re.Pattern[str]] = {
    "bidi": re.compile(f"[{_BIDI}]"),
    "control": re.compile(f"[{_CONTROLS}]"),
    "zero-width": re.compile(f"[{_ZERO_WIDTH}\U000e0000-\U000e0fff]"),
    "spaces": re.compile(r"\s{5}"),
    "dots": re.compile("[\u2024\u3002\ua4f8\u0701\u0702\ufe52\uff0e\uff61]"),
    "stream": re.compile(r"(?<=[^/\\:]{2}):[^/\\]"),
}


def file_names(disposition: Mapping[str, tuple[str, ...]], content_type: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The names that some mail program shows for a part, by the book first (RFC 2183 section 2.3)."""
    found = [*disposition.get("filename", ()), *disposition.get("name", ())]
    found += [*content_type.get("name", ()), *content_type.get("filename", ())]
    if not found:
        return []
    bounded = (name if len(name) <= 2 * MAX_NAME else name[:MAX_NAME] + name[-MAX_NAME:] for name in found)
    names = dict.fromkeys(name for name in bounded if name.strip() and not _is_encoded(name))
    names |= dict.fromkeys(guessed(unquote_to_bytes(name)) for name in names if "%" in name)
    return list(names)[:MAX_NAMES]


def shown(name: str, limit: int = SHOWN_LIMIT) -> str:
    """A name for people: composed (NFC), nothing invisible in it; its end is kept, for there is the extension."""
    bounded = name[: 4 * limit] + name[4 * limit :][-limit:]
    clean = " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", bounded)).split())
    if len(clean) <= limit:
        return clean
    return f"{clean[: limit - _TAIL - 1]}…{clean[-_TAIL:]}"


def readings(name: str) -> tuple[str, ...]:
    """The file names that systems make of a name: without path, invisible characters, trailing dots and spaces;
    as far as a NUL (programs in C); as far as a colon, and beyond it (NTFS streams)."""
    found: dict[str, None] = {}
    for whole in dict.fromkeys((name, name.partition("\0")[0])):
        plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", whole).translate(_DOTS))
        last = _PATH.split(plain.rstrip("/\\"))[-1]
        for piece in (last, *last.split(":")):
            found[piece.strip().rstrip(_EDGES).lstrip("'\" ")] = None
    return tuple(reading for reading in found if reading)


def extensions(name: str) -> tuple[str, ...]:
    """Every extension of a name, in lower case without the dot, in the order written; the last may be the real one."""
    found: dict[str, None] = {}
    for reading in readings(name):
        for piece in reading.split(".")[1:]:
            extension = piece.strip(_EDGES).lower()
            if 0 < len(extension) <= MAX_EXTENSION and not any(character.isspace() for character in extension):
                found[extension] = None
    return tuple(found)


def last_extensions(names: Iterable[str]) -> tuple[str, ...]:
    """The extensions by which some system opens a file of these names: the last of each reading of each."""
    found: dict[str, None] = {}
    for name in names:
        for reading in readings(name):
            stem, dot, extension = reading.rpartition(".")
            if dot and stem and len(extension) <= MAX_EXTENSION:
                found[extension.strip(_EDGES).lower()] = None
    found.pop("", None)
    return tuple(found)


def tricks(name: str) -> tuple[Trick, ...]:
    """How a name hides what it is: bidi, control, zero-width, spaces (five and more), dots (look-alikes), stream."""
    return tuple(trick for trick, pattern in _TRICKS.items() if pattern.search(name))


def _is_encoded(name: str) -> bool:
    return name.startswith("=?") and name.endswith("?=")
