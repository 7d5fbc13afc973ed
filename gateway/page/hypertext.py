"""The text in HTML, for a person who must judge it: nothing is rendered, and what a browser would show is not left out.

Hidden text is shown, and so is the address behind each link. One pass, each step of which goes forward: what is not
closed is shown as it stands, and never looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

# Tags end where browsers end them (HTML Standard section 13.2.5): a quotation mark counts only behind "=".
_VALUE = r"""[ \t\r\n\f]*+=[ \t\r\n\f]*+(?:"([^"]*+)"|'([^']*+)'|([^ \t\r\n\f>"'][^ \t\r\n\f>]*+)|(?=>))"""
_ATTRIBUTE = re.compile(rf"[ \t\r\n\f/]*+([^ \t\r\n\f/>][^ \t\r\n\f/>=]*+)(?:{_VALUE})?+")
_OPENING = re.compile(rf"<([a-zA-Z][^ \t\r\n\f/>]*+)((?:{_ATTRIBUTE.pattern})*+)[ \t\r\n\f/]*+>")
_CLOSING = re.compile(r"</([a-zA-Z][^ \t\r\n\f/>]*+)[^>]*+>")
_COMMENT = re.compile(r"<!--(?:-?>|.*?--!?>)|<!doctype\b[^>]*+>", re.DOTALL | re.IGNORECASE)
_DECLARATION = re.compile(r"<[!?/][^>]*+>")
_MARKUP = re.compile(r"<[a-zA-Z/!?]")

_UNSHOWN = frozenset({"script", "style"})
_LITERAL = frozenset({"title", "textarea", "xmp", "iframe", "noembed", "noframes"})  # no markup within
_END = {name: re.compile(f"</{name}", re.IGNORECASE) for name in _UNSHOWN | _LITERAL}
_SPACES = re.compile(r"[ \t\r\n\f]+")
_LINES = re.compile(r" *+\n[ \n]*+")

_ADDRESSES = frozenset({"href", "action", "formaction"})
_SAID = frozenset({"alt", "value", "placeholder"})
_BLOCKS = frozenset(
    {"address", "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "form", "h1", "h2", "h3", "h4", "h5"}
    | {"h6", "hr", "li", "ol", "option", "p", "pre", "section", "table", "title", "tr", "ul"}
)


def text_of_html(source: str) -> str:
    """What HTML says, in lines. Of scripts and styles only the length is told; comments are left out."""
    return _LINES.sub("\n", "".join(_pieces(source))).strip()


def _pieces(source: str) -> Iterator[str]:
    at = 0
    while (sign := source.find("<", at)) >= 0:
        yield _words(source[at:sign])
        if not _MARKUP.match(source, sign):  # as in "1 < 2"
            yield "<"
            at = sign + 1
            continue
        said, at = _markup(source, sign)
        yield said
    yield _words(source[at:])


def _markup(source: str, start: int) -> tuple[str, int]:
    """What the markup at a place says, and where it ends."""
    if tag := _OPENING.match(source, start):
        name = tag[1].lower()
        said = f"{_gap(name)}{_attributes(tag[2])}"
        if name not in _END:
            return said, tag.end()
        if closing := _END[name].search(source, tag.end()):
            within = source[tag.end() : closing.start()]
            return f"{said} {f'[{name}: {len(within)}]' if name in _UNSHOWN else _words(within)} ", closing.start()
    elif tag := _CLOSING.match(source, start):
        return _gap(tag[1].lower()), tag.end()
    elif comment := _COMMENT.match(source, start):
        return "", comment.end()
    elif declaration := _DECLARATION.match(source, start):
        return declaration[0], declaration.end()
    return f"\n{source[start:]}", len(source)


def _gap(name: str) -> str:
    if name in _BLOCKS:
        return "\n"
    return " " if name in ("td", "th") else ""


def _attributes(text: str) -> str:
    """The addresses and texts among a tag's attributes."""
    said = ""
    for found in _ATTRIBUTE.finditer(text):
        name, value = found[1].lower(), _words(found[2] or found[3] or found[4] or "").strip()
        if value and name in _ADDRESSES:
            said += f" <{value}> "
        elif value and name in _SAID:
            said += f" {value} "
    return said


def _words(text: str) -> str:
    return unescape(_SPACES.sub(" ", text))
