"""The text in HTML, for a person who must judge it: nothing is rendered, and nothing that might be shown is left out.

Hidden text is shown, and so is the address behind each link. One pass, each step of which goes forward: what is not
closed is shown as it stands, and never looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

_OPENING = re.compile(r"""<([a-zA-Z][a-zA-Z0-9]*+)((?:[^>"']|"[^"]*+"|'[^']*+')*+)>""")
_CLOSING = re.compile(r"</([a-zA-Z][a-zA-Z0-9]*+)[^>]*+>")
_COMMENT = re.compile(r"<!--(?:-?>|.*?--!?>)", re.DOTALL)  # HTML Standard sections 13.2.5.43 to 13.2.5.52
_DECLARATION = re.compile(r"<(?:!doctype\b|\?)[^>]*+>", re.IGNORECASE)
_MARKUP = re.compile(r"<[a-zA-Z/!?]")
_RAW_END = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style")}
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(href|action|alt|value|placeholder)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""", re.IGNORECASE
)
_SPACES = re.compile(r"[ \t\r\n\f]+")
_LINES = re.compile(r" *+\n[ \n]*+")

_ADDRESSES = frozenset({"href", "action"})
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
        said = f"{_gap(tag[1].lower())}{_attributes(tag[2])}"
        end = _RAW_END.get(tag[1].lower())
        if end is None:
            return said, tag.end()
        if closing := end.search(source, tag.end()):
            return f" [{tag[1].lower()}: {closing.start() - tag.end()}] ", closing.start()
    elif tag := _CLOSING.match(source, start):
        return _gap(tag[1].lower()), tag.end()
    elif dropped := _COMMENT.match(source, start) or _DECLARATION.match(source, start):
        return "", dropped.end()
    return f"\n{source[start:]}", len(source)


def _gap(name: str) -> str:
    if name in _BLOCKS:
        return "\n"
    return " " if name in ("td", "th") else ""


def _attributes(text: str) -> str:
    """The addresses and texts among a tag's attributes."""
    said = ""
    for found in _ATTRIBUTE.finditer(text):
        value = _words(found[2] or found[3] or found[4] or "").strip()
        said += f" <{value}> " if found[1].lower() in _ADDRESSES else f" {value} "
    return said


def _words(text: str) -> str:
    return unescape(_SPACES.sub(" ", text))
