"""What a mail says: lures, by theme, with what presses and threatens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from filters._content.hits import is_accented
from filters._impersonation.lists import Lures, Theme
from gateway.reading import Text, Zone
from gateway.text.folding import plain, toned
from gateway.text.phrases import Phrases

ZONES = (Zone.SUBJECT, Zone.BODY, Zone.HIDDEN, Zone.ATTACHMENT, Zone.IMAGE)
"""Where lures stand: what is in the page headers and properties of a document lures nobody."""

LONGEST_LURE = 20_000
"""Characters of a text that are looked at. Lures are short; a law or a newsletter says all of this somewhere."""

URGE, THREAT = 2.0, 2.0
"""What pressing and threatening add to a theme's weight."""

_PRESS, _THREATEN = "urge", "threat"


@dataclass(frozen=True, slots=True)
class Told:
    """A lure: its theme, its weight, and the phrases that show it with the places of the first."""

    theme: Theme
    weight: float
    urges: bool
    threatens: bool
    place: str
    offset: int
    phrase: str


class Teller:
    """Looks for all phrases at once. Built once, used from any thread."""

    def __init__(self, lures: Lures) -> None:
        pairs: list[tuple[str, str]] = [(phrase, _PRESS) for phrase in lures.urges]
        pairs += [(phrase, _THREATEN) for phrase in lures.threats]
        pairs += [(phrase, theme) for theme, lure in lures.themes.items() for phrase in lure.phrases]
        self._lures = lures
        self._toned = Phrases(pairs, toned)
        self._plain = Phrases(pairs, plain)

    def told(self, texts: Iterable[Text]) -> Iterator[Told]:
        """The lures of a mail: each theme once, at its heaviest. The subject counts with every text."""
        texts = [text for text in texts if text.zone in ZONES]
        subject = {name for text in texts if text.zone is Zone.SUBJECT for name, _ in self._found(text)}
        best: dict[Theme, Told] = {}
        for text in texts:
            for told in self._of(text, subject):
                if told.theme not in best or best[told.theme].weight < told.weight:
                    best[told.theme] = told
        yield from best.values()

    def _of(self, text: Text, subject: set[str]) -> Iterator[Told]:
        found = dict(reversed(list(self._found(text))))
        names = found.keys() | subject
        urges, threatens = _PRESS in names, _THREATEN in names
        if not urges and not threatens:
            return
        for theme, lure in self._lures.themes.items():
            if theme in names:
                weight = lure.weight + URGE * urges + THREAT * threatens
                offset, phrase = found.get(theme, (0, ""))
                yield Told(theme, weight, urges, threatens, text.place, offset, phrase)

    def _found(self, text: Text) -> Iterator[tuple[str, tuple[int, str]]]:
        """Names of what is found, with place and words. A text written without diacritics is read without them."""
        search, folded = (self._toned, text.toned) if is_accented(text.toned.text) else (self._plain, text.plain)
        for hit in search.search(folded.beginning(LONGEST_LURE)):
            start, stop = folded.original(hit.start, hit.stop)
            yield hit.value, (start, text.content[start:stop])
