"""Letters in one piece, in which the filters' patterns are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_MARKS = "\u0323\u0301\u0300\u0309\u0303\u0302\u031b\u0306"
"""The marks of Vietnamese as characters of their own, the commonest first."""

_MARK = re.compile(f"[{_MARKS}]")


def composed(text: str) -> str:
    """The text, each line in which such a mark stands by itself in NFC. To look for eight characters costs a fiftieth
    of what normalising does, and texts that have a few of them have them on a few lines."""
    if text.isascii() or not any(mark in text for mark in _MARKS):
        return text
    return "".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    """The text in pieces, a line that has a mark being one."""
    done = 0
    while found := _MARK.search(text, done):
        start = text.rfind("\n", done, found.start()) + 1 or done
        stop = text.find("\n", found.end()) + 1 or len(text)
        yield text[done:start]
        yield unicodedata.normalize("NFC", text[start:stop])
        done = stop
    yield text[done:]
