"""What the model of the filter `content` learns from: our own letters, and ordinary mail of a corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from signup_samples import mail_of

from filters._content.model import pages
from filters.content import Content
from gateway.reading import Text, Zone

LETTERS = Path(__file__).with_name("content")
"""Letters of each category, and ordinary ones: a file each, letters parted by lines of three dashes."""

ORDINARY = "ordinary"

GROUPS = {"vi_text": 0.5, "hardneg": 0.1, "signup": 0.03, "spamham": 0.1}
"""Groups of ordinary mail in the corpus, and how much a page of them counts beside a letter of ours."""

CLEAN = frozenset({"clean", "not_signup", "signup", "ham"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One page: its category, where it comes from, how much it counts, its features, and the highest score that the
    lexicons of the model's categories give its text."""

    name: str
    group: str
    category: str
    weight: float
    features: frozenset[str]
    phrases: float


def samples(corpus: Path) -> list[Sample]:
    """Our letters, then the corpus."""
    content = Content(categories=frozenset(path.stem for path in LETTERS.glob("*.txt")) - {ORDINARY})
    return [*letters(LETTERS, content), *_ordinary(corpus, content)]


def letters(folder: Path, content: Content) -> Iterator[Sample]:
    """Each page of the letters of the folder."""
    for path in sorted(folder.glob("*.txt")):
        for number, letter in enumerate(path.read_text(encoding="utf-8").split("\n---\n"), 1):
            text = Text(place="", zone=Zone.BODY, content=letter.strip())
            phrases = _phrases(text, content)
            for page in pages(text.plain.text):
                yield Sample(f"{path.stem} {number}", "letters", path.stem, 1.0, page, phrases)


def _ordinary(corpus: Path, content: Content) -> Iterator[Sample]:
    for entry in map(json.loads, (corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines()):
        group = entry["group"]
        if group not in GROUPS or entry["label"] not in CLEAN:
            continue
        mail = mail_of((corpus / entry["file"]).read_bytes(), entry.get("rcpt") or "an@example.gov.vn")
        for text in mail.reading.texts:
            if text.zone in (Zone.BODY, Zone.HIDDEN):
                phrases = _phrases(text, content)
                for page in pages(text.plain.text):
                    yield Sample(entry["file"], group, ORDINARY, GROUPS[group], page, phrases)


def _phrases(text: Text, content: Content) -> float:
    return max((score.value / score.lexicon.flag for score in content.scores(text)), default=0.0)
