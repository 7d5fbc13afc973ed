"""Strangers' text for a page: whatever cannot be seen, or moves what can be seen, is shown as its number."""

from __future__ import annotations

import re
import unicodedata

# Bidi controls, zero-width and tag characters are all Cf; Cc are the controls; Zl and Zp break lines in some programs.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_NEWLINE = re.compile(r"\r\n?")
_SUSPECT = re.compile(r"[^\n\t\x20-\x7e]")


def visible(text: str) -> str:
    """The text with its lines and tabs; what draws nothing or turns the writing becomes [U+hhhh].

    Variation selectors stay: emoji have them, and they can neither hide nor turn anything.
    """
    return _SUSPECT.sub(_marked, _NEWLINE.sub("\n", text))


def visible_line(text: str, limit: int) -> str:
    """The same for a value of one line: line breaks are shown too. The end is kept: there is a name's type."""
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]} … {text[-half:]}"
    return _SUSPECT.sub(_marked, text).replace("\n", "[U+000A]").replace("\t", "[U+0009]")


def _marked(match: re.Match[str]) -> str:
    char = match[0]
    hidden = unicodedata.category(char) in _HIDDEN_CATEGORIES or char in _BLANK_LETTERS
    return f"[U+{ord(char):04X}]" if hidden else char
