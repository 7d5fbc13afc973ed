"""Vietnamese written with the fonts of TCVN3 (.VnTime, .VnArial) and VNI (VNI-Times): the document has Latin letters
and signs, the font draws others. A reader that finds such a font gives each text a second reading.

TCVN 6909:2001 asks bodies of the State for Unicode, so that the use of such a font is a fact of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.extract.formats import Fact
from gateway.reading import Text, Trait
from gateway.text.evidence import converted_in_part
from gateway.text.legacy import converted, font_encoding
from gateway.text.readings import reread
from gateway.text.syllables import is_syllable
from gateway.traits import Mark

TEXT = 4 * 1024 * 1024
"""Characters of a document that are read a second time."""

SAMPLE = 32 * 1024
"""Characters of a text in which words of an old font are looked for."""

ENOUGH = 3
"""Words that make sense only in the old font before its use is told: a font may be named and not used."""

_FONT_BYTES = re.compile(rb"\.Vn\w{2,20}|VNI[- ]\w{2,20}")
_FONT_WIDE = re.compile(rb"\.\0V\0n\0(?:\w\0){2,20}|V\0N\0I\0-\0(?:\w\0){2,20}")
_HIGH = re.compile("[\x80-\xff]")
_AROUND = ".,;:!?()[]\"'“”‘’…-–/"


def font_names(data: bytes) -> set[str]:
    """Names of such fonts in binary data, in 8-bit or UTF-16."""
    names = {found[0].decode("latin-1") for found in _FONT_BYTES.finditer(data)}
    return names | {found[0].decode("utf-16-le", "replace") for found in _FONT_WIDE.finditer(data)}


def with_legacy_readings(facts: Iterable[Fact], fonts: set[str]) -> Iterator[Fact]:
    """The facts as they are and, if a font of `fonts` (complete when the facts are over) is such a font, once more the
    texts that mean something in it. Texts that speak for themselves are read again without a font."""
    kept: list[Text] = []
    room = TEXT
    for fact in facts:
        yield fact
        if isinstance(fact, Text) and room > 0 and _HIGH.search(fact.content):
            kept.append(fact)
            room -= len(fact.content)
    encodings = _encodings(fonts)
    for encoding, font in encodings.items():
        written = 0
        for text in kept:
            written += _words_of(text.content[:SAMPLE], encoding)
            if (content := converted_in_part(text.content, encoding)) != text.content:
                yield Text(place=text.place, zone=text.zone, content=content, kind=text.kind, charset=encoding)
        if written >= ENOUGH:
            yield Trait(word=Mark.LEGACY_FONT, detail=font[:60])
    for text in kept:
        for reading in reread(text.content):
            if reading.charset not in encodings:
                yield Text(
                    place=text.place, zone=text.zone, content=reading.text, kind=text.kind, charset=reading.charset
                )


def _words_of(text: str, encoding: str) -> int:
    """How many words are Vietnamese in the encoding and not as they stand."""
    words = {word.strip(_AROUND).lower() for word in text.split() if _HIGH.search(word)}
    return sum(not is_syllable(word) and is_syllable(converted(word, encoding).lower()) for word in words)


def _encodings(fonts: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for font in sorted(fonts):
        if encoding := font_encoding(font):
            found.setdefault(encoding, font)
    return found
