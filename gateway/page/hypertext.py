"""The text in HTML, for a person who must judge it: nothing is rendered, and nothing that might be shown is left out.

Hidden text is shown, and so is the address behind each link. One pass, each step of which goes forward: what is not
closed is shown as it stands, and never looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

_TAG = re.compile(r"""</?+([a-zA-Z][a-zA-Z0-9]*+)((?:[^>"']|"[^"]*+"|'[^']*+')*+)>""")
_DECLARATION = re.compile(r"<[!?/][^>]*+>")
_RAW_END = {name: re.compile(rf"</{name}[^>]*+>", re.IGNORECASE) for name in ("script", "style")}
_ADDRESS = re.compile(r"""(?<![\w-])(?:href|action)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f]+")
_LINES = re.compile(r"[ \t]*\n[ \t\n]*")

_BLOCKS = frozenset(
    {"address", "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "form", "h1", "h2", "h3", "h4", "h5"}
    | {"h6", "hr", "li", "ol", "option", "p", "pre", "section", "table", "title", "tr", "ul"}
)


def text_of_html(source: str) -> str:
    """What HTML says, in lines. Scripts, styles and comments are left out; unfinished markup is shown as it stands."""
    plain = "".join(_pieces(source))
    return _LINES.sub("\n", plain).strip()


def _pieces(source: str) -> Iterator[str]:
    at = 0
    while (opens := source.find("<", at)) >= 0:
        yield _words(source[at:opens])
        if source.startswith("<!--", opens):
            closes = source.find("-->", opens + 4)
            after = closes + 3 if closes >= 0 else -1
        elif tag := _TAG.match(source, opens):
            yield from _told(tag)
            after = _behind(source, tag)
        elif source[opens + 1 : opens + 2].isalpha() or source[opens + 1 : opens + 2] in ("!", "?", "/"):
            declaration = _DECLARATION.match(source, opens)
            after = declaration.end() if declaration else -1
        else:  # a sign of its own, as in "1 < 2"
            yield "<"
            after = opens + 1
        if after < 0:
            yield f"\n{source[opens:]}"
            return
        at = after
    yield _words(source[at:])


def _told(tag: re.Match[str]) -> Iterator[str]:
    name = tag[1].lower()
    if name in _BLOCKS:
        yield "\n"
    elif name in ("td", "th"):
        yield " "
    for address in _ADDRESS.finditer(tag[2]):
        target = address[1] or address[2] or address[3] or ""
        yield f" <{unescape(target).strip()}> "


def _behind(source: str, tag: re.Match[str]) -> int:
    """Where the text goes on behind a tag, -1 where it never does."""
    end = _RAW_END.get(tag[1].lower())
    if end is None or tag[0].startswith("</"):
        return tag.end()
    closing = end.search(source, tag.end())
    return closing.end() if closing else -1


def _words(text: str) -> str:
    return unescape(_SPACES.sub(" ", text))
