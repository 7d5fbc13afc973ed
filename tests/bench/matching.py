"""What the filters that read texts cost: all lexicons, marks, identifiers and forms of documents over the same texts.

Beside each stands what one pass of the standard library over the same text costs (decomposed and in lower case), since
milliseconds are a machine's and ratios are not. Each text is new each time, as in a mail: what is folded for one filter
is there for the next.
"""

from __future__ import annotations

import random
import time
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import text as texts
import yaml
from letters import PARAGRAPH

from filters.content import Content
from filters.documents import Documents
from filters.identifiers import Identifiers
from filters.secret_marks import SecretMarks
from gateway.mail import Client, Envelope, Mail
from gateway.mime.parse import parse
from gateway.reading import Reading, Text, Zone
from gateway.text.hypertext import read_html

LIMITS = {"1 MB": 60.0, "20 kB": 2.0}
"""Milliseconds of all filters together, over reading, for ordinary mail of that size."""

REPEATS = {"1 MB": 5, "20 kB": 50}
SIZES = {"1 MB": 1_000_000, "20 kB": 20_000}
SUBJECT = "Về việc rà soát hộp thư điện tử công vụ quý I năm 2026"
_SAID = Path(__file__).parents[1] / "filters" / "content_texts.yaml"
_RAW = b"Subject: x\r\n\r\nx\r\n"


def run() -> list[dict[str, Any]]:
    """For each text and size the CPU milliseconds of each filter and of all, the least of some repeats, and how many
    passes of the standard library that is."""
    filters = [Content(), SecretMarks(), Identifiers(), Documents()]
    found: list[dict[str, Any]] = []
    for kind, make in (("office letters", _office), ("what lexicons know", _known)):
        whole = make(SIZES["1 MB"])
        for size, length in SIZES.items():
            content = _cut(whole, length)
            found.append({"text": kind, "size": size, **_costs(filters, content, REPEATS[size])})
    page = _page(_office(SIZES["20 kB"]), SIZES["20 kB"])
    found.append({"text": "office letters in HTML", "size": "20 kB", **_costs(filters, page, REPEATS["20 kB"])})
    return found


def _costs(filters: list[Any], content: str, repeats: int) -> dict[str, Any]:
    rounds = [list(_spent(filters, content)) for _ in range(repeats)]
    library = min(_seconds(lambda: unicodedata.normalize("NFD", content).casefold()) for _ in range(repeats))
    together = min(map(sum, rounds))
    return {
        "milliseconds": 1000 * together,
        "filters": {type(each).__name__: 1000 * min(column) for each, *column in zip(filters, *rounds, strict=True)},
        "passes": together / library,
    }


def _spent(filters: list[Any], content: str) -> Iterator[float]:
    """The seconds of each filter on a mail that none has seen."""
    subject = Text(place="", zone=Zone.SUBJECT, content=SUBJECT)
    body = Text(place="1", zone=Zone.BODY, content=content)
    mail = Mail(
        id="1",
        listener="x",
        received=datetime(2026, 3, 1, tzinfo=UTC),
        client=Client(),
        envelope=Envelope("a@example.gov.vn"),
        inside=True,
        raw=_RAW,
        root=parse(_RAW),
        opened=Reading(texts=(subject, body)),
    )
    for each in filters:
        yield _seconds(lambda each=each: list(each.inspect(mail)))


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _office(size: int) -> str:
    """Paragraphs as offices write them."""
    chance = random.Random(3)
    pieces = [PARAGRAPH]
    while sum(map(len, pieces)) < size:
        pieces.append(PARAGRAPH if chance.random() < 0.3 else f"{texts.words(chance, chance.randint(40, 900))}.\n")
    return "".join(pieces)


def _known(size: int) -> str:
    """Offers, reports and statutes, of which the lexicons know a phrase in nearly every line."""
    chance = random.Random(4)
    categories = yaml.safe_load(_SAID.read_text(encoding="utf-8")).values()
    said = [each for kinds in categories for listed in kinds.values() for each in listed]
    pieces: list[str] = []
    while sum(map(len, pieces)) < size:
        pieces += chance.sample(said, 20)
    return "\n".join(pieces)


def _page(content: str, size: int) -> str:
    """What is seen of a page of about that size."""
    rows = (texts.ROW.format(words=line, number=number) for number, line in enumerate(content.splitlines()))
    page = texts.HEAD
    for row in rows:
        if len(page.encode()) < size:
            page += row
    return read_html(page).visible


def _cut(content: str, size: int) -> str:
    return content.encode()[:size].decode(errors="ignore")
