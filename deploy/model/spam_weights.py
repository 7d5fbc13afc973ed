"""The model of the filter `spam`: its weights fitted on the corpus (logistic regression, AdaGrad), and proved on a
third that was held back.

Only words count that several senders use and that are no names; of the weights, only those that matter stay. The same
corpus gives the same weights: the order in which mails are looked at is drawn with a fixed seed.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spam_samples import Sample, samples

from filters._spam.model import FORM_SHARE, WEIGHTS, Model

SEED = 20261124
EPOCHS = 25
RATE = 0.2
STRENGTH = 0.001
"""How dear a weight is that is not zero (ridge)."""

ORDERS = 3
"""Orders of the mails over which the weights are averaged."""

SOURCES = 2
"""Senders that must use a word: what one alone says is no sign of spam."""

LEAST_MAILS = 3
NAME_SHARE = 0.25
"""Of the mails with a word, the share in which it is part of a name or address, from which it counts as one."""

LEAST = 0.15
"""A weight that is smaller is left out; the rest is fitted again without it."""

FOLDS = 5
FALSE = 0.003
"""The share of wanted mail that may be taken for spam."""

_CALENDAR = frozenset(
    "jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september "
    "october november december mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday "
    "am pm est edt pst pdt cst cdt mst gmt utc ist cet bst".split()
)


def fit(corpus: Path) -> str:
    """Write the weights of the whole corpus, and tell how well those of two thirds do on the third."""
    found = samples(corpus)
    proof = proved(found)
    model = fitted(found)
    threshold = tag_of(left_out(found))
    WEIGHTS.write_text(written(Model(model.bias, threshold, model.weights)), encoding="utf-8")
    return f"spam: {len(found)} mails, {len(model.weights)} weights; {proof}"


@dataclass(frozen=True, slots=True)
class Proof:
    """The held-back mails with the sums of a model that never saw them; `tag` was chosen without them too."""

    scored: tuple[tuple[Sample, float], ...]
    tag: float

    def share(self, spam: bool, kind: str = "") -> tuple[int, int]:
        """How many mails are tagged, of how many."""
        of = [total for sample, total in self.scored if sample.spam is spam and kind in ("", sample.kind)]
        return sum(total > self.tag for total in of), len(of)

    def __str__(self) -> str:
        (hits, spam), (false, ham) = self.share(spam=True), self.share(spam=False)
        return f"of the third held back: found {hits} of {spam} spam, false alarms {false} of {ham}"


def proved(found: Sequence[Sample]) -> Proof:
    """Fits on two thirds, chooses the threshold by cross-validation there, and scores the third."""
    rest = [sample for sample in found if not sample.held_back]
    model = fitted(rest)
    held = [sample for sample in found if sample.held_back]
    return Proof(tuple((sample, model.total(sample.features)) for sample in held), tag_of(left_out(rest)))


def left_out(found: Sequence[Sample]) -> list[tuple[Sample, float]]:
    """Each mail with the sum by a model that was fitted without it."""
    mixed = list(found)
    random.Random(SEED).shuffle(mixed)  # noqa: S311
    scored: list[tuple[Sample, float]] = []
    for fold in range(FOLDS):
        model = fitted([sample for at, sample in enumerate(mixed) if at % FOLDS != fold])
        scored += [(sample, model.total(sample.features)) for sample in mixed[fold::FOLDS]]
    return scored


def tag_of(scored: Sequence[tuple[Sample, float]]) -> float:
    """The least sum that leaves at most FALSE of the wanted mail above it."""
    wanted = sorted((total for sample, total in scored if not sample.spam), reverse=True)
    return round(wanted[int(len(wanted) * FALSE)] + 0.005, 2)


def fitted(found: Sequence[Sample]) -> Model:
    """The weights that make the labels of these mails likeliest."""
    every = _weights(found, _vocabulary(found))
    kept = frozenset(feature for feature, weight in every[1].items() if abs(weight) >= LEAST)
    bias, weights = _weights(found, kept)
    return Model(round(bias, 2), 0.0, {feature: round(weight, 2) for feature, weight in sorted(weights.items())})


def _vocabulary(found: Sequence[Sample]) -> frozenset[str]:
    mails, named = Counter[str](), Counter[str]()
    sources: dict[str, set[str]] = defaultdict(set)
    for sample in found:
        mails.update(sample.features.words)
        mails.update(sample.features.form)
        for word in sample.features.words:
            if sample.source:
                sources[word].add(sample.source)
            if not sample.people.isdisjoint(_plain(word)):
                named[word] += 1
    return frozenset(
        feature
        for feature, count in mails.items()
        if count >= LEAST_MAILS
        and (
            feature.startswith("*")
            or (
                len(sources[feature]) >= SOURCES
                and named[feature] < NAME_SHARE * count
                and _CALENDAR.isdisjoint(_plain(feature))
            )
        )
    )


def _plain(word: str) -> list[str]:
    return word.rpartition(":")[2].split("_")


def _weights(found: Sequence[Sample], vocabulary: frozenset[str]) -> tuple[float, dict[str, float]]:
    """The mean of the weights over a few orders of the mails."""
    runs = [_run(found, vocabulary, SEED + order) for order in range(ORDERS)]
    bias = sum(each for each, _ in runs) / ORDERS
    return bias, {feature: sum(weights[feature] for _, weights in runs) / ORDERS for feature in sorted(vocabulary)}


def _run(found: Sequence[Sample], vocabulary: frozenset[str], seed: int) -> tuple[float, dict[str, float]]:
    amount = {spam: sum(sample.weight for sample in found if sample.spam is spam) for spam in (True, False)}
    rows = [
        (
            [(word, 1.0) for word in sorted(vocabulary.intersection(sample.features.words))],
            [(word, FORM_SHARE) for word in sorted(vocabulary.intersection(sample.features.form))],
            sum(sample.features.phrases.values()),
            sample.spam,
            sample.weight * len(found) / 2 / amount[sample.spam],  # both classes count alike
        )
        for sample in found
    ]
    weights = dict.fromkeys(vocabulary, 0.0)
    squares = dict.fromkeys(vocabulary, 1e-4)
    bias, order = 0.0, random.Random(seed)  # noqa: S311
    for _ in range(EPOCHS):
        order.shuffle(rows)
        for words, form, points, spam, weight in rows:
            parts = [(part, math.sqrt(len(part))) for part in (words, form) if part]
            total = bias + points + sum(sum(weights[each] * by for each, by in part) / root for part, root in parts)
            slope = (1 / (1 + math.exp(-max(-30.0, min(30.0, total)))) - spam) * weight
            for part, root in parts:
                for each, by in part:
                    step = slope * by / root + STRENGTH * weights[each]
                    squares[each] += step * step
                    weights[each] -= RATE * step / math.sqrt(squares[each])
            bias -= 0.05 * slope
    return bias, weights


def written(model: Model) -> str:
    """The weights as text."""
    lines = [
        "# What each word and feature of form adds to the sum that tells spam, fitted by `make model`. Above (tag) it",
        "# is spam. s: words of the subject, f: of the sender's name, h: hidden, *: form, *+: concepts of phrases.txt.",
        f"(bias) {model.bias:.2f}",
        f"(tag) {model.tag:.2f}",
        *(f"{feature} {weight:.2f}" for feature, weight in sorted(model.weights.items())),
    ]
    return "\n".join(lines) + "\n"
