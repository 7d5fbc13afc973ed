"""Marks in the names of files, where diacritics are mostly lost and "mat" is part of many a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from filters._secret_marks.levels import Level
from gateway.text.folding import plain, toned

_TOKEN = re.compile(r"[^\W_]+")
_ABBREVIATED = frozenset(
    "bc kh cv qd tb ttr tt nq ct qc tc hd ctr pa da bb cd bgn btt guq gm ggt pc pg pb sy kl vb".split()
)
_WRITTEN_OUT = frozenset(
    {
        *("bao cao", "ke hoach", "cong van", "quyet dinh", "to trinh", "thong bao", "de an", "phuong an", "nghi quyet"),
        *("chi thi", "bien ban", "ho so", "danh sach", "tai lieu", "van ban", "cong dien", "ket luan"),
    }
)
"""Types of documents, abbreviated or written out, without diacritics."""

_OPENING, _CLOSING = "[({【", "])}】"


def marks_in_name(name: str) -> Iterator[tuple[Level, int]]:
    """The levels that a file's name bears, each with its place in the name."""
    tokens = list(_TOKEN.finditer(name))
    bare = [plain(token[0]).text for token in tokens]
    for index, token in enumerate(tokens):
        if bare[index] in ("tuyetmat", "toimat"):
            yield (Level.TUYET_MAT if bare[index] == "tuyetmat" else Level.TOI_MAT), token.start()
        if bare[index] != "mat":
            continue
        before = bare[index - 1] if index else ""
        if before in ("tuyet", "toi"):
            yield (Level.TUYET_MAT if before == "tuyet" else Level.TOI_MAT), tokens[index - 1].start()
        elif _is_secret(name, tokens, bare, index):
            yield Level.MAT, token.start()


def _is_secret(name: str, tokens: list[re.Match[str]], bare: list[str], index: int) -> bool:
    """One word alone: in brackets, or in capitals between a type, a number and the ends of the name."""
    word = tokens[index][0]
    accented = toned(word).text == "mật"
    if not accented and plain(word).text != toned(word).text:
        return False  # mặt, mất, mắt
    start, stop = tokens[index].span()
    if name[start - 1 : start] in tuple(_OPENING) and name[stop : stop + 1] in tuple(_CLOSING):
        return accented or word.isupper()
    before = bare[:index]
    after = bare[index + 1 :]
    if len(after) == 1 and name[tokens[-1].start() - 1] == ".":
        after = []  # the extension
    ends = not after or after[0].isdigit()
    by_type = _ends_with_type(before) or (bool(before) and before[-1].isdigit() and _ends_with_type(before[:-1]))
    if by_type and ends and (accented or word.isupper()):
        return True
    first = not before or all(one.isdigit() for one in before)
    typed = bool(after) and (after[0] in _ABBREVIATED or " ".join(after[:2]) in _WRITTEN_OUT)
    return word.isupper() and first and (typed or (accented and ends))


def _ends_with_type(tokens: list[str]) -> bool:
    return bool(tokens) and (tokens[-1] in _ABBREVIATED or " ".join(tokens[-2:]) in _WRITTEN_OUT)
