"""The other stamps of secret papers (circular 24/2020/TT-BCA, decree 63/2026/NĐ-CP), in capitals on their own line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from filters._composed import composed
from gateway.reading import Text
from gateway.text.folding import toned

AuxiliaryKind = Literal["addressee-only", "copy", "recall", "raised", "lowered", "extended"]

_STAMPS: tuple[tuple[AuxiliaryKind, str, tuple[str, ...]], ...] = (
    # kind, its form, and how that reads in the toned form of a text (looked for first)
    (
        "addressee-only",
        r"CHỈ[ ]+NGƯỜI[ ]+CÓ[ ]+TÊN[ ]+MỚI[ ]+ĐƯỢC[ ]+BÓC[ ]+BÌ",
        ("chỉ người có tên mới được bóc bì",),
    ),
    ("copy", r"BẢN[ ]+SAO[ ]+BÍ[ ]+MẬT[ ]+NHÀ[ ]+NƯỚC", ("bản sao bí mật nhà nước",)),
    ("recall", r"TÀI[ ]+LIỆU[ ]+THU[ ]+HỒI", ("tài liệu thu hồi",)),
    ("raised", r"TĂNG[ ]+(?:ĐỘ[ ]+)?MẬT", ("tăng mật", "tăng độ mật")),
    ("lowered", r"GIẢM[ ]+(?:ĐỘ[ ]+)?MẬT", ("giảm mật", "giảm độ mật")),
    ("extended", r"GIA[ ]+HẠN[ ]+THỜI[ ]+HẠN[ ]+BẢO[ ]+VỆ[ ]+BÍ[ ]+MẬT[ ]+NHÀ[ ]+NƯỚC", ("gia hạn thời hạn bảo vệ",)),
)
_EDGE = r"[ \t\[\](){}|*_>#.:-]*"
_PATTERNS = tuple(
    (kind, tuple(toned(each).coded for each in words), re.compile(rf"{_EDGE}({form}){_EDGE}(?:\d.*)?$"))
    for kind, form, words in _STAMPS
)
_DECLASSIFIED = re.compile(rf"{_EDGE}(GIẢI[ \t]+MẬT)(?!\w)(?![ ]+(?:THƯ|MÃ)\b)")
_NO_LONGER_SECRET = toned("giải mật").coded


def auxiliary_stamps(text: Text) -> Iterator[tuple[AuxiliaryKind, int]]:
    """The stamps on lines of their own, each with its place."""
    for kind, words, pattern in _PATTERNS:
        yield from ((kind, at) for at in _on_lines(text, words, pattern))


def declassified(text: Text) -> Iterator[int]:
    """Where a stamp says that a paper is no longer secret."""
    yield from _on_lines(text, (_NO_LONGER_SECRET,), _DECLASSIFIED)


def _on_lines(text: Text, words: tuple[bytes, ...], pattern: re.Pattern[str]) -> Iterator[int]:
    """Where the pattern stands on a line that has the words."""
    content, folded = text.content, text.toned
    for each in words:
        stop = -1
        at = folded.coded.find(each)
        while at >= 0:
            place = folded.origin[at]
            if place >= stop:
                start = content.rfind("\n", 0, place) + 1
                stop = content.find("\n", place)
                stop = len(content) if stop < 0 else stop
                if found := pattern.match(composed(content[start:stop])):
                    yield start + found.start(1)
            at = folded.coded.find(each, at + 1)
