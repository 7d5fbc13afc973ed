"""The model of the filter `content`: weights fitted by multinomial logistic regression (AdaGrad) on our letters and the
corpus, and proved by cross-validation over letters and mails.

Features are weighed by their rarity (inverse document frequency) and each page is brought to length one. Of the
weights only those that matter stay. The same letters and corpus give the same weights: the order in which pages are
looked at is drawn with a fixed seed.
"""

from __future__ import annotations

import math
import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from content_samples import ORDINARY, Sample, samples

from filters._content.model import BREVITY, WEIGHTS, Model, written
from filters._content.opinions import PHRASES, STRONG

SEED = 20261124
EPOCHS = 25
RATE = 0.6
STRENGTH = 0.00002
"""How dear a weight is that is not zero (ridge)."""

LEAST_LETTERS = 3
"""Letters or mails that must use a word or pair."""

LEAST = 2.0
"""A weight whose worth (with the rarity of its word) is smaller is left out."""

FOLDS = 5
FALSE_LETTERS, FALSE_MAILS = 0.02, 0.002
"""The share of our ordinary letters, which were written to be hard, and of ordinary mail that may be reported."""

Row = tuple[list[tuple[int, float]], int, float]


def fit(corpus: Path) -> str:
    """Write the weights, and tell how well letters were told that were left out."""
    found = samples(corpus)
    scored = left_out(found)
    tag = tag_of(scored)
    model = fitted(found)
    WEIGHTS.write_text(written(Model(model.categories, model.biases, tag, model.rarity, model.weights)), "utf-8")
    return f"content: {len(found)} pages, {len(model.rarity)} words and pairs; left out: {proof(scored, tag)}"


def left_out(found: Sequence[Sample]) -> list[tuple[Sample, float]]:
    """Each page with its odds by a model that saw nothing of its letter or mail."""
    scored: list[tuple[Sample, float]] = []
    for fold in range(FOLDS):
        model = fitted([each for each in found if _fold(each) != fold])
        scored += [(each, odds(model, each)) for each in found if _fold(each) == fold]
    return scored


def odds(model: Model, sample: Sample) -> float:
    """How much more the page reads like some category than like ordinary mail, and what the lexicons add."""
    known = sorted(each for each in sample.features if each in model.rarity)
    return (max(model.sums(known)) if known else -math.inf) + PHRASES * min(sample.phrases, STRONG)


def tag_of(scored: Sequence[tuple[Sample, float]]) -> float:
    """The least odds that leave few enough ordinary letters and mails above them."""
    least = []
    for of_letters, share in ((True, FALSE_LETTERS), (False, FALSE_MAILS)):
        best: dict[str, float] = {}
        for sample, value in scored:
            if sample.category == ORDINARY and (sample.group == "letters") is of_letters:
                best[sample.name] = max(value, best.get(sample.name, -math.inf))
        ordered = sorted(best.values(), reverse=True)
        least.append(ordered[int(len(ordered) * share)] if ordered else 0.0)
    return round(max(least) + 0.005, 2)


def proof(scored: Sequence[tuple[Sample, float]], tag: float) -> str:
    """The share of each category that is found, and of ordinary mail that is."""
    best: dict[tuple[str, str, str], float] = {}
    for sample, value in scored:
        key = (sample.group, sample.category, sample.name)
        best[key] = max(value, best.get(key, -math.inf))
    counts: dict[tuple[str, str], Counter[bool]] = defaultdict(Counter)
    for (group, category, _), value in best.items():
        counts[group, category][value >= tag] += 1
    return ", ".join(
        f"{category if group == 'letters' else group} {count[True]}/{count.total()}"
        for (group, category), count in sorted(counts.items())
    )


def fitted(found: Sequence[Sample]) -> Model:
    """The weights that make the categories of these pages likeliest."""
    categories = (ORDINARY, *sorted({each.category for each in found} - {ORDINARY}))
    users: dict[str, set[str]] = defaultdict(set)
    for sample in found:
        for each in sample.features:
            users[each].add(sample.name)
    names = len({sample.name for sample in found})
    words = sorted(each for each, by in users.items() if len(by) >= LEAST_LETTERS)
    rarity = {each: round(1 + math.log(names / len(users[each])), 2) for each in words}
    rows = _rows(found, categories, {each: at for at, each in enumerate(words)}, rarity)
    biases, weights = _descend(rows, len(words), len(categories))
    kept: dict[str, dict[int, float]] = {}
    for word, values in zip(words, weights, strict=True):
        if said := {at - 1: round(each, 2) for at, each in enumerate(values) if abs(each) * rarity[word] >= LEAST}:
            kept[word] = said
    return Model(
        categories[1:],
        tuple(round(bias - biases[0], 2) for bias in biases[1:]),
        0.0,
        {word: rarity[word] for word in kept},
        kept,
    )


def _rows(
    found: Sequence[Sample], categories: Sequence[str], at: dict[str, int], rarity: dict[str, float]
) -> list[Row]:
    """Pages as sparse vectors of length one. All categories count alike, and together as much as ordinary mail."""
    amount: dict[str, float] = defaultdict(float)
    for sample in found:
        amount[sample.category] += sample.weight
    total = sum(amount.values())
    rows = []
    for sample in found:
        known = sorted(each for each in sample.features if each in at)
        length = math.sqrt(sum(rarity[each] ** 2 for each in known) + BREVITY)
        part = 2 if sample.category == ORDINARY else 2 * (len(categories) - 1)
        weight = sample.weight * total / amount[sample.category] / part
        rows.append(([(at[each], rarity[each] / length) for each in known], categories.index(sample.category), weight))
    return rows


def _descend(rows: list[Row], words: int, categories: int) -> tuple[list[float], list[list[float]]]:
    weights = [[0.0] * categories for _ in range(words)]
    squares = [[1e-3] * categories for _ in range(words)]
    biases, order = [0.0] * categories, random.Random(SEED)  # noqa: S311
    every = range(categories)
    for _ in range(EPOCHS):
        order.shuffle(rows)
        for vector, right, worth in rows:
            sums = biases[:]
            for word, value in vector:
                row = weights[word]
                for each in every:
                    sums[each] += row[each] * value
            most = max(sums)
            norm = most + math.log(sum(math.exp(each - most) for each in sums))
            slopes = [worth * (math.exp(sums[each] - norm) - (each == right)) for each in every]
            active = [each for each in every if abs(slopes[each]) > 1e-3]
            for word, value in vector:
                row, square = weights[word], squares[word]
                for each in active:
                    step = slopes[each] * value + STRENGTH * row[each]
                    square[each] += step * step
                    row[each] -= RATE * step / math.sqrt(square[each])
            for each in active:
                biases[each] -= 0.01 * slopes[each]
    return biases, weights


def _fold(sample: Sample) -> int:
    return zlib.crc32(sample.name.encode()) % FOLDS
