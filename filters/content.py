"""content: find what gialai-2022/3.3 forbids, by lexicons that an officer can read and edit.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. A lexicon finds
candidates and people decide: a finding says how much speaks for it and where, and never that the law was broken. A
report about a crime, a statute, a newspaper speak of the same things; what they say beside them is weighed too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from filters._content.hits import Finder, Hit
from filters._content.lexicon import Context, Group, Lexicon, Where, load_lexicons
from filters._content.weighing import Score, scores
from gateway.errors import ConfigurationError
from gateway.mail import Mail
from gateway.reading import Text, Zone
from gateway.verdict import Evidence, Finding

STRONG = 2.0
"""The multiple of its lexicon's `flag` from which a score is strong."""

SHOWN = 6
"""Phrases shown as evidence."""

TERMS = 20
"""Phrases told in the field `terms`: more say nothing new."""

AROUND = 30
"""Characters shown on each side of a phrase."""

_PLACES: Mapping[Where, frozenset[Zone]] = {
    "subject": frozenset({Zone.SUBJECT}),
    "body": frozenset({Zone.BODY, Zone.HIDDEN}),
    "attachment": frozenset(set(Zone) - {Zone.SUBJECT, Zone.BODY, Zone.HIDDEN, Zone.SENDER_NAME}),
    "anywhere": frozenset(Zone),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prohibited(Finding):
    """A text speaks the language of a lexicon. `category` is the lexicon's name (gambling, drugs, ...),
    `score` what its phrases come to (1 is the lexicon's own threshold), `strength` weak below 2 and strong from 2,
    `phrases` how many different ones, `zone` where (body, attachment, ...), `terms` which ones, in the lexicon's words
    and not the text's, by weight. The detail tells their weights, and what trade added and reporting took away."""

    code: ClassVar[str] = "prohibited"
    category: str
    score: float
    strength: Literal["weak", "strong"]
    phrases: int
    zone: str
    terms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Content:
    """Weighs the subject, the body and the text of every file against the lexicons."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Prohibited,)
    READS: ClassVar[bool] = True

    lexicons: Path | None = None
    """A folder of lexicons in the place of those that come with the program (copy them and edit)."""

    categories: frozenset[str] = frozenset()
    """The categories to look for; all where none is named."""

    threshold: float = 1.0
    """The score from which a finding is reported: 1 is each lexicon's own `flag`; less shows weaker ones too."""

    _finder: Finder = field(init=False, repr=False, compare=False)
    _owners: Mapping[int, Lexicon] = field(init=False, repr=False, compare=False)
    _context: Context = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            lexicons, context = load_lexicons(self.lexicons)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        unknown = self.categories - {one.category for one in lexicons}
        if unknown:
            raise ValueError(f"there is no lexicon for {', '.join(sorted(unknown))}")
        used = [one for one in lexicons if not self.categories or one.category in self.categories]
        groups = [group for one in used for group in one.groups]
        unless = tuple(sorted({phrase for group in groups for phrase in group.unless_near}))
        besides = [Group(name="unless", phrases=unless)] if unless else []
        object.__setattr__(self, "_finder", Finder(groups, [*besides, *context.trade, *context.reporting]))
        object.__setattr__(self, "_owners", {id(group): one for one in used for group in one.groups})
        object.__setattr__(self, "_context", context)

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """For each category the text in which its score is highest."""
        best: dict[str, tuple[Score, Text]] = {}
        for text in _together(mail.reading.texts):
            for score in self.scores(text):
                category = score.lexicon.category
                if category not in best or score.value > best[category][0].value:
                    best[category] = (score, text)
        for _, (score, text) in sorted(best.items()):
            relative = score.value / score.lexicon.flag
            if relative >= self.threshold:
                yield _finding(score, text, relative)

    def scores(self, text: Text) -> Iterator[Score]:
        """What each category comes to in one text, however little."""
        hits = [hit for hit in self._finder.hits(text) if text.zone in _PLACES[hit.group.where]]
        return scores(hits, self._owners, self._context)


def _together(texts: tuple[Text, ...]) -> Iterator[Text]:
    """Each text, with the subject, in all its readings, before the body: a person reads them together."""
    subject = "\n".join(text.content for text in texts if text.zone is Zone.SUBJECT)
    bodies = False
    for text in texts:
        if text.zone is Zone.BODY and subject:
            bodies = True
            yield Text(
                place=text.place,
                zone=text.zone,
                content=f"{subject}\n{text.content}",
                kind=text.kind,
                charset=text.charset,
            )
        elif text.zone is not Zone.SUBJECT:
            yield text
    if not bodies:
        yield from (text for text in texts if text.zone is Zone.SUBJECT)


def _finding(score: Score, text: Text, relative: float) -> Finding:
    shown: dict[str, Hit] = {}
    for hit in sorted(score.hits, key=lambda one: -one.group.weight):
        shown.setdefault(hit.phrase, hit)
    weights = ", ".join(f"{hit.phrase} ({hit.group.name} {hit.group.weight:g})" for hit in shown.values())
    return Prohibited(
        category=score.lexicon.category,
        score=round(relative, 2),
        strength="strong" if relative >= STRONG else "weak",
        phrases=len(shown),
        zone=text.zone.value,
        terms=tuple(shown)[:TERMS],
        detail=f"{weights}; trade +{score.trade:.1f}, reporting -{score.reporting:.1f}",
        evidence=tuple(_evidence(text, hit) for hit in list(shown.values())[:SHOWN]),
    )


def _evidence(text: Text, hit: Hit) -> Evidence:
    start, stop = hit.place
    excerpt = text.content[max(start - AROUND, 0) : stop + AROUND]
    return Evidence(text.place, start, " ".join(excerpt.split()))
