"""What the fields of a head say about the content: each field as often as it came, and each in every way it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from gateway.mime.decode import ENCODINGS, IDENTITY
from gateway.mime.defects import Defect
from gateway.mime.header import REMEMBERED, about_content, unfolded
from gateway.mime.names import file_names
from gateway.mime.parameters import MAX_TEXT, Structured, merged, structured, without_comments
from gateway.mime.words import decode_words

READINGS = 3
"""Fields of one name that are read where there should be one."""

_AS_IT_IS = "8bit"
_ENCODING = re.compile(r"[a-z0-9-]+")
_KNOWN = re.compile("|".join(sorted(ENCODINGS, key=len, reverse=True)))


class Declared(NamedTuple):
    """What a head says about the content, each time all that some program reads in it, best first.

    `media_types` is empty if no field names one; `typed` tells if there is a field for it. `parameters` are those of
    Content-Type, `first` the best of each; `encodings` words in lower case.
    """

    media_types: tuple[str, ...]
    typed: bool
    parameters: Mapping[str, tuple[str, ...]]
    first: Mapping[str, str]
    disposition: str
    names: tuple[str, ...]
    encodings: tuple[str, ...]
    defects: tuple[Defect, ...]

    @property
    def charsets(self) -> tuple[str, ...]:
        """The charsets of a text."""
        return tuple(dict.fromkeys(one.strip() for one in self.parameters.get("charset", ()) if one.strip()))


def declared(head: bytes) -> Declared:
    """Reads the fields about the content in a head."""
    return _remembered(head) if len(head) <= REMEMBERED else _read(head)


def _read(head: bytes) -> Declared:
    types, dispositions, encodings = list[Structured](), list[Structured](), dict[str, None]()
    defects, several = list[Defect](), 0
    for name, text in about_content(head):
        if name == "content-type":
            _add(types, text, Defect.DUPLICATE_TYPE, defects)
        elif name == "content-disposition":
            _add(dispositions, text, Defect.DUPLICATE_DISPOSITION, defects)
        elif name == "content-transfer-encoding":
            several += 1
            if several <= READINGS:
                encodings |= dict.fromkeys(_encodings(text[:MAX_TEXT]))
    if several > 1:
        defects.append(Defect.DUPLICATE_ENCODING)
    elif len(encodings) > 1:
        defects.append(Defect.AMBIGUOUS_ENCODING)
    media_types = tuple(dict.fromkeys(token for one in types for token in one.tokens))
    if types and not media_types:
        defects.append(Defect.BAD_TYPE)
    elif len(types) == 1 and len(media_types) > 1:
        defects.append(Defect.AMBIGUOUS_TYPE)
    if encodings and next(iter(encodings)) not in ENCODINGS:
        defects.append(Defect.UNKNOWN_ENCODING)
    parameters = merged(types)
    return Declared(
        media_types,
        bool(types),
        parameters,
        {name: values[0] for name, values in parameters.items()},
        next((one.token for one in dispositions), ""),
        tuple(file_names(merged(dispositions), parameters)),
        tuple(encodings),
        tuple(dict.fromkeys(defects)),
    )


_remembered = lru_cache(maxsize=512)(_read)


def _add(found: list[Structured], value: bytes, duplicate: Defect, defects: list[Defect]) -> None:
    if found:
        defects.append(duplicate)
    if len(found) == READINGS:
        defects.append(Defect.LIMIT_PARAMETERS)
        return
    found.append(structured(unfolded(value)[: MAX_TEXT + 1]))  # enough to tell that there is more
    if found[-1].cut:
        defects.append(Defect.LIMIT_PARAMETERS)


def _encodings(value: bytes) -> tuple[str, ...]:
    """The words of a Content-Transfer-Encoding (RFC 2045 section 6.1) that some program takes for it."""
    text = unfolded(value).lower()
    plain = without_comments(text)
    word = _ENCODING.search(plain)
    found = dict.fromkeys([word[0] if word else ""])
    if value.lstrip(b" \t").rstrip(b"\r\n").lower() != "".join(found).encode() and IDENTITY.isdisjoint(found):
        found[_AS_IT_IS] = None  # some programs take the word alone or not at all, even with a space behind it
    if plain.strip() not in found:  # there is more than the word
        for reading in (plain, text, decode_words(text), text.replace("\0", "")):
            found |= dict.fromkeys(_KNOWN.findall(reading))
    return tuple(found)
