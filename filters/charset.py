"""charset: find Vietnamese that is not in Unicode, and texts whose charset is not the one they say.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`, which judges what is
found. TCVN 6909:2001 (Unicode) is the common code of bodies of the State; windows-1258 and decomposed letters are
Unicode, differently written, and are not reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from gateway.mail import Mail, Part
from gateway.mime.decode import decoded
from gateway.reading import Text, Zone
from gateway.text.charsets import codec_of, name_of
from gateway.text.evidence import is_mixed, vietnamese_share
from gateway.text.legacy import font_encoding
from gateway.traits import Mark
from gateway.verdict import Evidence, Finding

SHOWN = 80
"""Characters of a text that evidence shows."""

LOOKED_AT = 1024 * 1024
"""Bytes of an HTML part in which fonts are looked for: as many as are read as text."""

LONGEST_LABEL = 40
"""Characters of a declared charset that are reported; registered names have at most 45, those in use 20."""

MOST_FONTS = 20
"""Fonts that are reported of one mail."""

Encoding = Literal["tcvn3", "vni", "viscii", "vps", "tcvn5712", "viqr"]
_ENCODINGS: dict[str, Encoding] = {each: each for each in get_args(Encoding)}
_SAME = ({"tcvn3", "tcvn5712"}, {"windows-1252", "iso-8859-1"})
"""Labels that are used for one another."""

_FONT_NAME = re.compile(rb"(?:face\s{0,9}=|font-family\s{0,9}:)\s{0,9}[\"']?\s{0,9}([^\"';,<>]{3,60})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Legacy(Finding):
    """A text is Vietnamese in an encoding from before Unicode: one finding for each text. `encoding` is tcvn3, vni,
    viscii, vps, tcvn5712 or viqr; `zone` and `part` tell where; `confidence` (0 to 1) is how much of it makes sense as
    Unicode, so that it could be converted."""

    code: ClassVar[str] = "legacy"
    encoding: Encoding
    zone: Zone
    part: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed(Finding):
    """One text is Vietnamese in Unicode at one place and in an old encoding at another."""

    code: ClassVar[str] = "mixed"
    encoding: Encoding
    zone: Zone
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mislabelled(Finding):
    """The declared charset of a part (`declared`, "" for none) is not the one its text is in (`used`)."""

    code: ClassVar[str] = "mislabelled"
    declared: str
    used: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyFont(Finding):
    """A document or HTML asks for a font of an old encoding. `font` is its name as far as it is known."""

    code: ClassVar[str] = "legacy_font"
    font: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charset:
    """Looks at the charset of every text, and at the fonts that documents ask for."""

    READS: ClassVar[bool] = True
    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Legacy, Mixed, Mislabelled, LegacyFont)

    least_confidence: float = 0.8
    """A text in an old encoding is reported if at least this much of it makes sense as Unicode (0 to 1)."""

    def __post_init__(self) -> None:
        if not 0 <= self.least_confidence <= 1:
            raise ValueError("least_confidence is a share, 0 to 1")

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """Findings text by text, then part by part, then file by file."""
        for text in mail.reading.texts:
            if encoding := _ENCODINGS.get(text.charset):
                confidence = _confidence(text)
                if confidence >= self.least_confidence:
                    yield Legacy(
                        encoding=encoding,
                        zone=text.zone,
                        part=text.place,
                        confidence=round(confidence, 2),
                        evidence=(_evidence(text),),
                    )
        yield from _mixed(mail)
        for part in mail.root.walk():
            if not part.children and part.media_type.startswith("text/"):
                yield from _mislabelled(mail, part)
        yield from _fonts(mail)


def _mixed(mail: Mail) -> Iterator[Mixed]:
    """Texts of which one reading is in an old encoding, and another is partly Unicode already."""
    old = {
        (text.place, text.zone): _ENCODINGS[text.charset] for text in mail.reading.texts if text.charset in _ENCODINGS
    }
    for text in mail.reading.texts:
        place = text.place, text.zone
        if place in old and text.charset not in _ENCODINGS and is_mixed(text.content):
            yield Mixed(encoding=old.pop(place), zone=text.zone, part=text.place, evidence=(_evidence(text),))


def _mislabelled(mail: Mail, part: Part) -> Iterator[Mislabelled]:
    shown = [text for text in mail.reading.of(Zone.BODY) if text.place == part.label and text.charset]
    # VIQR is ASCII in any case, and letters of an old font may be in UTF-8 by the rules.
    if not shown or shown[0].content.isascii() or shown[0].charset == "viqr":
        return
    used = shown[0].charset
    declared = part.parameters.get("charset", "")[:LONGEST_LABEL]
    label = name_of(codec_of(declared) or declared.lower())
    by_the_rules = label == "utf-8" and any(text.charset == label and "\ufffd" not in text.content for text in shown)
    if label != name_of(codec_of(used) or used) and {label, used} not in _SAME and not by_the_rules:
        declared = "".join(each if each.isprintable() else "?" for each in declared)
        yield Mislabelled(declared=declared, used=used, part=part.label, evidence=(_evidence(shown[0]),))


def _fonts(mail: Mail) -> Iterator[LegacyFont]:
    traits = ((trait, file) for file in mail.reading.files for trait in file.traits)
    found = {(trait.detail, file.place): None for trait, file in traits if trait.word == Mark.LEGACY_FONT}
    for part in mail.root.walk():
        if not part.children and part.media_type == "text/html":
            fonts = _FONT_NAME.findall(decoded(mail.raw, part, LOOKED_AT))
            names = (name.decode("ascii", "ignore").strip() for name in fonts)
            found |= {(name, part.label): None for name in names if font_encoding(name)}
    for font, place in list(found)[:MOST_FONTS]:
        yield LegacyFont(font=font, part=place)


def _confidence(text: Text) -> float:
    """VIQR is words whose marks make sense, or it is not found; names in it need no marks."""
    return 1.0 if text.charset == "viqr" else vietnamese_share(text.content)


def _evidence(text: Text) -> Evidence:
    start = next((at for at, character in enumerate(text.content) if character > "\x7f"), 0)
    start = max(start - SHOWN // 4, 0)
    shown = "".join(each if each.isprintable() else " " for each in text.content[start : start + SHOWN])
    return Evidence(text.place, start, shown)
