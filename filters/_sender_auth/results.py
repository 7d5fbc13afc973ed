"""Authentication-Results (RFC 8601): written in our name, read where others wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_RESULTS = 40
"""Results that are read of one field."""

_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"\s*([a-z][a-z0-9-]*)(?:\s*/\s*[0-9]+)?\s*=\s*([a-z]+)(.*)", re.IGNORECASE | re.DOTALL)
_PROPERTY = re.compile(r'([a-z]+)\.([a-z0-9-]+)\s*=\s*("[^"]*"|[^\s;]+)', re.IGNORECASE)
_IDENTITY = re.compile(r'\s*("[^"]*"|[^\s;()=]+)(?:\s+[0-9]+)?\s*(?:;|$)')
_PLAIN = re.compile(r"[A-Za-z0-9_.@/+=-]{1,320}")
_NOT_IN_COMMENTS = re.compile(r"[^A-Za-z0-9 _.,:=/-]")

COMMENT_LIMIT = 80


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One method's result. `properties` are pairs such as ("header.from", "example.org"); `comment` is for people."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()
    comment: str = ""

    def __str__(self) -> str:
        comment = f" ({_NOT_IN_COMMENTS.sub(' ', self.comment)[:COMMENT_LIMIT]})" if self.comment else ""
        shown = "".join(f" {name}={value}" for name, value in self.properties if _PLAIN.fullmatch(value))
        return f"{self.method}={self.result}{comment}{shown}"

    def of(self, name: str) -> str:
        """The value of a property in lower case, "" where it is missing."""
        return next((value.lower() for each, value in self.properties if each == name), "")


def written(results: list[MethodResult]) -> str:
    """The value of the field behind the name of the host."""
    return "; ".join(map(str, results)) or "none"


def author(text: str) -> str:
    """The host that a field says it was written by, in lower case; "" where it says none."""
    found = _IDENTITY.match(_without_comments(text))
    return found[1].strip('"').lower() if found else ""


def read(text: str) -> Iterator[MethodResult]:
    """The results in a field, or in what follows i= of an ARC-Authentication-Results; nothing for what is odd."""
    pieces = _without_comments(text).split(";", MOST_RESULTS + 1)
    for piece in pieces[:MOST_RESULTS]:
        if found := _RESULT.fullmatch(piece):
            properties = tuple((f"{a}.{b}".lower(), value.strip('"')) for a, b, value in _PROPERTY.findall(found[3]))
            yield MethodResult(found[1].lower(), found[2].lower(), properties)


def _without_comments(text: str) -> str:
    """Three deep; deeper ones are not used."""
    for _ in range(3):
        text = _COMMENT.sub(" ", text)
    return text
