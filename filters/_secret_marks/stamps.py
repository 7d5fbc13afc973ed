"""The other stamps of secret papers (circular 24/2020/TT-BCA, decree 63/2026/NĐ-CP), in capitals on their own line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

AuxiliaryKind = Literal["addressee-only", "copy", "recall", "raised", "lowered", "extended"]

_STAMPS: tuple[tuple[AuxiliaryKind, str], ...] = (
    ("addressee-only", r"CHỈ[ ]+NGƯỜI[ ]+CÓ[ ]+TÊN[ ]+MỚI[ ]+ĐƯỢC[ ]+BÓC[ ]+BÌ"),
    ("copy", r"BẢN[ ]+SAO[ ]+BÍ[ ]+MẬT[ ]+NHÀ[ ]+NƯỚC"),
    ("recall", r"TÀI[ ]+LIỆU[ ]+THU[ ]+HỒI"),
    ("raised", r"TĂNG[ ]+(?:ĐỘ[ ]+)?MẬT"),
    ("lowered", r"GIẢM[ ]+(?:ĐỘ[ ]+)?MẬT"),
    ("extended", r"GIA[ ]+HẠN[ ]+THỜI[ ]+HẠN[ ]+BẢO[ ]+VỆ[ ]+BÍ[ ]+MẬT[ ]+NHÀ[ ]+NƯỚC"),
)
_EDGE = r"[ \t\[\](){}|*_>#.:-]*"
_PATTERNS = tuple((kind, re.compile(rf"^{_EDGE}({words}){_EDGE}(?:\d.*)?$", re.MULTILINE)) for kind, words in _STAMPS)
_DECLASSIFIED = re.compile(rf"^{_EDGE}(GIẢI[ \t]+MẬT)(?!\w)(?![ ]+(?:THƯ|MÃ)\b)", re.MULTILINE)
_FIRST_WORDS = ("CHỈ", "BẢN SAO", "THU", "MẬT")


def auxiliary_stamps(content: str) -> Iterator[tuple[AuxiliaryKind, int]]:
    """The stamps on lines of their own, each with its place."""
    content = _composed(content)
    if not any(word in content for word in _FIRST_WORDS):
        return
    for kind, pattern in _PATTERNS:
        yield from ((kind, found.start(1)) for found in pattern.finditer(content))


def declassified(content: str) -> Iterator[int]:
    """Where a stamp says that a paper is no longer secret."""
    content = _composed(content)
    if "GIẢI" in content:
        yield from (found.start(1) for found in _DECLASSIFIED.finditer(content))


def _composed(text: str) -> str:
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
