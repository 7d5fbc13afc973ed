"""A few characters and whether they are a level of secrecy: in any writing, with what may stand beside it in a stamp.

Levels are those of law 117/2025/QH15 (three, as in the law of 2018); the look of a stamp is circular 24/2020/TT-BCA's:
capitals in a double frame.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from gateway.text.coding import SLOTS, table
from gateway.text.folding import plain, toned

LONGEST_CELL = 120
"""Characters of a cell or line that may be a stamp with what stands beside it; a longer one is a sentence."""


class Level(StrEnum):
    """How secret a document is marked."""

    MAT = "mật"
    TOI_MAT = "tối mật"
    TUYET_MAT = "tuyệt mật"


BARE = {"mat": Level.MAT, "toimat": Level.TOI_MAT, "tuyetmat": Level.TUYET_MAT}

_LETTERHEAD = "conghoaxahoichunghiavietnam|doclaptudohanhphuc|dangcongsanvietnam"
"""What stands in the other column of the letterhead: some programs print columns as one line."""

_URGENCY = "thuongkhan|hoatoc(?:hengio)?|khan"
_BEHIND = (
    rf"(?:{_URGENCY}|{_LETTERHEAD}|bansaoso\d{{0,4}}|banso\d{{0,4}}|so\d{{1,5}}|bansao|tailieuthuhoi|thuhoi|"
    r"chinguoicotenmoiduocbocbi|luuhanhnoibo|trang\d{1,4}|page\d{1,4}|\d{1,4})"
)
_STAMP = re.compile(rf"(?:{_URGENCY}|dau|dongdau|{_LETTERHEAD})?(?P<level>tuyetmat|toimat|mat)(?P=level)?{_BEHIND}*+")
_STAMP_IN_BYTES = re.compile(_STAMP.pattern.encode())
_WORD = re.compile(r"[^\W_]+")
_BARE = table(plain(each).text if each.isalnum() else each for each in SLOTS)
_LEFT_OUT = bytes(code for code, each in enumerate(SLOTS) if not each.isalnum() and each not in "\0\n")


@dataclass(frozen=True, slots=True)
class Written:
    """A level as it is written: with its diacritics or without, all in capitals or not."""

    level: Level
    accented: bool
    capitals: bool

    @property
    def strong(self) -> bool:
        """True where the writing alone is a marking: capitals with diacritics, or two words without."""
        return self.capitals and (self.accented or self.level is not Level.MAT)


def bare_letters(coded: bytes) -> bytes:
    """The letters and digits of a text's bytes (`coding.coded`) in plain form, and the ends of its lines; 0 where there
    may be others."""
    return coded.translate(_BARE, _LEFT_OUT)


def may_be_stamp(coded: bytes) -> bool:
    """False if a cell with these bytes is no stamp: by far the most are none, and this costs a tenth of `stamp`."""
    letters = bare_letters(coded)
    return 0 in letters or _STAMP_IN_BYTES.fullmatch(letters) is not None


def stamp(cell: str) -> Written | None:
    """The level if the cell holds a level and nothing but what stands beside one in a stamp, else None."""
    if len(cell) > LONGEST_CELL:
        return None
    accented = "".join(_WORD.findall(toned(cell).text))
    found = _STAMP.fullmatch("".join(_WORD.findall(plain(cell).text)))
    if not found:
        return None
    part = slice(*found.span("level"))
    return _written(BARE[found["level"]], accented[part], _letters(cell)[part])


def level(text: str) -> Written | None:
    """The level if the text is a level and nothing else, else None."""
    found = BARE.get("".join(_WORD.findall(plain(text).text)))
    return _written(found, "".join(_WORD.findall(toned(text).text)), _letters(text)) if found else None


def _letters(cell: str) -> str:
    """The letters and digits as they are written, as many as the folded forms have."""
    return "".join(_WORD.findall(unicodedata.normalize("NFC", cell)))


def _written(level: Level, letters: str, cell: str) -> Written | None:
    """None for another word: mặt, mắt, mất, mát and mạt lose their marks as mật does."""
    last = letters[-3:]
    if last not in ("mật", "mat", "mât"):
        return None
    # TCVN3 has small letters only where they bear a tone: its capitals are another font ("MậT").
    return Written(level, last == "mật", not any(character.islower() and character.isascii() for character in cell))
