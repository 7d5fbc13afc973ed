"""The model: how much each feature speaks for each kind of sign-up mail, and how sure the sum is.

It is a table of weights (weights.txt) that a person can read: a row for each feature, a column for each kind. The
weights of a mail's features are added for each kind; kinds that come out far above nothing are likely. `make model`
fits the table anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

WEIGHTS = Path(__file__).with_name("weights.txt")

Kind = Literal[
    "verification", "welcome", "one_time_code", "password_reset", "security_notice", "invitation",
    "newsletter_confirmation", "newsletter", "account_activity",
]  # fmt: skip

KINDS: tuple[Kind, ...] = (
    "verification", "welcome", "one_time_code", "password_reset", "security_notice", "invitation",
    "newsletter_confirmation", "newsletter", "account_activity",
)  # fmt: skip


UNSAID = -20.0
"""The sum of a kind of which the mail does not speak: as good as nothing."""

SAID: Mapping[Kind, frozenset[str]] = {
    "verification": frozenset({"verify", "finish"}),
    "welcome": frozenset({"welcome", "thanks", "created", "registered", "setpassword"}),
    "one_time_code": frozenset({"near", "number", "login", "code"}),
    "password_reset": frozenset({"reset"}),
    "security_notice": frozenset({"security", "existing"}),
    "invitation": frozenset({"invite"}),
    "newsletter_confirmation": frozenset({"subscribe"}),
    "newsletter": frozenset({"newsletter", "promo", "unsubscribe", "label"}),
    "account_activity": frozenset({"order", "social"}),
}
"""What a mail must say in words to be of a kind: one of these, in the subject, the body or on a button."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one feature added to the sum."""

    feature: str
    weight: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The likeliest kind, how sure it is that the mail is sign-up mail at all (0 to 1), and what added to it."""

    kind: Kind
    confidence: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """The weights: for each feature one for each kind, in the order of KINDS. `bias` is what a mail starts with."""

    bias: tuple[float, ...]
    weights: Mapping[str, tuple[float, ...]]
    temperature: float = 1.0

    def scores(self, values: Mapping[str, float]) -> list[float]:
        """The sum for each kind; nothing is 0."""
        sums = list(self.bias)
        for feature, value in values.items():
            if row := self.weights.get(feature):
                for at, weight in enumerate(row):
                    if weight:
                        sums[at] += weight * value
        said = said_in(values)
        return [each if said & SAID[kind] else UNSAID for kind, each in zip(KINDS, sums, strict=True)]

    def judge(self, values: Mapping[str, float]) -> Judgement:
        """What the features say together. The confidence is calibrated: of mails judged at 0.9, nine in ten are."""
        sums = self.scores(values)
        best = max(range(len(sums)), key=sums.__getitem__)
        high = max(*sums, 0.0)
        nothing = math.exp(-high)
        total = sum(math.exp(each - high) for each in sums)
        odds = math.log(max(total, 1e-12)) - math.log(max(nothing, 1e-300))
        confidence = 1 / (1 + math.exp(-max(-60.0, min(60.0, odds / self.temperature))))
        parts = [
            Part(feature, row[best] * value)
            for feature, value in values.items()
            if (row := self.weights.get(feature)) and row[best]
        ]
        parts.sort(key=lambda part: -abs(part.weight))
        return Judgement(KINDS[best], confidence, tuple(parts))


def said_in(features: Iterable[str]) -> frozenset[str]:
    """What the mail says in words, of its features: links and headers are no words."""
    parted = (feature.partition(":") for feature in features)
    return frozenset(what for where, _, what in parted if where in ("subject", "body", "press", "code"))


def load_model(path: Path = WEIGHTS) -> Model:
    """The model of the file. Raises ValueError for a line that is none."""
    rows: dict[str, tuple[float, ...]] = {}
    temperature = 1.0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#") or words[0] == "feature":
            continue
        if words[0] == "temperature":
            temperature = float(words[1])
        elif len(words) != len(KINDS) + 1:
            raise ValueError(f"{path.name} line {number}: expected a feature and {len(KINDS)} weights")
        else:
            rows[words[0]] = tuple(0.0 if word == "." else float(word) for word in words[1:])
    return Model(rows.pop("bias"), rows, temperature)
