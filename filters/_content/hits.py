"""Phrases in a text, in any writing, and only where they are meant.

Vietnamese without diacritics is ambiguous ("co bac" is "cờ bạc", "có bác", "cô bác"), so what a phrase has lost counts
only where the whole text has lost it, or where the words were visibly taken apart ("c.ờ b.ạ.c", "c0 b4c").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from filters._content.lexicon import Group
from gateway.reading import Text
from gateway.text.folding import Folded, plain, toned
from gateway.text.phrases import Phrases
from gateway.text.squeezing import squeezed

ACCENTED = 0.06
"""The share of letters with Vietnamese diacritics from which a text is written with them: prose has 0.25, a text with a
few names 0.01."""

SAMPLED = 20_000
"""Letters looked at to tell."""

MOST_HITS = 20_000
"""Phrases of one text that are weighed: more than a megabyte of prose has."""

SHORTEST = 4
"""Characters of a phrase that is looked for in its disguises: shorter ones are made of any letters put together."""

_MARKED = re.compile(r"[àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ]")
_LETTERS = re.compile(r"[^\W\d_]+")
_TAKEN_APART = re.compile(
    r"[^\W_]\W[^\W_](?:\W|$)|[^\W\d_][\d@$!|*._~+-]+[^\W\d_]|[^\W\d_][\d@$!|]|\d[^\W\d_]|(\w)\1\1"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase of a group. `start` and `stop` are places in the folded text `form`, which are near enough to those of
    the text for weighing; `place` gives the exact ones."""

    group: Group
    phrase: str
    start: int
    stop: int
    form: Folded

    @property
    def place(self) -> tuple[int, int]:
        """Where the phrase stands in the text as it was written."""
        return self.form.original(self.start, self.stop)


_Pairs = list[tuple[str, tuple[Group, str]]]


class Finder:
    """All phrases of all groups, looked for at once. Built once, used from any thread."""

    def __init__(self, groups: Sequence[Group], context: Sequence[Group]) -> None:
        """`groups` are the lexicons', looked for in every disguise; nobody disguises the signs of the `context`."""
        topics: _Pairs = [(phrase, (group, phrase)) for group in groups for phrase in group.phrases]
        besides: _Pairs = [(phrase, (group, phrase)) for group in context for phrase in group.phrases]
        without = [(phrase, value) for phrase, value in topics if value[0].bare == "always" and not phrase.isascii()]
        bare = [(phrase, value) for phrase, value in topics + besides if value[0].bare == "text" and _tells(phrase)]
        self._toned = Phrases(topics + besides, toned)
        self._always = Phrases(without, plain)
        self._bare = Phrases([(phrase, value) for phrase, value in bare if not phrase.isascii()], plain)
        self._patterns = [(group, pattern) for group in [*groups, *context] for pattern in group.patterns]
        self._squeezed = Phrases([(phrase, value) for phrase, value in topics if len(phrase) >= SHORTEST], squeezed)

    def hits(self, text: Text) -> Iterator[Hit]:
        """The phrases that are meant, the same place of the same phrase perhaps in more than one form."""
        return islice(self._all(text), MOST_HITS)

    def _all(self, text: Text) -> Iterator[Hit]:
        yield from _hits(self._toned, text.toned)
        for group, pattern in self._patterns:
            for found in pattern.compiled.finditer(text.toned.text):
                yield Hit(group, f"/{pattern}/", found.start(), found.end(), text.toned)
        for hit in _hits(self._always, text.plain):
            if _compatible(_written(text, hit), hit.phrase):
                yield hit
        if not is_accented(text.toned.text):
            yield from (hit for hit in _hits(self._bare, text.plain) if _compatible(_written(text, hit), hit.phrase))
        for hit in _hits(self._squeezed, text.squeezed):
            if not _untouched(hit, text.plain.text):
                written = _written(text, hit)
                if _TAKEN_APART.search(written) and _compatible(written, hit.phrase):
                    yield hit


def _hits(phrases: Phrases[tuple[Group, str]], form: Folded) -> Iterator[Hit]:
    return (Hit(*found.value, found.start, found.stop, form) for found in phrases.search(form))


def _written(text: Text, hit: Hit) -> str:
    start, stop = hit.place
    return text.content[start:stop]


def _untouched(hit: Hit, bare: str) -> bool:
    """True if the words stand in the plain text as they do in the squeezed one: nothing was undone here."""
    words = hit.form.text
    piece = words[max(hit.start - 1, 0) : hit.stop + 1]
    return bare.find(piece, max(hit.start - 1, 0), hit.stop + 1 + len(bare) - len(words)) >= 0


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
