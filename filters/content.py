"""content: find what gialai-2022/3.3 forbids, by lexicons that an officer can read and edit, and by how a text reads.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. A lexicon finds
candidates and people decide: a finding says how much speaks for it and where, and never that the law was broken. A
report about a crime, a statute, a newspaper speak of the same things; what they say beside them is weighed too, and so
is whether the text reads like an offer or like ordinary mail (`filters/_content/model.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import ClassVar, Literal

from filters._content.hits import Finder, Hit
from filters._content.lexicon import Context, Group, Lexicon, Where, load_lexicons
from filters._content.model import Model, load_model
from filters._content.opinions import STRONG, Opinion, opinions
from filters._content.weighing import Score, reach, scores
from gateway.errors import ConfigurationError
from gateway.mail import Mail
from gateway.reading import Text, Zone
from gateway.verdict import Evidence, Finding

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
    `score` what its phrases and the impression that the text makes come to (1 is the threshold), `strength` weak
    below 2 and strong from 2, `phrases` how many different ones, `zone` where (body, attachment, ...), `terms` which
    ones, in the lexicon's words and not the text's, by weight, `odds` how much more the text reads like such letters
    than like ordinary mail (natural logarithm, 0 where the model has no say). The detail tells the weights, what trade
    added and reporting took away, and which words made the impression."""

    code: ClassVar[str] = "prohibited"
    category: str
    score: float
    strength: Literal["weak", "strong"]
    phrases: int
    zone: str
    terms: tuple[str, ...]
    odds: float


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
    _model: Model = field(init=False, repr=False, compare=False)

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
        finder = Finder(groups, [*besides, *context.trade, *context.reporting], reach(groups))
        object.__setattr__(self, "_finder", finder)
        object.__setattr__(self, "_owners", {id(group): one for one in used for group in one.groups})
        object.__setattr__(self, "_context", context)
        object.__setattr__(self, "_model", load_model())

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """For each category the text in which its score is highest."""
        best: dict[str, tuple[Opinion, Text, Text | None]] = {}
        for text, heading in _together(mail.reading.texts):
            for opinion in self.opinions(text, heading):
                if opinion.category not in best or opinion.value > best[opinion.category][0].value:
                    best[opinion.category] = (opinion, text, heading)
        for _, (opinion, text, heading) in sorted(best.items()):
            if opinion.value >= self.threshold:
                yield _finding(opinion, text, heading)

    def opinions(self, text: Text, heading: Text | None = None) -> Iterator[Opinion]:
        """What lexicons and the model say of one text, however little; `heading` is read on a line before it."""
        plain = text.plain.text
        impression = self._model.impression(f"{heading.plain.text}\n{plain}" if heading is not None else plain)
        if impression is not None and self.categories and impression.category not in self.categories:
            impression = None
        return opinions(self.scores(text, heading), impression, self._model)

    def scores(self, text: Text, heading: Text | None = None) -> Iterator[Score]:
        """What each category comes to in one text, however little; `heading` is read on a line before it."""
        hits = [hit for hit in self._finder.hits(text, heading) if text.zone in _PLACES[hit.group.where]]
        return scores(hits, self._owners, self._context)


def _together(texts: tuple[Text, ...]) -> Iterator[tuple[Text, Text | None]]:
    """Each text, with the subject, in all its readings, before the body: a person reads them together."""
    subjects = [text for text in texts if text.zone is Zone.SUBJECT]
    heading = subjects[0] if subjects else None
    if len(subjects) > 1:
        heading = replace(subjects[0], content="\n".join(text.content for text in subjects))
    bodies = False
    for text in texts:
        if text.zone is Zone.BODY and heading is not None and heading.content:
            bodies = True
            yield text, heading
        elif text.zone is not Zone.SUBJECT:
            yield text, None
    if not bodies:
        yield from ((text, None) for text in subjects)


def _finding(opinion: Opinion, text: Text, heading: Text | None) -> Finding:
    shown: dict[str, Hit] = {}
    details: list[str] = []
    if (score := opinion.score) is not None:
        for hit in sorted(score.hits, key=lambda one: -one.group.weight):
            shown.setdefault(hit.phrase, hit)
        weights = ", ".join(f"{hit.phrase} ({hit.group.name} {hit.group.weight:g})" for hit in shown.values())
        details.append(f"{weights}; trade +{score.trade:.1f}, reporting -{score.reporting:.1f}")
    if (impression := opinion.impression) is not None:
        details.append(f"reads like {impression.category} ({impression.odds:+.1f}): {', '.join(impression.words)}")
    return Prohibited(
        category=opinion.category,
        score=round(opinion.value, 2),
        strength="strong" if opinion.value >= STRONG else "weak",
        phrases=len(shown),
        zone=text.zone.value,
        terms=tuple(shown)[:TERMS],
        odds=round(impression.odds, 2) if impression is not None else 0.0,
        detail="; ".join(details),
        evidence=tuple(_evidence(text, heading, *place) for place in _places(opinion, shown.values(), text, heading)),
    )


def _places(opinion: Opinion, hits: Iterable[Hit], text: Text, heading: Text | None) -> Iterator[tuple[int, int]]:
    """Where the phrases stand; without any, where the words that made the impression stand first."""
    places = [hit.place for hit in hits]
    if not places and opinion.impression is not None:
        offset = len(heading.content) + 1 if heading is not None else 0
        plain = text.plain
        for word in opinion.impression.words:
            written = word.replace("_", " ")
            if (at := plain.text.find(written)) >= 0:
                start, stop = plain.original(at, at + len(written))
                places.append((start + offset, stop + offset))
    return islice(places, SHOWN)


def _evidence(text: Text, heading: Text | None, start: int, stop: int) -> Evidence:
    before = "" if heading is None else f"{heading.content}\n"
    first, last = max(start - AROUND, 0), stop + AROUND
    excerpt = before[first:last] + text.content[max(first - len(before), 0) : max(last - len(before), 0)]
    return Evidence(text.place, start, " ".join(excerpt.split()))
