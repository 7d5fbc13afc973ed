"""Domains that look like others: by letters, by a slip of the pen, by a known name inside an unknown one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gateway.dns.names import organisation, within
from gateway.text.lookalikes import seen

By = Literal["homograph", "letters", "mixed-script", "embedded", "edit", "suffix"]

SHORTEST = 5
"""Letters of a name that is known by its first label alone: shorter ones are one letter from many honest names."""

JOINED_DOTS = 2
"""Dots of a name that is looked for with its dots left out: "applecom" stands in "pineapplecompany"."""

_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"))
_DIGITS = str.maketrans("0135l", "oiesi")
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")


@dataclass(frozen=True, slots=True)
class Lookalike:
    """What a domain poses as ("" for a mixture of scripts that poses as nobody known) and by what."""

    imitates: str
    by: By


class Protected:
    """Domains that others pose as. Built once, used from any thread."""

    def __init__(self, domains: Sequence[str], state: frozenset[str]) -> None:
        """`state` are domains that the State gives out: nobody else gets one below them."""
        known = (*domains, *sorted(state))
        self._all = frozenset(known)
        self._skeletons = {skeleton(domain): domain for domain in reversed(known)}
        self._words: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for domain in sorted(known, key=len, reverse=True):
            words = tuple(domain.split("."))
            self._words.setdefault(words[0], []).append((domain, words))
        self._joined = [
            (domain.replace(".", ""), domain)
            for domain in known
            if domain.count(".") >= JOINED_DOTS and domain.index(".") >= SHORTEST
        ]
        self._written_together = {domain.replace(".", ""): domain for domain in state}
        labels = {_label(domain): domain for domain in reversed(domains)}
        self._labels = {label: domain for label, domain in labels.items() if len(label) >= SHORTEST}
        self._by_end: dict[str, list[str]] = {}
        for label in self._labels:  # one slip leaves the first or the last letter in its place
            for end in (f"{label[0]}*", f"*{label[-1]}"):
                self._by_end.setdefault(end, []).append(label)

    def imitated(self, domain: str) -> Lookalike | None:
        """What a domain looks like that is none of these. `domain` is in the form of `as_domain`."""
        return _imitated(self, domain)

    def judged(self, domain: str) -> Lookalike | None:
        """The same, worked out anew."""
        if not domain or within(domain, self._all):
            return None
        shown = readable(domain)
        by: By = "letters" if shown.isascii() else "homograph"
        for name in (shown, readable(organisation(domain))):
            if original := self._skeletons.get(skeleton(name)):
                return Lookalike(original, by)
        label = _label(domain)
        if original := self._embedded(skeleton(shown, pairs=False), label):
            return Lookalike(original, "embedded")
        return Lookalike("", "mixed-script") if mixed(shown) else self._near(label)

    def _embedded(self, shown: str, label: str) -> str:
        """Which of the names stands inside: `gialai.gov.vn.example.com`, `gialai-gov-vn.com`, `gialaigovvn.com`.

        One that is `label`, under another suffix, is not embedded.
        """
        words = tuple(re.split(r"[.-]", shown))
        for at, word in enumerate(words):
            for domain, sought in self._words.get(word, ()):
                if word == label or words[at : at + len(sought)] != sought:
                    continue
                if at + len(sought) < len(words) or len(word) >= SHORTEST:  # at the end: secure-bank.com.vn
                    return domain
            if word in self._written_together:
                return self._written_together[word]
        joined = "".join(words)
        return next((domain for whole, domain in self._joined if whole in joined and _label(domain) != label), "")

    def _near(self, label: str) -> Lookalike | None:
        """The name of which this is a slip of the pen, or that stands under another suffix."""
        if label in self._labels:
            return Lookalike(self._labels[label], "suffix")
        for end in (f"{label[0]}*", f"*{label[-1]}"):
            for own in self._by_end.get(end, ()):
                if one_edit(label, own):
                    return Lookalike(self._labels[own], "edit")
        return None


def _label(domain: str) -> str:
    """The label that was registered."""
    return organisation(domain).partition(".")[0]


@lru_cache(maxsize=8192)
def _imitated(protected: Protected, domain: str) -> Lookalike | None:
    """The same few hundred hosts are in most mail."""
    return protected.judged(domain)


@lru_cache(maxsize=2048)
def readable(domain: str) -> str:
    """The domain as people see it: A-labels decoded."""
    if "xn--" not in domain:
        return domain
    labels = []
    for label in domain.split("."):
        try:
            labels.append(label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label)
        except UnicodeError:
            labels.append(label)
    return ".".join(labels)


@lru_cache(maxsize=4096)
def skeleton(domain: str, *, pairs: bool = True) -> str:
    """The domain as an eye takes it: letters of other scripts as Latin ones, digits as letters; with `pairs` also two
    letters as one (rn as m)."""
    text = domain
    if not domain.isascii():
        text = "".join(seen(character, marks=False) for character in domain).replace(" ", "")
    if not pairs:
        return text
    text = text.translate(_DIGITS)
    for two, one in _PAIRS:
        text = text.replace(two, one)
    return text


def mixed(text: str) -> bool:
    """True if some label has letters of more than one of the scripts that are taken for each other."""
    return not text.isascii() and any(len(_scripts(label)) > 1 for label in text.split("."))


def one_edit(one: str, other: str) -> bool:
    """True if one letter is missing, more, another, or two neighbours have changed places."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    rest, left = one[at:], other[at:]
    return (
        rest[1:] == left[1:]
        or rest[1:] == left
        or rest == left[1:]
        or (rest[:2] == left[1::-1] and rest[2:] == left[2:] and len(left) > 1)
    )


def _scripts(label: Iterable[str]) -> set[str]:
    found = set()
    for letter in label:
        script = unicodedata.name(letter, "").partition(" ")[0]
        if script in _SCRIPTS:
            found.add(script)
    return found
