"""How the HTML of a mail is made: what generators of mass mail write differs from what mail programs and people do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from gateway.mail import Mail, Part
from gateway.mime.decode import decoded

MARKUP_LIMIT = 24_000
"""Bytes of HTML that are looked at, of all parts together."""

PARTS = 4
"""HTML parts that are looked at."""

_TAG = re.compile(rb"<(/?[a-zA-Z!][a-zA-Z0-9]{0,14})([^<>]{0,300})")
_RED = re.compile(rb"color\s*[=:]\s*[\"']?\s*(?:#?ff0000|red)\b")
_ATTRIBUTES = re.compile(
    rb"\b(bgcolor|color|size|face|align|cellspacing|cellpadding|border|style|class|width|height|background|onload|"
    rb"onclick|alt|name|id|target|valign|lang)\s*="
)
_COMMENT = re.compile(rb"\w<!--[^<>]{0,80}-->\w")
_ENTITY = re.compile(rb"&#\d{2,4};")
_PERCENT = re.compile(rb"href\s*=\s*[\"']?[^\"'>\s]{0,200}%[0-9a-fA-F]{2}")
_GENERATOR = re.compile(rb"<meta[^>]{0,60}generator[^>]{0,60}?(frontpage|word|mshtml|dreamweaver)", re.IGNORECASE)
_KNOWN = frozenset(
    "a b i u p br hr ul ol li td tr th h1 h2 h3 h4 em tt dl dt dd pre img div font span body head html form input "
    "table tbody thead title center meta style script strong blockquote base link map area select option textarea "
    "big small marquee iframe o:p !doctype button sup nobr".split()
)


def markup_features(mail: Mail) -> Iterator[str]:
    """Named oddities and habits of the mail's HTML, each once."""
    parts = [part for part in mail.root.walk() if not part.children]
    pages = [page for part in parts if (page := _page(mail, part))][:PARTS]
    if not pages:
        return
    yield "*html"
    if not any(part.media_type == "text/plain" and part.size for part in parts):
        yield "*html-only"
    source = b"\n".join(pages)[:MARKUP_LIMIT]
    lowered = source.lower()
    tags: Counter[bytes] = Counter()
    attributes: set[bytes] = set()
    for tag, inside in _TAG.findall(lowered):
        tags[tag] += 1
        attributes.update(_ATTRIBUTES.findall(inside))
    for tag, count in tags.items():
        name = tag.decode("ascii")
        if name.lstrip("/") in _KNOWN:
            if name[0] != "/":
                yield f"*<{name}"
                if count >= 4:
                    yield f"*<{name}-{min(3, count.bit_length() // 2)}"
        elif name[0] != "!":
            yield "*unknown-tag"
    yield from (f"*@{name.decode('ascii')}" for name in attributes)
    if _RED.search(lowered):
        yield "*red"
    if _COMMENT.search(source):
        yield "*comment-in-word"
    if len(_ENTITY.findall(source)) > 20:
        yield "*entities"
    if _PERCENT.search(lowered):
        yield "*escaped-link"
    if found := _GENERATOR.search(source):
        yield f"*made-by-{found[1].decode('ascii').lower()}"
    if tags[b"html"] and not tags[b"/html"] and len(source) < MARKUP_LIMIT:
        yield "*unclosed-html"
    if tags[b"html"] > len(pages) or tags[b"body"] > len(pages):
        yield "*two-bodies"
    if not tags[b"html"]:
        yield "*no-html-tag"
    if tags[b"!doctype"]:
        yield "*doctype"
    capitals = len(re.findall(rb"<[A-Z]", source))
    yield "*capital-tags" if capitals * 2 > sum(tags.values()) else "*small-tags"
    if tags[b"img"] and len(_TAG.sub(b"", source)) < 200 * tags[b"img"]:
        yield "*mostly-pictures"


def _page(mail: Mail, part: Part) -> bytes:
    """The part's HTML, b"" where it has none. Some mass mail says it is plain text."""
    if part.media_type == "text/html":
        return decoded(mail.raw, part, MARKUP_LIMIT)
    if part.media_type == "text/plain" and part.size:
        start = decoded(mail.raw, part, 1_000)
        if b"<html" in start.lower():
            return decoded(mail.raw, part, MARKUP_LIMIT)
    return b""
