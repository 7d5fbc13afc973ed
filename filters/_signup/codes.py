"""One-time codes: near the words that name them, and not a date, a sum or the number of a document."""

from __future__ import annotations

import re
from dataclasses import dataclass

BEFORE, AFTER = 45, 110
"""Characters around the name of a code in which the code is looked for: a heading or a short sentence."""

_CODE = re.compile(
    r"(?<![\w/.,#-])(?:"
    r"[a-z]{1,2}-\d{4,8}"  # G-123456
    r"|\d{3}[ -]\d{3}"
    r"|\d(?:[ ]\d){3,7}"
    r"|\d{4,8}"
    r"|(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{5,10}"
    r"|[a-z0-9]{3,5}-[a-z0-9]{3,5}"
    r")(?![\w/%-]|[.,]\d|\s?(?:đ\b|vnđ|vnd|usd|đồng|%|/))",
    re.IGNORECASE,
)
_UNLIKELY = re.compile(r"(?:1[89]00\d*|(?:19|20)\d\d|[a-z]+\d{1,2}|\d{1,2}[a-z]+|[a-z]{3,5}-[a-z]{3,5})", re.IGNORECASE)
_MIXED = re.compile("[a-z][A-Z]")
_LINE = re.compile(r"(?m)^[ \t>*#]*((?:\d[ \t\u00a0-]?){4,8}|(?=[A-Z0-9-]*\d)[A-Z0-9]{3,5}-?[A-Z0-9]{3,5})[ \t*]*$")
_BEFORE_WORDS = re.compile(r"(?:hotline|tel|phone|điện thoại|sđt|số:|ngày|năm|©|copyright|mst)\W{0,3}\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Code:
    """Where a code is in a text."""

    start: int
    stop: int


def code_near(content: str, start: int, stop: int) -> Code | None:
    """The code that the words at `start` to `stop` name: what comes after them first, then what comes before."""
    base = max(0, start - BEFORE)
    window = content[base : stop + AFTER]
    after = [match for match in _CODE.finditer(window, stop - base) if _likely(match, window)]
    before = [match for match in _CODE.finditer(window, 0, start - base) if _likely(match, window)]
    match = after[0] if after else before[-1] if before else None
    return Code(base + match.start(), base + match.end()) if match else None


def code_alone(content: str) -> Code | None:
    """A code that has a line of its own."""
    for match in _LINE.finditer(content):
        if not _UNLIKELY.fullmatch(match[1].strip()):
            return Code(match.start(1), match.end(1))
    return None


def hidden(excerpt: str) -> str:
    """An excerpt without what could be a code or a link in it."""
    excerpt = re.sub(r"https?://\S+", lambda found: _host_only(found[0]), excerpt)
    return re.sub(r"(?<!\w)(?=[\w-]*\d)[\w-]{4,}(?!\w)|\d(?:[ -]\d){3,}", "••••", excerpt)


def _host_only(url: str) -> str:
    return "/".join(url.split("/", 3)[:3]) + "/…"


def _likely(match: re.Match[str], text: str) -> bool:
    if _UNLIKELY.fullmatch(match[0]) and not _MIXED.search(match[0]):
        return False
    return not _BEFORE_WORDS.search(text, max(0, match.start() - 14), match.start())
