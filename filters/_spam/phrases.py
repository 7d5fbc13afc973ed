"""What advertising says, by hand: concepts with weights (phrases.txt), found in folded text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from filters._spam.words import TEXT_LIMIT
from gateway.reading import Reading, Text, Zone
from gateway.text.phrases import Phrases

PHRASES = Path(__file__).with_name("phrases.txt")

HIT_LIMIT = 3_000
"""Phrases looked at in one text; the rest of a text made to waste time is let go."""

MOST = 8.0
"""Points that phrases add at most: enough for any mail to be spam, and a decree on gambling may name all of them."""

ALONE = 1.5
"""Points that they add at most where nothing calls upon the reader."""

CALL = "!"
"""How the name of a concept begins that calls upon the reader."""

_ZONES = (Zone.SUBJECT, Zone.SENDER_NAME, Zone.BODY)


@dataclass(frozen=True, slots=True)
class Said:
    """Where a concept was first met: the text, and the characters of its folded form. `weight` is None for one whose
    weight the model has."""

    concept: str
    weight: float | None
    text: Text
    start: int
    stop: int


def points(said: Mapping[str, Said]) -> dict[str, float]:
    """What the concepts add to the model's sum, by concept; those whose weight the model has are left out."""
    found = {concept: each.weight for concept, each in said.items() if each.weight is not None}
    whole = sum(found.values())
    most = MOST if any(concept.startswith(CALL) for concept in found) else ALONE
    return {concept: weight * min(1.0, most / whole) for concept, weight in found.items()}


class Offers:
    """The concepts of phrases.txt."""

    def __init__(self, lines: str) -> None:
        """Raises ValueError for a line that is none."""
        self._weights: dict[str, float | None] = {}
        pairs: list[tuple[str, str]] = []
        for number, line in enumerate(lines.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split(maxsplit=2)
            try:
                concept, phrases = fields[0], fields[2]
                weight = None if fields[1] == "fit" else float(fields[1])
            except (IndexError, ValueError):
                raise ValueError(f"{PHRASES.name} line {number}: expected concept, weight and phrases") from None
            self._weights[concept] = weight
            pairs += [(phrase, concept) for phrase in phrases.split(" | ")]
        self._phrases = Phrases(pairs)

    @classmethod
    def load(cls) -> Offers:
        """The concepts that come with the program."""
        return cls(PHRASES.read_text(encoding="utf-8"))

    def said_in(self, reading: Reading) -> dict[str, Said]:
        """The concepts of the mail, each with its first place."""
        found: dict[str, Said] = {}
        rest = TEXT_LIMIT
        for text in reading.of(*_ZONES):
            if rest <= 0:
                break
            beginning = text.plain.beginning(rest)
            rest -= len(beginning.text)
            for start, stop, concept in islice(self._phrases.search(beginning), HIT_LIMIT):
                if concept not in found:
                    found[concept] = Said(concept, self._weights[concept], text, start, stop)
        return found
