"""Phrases in a text, in any writing, and only where they are meant.

Vietnamese without diacritics is ambiguous ("co bac" is "cờ bạc", "có bác", "cô bác"), so what a phrase has lost counts
only where the whole text has lost it, or where the words were visibly taken apart ("c.ờ b.ạ.c", "c0 b4c").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import NamedTuple

from filters._content.lexicon import Group
from gateway.reading import Text
from gateway.schema.pattern import Pattern
from gateway.text.coding import bytes_of, coded
from gateway.text.folding import Folded, plain, toned
from gateway.text.phrases import Hit as PhraseHit
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

LONGEST = 200
"""Characters of a phrase, or of what a pattern finds, that stands across two texts read together."""

_MARKED_LETTERS = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ"
_MARKED = re.compile(f"[{_MARKED_LETTERS}]")
_MARKED_BYTES = bytes_of(_MARKED_LETTERS)
_LETTERS = re.compile(r"[^\W\d_]+")
_TAKEN_APART = re.compile(
    r"[^\W_]\W[^\W_](?:\W|$)|[^\W\d_][\d@$!|*._~+-]+[^\W\d_]|[^\W\d_][\d@$!|]|\d[^\W\d_]|(\w)\1\1"
)


class Hit(NamedTuple):
    """A phrase of a group. `start` and `stop` are places in the folded text `form`, which are near enough to those of
    the text for weighing, where `shift` is added; `place` gives the exact ones, of which `offset` is where the text of
    the form begins. A tuple, since a text may have thousands."""

    group: Group
    phrase: str
    start: int
    stop: int
    form: Folded
    shift: int = 0
    offset: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """Where the phrase stands in the text as it was written."""
        start, stop = self.form.original(self.start - self.shift, self.stop - self.shift)
        return start + self.offset, stop + self.offset


_Pairs = list[tuple[str, tuple[Group, str]]]


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the texts that are read together: where it begins, in the toned form of all and as written."""

    text: Text
    shift: int = 0
    offset: int = 0


class _Set:
    """Phrases and patterns of some groups, looked for in the toned form, and in the plain one where marks are lost."""

    def __init__(self, groups: Sequence[Group]) -> None:
        pairs: _Pairs = [(phrase, (group, phrase)) for group in groups for phrase in group.phrases]
        bare = [(phrase, value) for phrase, value in pairs if value[0].bare == "text" and _tells(phrase)]
        self._toned = Phrases(pairs, toned)
        self._bare = Phrases(bare, plain)
        self._patterns = [(group, pattern) for group in groups for pattern in group.patterns]

    def hits(self, part: _Part, start: int, stop: int, *, bare: bool) -> Iterator[Hit]:
        """Those in a stretch of a text's folded forms; in any writing where it is written `bare`."""
        text, shift, offset = part.text, part.shift, part.offset
        form = text.toned
        for first, last, (group, phrase) in self._toned.search(form, start, stop):
            yield Hit(group, phrase, first + shift, last + shift, form, shift, offset)
        piece = form.text[start:stop].encode(errors="replace") if self._patterns else b""
        for group, pattern in self._patterns:
            for first, last in _places(pattern, piece):
                yield Hit(group, f"/{pattern}/", first + start + shift, last + start + shift, form, shift, offset)
        if bare:
            yield from _compatible_ones(part, self._bare.search(text.plain, start, stop), text.plain)


class Finder:
    """All phrases of all groups, looked for at once. Built once, used from any thread."""

    def __init__(self, groups: Sequence[Group], context: Sequence[Group], around: int) -> None:
        """`groups` are the lexicons', looked for in every disguise; nobody disguises the signs of the `context`, which
        matter within `around` characters of a phrase."""
        topics: _Pairs = [(phrase, (group, phrase)) for group in groups for phrase in group.phrases]
        without = [(phrase, value) for phrase, value in topics if value[0].bare == "always" and not phrase.isascii()]
        self._topics, self._context = _Set(groups), _Set(context)
        self._always = Phrases(without, plain)
        self._squeezed = Phrases([(phrase, value) for phrase, value in topics if len(phrase) >= SHORTEST], squeezed)
        self._around = around

    def hits(self, text: Text, heading: Text | None = None) -> Iterator[Hit]:
        """The phrases that are meant, the same place of the same phrase perhaps in more than one form; those of the
        context only near the others. A `heading` is read on a line before the text, and places count from its start."""
        return islice(self._all(text, heading), MOST_HITS)

    def _all(self, text: Text, heading: Text | None) -> Iterator[Hit]:
        parts = list(_parts(text, heading))
        bare = not is_accented(" ".join(part.text.toned.text[:SAMPLED] for part in parts))
        topics = [hit for part in parts for hit in self._of_topics(part, bare)]
        if heading is not None:
            across = _across(text, heading)
            topics += (hit for hit in self._of_topics(across, bare) if _is_across(hit, heading))
        yield from topics
        stretches = _stretches([hit.start for hit in topics], self._around)
        for part in parts if topics else ():
            length = len(part.text.toned.text)
            for start, stop in stretches:
                first, last = max(start - part.shift, 0), min(stop - part.shift, length)
                if first < last:
                    yield from self._context.hits(part, first, last, bare=bare)
        if topics and heading is not None:
            hits = self._context.hits(across, 0, len(across.text.toned.text), bare=bare)
            yield from (hit for hit in hits if _is_across(hit, heading))

    def _of_topics(self, part: _Part, bare: bool) -> Iterator[Hit]:
        text = part.text
        yield from self._topics.hits(part, 0, len(text.toned.text), bare=bare)
        yield from _compatible_ones(part, self._always.search(text.plain), text.plain)
        for hit in _compatible_ones(part, self._squeezed.undone(text.squeezed), text.squeezed):
            if _TAKEN_APART.search(_written(part, hit)):
                yield hit


