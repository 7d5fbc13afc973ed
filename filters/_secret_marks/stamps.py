"""The other stamps of secret papers (circular 24/2020/TT-BCA, decree 63/2026/NĐ-CP), in capitals on their own line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from filters._composed import composed

AuxiliaryKind = Literal["addressee-only", "copy", "recall", "raised", "lowered", "extended"]

_STAMPS: tuple[tuple[AuxiliaryKind, str, str], ...] = (
    # kind, a word that every one of them has (looked for first), the whole
    ("addressee-only", "CHỈ", r"CHỈ[ ]+NGƯỜI[ ]+CÓ[ ]+TÊN[ ]+MỚI[ ]+ĐƯỢC[ ]+BÓC[ ]+BÌ"),
    ("copy", "BẢN", r"BẢN[ ]+SAO[ ]+BÍ[ ]+MẬT[ ]+NHÀ[ ]+NƯỚC"),
    ("recall", "HỒI", r"TÀI[ ]+LIỆU[ ]+THU[ ]+HỒI"),
    ("raised", "TĂNG", r"TĂNG[ ]+(?:ĐỘ[ ]+)?MẬT"),
    ("lowered", "GIẢM", r"GIẢM[ ]+(?:ĐỘ[ ]+)?MẬT"),
    ("extended", "HẠN", r"GIA[ ]+HẠN[ ]+THỜI[ ]+HẠN[ ]+BẢO[ ]+VỆ[ ]+BÍ[ ]+MẬT[ ]+NHÀ[ ]+NƯỚC"),
)
_EDGE = r"[ \t\[\](){}|*_>#.:-]*"
_PATTERNS = tuple(
    (kind, word, re.compile(rf"^{_EDGE}({words}){_EDGE}(?:\d.*)?$", re.MULTILINE)) for kind, word, words in _STAMPS
)
_DECLASSIFIED = re.compile(rf"^{_EDGE}(GIẢI[ \t]+MẬT)(?!\w)(?![ ]+(?:THƯ|MÃ)\b)", re.MULTILINE)


def auxiliary_stamps(content: str) -> Iterator[tuple[AuxiliaryKind, int]]:
    """The stamps on lines of their own, each with its place."""
    content = composed(content)
    for kind, word, pattern in _PATTERNS:
        if word in content:
            yield from ((kind, found.start(1)) for found in pattern.finditer(content))


def declassified(content: str) -> Iterator[int]:
    """Where a stamp says that a paper is no longer secret."""
    content = composed(content)
    if "GIẢI" in content:
        yield from (found.start(1) for found in _DECLASSIFIED.finditer(content))
