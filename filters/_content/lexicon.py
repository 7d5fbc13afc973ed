"""Lexicons: files that an officer reads and edits, one for each category (policies/lists/lexicon)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from gateway.schema.nodes import decode
from gateway.schema.pattern import Pattern
from gateway.schema.reader import load

Where = Literal["subject", "body", "attachment", "anywhere"]

CONTEXT = "context.yaml"
"""The file of what is common to all categories."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Phrases that say the same. `weight` is what the first of them counts, each further different one half of it, all
    together at most `most` (three times the weight unless it says otherwise).

    `near` names other groups of the file, one of which must stand within `within` words; `unless_near` lists phrases
    none of which may stand there. `bare` says when a phrase counts without its diacritics: in a `text` that has none
    (the default), `always` (it is nothing else without them), `never` (it would be an everyday word). `where` limits
    the places; `min_count` is how many times the group's phrases must stand.
    """

    name: str
    phrases: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    weight: float = 1.0
    most: float | None = None
    near: tuple[str, ...] = ()
    within: int = 15
    unless_near: tuple[str, ...] = ()
    bare: Literal["text", "always", "never"] = "text"
    where: Where = "anywhere"
    min_count: int = 1

    def __post_init__(self) -> None:
        if not self.phrases and not self.patterns:
            raise ValueError(f"group {self.name} has no phrase and no pattern")
        if not 0 < self.weight <= 100:
            raise ValueError("weight must be more than 0 and at most 100")
        if self.within < 1 or self.min_count < 1:
            raise ValueError("within and min_count are at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One category. `flag` is the score from which it is reported, `trade` what a group of the context called so adds
    (a price, a telephone, a call to buy), `reporting` how much talk of law and order takes away (0: nothing)."""

    category: str
    title: str
    clause: tuple[str, ...] = ()
    language: tuple[str, ...] = ("vi",)
    flag: float = 3.0
    trade: float = 0.0
    reporting: float = 1.0
    groups: tuple[Group, ...]

    def __post_init__(self) -> None:
        names = {group.name for group in self.groups}
        if len(names) < len(self.groups):
            raise ValueError("two groups have the same name")
        for group in self.groups:
            for other in group.near:
                if other not in names:
                    raise ValueError(f"group {group.name} is to stand near {other}, which is not in the file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is common to all categories: signs of trade, and of reporting (law texts, news, official letters)."""

    trade: tuple[Group, ...]
    reporting: tuple[Group, ...]


def load_lexicons(folder: Path | None) -> tuple[tuple[Lexicon, ...], Context]:
    """The lexicons of a folder, and what is common to them; those that come with the program for None.

    Raises ConfigurationError with every problem at its place, ValueError for a folder without lexicons.
    """
    found: list[Traversable] = sorted(_files(folder), key=lambda file: file.name)
    context: Context | None = None
    lexicons = []
    for file in found:
        text = decode(file.read_bytes(), str(file))
        if file.name == CONTEXT:
            context = load(text, str(file), Context)
        else:
            lexicons.append(load(text, str(file), Lexicon))
    if not lexicons:
        raise ValueError(f"{folder} has no lexicon (*.yaml)")
    return tuple(lexicons), context or Context(trade=(), reporting=())


def _files(folder: Path | None) -> Iterator[Traversable]:
    root: Traversable = files("policies") / "lists" / "lexicon" if folder is None else folder
    if not root.is_dir():
        raise ValueError(f"{folder} is not a folder")
    return (file for file in root.iterdir() if file.name.endswith(".yaml"))
