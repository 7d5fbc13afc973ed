"""Phrases in a text, in any writing, and only where they are meant.

Vietnamese without diacritics is ambiguous ("co bac" is "cờ bạc", "có bác", "cô bác"), so what a phrase has lost counts
only where the whole text has lost it, or where the words were visibly taken apart ("c.ờ b.ạ.c", "c0 b4c").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from filters._content.lexicon import Group
from gateway.reading import Text
from gateway.text.folding import plain, toned
from gateway.text.phrases import Phrases
from gateway.text.squeezing import squeezed

ACCENTED = 0.06
"""The share of letters with Vietnamese diacritics from which a text is written with them: prose has 0.25, a text with a
few names 0.01."""

SAMPLED = 20_000
"""Letters looked at to tell."""

MOST_HITS = 5_000
"""Phrases of one text that are weighed."""

_MARKED = re.compile(r"[àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ]")
_LETTERS = re.compile(r"[^\W\d_]+")
_TAKEN_APART = re.compile(
    r"[^\W_]\W[^\W_](?:\W|$)|[^\W\d_][\d@$!|*._~+-]+[^\W\d_]|[^\W\d_][\d@$!|]|\d[^\W\d_]|(\w)\1\1"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase of a group, and where it stands in the text as it was written."""

    group: Group
    phrase: str
    start: int
    stop: int


class Finder:
    """All phrases of all groups, looked for at once. Built once, used from any thread."""

    def __init__(self, groups: Iterable[Group]) -> None:
        pairs = [(phrase, (group, phrase)) for group in groups for phrase in group.phrases]
        self._toned = Phrases(pairs, toned)
        self._plain = Phrases(pairs, plain)
        self._squeezed = Phrases(pairs, squeezed)

    def hits(self, text: Text) -> Iterator[Hit]:
        """Each phrase at each place once for each group that has it, in no order."""
        seen: set[tuple[int, int, str]] = set()
        for hit in self._all(text):
            key = (hit.start, id(hit.group), hit.phrase)
            if key not in seen:
                seen.add(key)
                yield hit
            if len(seen) >= MOST_HITS:
                return

    def _all(self, text: Text) -> Iterator[Hit]:
        for found in self._toned.search(text.toned):
            group, phrase = found.value
            yield Hit(group, phrase, *text.toned.original(found.start, found.stop))
        accented = is_accented(text.toned.text)
        for found in self._plain.search(text.plain):
            group, phrase = found.value
            if group.bare == "always" or (group.bare == "text" and not accented and _tells(phrase)):
                start, stop = text.plain.original(found.start, found.stop)
                if _compatible(text.content[start:stop], phrase):
                    yield Hit(group, phrase, start, stop)
        for found in self._squeezed.search(text.squeezed):
            group, phrase = found.value
            start, stop = text.squeezed.original(found.start, found.stop)
            written = text.content[start:stop]
            if _TAKEN_APART.search(written) and _compatible(written, phrase):
                yield Hit(group, phrase, start, stop)


def is_accented(text: str) -> bool:
    """True if a text in its toned form is written with Vietnamese diacritics."""
    sample = text[:SAMPLED]
    marked = len(_MARKED.findall(sample))
    return marked > ACCENTED * max(len(sample), 1)


def _tells(phrase: str) -> bool:
    """True if the phrase is known without its diacritics: one syllable ("đồ", "nó") is a word of any language."""
    return " " in phrase or phrase.isascii()


def _compatible(written: str, phrase: str) -> bool:
    """True unless a mark that is there says otherwise: "có bác" is not "cờ bạc", "co bac" may be."""
    have, want = "".join(_LETTERS.findall(toned(written).text)), "".join(_LETTERS.findall(toned(phrase).text))
    if not _MARKED.search(have):
        return True
    if len(have) != len(want):  # digits for letters, letters repeated
        return set(_MARKED.findall(have)) <= set(_MARKED.findall(want))
    return all(one == other or one == plain(other).text for one, other in zip(have, want, strict=True))
