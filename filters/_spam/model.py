"""The model: how much each word and each feature of form speaks for spam or against it (weights.txt).

The sum has three parts: the weights of the words and those of the form, each divided by the root of their number, so
that a long mail is not judged by its length, and the points of phrases.txt. `make model` fits the weights anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from pathlib import Path

from filters._spam.features import Features

WEIGHTS = Path(__file__).with_name("weights.txt")

FORM_SHARE = 1.6
"""How much more the form counts than the words: it changes less from one campaign to the next."""

TAG = 5.0
"""The score from which mail is spam, as rspamd and SpamAssassin count."""

STEP = 2.5
"""Points of the score for one of the sum."""

LEAST, MOST = -20.0, 50.0

SHOWN = 12
"""Parts that are told of."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The score, spam from TAG on, and what made it most: (feature, points), the greatest first."""

    score: float
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Model:
    """The weights. `bias` is what a mail starts with, `tag` the sum from which it is spam."""

    bias: float
    tag: float
    weights: Mapping[str, float] = field(repr=False)

    def total(self, features: Features) -> float:
        """The sum of what the features say."""
        return self.bias + sum(points for _, points in self._parts(features))

    def judge(self, features: Features, learned: Mapping[str, float]) -> Judgement:
        """What the features say together; `learned` has points of this gateway's own experience."""
        parts = [*self._parts(features), *((f"learned:{feature}", points) for feature, points in learned.items())]
        score = TAG + STEP * (self.bias + sum(points for _, points in parts) - self.tag)
        shown = nsmallest(SHOWN, parts, key=lambda part: (-abs(part[1]), part[0]))
        return Judgement(round(min(max(score, LEAST), MOST), 1), tuple(shown))

    def _parts(self, features: Features) -> list[tuple[str, float]]:
        """What each feature adds."""
        parts: list[tuple[str, float]] = []
        for share, names in ((1.0, features.words), (FORM_SHARE, features.form)):
            known = [name for name in names if name in self.weights]
            share /= math.sqrt(len(known) or 1)
            parts += [(name, self.weights[name] * share) for name in known]
        return [*parts, *((f"+{concept}", points) for concept, points in features.phrases.items())]


def load_model(path: Path = WEIGHTS) -> Model:
    """The model of the file. Raises ValueError for a line that is none."""
    weights: dict[str, float] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        feature, _, weight = line.partition(" ")
        try:
            weights[feature] = float(weight)
        except ValueError:
            raise ValueError(f"{path.name} line {number}: expected a feature and its weight") from None
    try:
        return Model(weights.pop("(bias)"), weights.pop("(tag)"), weights)
    except KeyError as error:
        raise ValueError(f"{path.name} has no line {error.args[0]}") from None
