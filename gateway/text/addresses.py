"""Addresses in texts: of the web, made absolute as programs do it, and those written out, of which mail programs make
links; and of mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

LONGEST = 8192
"""Characters of an address written out in a text; servers take no longer ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Where a text leads. `target` is absolute where a base is known, `text` what a person sees of it, `source` the
    element ("a", "area", "form", "img", "iframe", "meta", ...) or "text" for an address written out, `button` true
    where it is drawn as one."""

    target: str
    text: str = ""
    source: str = "a"
    button: bool = False


@dataclass(frozen=True, slots=True)
class MailAddress:
    """A mail address in a text: where it stands, and where its domain begins."""

    start: int
    domain: int
    stop: int


LONGEST_LOCAL_PART = 64
"""RFC 5321 section 4.5.3.1.1."""

_LOCAL_PART = re.compile(rf"(?<![\w.+-])[A-Za-z0-9][\w.+-]{{0,{LONGEST_LOCAL_PART - 1}}}\Z")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_WRITTEN = re.compile(
    r"(?:(?P<scheme>(?:https?|ftp)://)|(?<![\w@.-])www\d{0,2}\.(?=\w)|(?<![\w@.-])(?:\w[\w-]{0,62}+\.)++(?<=\.)"
    r"(?=[^\W\d_]{2,24}(?::\d{1,5})?/))[^\s<>\"'`|\\^{}\u201c\u201d\u00ab\u00bb]++",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?*_~…'’”»"
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_NOT_IN_ADDRESSES = str.maketrans("", "", "\t\r\n")
_AROUND = "".join(map(chr, range(0x21)))


def mail_addresses(text: str) -> Iterator[MailAddress]:
    """The mail addresses written in a text, each "@" looked at once: linear, and nothing where there is none."""
    behind, at = 0, text.find("@")
    while at >= 0:
        local = _LOCAL_PART.search(text, max(behind, at - LONGEST_LOCAL_PART), at)
        behind = at + 1
        if local and (domain := _DOMAIN.match(text, at + 1)):
            yield MailAddress(local.start(), at + 1, domain.end())
            behind = domain.end()
        at = text.find("@", behind)


def written_links(text: str) -> tuple[Anchor, ...]:
    """The addresses written out in a text: http://, www., and bare domains with a path. Linear; never raises."""
    return tuple(
        Anchor(target=shown if has_scheme else f"http://{shown}", text=shown, source="text")
        for shown, has_scheme in _written(text)
    )


def _written(text: str) -> Iterator[tuple[str, bool]]:
    has_www = "www." in text.lower()
    if not has_www and "/" not in text:
        return
    for word in text.split():
        if "/" in word or (has_www and "www." in word.lower()):
            for found in _WRITTEN.finditer(word):
                if shown := _trimmed(found[0][:LONGEST]):
                    yield shown, bool(found["scheme"])


def _trimmed(shown: str) -> str:
    """Without the punctuation that ends the sentence it stands in, or the brackets around it."""
    shown = shown.rstrip(_TRAILING)
    for opening, closing in ("()", "[]"):
        unopened = shown.count(closing) - shown.count(opening)
        while unopened > 0 and shown.endswith(closing):
            shown, unopened = shown[:-1].rstrip(_TRAILING), unopened - 1
    return shown


def absolute(target: str, base: str) -> str:
    """An address as programs follow it: without the white space that they ignore, and whole where a base is known."""
    clean = target.translate(_NOT_IN_ADDRESSES).strip(_AROUND)
    if not base or not clean or clean.startswith("#") or _SCHEME.match(clean):
        return clean
    try:
        return urljoin(base.translate(_NOT_IN_ADDRESSES).strip(_AROUND), clean)
    except ValueError:  # brackets that are no IPv6 address
        return clean
