"""What lexicons and the model say of a text together: phrases are certain and few, the impression sees the rest.

Where the model knows a category, a few weak phrases of it count as far as the text also reads like it: a report and an
offer share words, and differ in how they are written. Strong phrases count as they are, and so does all that the model
has not learnt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from filters._content.model import Impression, Model
from filters._content.weighing import Score

STRONG = 2.0
"""The multiple of its threshold from which a score is strong."""

PHRASES = 1.0
"""What a score of 1 by a lexicon adds to the odds."""

MOST = 1.9
"""What an impression makes of a score at most: strong are only phrases, which a person can point at."""

DOUBTED = -0.25
"""The joint score below which a text so clearly reads like ordinary mail that its weak phrases are in doubt."""

DOUBT = 0.5
"""What they count for then at most."""

SPREAD = 2.0
"""Odds above the model's threshold that add 1 to the score."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a category comes to: 1 is its threshold. `score` and `impression` are what it rests on, where they are."""

    category: str
    value: float
    score: Score | None
    impression: Impression | None


def opinions(scores: Iterable[Score], impression: Impression | None, model: Model) -> Iterator[Opinion]:
    """One for each category that anything speaks for."""
    by_category = {score.lexicon.category: score for score in scores}
    if impression is not None and impression.category not in by_category:
        yield Opinion(impression.category, _joint(0.0, impression, model), None, impression)
    for category, score in by_category.items():
        alone = score.value / score.lexicon.flag
        if impression is None or category not in model.categories:
            yield Opinion(category, alone, score, None)
            continue
        joint = _joint(alone, impression, model)
        phrases = alone if alone >= STRONG or joint >= DOUBTED else min(alone, DOUBT)
        if category == impression.category:
            yield Opinion(category, max(joint, phrases), score, impression)
        else:
            yield Opinion(category, phrases, score, None)


def _joint(alone: float, impression: Impression, model: Model) -> float:
    return min(1 + (impression.odds + PHRASES * min(alone, STRONG) - model.tag) / SPREAD, MOST)
