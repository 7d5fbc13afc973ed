"""`type; name=value; ...` as Content-Type and Content-Disposition have it, in every way a reader may take it.

Readers differ on comments, on quotes that do not close, on spaces, on RFC 2231 continuations with gaps, on encoded
words within values. Each reading is kept: the first of a name's values is the one by the book.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote_to_bytes

from gateway.mime.words import decode_words
from gateway.text.charsets import text_of

MAX_PARAMETERS = 100
"""Parameters read of one field; also its words without a value. Long names in RFC 2231 form need some thirty."""

MAX_TEXT = 16 * 1024
"""Characters read of one field: fifty times the longest file name, and every reading of it stays cheap."""

MAX_MARKS = 1_000
"""Quotes, brackets and backslashes looked at for comments; the text behind them is taken as it is."""

MAX_TYPES = 4
"""Media types taken from one field."""

# RFC 2045 section 5.1: an ordinary field is a type, a subtype, and then the end or a semicolon.
_PLAIN_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+\s*(?:;[^/(\0]*)?", re.ASCII)
_MEDIA_TYPE = re.compile(r"[!#-'*+.0-~-]+/[!#-'*+.0-~-]+")
_TYPE_IN_TEXT = re.compile(r"[\w!#$&^.+-]+\s*/\s*[\w!#$&^.+-]+|(?<![\w/.-])multipart(?![\w/.-])", re.ASCII)
_ORDINARY = re.compile(
    r"([\w.+-]++(?:/[\w.+-]++)?+)\s*+((?:;\s*+[\w-]++=(?:\"[^\"\\(\0]*+\"|[^\s;\"()=,\0\\]++)\s*+)*+);?\s*+", re.ASCII
)
_ORDINARY_PARAMETER = re.compile(r";\s*+([\w-]++)=(?:\"([^\"]*+)\"|([^\s;\"]++))", re.ASCII)
_TOKEN = re.compile(r"\s*+([^\s;/=]*+(?:\s*+/\s*+[^\s;=]*+)?)(?!\s*+=)")
_ITEM = re.compile(r'[\s;]*+([^\s=;"]*+)\s*+(=?)\s*+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)("?)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SECTION = re.compile(r"([^*]++)(?:\*(\d{1,4}))?(\*?)")
_COMMENT_MARK = re.compile(r'\\.|["()]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Structured:
    """What a field says: its first word in lower case, without spaces, and all values of each parameter, best first.

    `tokens` are the media types that some program reads in it, best first. `cut` tells that there was more than
    MAX_PARAMETERS or MAX_TEXT.
    """

    token: str = ""
    tokens: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cut: bool = False


@lru_cache(maxsize=512)
def structured(text: str) -> Structured:
    """Reads the unfolded text of a field (RFC 2045 section 5.1, RFC 2231). Kept: most mail says one of a few things."""
    return _ordinary(text) or _in_all_ways(text)


def _ordinary(text: str) -> Structured | None:
    """What nine of ten fields say: in this form there is but one way to read them. None for all others."""
    field = _ORDINARY.fullmatch(text)
    if field is None or len(text) > MAX_TEXT or "=?" in text or field[1].lower() == "multipart":
        return None
    values: dict[str, tuple[str, ...]] = {}
    found = _ORDINARY_PARAMETER.findall(field[2])
    for name, quoted, bare in found:
        known = values.get(name.lower(), ())
        values[name.lower()] = known if (quoted or bare) in known else (*known, quoted or bare)
    if len(found) > MAX_PARAMETERS or "multipart" in values:
        return None
    token = field[1].lower()
    return Structured(token, (token,) if "/" in token else (), values)


def _in_all_ways(text: str) -> Structured:
    cut = len(text) > MAX_TEXT
    text = text[:MAX_TEXT]
    token, items = "", list[tuple[str, str]]()
    for reading in _readings(text):
        match = _TOKEN.match(reading)
        token = token or ("".join(match[1].split()).lower() if match else "")
        items += _items(reading, match.end() if match else 0)
        cut = cut or len(items) > MAX_PARAMETERS
        if cut:
            break
    return Structured(token, _media_types(text, token), _values(dict.fromkeys(items)), cut)


def merged(found: Iterable[Structured]) -> dict[str, tuple[str, ...]]:
    """The values of several fields of one name, those of the first field first."""
    values: dict[str, tuple[str, ...]] = {}
    for one in found:
        for name, readings in one.values.items():
            values[name] = values.get(name, ()) + readings
    return values


def without_comments(text: str) -> str:
    """`text` without its comments, nested ones too (RFC 5322 section 3.2.2); an open one runs to the end."""
    if "(" not in text:
        return text
    kept, at, depth, quoted = list[str](), 0, 0, False
    for mark in islice(_COMMENT_MARK.finditer(text), MAX_MARKS):
        sign = mark[0]
        if sign == '"' and not depth:
            quoted = not quoted
        elif sign == "(" and not quoted:
            if not depth:
                kept.append(text[at : mark.start()])
            depth += 1
        elif sign == ")" and depth:
            depth -= 1
            at = mark.end()
    if not depth:
        kept.append(text[at:])
    return "".join(kept)


def _readings(text: str) -> Iterable[str]:
    if "(" not in text and "=?" not in text and "\0" not in text:
        return (text,)
    without = text.replace("\0", "")
    return dict.fromkeys((without_comments(text), text, decode_words(text), without, text.partition("\0")[0]))


def _media_types(text: str, token: str) -> tuple[str, ...]:
    """All that looks like a type in front of the parameters and between them; of an ordinary field that is one."""
    if _PLAIN_TYPE.fullmatch(text):
        return (token,)
    found = dict.fromkeys([token] if _MEDIA_TYPE.fullmatch(token) else [])
    for reading in _readings(text):
        for piece in reading.lower().split(";")[:MAX_PARAMETERS]:
            said = piece.partition("=")[0] if "=" in piece and not piece.lstrip().startswith("=?") else piece
            found |= dict.fromkeys("".join(word.split()) for word in _TYPE_IN_TEXT.findall(said))
    if "multipart" in found:  # without a subtype, which RFC 2045 asks for and few readers need
        found = dict.fromkeys("multipart/mixed" if one == "multipart" else one for one in found)
    return tuple(found)[:MAX_TYPES]


def _items(text: str, at: int) -> Iterator[tuple[str, str]]:
    """Names as written in lower case, with values; a value that can be read in two ways comes twice."""
    for _ in range(MAX_PARAMETERS + 1):
        if at >= len(text):
            return
        item = _ITEM.match(text, at)
        if item is None or not item[2]:
            at = max(at + 1, item.end() if item else 0)
            continue
        name, at = item[1].lower(), item.end()
        end = text.find(";", at)
        end = len(text) if end < 0 else end
        quoted = _QUOTED.match(text, at)
        if quoted is None:
            whole = text[at:end].strip()
            first = whole.split(None, 1)[0] if whole else ""
            another = "=" in whole[len(first) :]  # a semicolon was forgotten
            yield name, first if another else whole
            yield name, whole if another else first
            at = at + len(first) if another else end
        elif not quoted[2]:
            yield name, _ESCAPE.sub(r"\1", quoted[1])
            yield name, text[at + 1 : end].strip()
            at = end
        else:
            value = _ESCAPE.sub(r"\1", quoted[1])
            yield name, value
            at = quoted.end()
            end = text.find(";", at)
            end = len(text) if end < 0 else end
            junk = text[at:end].strip()
            if junk and "=" not in junk:
                yield name, value + junk
                at = end


def _values(items: Mapping[tuple[str, str], None]) -> dict[str, tuple[str, ...]]:
    plain: dict[str, dict[str, None]] = {}
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, value in items:
        section = _SECTION.fullmatch(name)
        if section is None or not (section[2] or section[3]):
            readings = (value,) if "=?" not in value else (decode_words(value), value)
            plain.setdefault(name, {}).update(dict.fromkeys(readings))
        else:
            number = int(section[2]) if section[2] else -1
            sections.setdefault(section[1], {}).setdefault(number, (bool(section[3]), value))
    extended = {name: _extended(found) for name, found in sections.items()}
    return {name: tuple(dict.fromkeys([*extended.get(name, ()), *plain.get(name, ())])) for name in extended | plain}


def _extended(sections: dict[int, tuple[bool, str]]) -> list[str]:
    """The values of `name*`, `name*0`, `name*1*` ... (RFC 2231 sections 3 and 4)."""
    values = [_joined([sections.pop(-1)])] if -1 in sections else []
    if sections:
        numbers = sorted(sections)
        values.append(_joined([sections[number] for number in numbers]))
        unbroken = [number for place, number in enumerate(numbers) if place == number]
        if 0 < len(unbroken) < len(numbers):  # strict readers stop at the gap
            values.append(_joined([sections[number] for number in unbroken]))
    return values


def _joined(sections: list[tuple[bool, str]]) -> str:
    charset, data = "", bytearray()
    for place, (encoded, value) in enumerate(sections):
        if encoded and place == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        data += unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace")
    return decode_words(text_of(bytes(data), charset))
