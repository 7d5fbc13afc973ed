"""The lexicon of sign-up mail, and the search for its concepts in a folded text.

A concept is a set of phrases; a phrase is one or several parts that follow each other in one sentence. All parts of all
languages go into one automaton, which reads a text once; what it meets drives the phrases forward, so that the work
grows with the length of the text alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import ahocorasick_rs

from gateway.text.folding import plain

LEXICON = Path(__file__).with_name("lexicon.txt")

NEXT = 18
"""Characters between parts joined by " . ": "verify your new email" and the name of a product."""

NEAR = 60
"""Characters between parts joined by " .. ": most of a sentence."""

MATCH_LIMIT = 6000
"""Parts looked at in one text, far more than any letter has; the rest of a text made to waste time is let go."""

LANGUAGES = ("vi", "en", "fr", "de", "es", "ru", "zh", "ja", "ko")

EVERYWHERE = ("any", "en", "vi")

_BREAKS = (". ", "! ", "? ", "。", "!", "?", "।", " | ", "• ", " - ")
_BREAK = -1
_GAP = re.compile(r" (\.\.?) ")


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a concept is in a text, in characters of the folded text."""

    start: int
    stop: int
    language: str


@dataclass(frozen=True, slots=True)
class Found:
    """The concepts of a text, each with its first places, and how many words of each language it has."""

    concepts: Mapping[str, list[Hit]]
    languages: Counter[str]


@dataclass(slots=True)
class _Phrase:
    """One phrase of a concept: its parts are groups or single words, each a number."""

    concept: str
    language: str
    parts: tuple[int, ...]
    gaps: tuple[int, ...]


@dataclass(slots=True)
class _Written:
    """The file as it is read: parts by name or text, phrases, and the meaning of each concept."""

    words: dict[str, set[int]] = field(default_factory=dict)
    languages: dict[str, set[str]] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    phrases: list[_Phrase] = field(default_factory=list)
    meanings: dict[str, str] = field(default_factory=dict)

    def part(self, text: str, language: str) -> int:
        """The number of a part: a group "@NAME", or a word, which is then searched for."""
        number = self.parts.setdefault(text, len(self.parts))
        if not text.startswith("@"):
            self.word(text, language, number)
        return number

    def word(self, text: str, language: str, part: int) -> None:
        """A word that stands for a part."""
        folded = plain(text).text.strip()
        self.words.setdefault(folded, set()).add(part)
        if language in LANGUAGES:
            self.languages.setdefault(folded, set()).add(language)


class Lexicon:
    """The concepts of the file, ready for the search. Made once; a search changes nothing in it."""

    def __init__(self, text: str) -> None:
        written = _read(text)
        self.meanings: Mapping[str, str] = written.meanings
        self._phrases = written.phrases
        starts: dict[int, list[tuple[int, int]]] = {}
        for number, phrase in enumerate(written.phrases):
            for place, part in enumerate(phrase.parts):
                starts.setdefault(part, []).append((number, place))
        words = list(written.words)
        # What a word does: at which place of which phrases it is a part. Longer phrases first: within one word's
        # moves, a phrase that has it twice must not be advanced by itself.
        self._moves = [
            tuple(sorted((move for part in written.words[word] for move in starts.get(part, ())), key=lambda m: -m[1]))
            for word in words
        ]
        self._bounded = [(_parts_words(word[0]), _parts_words(word[-1]) and not _declines(word[-1])) for word in words]
        self._tongues = [
            next(iter(tongues)) if len(tongues := written.languages.get(word, set())) == 1 else "" for word in words
        ]
        self._count = len(words)
        self._automaton = ahocorasick_rs.AhoCorasick([*words, *_BREAKS])

    def search(self, text: str) -> Found:
        """The concepts in a text that was folded by `gateway.text.folding.plain`."""
        concepts: dict[str, list[Hit]] = {}
        languages: Counter[str] = Counter()
        reached: dict[tuple[int, int], tuple[int, int]] = {}  # (phrase, place) -> start and end of what is there
        moves, bounded, tongues, phrases, count = self._moves, self._bounded, self._tongues, self._phrases, self._count
        length = len(text)
        for word, start, stop in self._automaton.find_matches_as_indexes(text, overlapping=True)[:MATCH_LIMIT]:
            if word >= count:
                reached.clear()
                continue
            left, right = bounded[word]
            if (left and start and text[start - 1].isalnum()) or (right and stop < length and text[stop].isalnum()):
                continue
            if tongue := tongues[word]:
                languages[tongue] += stop - start
            for number, place in moves[word]:
                phrase = phrases[number]
                begin = start
                if place:
                    before = reached.get((number, place - 1))
                    if before is None or not 0 <= start - before[1] <= phrase.gaps[place - 1]:
                        continue
                    begin = before[0]
                if place + 1 < len(phrase.parts):
                    reached[number, place] = (begin, stop)
                else:
                    concepts.setdefault(phrase.concept, []).append(Hit(begin, stop, phrase.language))
        return Found(_spoken(concepts, languages), languages)


def _spoken(concepts: dict[str, list[Hit]], languages: Counter[str]) -> dict[str, list[Hit]]:
    """What was said in a language of the text. The short words of one mean nothing in another ("page", "termin");
    English and Vietnamese are mixed into everything here."""
    main = max(languages, key=languages.__getitem__, default="en")
    spoken = {main, *EVERYWHERE}
    kept = {concept: [hit for hit in hits if hit.language in spoken] for concept, hits in concepts.items()}
    return {concept: hits for concept, hits in kept.items() if hits}


def load_lexicon(path: Path = LEXICON) -> Lexicon:
    """The lexicon of the file. Raises ValueError for a line that is none."""
    return Lexicon(path.read_text(encoding="utf-8"))


def _parts_words(character: str) -> bool:
    """True for a letter or digit of a script that writes words apart; Chinese, Japanese and Korean do not."""
    return character.isalnum() and ord(character) < 0x1100


def _declines(character: str) -> bool:
    """True for Cyrillic: Russian words are listed by their stems."""
    return 0x400 <= ord(character) < 0x530


def _read(text: str) -> _Written:
    written = _Written()
    group = concept = ""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("= "):
            group, concept = "@" + line[2:].strip(), ""
        elif line.startswith("* "):
            concept, _, meaning = line[2:].partition(":")
            group, concept = "", concept.strip()
            written.meanings[concept] = meaning.strip()
        else:
            language, colon, phrases = line.partition(":")
            if not colon or (language not in LANGUAGES and language != "any"):
                raise ValueError(f"lexicon line {number}: no language")
            _phrases(written, group, concept, language, phrases)
    return written


def _phrases(written: _Written, group: str, concept: str, language: str, line: str) -> None:
    for text in _alternatives(line):
        if group:
            written.word(text, language, written.part(group, language))
            continue
        pieces = _GAP.split(text)
        parts = tuple(written.part(piece.strip(), language) for piece in pieces[::2])
        gaps = tuple(NEXT if gap == "." else NEAR for gap in pieces[1::2])
        written.phrases.append(_Phrase(concept, language, parts, gaps))


def _alternatives(line: str) -> Iterator[str]:
    return filter(None, (phrase.strip() for phrase in line.split(" | ")))
