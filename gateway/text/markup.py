"""HTML to tags and the text between them, as browsers cut it (HTML Standard section 13.2.5), broken or not.

Linear: each step goes forward, and what did not end where it should is never looked for twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from html.entities import html5

LONGEST_REMEMBERED = 1024
"""Characters of a tag that is remembered: mail made by programs has the same few tags over and over."""

LONGEST_REFERENCE = 40
"""Characters of a character reference that is looked up as it is: the longest name has 33."""

# A quotation mark counts only behind "=".
_REST = r"""((?:[^>"'=]++|=[ \t\r\n\f]*+(?:"[^"]*+"|'[^']*+')?+|["'])*+)"""
_TOKEN = re.compile(rf"([^<]*+)<(?:(/?)([a-zA-Z][^ \t\r\n\f/>]*+){_REST}>|!--(?:-?>)?)")
_LOOSE_TOKEN = re.compile(r"([^<]*+)<(?:(/?)([a-zA-Z][^ \t\r\n\f/>]*+)([^>]*+)>|!--(?:-?>)?)")
_OPENS = re.compile("</?[a-zA-Z]")
_END_OF_COMMENT = re.compile(r"--!?>")
_DECLARATION = re.compile(r"<[!?/][^>]*+>")
_VALUE = r"""[ \t\r\n\f]*+=[ \t\r\n\f]*+(?:"([^"]*+)"|'([^']*+)'|([^ \t\r\n\f>]*+))"""
_ATTRIBUTE = re.compile(rf"[ \t\r\n\f/]*+([^ \t\r\n\f/>=][^ \t\r\n\f/>=]*+)(?:{_VALUE})?+")
_REFERENCE = re.compile(r"&(?:#[xX]?[0-9a-fA-F]++;?+|[a-zA-Z][a-zA-Z0-9]*+;?+)")
_REFERENCE_IN_VALUE = re.compile(r"&(?:#[xX]?[0-9a-fA-F]++;?+|[a-zA-Z][a-zA-Z0-9]*+(?:;|(?![=a-zA-Z0-9])))")
_RAW = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "title", "textarea", "plaintext"})
_RAW_END = {name: re.compile(rf"</{name}(?![^ \t\r\n\f/>])", re.IGNORECASE) for name in _RAW}
_DECODED = frozenset({"title", "textarea"})


@dataclass(frozen=True, slots=True, eq=False)
class Tag:
    """An opening tag: its name in lower case, its attributes (the first of a name counts), and what it has browsers do
    on events. Tags written alike are one object, as far as they are remembered."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """A closing tag."""

    name: str


@dataclass(frozen=True, slots=True)
class Raw:
    """What an element holds in which there is no markup: script, style, title, textarea, ..."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, without its signs."""

    text: str


Token = str | Tag | End | Raw | Comment


def tokens(source: str) -> Iterator[Token]:
    """The tokens of HTML, in order. Text is decoded."""
    at, token, last = 0, _TOKEN, source.rfind(">")
    while True:
        found = token.match(source, at)
        if not found:
            sign = source.find("<", at)
            if sign < 0 or sign > last:
                break
            if token is _TOKEN and _OPENS.match(source, sign):
                token = _LOOSE_TOKEN  # a quotation mark is missing somewhere: from here on they do not count
                continue
            declaration = _DECLARATION.match(source, sign)
            yield unescaped(source[at : sign if declaration else sign + 1])
            at = declaration.end() if declaration else sign + 1
            continue
        text, slash, name, rest = found.groups()
        at = found.end()
        if text:
            yield unescaped(text) if "&" in text else text
        if not name:
            at, comment = _comment(source, at)
            yield Comment(comment)
        elif slash:
            yield _end(name)
        else:
            tag = _tag(name, rest) if len(rest) <= LONGEST_REMEMBERED else _read_tag(name, rest)
            yield tag
            if tag.name in _RAW:
                start, at = at, _end_of_raw(source, tag.name, at)
                inner = source[start:at]
                yield Raw(tag.name, unescaped(inner) if tag.name in _DECODED else inner)
    if at < len(source):
        yield unescaped(source[at:])


def unescaped(text: str) -> str:
    """Text with its character references decoded."""
    return _REFERENCE.sub(_character, text)


def _comment(source: str, at: int) -> tuple[int, str]:
    if source[at - 1] == ">":  # "<!-->" is a whole comment
        return at, ""
    end = _END_OF_COMMENT.search(source, at)
    return (end.end(), source[at : end.start()]) if end else (len(source), source[at:])


def _end_of_raw(source: str, name: str, at: int) -> int:
    if name == "plaintext":
        return len(source)
    end = _RAW_END[name].search(source, at)
    return end.start() if end else len(source)


def _read_tag(name: str, rest: str) -> Tag:
    attributes: dict[str, str] = {}
    if rest:
        for found in _ATTRIBUTE.finditer(rest):
            value = found[2] or found[3] or found[4] or ""
            if "&" in value:
                value = _REFERENCE_IN_VALUE.sub(_character_in_value, value)
            attributes.setdefault(found[1].lower(), value)
    return Tag(name.lower(), attributes, tuple(attributes[each] for each in attributes if each.startswith("on")))


_tag = lru_cache(maxsize=2048)(_read_tag)


@lru_cache(maxsize=256)
def _end(name: str) -> End:
    return End(name.lower())


def _character(reference: re.Match[str]) -> str:
    return _decoded_reference(reference[0]) if len(reference[0]) <= LONGEST_REFERENCE else _long_reference(reference[0])


def _character_in_value(reference: re.Match[str]) -> str:
    """In addresses "&section=1" is what it says, and no paragraph sign: without ";" only a whole name counts."""
    text = reference[0]
    return _character(reference) if text[1] == "#" or text[-1] == ";" else html5.get(text[1:], text)


_decoded_reference = lru_cache(maxsize=1024)(unescape)


def _long_reference(reference: str) -> str:
    """A number with many zeros in front, or nothing that has a meaning."""
    number = re.fullmatch(r"&#([xX]?)0*+([0-9a-fA-F]{1,8});?", reference)
    return unescape(f"&#{number[1]}{number[2]};") if number else reference
