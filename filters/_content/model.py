"""How a text reads: a model of words and pairs of words, learnt from letters of each kind and from ordinary mail.

Lexicons know phrases; who offers something in words that no list has still writes like one who offers it, and who
reports on it does not. For each category the model says how much more a text reads like such letters than like
ordinary mail. It sees the text a page at a time: a letter is short, and a long harmless text dilutes no page of it.
`make model` fits the weights (weights.txt) anew.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from heapq import nlargest
from itertools import pairwise
from pathlib import Path

WEIGHTS = Path(__file__).with_name("weights.txt")

PAGE = 300
"""Words that are judged together: those of a page."""

PAGES = 4
"""Pages of a text that are judged: those of a letter. What is longer is a document, and lexicons read all of it."""

LONGEST = 10 * PAGE * PAGES
"""Characters in which so many words are looked for."""

ORDINARY = -1
"""The number of ordinary mail among the weights; the categories count from 0."""

BREVITY = 1_600.0
"""What is added to the squared length of a page, so that a few words say less than many: a letter of a hundred words
has some 5,000."""

SHOWN = 8
"""Words told as what spoke most for a category."""

_TOKEN = re.compile(r"[^\W\d_]+|[!?]{2,}|\d+(?=[%kd])|[\U0001f300-\U0001faff]")


def pages(text: str) -> Iterator[frozenset[str]]:
    """Each page of a text in letters without marks: its words and the pairs of neighbours, `danh`, `danh_de`."""
    words = _TOKEN.findall(text, 0, LONGEST)
    for start in range(0, min(len(words), PAGE * PAGES), PAGE):
        page = words[start : start + PAGE]
        yield frozenset(page).union(map("_".join, pairwise(page)))


@dataclass(frozen=True, slots=True)
class Impression:
    """How a page reads: the category it reads most like, and `odds`, the natural logarithm of how much more likely it
    is a letter of that than ordinary mail. `words` spoke most for it, the strongest first."""

    category: str
    odds: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """`rarity` is how much each word and pair says by being there, `weights` what it says of a category, by its number,
    or of ordinary mail, by ORDINARY; `tag` are the odds from which a text is reported."""

    categories: tuple[str, ...]
    biases: tuple[float, ...]
    tag: float
    rarity: Mapping[str, float] = field(repr=False)
    weights: Mapping[str, Mapping[int, float]] = field(repr=False)

    def impression(self, text: str) -> Impression | None:
        """That of the page that speaks most. `text` is in plain letters; None for a text without a known word."""
        best: tuple[float, list[float], list[str]] | None = None
        for page in pages(text):
            if known := [each for each in page if each in self.rarity]:
                sums = self.sums(known)
                if best is None or max(sums) > best[0]:
                    best = (max(sums), sums, known)
        if best is None:
            return None
        odds, sums, known = best
        at = sums.index(odds)
        spoke = nlargest(SHOWN, known, key=lambda each: (self._says(each, at), each))
        return Impression(self.categories[at], odds, tuple(spoke))

    def sums(self, known: Sequence[str]) -> list[float]:
        """What these features, all of which the model knows, say of each category against ordinary mail."""
        sums, length = [0.0] * (len(self.categories) + 1), 0.0
        for each in known:
            share = self.rarity[each]
            length += share * share
            for at, weight in self.weights[each].items():
                sums[at] += share * weight
        root, ordinary = math.sqrt(length + BREVITY), sums.pop()
        return [bias + (total - ordinary) / root for bias, total in zip(self.biases, sums, strict=True)]

    def _says(self, feature: str, at: int) -> float:
        weights = self.weights[feature]
        return self.rarity[feature] * (weights.get(at, 0.0) - weights.get(ORDINARY, 0.0))


@cache
def load_model(path: Path = WEIGHTS) -> Model:
    """The model of the file. Raises ValueError for a line that is none."""
    categories: tuple[str, ...] = ()
    numbers: dict[str, int] = {}
    biases: tuple[float, ...] = ()
    tag: float | None = None
    rarity: dict[str, float] = {}
    weights: dict[str, dict[int, float]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        name, *values = line.split()
        try:
            match name:
                case "#":
                    continue
                case "(categories)":
                    categories = tuple(values)
                    numbers = {name: number for number, name in enumerate(categories)} | {"ordinary": ORDINARY}
                case "(biases)":
                    biases = tuple(map(float, values))
                case "(tag)":
                    [tag] = map(float, values)
                case _:
                    rarity[name] = float(values[0])
                    said = (each.partition("=") for each in values[1:])
                    weights[name] = {numbers[category]: float(weight) for category, _, weight in said}
        except (ValueError, IndexError, KeyError):
            raise ValueError(f"{path.name} line {number}: expected a word, its rarity and category=weight") from None
    if tag is None or not categories or len(biases) != len(categories):
        raise ValueError(f"{path.name}: the categories, a bias for each and a tag are needed")
    return Model(categories, biases, tag, rarity, weights)


def written(model: Model) -> str:
    """The model as text, which `load_model` reads."""
    lines = [
        "# How letters of each category and ordinary mail read, fitted by `make model`: a word or pair of words, how",
        "# much it says, and of what. From (tag) on a text is reported.",
        f"(categories) {' '.join(model.categories)}",
        f"(biases) {' '.join(f'{bias:.2f}' for bias in model.biases)}",
        f"(tag) {model.tag:.2f}",
    ]
    names = (*model.categories, "ordinary")
    for name in sorted(model.rarity):
        said = " ".join(f"{names[at]}={weight:.2f}" for at, weight in sorted(model.weights[name].items()))
        lines.append(f"{name} {model.rarity[name]:.2f} {said}")
    return "\n".join(lines) + "\n"
