"""What the text layer costs: folding and searching as megabytes of UTF-8 a second, HTML as milliseconds a mail."""

from __future__ import annotations

import random
import time
import timeit
from collections.abc import Callable, Iterator
from unicodedata import normalize

from gateway.text.folding import Folded, plain, toned
from gateway.text.hypertext import read_html
from gateway.text.phrases import Phrases
from gateway.text.readings import read_text
from gateway.text.squeezing import squeezed

FOLD_AND_MATCH_LIMIT = 20.0
"""Megabytes a second that folding and matching of 5,000 phrases must reach."""

HTML_LIMIT = 1.5
"""Milliseconds for a mail of 20 kB in HTML."""

PHRASES = 5_000
LETTERS = 500_000
HTML_BYTES = 20_000
REPEATS = 7
_SYLLABLES = (
    "kính gửi các đồng chí thông báo về việc tổ chức hội nghị triển khai nhiệm vụ công tác năm của Sở Thông tin và "
    "Truyền thông tỉnh đề nghị cơ quan đơn vị cử cán bộ tham dự đầy đủ đúng thành phần quy định trân trọng"
).split()
ROW = (
    '<tr><td class="cell" style="padding:12px 24px;font-family:Arial,sans-serif;font-size:15px;line-height:22px;'
    'color:#333333;background-color:#ffffff"><p style="margin:0 0 16px 0">{words}, <b>số {number}</b>.</p>'
    '<a href="https://example.gov.vn/vb/{number}" style="background:#0a66c2;color:#ffffff;padding:10px 20px;'
    'border-radius:4px;text-decoration:none;display:inline-block">Xem văn bản</a></td></tr>\n'
)
HEAD = (
    '<!DOCTYPE html><html><head><meta charset="utf-8"><title>Bản tin</title><style>.cell{color:#333} a{color:#0a66c2}'
    '</style></head><body bgcolor="#f4f4f4"><div style="display:none;max-height:0">Xem trước</div><table width="600">'
)


def run() -> list[dict[str, object]]:
    """Each step's CPU milliseconds, the best of some repeats, and megabytes a second."""
    return [
        {"step": step, "milliseconds": 1000 * seconds, "megabytes": size / seconds / 1e6}
        for step, size, work in _steps()
        for seconds in (_cpu_seconds(work),)
    ]


def _steps() -> Iterator[tuple[str, int, Callable[[], object]]]:
    chance = random.Random(1)
    text = words(chance, LETTERS)
    size = len(text.encode())
    phrases = [(" ".join(chance.choices(_SYLLABLES, k=chance.randint(3, 5))), at) for at in range(PHRASES)]
    for fold in (plain, toned, squeezed):
        known = Phrases(phrases, fold)
        yield f"fold: {fold.__name__}", size, lambda fold=fold: fold(text)
        yield f"fold and match: {fold.__name__}", size, lambda fold=fold, known=known: _matched(known, fold, text)
    decomposed = normalize("NFD", text)
    yield "fold: plain, decomposed text", len(decomposed.encode()), lambda: plain(decomposed)
    data = text.encode()
    yield "readings of UTF-8", size, lambda: read_text(data, "utf-8")
    page = HEAD
    while len(page.encode()) < HTML_BYTES:
        page += ROW.format(words=words(chance, 80), number=len(page))
    yield "HTML, 20 kB", len(page.encode()), lambda: read_html(page)


def words(chance: random.Random, length: int) -> str:
    """Syllables of letters between offices, about so many characters."""
    return " ".join(chance.choices(_SYLLABLES, k=length // 5))


def _matched(phrases: Phrases[int], fold: Callable[[str], Folded], text: str) -> int:
    return sum(1 for _ in phrases.search(fold(text)))


def _cpu_seconds(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, number=1, repeat=REPEATS, timer=time.process_time))
