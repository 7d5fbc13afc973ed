"""What this gateway has learned from the mails that people called spam or ham: how many of each had a word.

A file of text that is replaced as a whole under a lock. A mail counts once, by its digest; called otherwise later, it
is taken out of the one side and put on the other.
"""

from __future__ import annotations

import fcntl
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["spam", "ham"]
KINDS: tuple[Kind, Kind] = ("spam", "ham")

HEAD = "# mailwarden learned, version 1: kind, number of mails, word; or kind, digest of a mail"

MAILS = 200_000
"""Mails that are remembered; of older ones it is forgotten that they were learned, not what."""

WORDS = 300_000
"""Words that are kept, the commonest first: what was met once in years is of no use."""

COUNTED = 15
"""Words of a mail that count, the most telling ones: a mail that pads itself with harmless words has a few telling
ones all the same."""

MOST = 4.0
"""Points of the model's sum that experience adds or takes away at most."""


@dataclass(frozen=True, slots=True)
class Experience:
    """How many mails of each kind were learned, and how many of them had a word: (spam, ham)."""

    mails: Mapping[str, Kind] = field(default_factory=dict, repr=False)
    words: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False)
    spam: int = 0
    ham: int = 0

    def points(self, features: Iterable[str]) -> dict[str, float]:
        """What experience says of the features: points for spam, negative ones against it (naive Bayes with one mail
        of each kind assumed beforehand, over the most telling features)."""
        told = sorted(((self._ratio(each), each) for each in features if each in self.words), key=_most_telling)
        told = told[:COUNTED]
        whole = sum(ratio for ratio, _ in told)
        scale = min(1 / math.sqrt(len(told)), MOST / abs(whole)) if told and whole else 0.0
        return {feature: ratio * scale for ratio, feature in told}

    def _ratio(self, feature: str) -> float:
        spam, ham = self.words[feature]
        return math.log((spam + 1) / (self.spam + 2)) - math.log((ham + 1) / (self.ham + 2))


def _most_telling(told: tuple[float, str]) -> tuple[float, str]:
    return -abs(told[0]), told[1]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A mail to learn: the SHA-256 of its bytes in hex, and its features."""

    digest: str
    features: frozenset[str]


@dataclass(frozen=True, slots=True)
class Learnt:
    """How many mails were new, how many were known as the other kind, how many were known as this one."""

    new: int
    changed: int
    known: int


def load(path: Path) -> Experience:
    """What the file says; nothing where there is none. Raises ValueError for a line that is none, OSError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Experience()
    if not text.startswith(HEAD) or not text.endswith("\n"):
        raise ValueError(f"{path} is no file of `mailwarden learn`, or not whole")
    mails: dict[str, Kind] = {}
    words: dict[str, tuple[int, int]] = {}
    totals = {"spam": 0, "ham": 0}
    try:
        for line in text.splitlines()[1:]:
            fields = line.split(" ")
            if len(fields) == 3:
                words[fields[2]] = int(fields[0]), int(fields[1])
            elif fields[0] == "total":
                totals[fields[1]] = int(fields[3])
            else:
                mails[fields[1]] = KINDS[KINDS.index(fields[0])]
    except (ValueError, IndexError, KeyError):
        raise ValueError(f"{path} is damaged: {line[:60]!r}") from None
    return Experience(mails, words, totals["spam"], totals["ham"])


def learn(path: Path, lessons: Iterable[Lesson], kind: Kind) -> Learnt:
    """Take the lessons in as mails of this kind. Raises OSError, and ValueError for a damaged file."""
    with _alone(path):
        before = load(path)
        mails, words = dict(before.mails), dict(before.words)
        totals = {"spam": before.spam, "ham": before.ham}
        new = changed = known = 0
        for lesson in lessons:
            former = mails.pop(lesson.digest, None)
            mails[lesson.digest] = kind
            if former == kind:
                known += 1
                continue
            _count(words, lesson.features, kind, 1)
            totals[kind] += 1
            if former is None:
                new += 1
            else:
                changed += 1
                _count(words, lesson.features, former, -1)
                totals[former] -= 1
        if new or changed:
            _write(path, mails, words, totals)
    return Learnt(new, changed, known)


def _count(words: dict[str, tuple[int, int]], features: Iterable[str], kind: Kind, by: int) -> None:
    for feature in features:
        spam, ham = words.get(feature, (0, 0))
        spam, ham = (max(spam + by, 0), ham) if kind == "spam" else (spam, max(ham + by, 0))
        if spam or ham:
            words[feature] = spam, ham
        else:
            words.pop(feature, None)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else learns meanwhile. The lock is on a file beside: the file itself is replaced."""
    with path.with_name(f"{path.name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, mails: dict[str, Kind], words: dict[str, tuple[int, int]], totals: dict[str, int]) -> None:
    """Replace the file, so that a reader and a crash find the old one or the new one, whole."""
    latest = list(mails.items())[-MAILS:]
    common = sorted(words.items(), key=lambda each: (-sum(each[1]), each[0]))[:WORDS]
    lines = [HEAD, *(f"total {kind} mails {totals[kind]}" for kind in KINDS)]
    lines += [f"{kind} {digest}" for digest, kind in latest]
    lines += [f"{spam} {ham} {word}" for word, (spam, ham) in common]
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@dataclass(slots=True, eq=False)
class Memory:
    """The experience of a file, read again when the file was replaced."""

    path: Path
    experience: Experience = field(default_factory=Experience)
    seen: tuple[int, int, int] | None = None

    @property
    def stale(self) -> bool:
        """True if the file is another than the one that was read."""
        return self._mark() != self.seen

    def refresh(self) -> None:
        """Read the file. Raises ValueError, OSError."""
        mark = self._mark()
        self.experience = load(self.path)
        self.seen = mark

    def _mark(self) -> tuple[int, int, int]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return 0, 0, 0
        return found.st_ino, found.st_mtime_ns, found.st_size