def _places(pattern: Pattern, piece: bytes) -> Iterator[tuple[int, int]]:
    """Where the pattern is in a piece of text in UTF-8, in characters."""
    at = behind = 0
    for found in pattern.compiled.finditer(piece):
        start, stop = found.span()
        first = at + len(piece[behind:start].decode())
        at, behind = first + len(piece[start:stop].decode()), stop
        yield first, at


def _parts(text: Text, heading: Text | None) -> Iterator[_Part]:
    if heading is None:
        yield _Part(text)
    else:
        yield _Part(heading)
        yield _Part(text, _begins(heading, text), len(heading.content) + 1)


def _begins(heading: Text, text: Text) -> int:
    """Where the text would begin in the toned form of both, which has one space between them."""
    folded = text.toned.text
    return len(heading.toned.text.rstrip(" ")) + 1 - (len(folded) - len(folded.lstrip(" ")))


def _across(text: Text, heading: Text) -> _Part:
    """The heading's end and the text's beginning."""
    end = Text(place=heading.place, zone=heading.zone, content=heading.content[-LONGEST:])
    both = Text(place=text.place, zone=text.zone, content=f"{end.content}\n{text.content[:LONGEST]}")
    shift = len(heading.toned.text.rstrip(" ")) - len(end.toned.text.rstrip(" "))
    return _Part(both, shift, len(heading.content) - len(end.content))


def _is_across(hit: Hit, heading: Text) -> bool:
    start, stop = hit.place
    return start < len(heading.content) and stop > len(heading.content) + 1


def _stretches(places: list[int], around: int) -> list[tuple[int, int]]:
    """The stretches of a text within so many characters of the places."""
    found: list[tuple[int, int]] = []
    for place in sorted(places):
        if found and place - around <= found[-1][1]:
            found[-1] = found[-1][0], place + around
        else:
            found.append((place - around, place + around))
    return found


def _compatible_ones(part: _Part, found: Iterable[PhraseHit[tuple[Group, str]]], form: Folded) -> Iterator[Hit]:
    for start, stop, (group, phrase) in found:
        hit = Hit(group, phrase, start + part.shift, stop + part.shift, form, part.shift, part.offset)
        if _compatible(_written(part, hit), phrase):
            yield hit


def _written(part: _Part, hit: Hit) -> str:
    start, stop = hit.place
    return part.text.content[start - part.offset : stop - part.offset]


def is_accented(text: str) -> bool:
    """True if a text in its toned form is written with Vietnamese diacritics."""
    sample = coded(text[:SAMPLED])
    marked = len(sample) - len(sample.translate(None, _MARKED_BYTES))
    return marked > ACCENTED * max(len(sample), 1)


def _tells(phrase: str) -> bool:
    """True if the phrase is another without its diacritics, and known so: one syllable ("đồ", "nó") is a word of any
    language."""
    return " " in phrase and not phrase.isascii()


@cache
def _letters(phrase: str) -> str:
    """The letters of a lexicon's phrase."""
    return "".join(_LETTERS.findall(toned(phrase).text))


def _compatible(written: str, phrase: str) -> bool:
    """True unless a mark that is there says otherwise: "có bác" is not "cờ bạc", "co bac" may be."""
    if written == phrase:
        return True
    have, want = "".join(_LETTERS.findall(toned(written).text)), _letters(phrase)
    if not _MARKED.search(have):
        return True
    if len(have) != len(want):  # digits for letters, letters repeated
        return set(_MARKED.findall(have)) <= set(_MARKED.findall(want))
    return all(one == other or one == plain(other).text for one, other in zip(have, want, strict=True))
